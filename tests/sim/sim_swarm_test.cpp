// Goal: whatever the mesh, its policies, faults and load: the books of a run in virtual time
//       balance, its figures obey Little's law, policies keep their bounds, and the run repeats
//       itself to the last event, watched or not.
// Method: random cases; one that fails is made smaller while it still fails, and printed as files
//         with the command that runs them.
//
// MESH_SEED=N runs from another seed, MESH_SWARM=N that many cases (the slow test: 1 000).
#include "proxyengine/config/codec.h"
#include "simulator/mesh/mesh_run.h"
#include "tests/support/seeded_run.h"
#include "tests/support/swarm_case.h"

#include <QTest>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <tuple>

namespace mesh::simulator {

using namespace std::chrono_literals;
using test::SwarmCase;
using test::Violation;

class SimSwarmTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyInvariantHoldsInRandomMeshes();
    void aFailingCaseIsMadeSmaller();
};

namespace {

constexpr std::uint64_t kOrdinaryCases = 30;
constexpr int kShrinkStepsMax = 400;

MeshRunSettings settingsOf(const SwarmCase& mesh)
{
    MeshRunSettings settings;
    settings.seed = mesh.seed;
    settings.duration = mesh.duration;
    settings.loads = {mesh.load()};
    settings.timeline = mesh.timeline;
    settings.network = mesh.network();
    // Until everything has ended, so that no call is cut.
    settings.windows = {{"all", {{TimePoint(0s), TimePoint(1h)}}}};
    return settings;
}

Violation littleViolation(const MeasureRow& row)
{
    const CallFigures& figures = row.figures(0);
    const double waited = toSeconds(figures.waited);
    const double sum = toSeconds(figures.durations.mean()) * static_cast<double>(figures.calls);
    // The mean is cut to whole nanoseconds.
    const double off = 1e-9 * static_cast<double>(figures.calls) + 1e-9 * waited;
    if (std::abs(waited - sum) > off) {
        return fmt::format("Little's law in {}: {:.9f} s, not {:.9f}", row.name(), waited, sum);
    }
    return {};
}

Violation rowViolation(const SwarmCase& mesh, const MeasureRow& row)
{
    const CallFigures& figures = row.figures(0);
    if (figures.succeeded > figures.calls || figures.durations.total() != figures.calls) {
        return fmt::format("{} has more ends than calls", row.name());
    }
    const std::string callee = row.name().substr(row.name().rfind('>') + 1); // npos + 1 is 0.
    const bool hasStorm = std::ranges::any_of(mesh.timeline, [](const Fault& fault) {
        return fault.kind == FaultKind::RetryStorm;
    });
    const auto place = static_cast<std::size_t>(std::stoi(callee.substr(1)));
    const auto most =
        static_cast<std::uint64_t>(mesh.services[place].attemptsMax * (hasStorm ? 4 : 1));
    if (figures.attempts > figures.calls * most) {
        return fmt::format(
            "{}: {} attempts for {} calls, allowed {} each",
            row.name(),
            figures.attempts,
            figures.calls,
            most
        );
    }
    return littleViolation(row);
}

// Calls of a service are those of its edges, and those that began have ended.
Violation conservationViolation(const MeshRun& run)
{
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> byCallee;
    for (const MeasureRow& edge : run.edges()) {
        const std::string callee = edge.name().substr(edge.name().rfind('>') + 1);
        byCallee[callee].first += edge.figures(0).calls;
        byCallee[callee].second += edge.figures(0).attempts;
    }
    std::uint64_t attempts = 0;
    for (const MeasureRow& service : run.services()) {
        const auto found = byCallee.find(service.name());
        const std::uint64_t calls = found == byCallee.end() ? 0 : found->second.first;
        if (service.figures(0).calls != calls) {
            return fmt::format(
                "{} has {} calls, its edges {}", service.name(), service.figures(0).calls, calls
            );
        }
        attempts += service.figures(0).attempts;
    }
    if (run.hops() > attempts) {
        return fmt::format("{} visits of {} attempts", run.hops(), attempts);
    }
    return {};
}

// By second: no count below zero, and what began and did not end is in flight.
Violation seriesViolation(const RunRecord& record)
{
    for (const RunSeries& series : record.edges) {
        std::int64_t inFlight = 0;
        for (const RunSecond& second : series.seconds) {
            inFlight += static_cast<std::int64_t>(second.begun);
            inFlight -= static_cast<std::int64_t>(second.succeeded) + second.failed;
            if (inFlight != static_cast<std::int64_t>(second.inFlight)) {
                return fmt::format(
                    "{}: {} in flight by its counts, {} told",
                    series.name,
                    inFlight,
                    second.inFlight
                );
            }
        }
        if (inFlight != 0) {
            return fmt::format("{}: {} still in flight at the end", series.name, inFlight);
        }
    }
    return {};
}

// Each proxy may have its share of the hosts out, at least one.
Violation ejectionViolation(const SwarmCase& mesh, const RunRecord& record)
{
    std::map<std::pair<std::string, std::string>, int> out;
    for (const RunMarker& marker : record.markers) {
        if (marker.kind == RunMarker::Kind::FaultBegan
            && mesh.timeline[marker.fault].kind == FaultKind::ZoneOutage) {
            out.clear(); // Proxies that go forget whom they ejected.
        }
        int& count = out[{marker.caller, marker.callee}];
        if (marker.kind == RunMarker::Kind::Returned) {
            count = std::max(count - 1, 0);
        }
        if (marker.kind != RunMarker::Kind::Ejected) {
            continue;
        }
        ++count;
        const auto& callee =
            mesh.services[static_cast<std::size_t>(std::stoi(marker.callee.substr(1)))];
        const int proxies =
            marker.caller == "gateway"
                ? 1
                : mesh.services[static_cast<std::size_t>(std::stoi(marker.caller.substr(1)))]
                      .instances;
        const int each = std::max(1, callee.instances * callee.ejectionMax.value_or(0) / 100);
        if (count > proxies * each) {
            return fmt::format(
                "{} of {} are ejected by {} proxies of {}, {} % allowed",
                count,
                marker.callee,
                proxies,
                marker.caller,
                callee.ejectionMax.value_or(0)
            );
        }
    }
    return {};
}

Violation violationOf(const SwarmCase& mesh)
{
    const config::DecodeResult decoded = config::decode(mesh.meshText());
    for (const config::Problem& problem : decoded.problems) {
        if (problem.severity == config::Severity::Error) {
            return config::toText(problem, "mesh");
        }
    }
    const Result<MeshPlan> plan = MeshPlan::make(decoded.document);
    if (!plan) {
        return plan.error().message;
    }
    MeshRunSettings settings = settingsOf(mesh);
    for (const Error& error : MeshRun::check(*plan, settings)) {
        return error.message;
    }
    settings.isRecorded = true;
    MeshRun run(*plan, settings);
    run.run();
    if (run.leftOver() != 0) {
        return fmt::format("{} left over at the end", run.leftOver());
    }
    for (const auto* rows : {&run.services(), &run.edges()}) {
        for (const MeasureRow& row : *rows) {
            if (Violation violation = rowViolation(mesh, row); !violation.empty()) {
                return violation;
            }
        }
    }
    for (std::size_t at = 0; at < mesh.services.size(); ++at) {
        const double utilization = run.utilization(test::swarmServiceName(at), 0);
        if (utilization < 0.0 || utilization > 1.0) {
            return fmt::format("{} is used {} times", test::swarmServiceName(at), utilization);
        }
    }
    for (Violation violation :
         {conservationViolation(run),
          seriesViolation(run.record()),
          ejectionViolation(mesh, run.record())}) {
        if (!violation.empty()) {
            return violation;
        }
    }
    settings.isRecorded = false;
    settings.windows.resize(3, settings.windows.front());
    MeshRun again(*plan, settings);
    again.run();
    if (again.fingerprint() != run.fingerprint() || again.events() != run.events()) {
        return fmt::format(
            "the second run differs: {} events, not {}", again.events(), run.events()
        );
    }
    return {};
}

// Takes parts away while something is still violated.
template <typename Check>
std::pair<SwarmCase, Violation> shrunk(SwarmCase mesh, Violation violation, Check check)
{
    int steps = 0;
    for (bool isSmaller = true; isSmaller && steps < kShrinkStepsMax;) {
        isSmaller = false;
        for (const SwarmCase& candidate : mesh.smaller()) {
            ++steps;
            if (Violation found = check(candidate); !found.empty()) {
                mesh = candidate;
                violation = std::move(found);
                isSmaller = true;
                break;
            }
        }
    }
    return {std::move(mesh), std::move(violation)};
}

std::string reportOf(const SwarmCase& mesh, const Violation& violation)
{
    return fmt::format(
        "{}\nseed {}, made smaller:\n\n# swarm.yaml\n{}\n# swarm.scenario.yaml\n{}\n"
        "meshwrightctl rehearse swarm.scenario.yaml --check-determinism",
        violation,
        mesh.seed.value,
        mesh.meshText(),
        mesh.scenarioText("swarm.yaml")
    );
}

std::uint64_t casesWanted()
{
    bool isSet = false;
    const std::uint64_t given = qEnvironmentVariable("MESH_SWARM").toULongLong(&isSet);
    return isSet ? given : kOrdinaryCases;
}

} // namespace

