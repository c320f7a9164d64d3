#include "simulator/report/rehearsal.h"

#include "simulator/mesh/mesh_run.h"
#include "simulator/report/check.h"
#include "simulator/report/guard_watch.h"
#include "simulator/report/judge.h"
#include "simulator/report/lane_tally.h"
#include "simulator/report/lanes.h"
#include "simulator/report/run_pool.h"
#include "simulator/report/trust.h"
#include "simulator/report/windows.h"
#include "simulator/scenario/fault_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace mesh::simulator {
namespace {

constexpr std::array<std::string_view, 5> kVerdicts = {
    "holds", "fails", "stopped", "not deterministic", "outside the calibrated range"};

std::vector<Error> lanesOrProblems(const RehearsalRequest& request, std::vector<Lane>& lanes)
{
    std::vector<Error> problems;
    checkWithoutMesh(request.scenario, problems);
    if (request.document != nullptr) {
        lanes = makeLanes(request.scenario, *request.document, problems);
        checkScenario(request.scenario, lanes, problems);
    }
    return problems;
}

// Runs all lanes with all seeds and makes a report of it.
class RehearsalRun
{
public:
    RehearsalRun(const RehearsalRequest& request, std::vector<Lane> lanes)
        : m_request(request)
        , m_scenario(request.scenario)
        , m_windows(request.scenario)
        , m_lanes(std::move(lanes))
    {
        m_tallies.reserve(m_lanes.size());
        for (std::size_t at = 0; at < m_lanes.size(); ++at) {
            m_tallies.emplace_back(m_scenario, m_windows);
        }
    }

    Result<Rehearsal> run()
    {
        const std::vector<RunOrder> jobs = orders();
        PoolCalls calls;
        calls.onOutcome = [this, &jobs](std::size_t job, RunOutcome outcome) {
            m_isCancelled = m_isCancelled || outcome.isCancelled;
            m_tallies[job / replications()].add(std::move(outcome));
            tell(job + 1, jobs.size(), nullptr);
        };
        if (m_request.onProgress) {
            calls.onPreview = [this, &jobs](const RunRecord& record) {
                tell(0, jobs.size(), &record);
            };
        }
        runAll(jobs, m_request.threads, calls);
        if (m_isCancelled || isCancelled()) {
            return fail(ErrorCode::Cancelled, "the rehearsal was cancelled");
        }
        Rehearsal rehearsal = report();
        followSlowest(rehearsal);
        if (isCancelled()) {
            return fail(ErrorCode::Cancelled, "the rehearsal was cancelled");
        }
        return rehearsal;
    }

private:
    [[nodiscard]] std::size_t replications() const
    {
        return static_cast<std::size_t>(m_scenario.replications);
    }

    [[nodiscard]] bool isCancelled() const
    {
        return m_request.cancelled != nullptr
               && m_request.cancelled->load(std::memory_order_relaxed);
    }

    [[nodiscard]] RunOrder orderOf(const Lane& lane, int replication) const
    {
        RunOrder order;
        order.plan = &lane.plan;
        order.scenario = &m_scenario;
        order.windows = &m_windows;
        order.replication = replication;
        order.kind = lane.kind;
        order.slowestMax = m_request.waterfalls;
        order.cancelled = m_request.cancelled;
        return order;
    }

    [[nodiscard]] std::vector<RunOrder> orders() const
    {
        std::vector<RunOrder> jobs;
        for (const Lane& lane : m_lanes) {
            for (int replication = 0; replication < m_scenario.replications; ++replication) {
                jobs.push_back(orderOf(lane, replication));
            }
        }
        return jobs;
    }