void SimSwarmTest::everyInvariantHoldsInRandomMeshes()
{
    const Violation found = test::runSeeds(test::firstSeed(), casesWanted(), [](Seed seed) {
        const SwarmCase mesh = SwarmCase::make(seed);
        Violation violation = violationOf(mesh);
        if (violation.empty()) {
            return violation;
        }
        const auto [small, reason] = shrunk(mesh, std::move(violation), violationOf);
        return reportOf(small, reason);
    });

    if (!found.empty()) {
        qWarning("%s", found.c_str()); // Whole; the test's own message is cut.
    }
    QVERIFY(found.empty());
}

// A check that a kill breaks: what is left is one service, one fault and next to no load.
void SimSwarmTest::aFailingCaseIsMadeSmaller()
{
    const auto hasKill = [](const SwarmCase& mesh) {
        return std::ranges::any_of(
                   mesh.timeline, [](const Fault& each) { return each.kind == FaultKind::Kill; }
               )
                   ? Violation("killed")
                   : Violation();
    };
    for (std::uint64_t part = 0;; ++part) {
        const SwarmCase mesh = SwarmCase::make(Seed{part});
        if (hasKill(mesh).empty() || mesh.timeline.size() < 3) {
            continue;
        }
        const auto [small, violation] = shrunk(mesh, "killed", hasKill);
        QCOMPARE(violation, Violation("killed"));
        QCOMPARE(small.timeline.size(), std::size_t{1});
        QVERIFY(small.rate <= 2.0);
        const std::string report = reportOf(small, violation);
        QVERIFY(report.find("fault: kill") != std::string::npos);
        QVERIFY(report.find("meshwrightctl rehearse") != std::string::npos);
        return;
    }
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::SimSwarmTest)
#include "sim_swarm_test.moc"