    // Runs the worst replication of each variant again, which is the same to the last event, and
    // follows the requests that turned out slow. To follow all of them at once would cost every
    // run.
    void followSlowest(Rehearsal& rehearsal) const
    {
        std::vector<RunOrder> jobs;
        std::vector<std::size_t> variants; // By job.
        for (std::size_t at = 0; at < rehearsal.variants.size(); ++at) {
            const LaneTally& tally = m_tallies[at]; // Variants stand first.
            if (tally.slowest().empty()) {
                continue;
            }
            RunOrder order = orderOf(m_lanes[at], tally.worst());
            for (const SlowRequest& slow : tally.slowest()) {
                order.traced.push_back(slow.root);
            }
            jobs.push_back(std::move(order));
            variants.push_back(at);
        }
        PoolCalls calls;
        calls.onOutcome = [&](std::size_t job, RunOutcome outcome) {
            rehearsal.variants[variants[job]].slowest = std::move(outcome.traces);
        };
        runAll(jobs, m_request.threads, calls);
    }

    void tell(std::size_t done, std::size_t all, const RunRecord* running)
    {
        if (!m_request.onProgress) {
            return;
        }
        RehearsalProgress progress;
        progress.runsDone = done;
        progress.runsAll = all;
        for (const Load& load : m_scenario.load) {
            const std::string edge = fmt::format("gateway->{}", load.entry);
            const std::vector<RunSeries>& list =
                running != nullptr ? running->edges : m_tallies.front().series();
            const auto found = std::ranges::find(list, edge, &RunSeries::name);
            if (found != list.end()) {
                progress.preview.push_back({load.entry, found->seconds});
            }
        }
        m_request.onProgress(progress);
    }

    [[nodiscard]] const LaneTally* tallyOf(std::string_view variant) const
    {
        for (std::size_t at = 0; at < m_lanes.size(); ++at) {
            if (m_lanes[at].kind == RunKind::Variant && m_lanes[at].name == variant) {
                return &m_tallies[at];
            }
        }
        return nullptr;
    }

    [[nodiscard]] VariantResult variantOf(std::size_t lane) const
    {
        const LaneTally& tally = m_tallies[lane];
        VariantResult variant;
        variant.name = m_lanes[lane].name;
        for (int at = 0; at < kWindowCount; ++at) {
            const auto window = static_cast<Window>(at);
            variant.services.emplace(window, tally.services(placeOf(window)));
            variant.edges.emplace(window, tally.edges(placeOf(window)));
        }
        variant.asserts = judgeWindows(m_scenario, m_windows, tally);
        variant.series = tally.series();
        variant.reaction = reactionOf(m_scenario, m_windows, tally);
        variant.worst = tally.worst();
        variant.record = tally.worstRecord();
        variant.events = tally.events();
        variant.hops = tally.hops();
        variant.eventHash = tally.hash();
        return variant;
    }

    void addHead(Rehearsal& rehearsal) const
    {
        rehearsal.scenario = m_scenario;
        for (const Load& load : m_scenario.load) {
            const auto known = std::ranges::find(rehearsal.entries, load.entry);
            if (known == rehearsal.entries.end()) {
                rehearsal.entries.push_back(load.entry);
            }
        }
        const auto resolved = MeshRun::resolve(m_lanes.front().plan, m_scenario.timeline);
        for (std::size_t at = 0; at < m_scenario.timeline.size(); ++at) {
            rehearsal.faults.push_back({toText(m_scenario.timeline[at]), resolved[at]});
        }
    }

    void addComparisons(Rehearsal& rehearsal) const
    {
        for (std::size_t at = 0; at < m_scenario.asserts.size(); ++at) {
            const Assertion& assertion = m_scenario.asserts[at];
            if (assertion.window.empty()) {
                rehearsal.comparisons.push_back(judgeComparison(
                    m_scenario, at, *tallyOf(assertion.candidate), *tallyOf(assertion.reference)
                ));
            }
        }
    }

    [[nodiscard]] Rehearsal report() const
    {
        Rehearsal rehearsal;
        addHead(rehearsal);
        for (std::size_t at = 0; at < m_lanes.size(); ++at) {
            const LaneTally& tally = m_tallies[at];
            if (m_lanes[at].kind == RunKind::Variant) {
                rehearsal.variants.push_back(variantOf(at));
                if (!rehearsal.stoppedBy && tally.guard()) {
                    rehearsal.stoppedBy = m_scenario.guards[*tally.guard()].text;
                }
            } else {
                rehearsal.ablation.push_back(
                    judgeAblation(m_lanes[at].name, m_windows, m_tallies.front(), tally)
                );
            }
            rehearsal.events += tally.events();
            rehearsal.hops += tally.hops();
            rehearsal.eventHash = mixed(rehearsal.eventHash, tally.hash());
        }
        addComparisons(rehearsal);
        rehearsal.trust = trustOf(rehearsal.variants.front(), m_request.calibrated);
        rehearsal.verdict = verdictOf(rehearsal);
        return rehearsal;
    }

    static Verdict verdictOf(const Rehearsal& rehearsal)
    {
        if (rehearsal.stoppedBy) {
            return Verdict::Stopped;
        }
        const auto allHold = [](const std::vector<AssertionResult>& results) {
            return std::ranges::all_of(results, &AssertionResult::holds);
        };
        if (!allHold(rehearsal.variants.front().asserts) || !allHold(rehearsal.comparisons)) {
            return Verdict::Fails;
        }
        return rehearsal.trust.beyond.empty() ? Verdict::Holds : Verdict::NotCalibrated;
    }

    const RehearsalRequest& m_request;
    const Scenario& m_scenario;
    const ScenarioWindows m_windows;
    std::vector<Lane> m_lanes;
    std::vector<LaneTally> m_tallies; // By lane.
    bool m_isCancelled = false;
};

} // namespace

std::string_view toText(Verdict verdict) { return kVerdicts.at(static_cast<std::size_t>(verdict)); }

std::optional<double> RehearsalFigures::value(Quantity quantity) const
{
    switch (quantity) {
    case Quantity::Rps:
        return rps;
    case Quantity::InFlight:
        return inflight;
    case Quantity::Goodput:
        return goodput;
    case Quantity::Utilization:
        return utilization;
    default:
        break;
    }
    if (calls == 0) {
        return std::nullopt;
    }
    switch (quantity) {
    case Quantity::Success:
        return success;
    case Quantity::Mean:
        return mean_ms;
    case Quantity::P50:
        return p50_ms;
    case Quantity::P90:
        return p90_ms;
    case Quantity::P99:
        return p99_ms;
    case Quantity::P999:
        return p999_ms;
    case Quantity::Amplification:
        return amplification;
    default:
        return std::nullopt;
    }
}

std::vector<Error> checkRehearsal(const RehearsalRequest& request)
{
    std::vector<Lane> lanes;
    return lanesOrProblems(request, lanes);
}

Result<Rehearsal> rehearse(const RehearsalRequest& request)
{
    std::vector<Lane> lanes;
    std::vector<Error> problems = lanesOrProblems(request, lanes);
    if (!problems.empty()) {
        return tl::unexpected(std::move(problems.front()));
    }
    return RehearsalRun(request, std::move(lanes)).run();
}

Result<RunRecord> replay(
    const RehearsalRequest& request, const std::string& variant, int replication
)
{
    std::vector<Lane> lanes;
    std::vector<Error> problems = lanesOrProblems(request, lanes);
    if (!problems.empty()) {
        return tl::unexpected(std::move(problems.front()));
    }
    const auto lane = std::ranges::find_if(lanes, [&](const Lane& each) {
        return each.kind == RunKind::Variant && each.name == variant;
    });
    if (lane == lanes.end() || replication < 0 || replication >= request.scenario.replications) {
        return fail(
            ErrorCode::NotFound,
            fmt::format(
                "there is no run {} of \"{}\"; it has {}",
                replication + 1,
                variant,
                lane == lanes.end() ? 0 : request.scenario.replications
            )
        );
    }
    const ScenarioWindows windows(request.scenario);
    RunOrder order;
    order.plan = &lane->plan;
    order.scenario = &request.scenario;
    order.windows = &windows;
    order.replication = replication;
    order.cancelled = request.cancelled;
    RunOutcome outcome = runOnce(order);
    if (outcome.isCancelled) {
        return fail(ErrorCode::Cancelled, "the replay was cancelled");
    }
    return std::move(outcome.record);
}

} // namespace mesh::simulator
