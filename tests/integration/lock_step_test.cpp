// Goal: the policies give the same verdicts as the proxy drives them and as the simulator does.
// Method: times and outcomes of a stream that was recorded from real proxies are replayed to both:
//         to the proxy's cells, boards and upstream state on a loop whose clock is moved by hand,
//         and to the simulator's Outbound. Each side replays by itself; every pick, admission,
//         ejection, return and retry is written down, and the two lists must be the same.
//
// MESH_RECORD=FILE records another stream: real engines, some 40 s.
#include "proxyengine/base/clock.h"
#include "proxyengine/base/mailbox.h"
#include "proxyengine/proxy/local_engine.h"
#include "simulator/live/live_mesh.h"
#include "simulator/live/mesh_layout.h"
#include "tests/support/lock_step_sides.h"
#include "tests/support/mesh_in_virtual_time.h"

#include <QTest>

#include <fmt/format.h>

#include <algorithm>
#include <semaphore>
#include <string>
#include <vector>

namespace mesh::simulator {
namespace {

constexpr const char* kStreamFile = MESH_SOURCE_DIR "/tests/support/lock_step_stream.txt";

std::string meshWith(std::string_view algorithm)
{
    return fmt::format(
        R"(
_format_version: "3.0"
services:
- {{name: front, host: front}}
- name: back
  host: back
  resilience:
    retry: {{on: [5xx, reset, connect-failure], attempts: 3, backoff: {{base: 10ms, max: 40ms}},
      budget: {{percent: 20, min_concurrent: 1}}}}
    breaker: {{error_ratio: 0.4, min_requests: 10, window: 4s, open: 1s, ramp: 2s}}
upstreams:
- name: back
  algorithm: {}
  outlier_detection: {{consecutive_5xx: 3, interval: 1s, base_ejection: 2s,
    max_ejection_percent: 60}}
models:
- {{service: front, script: [{{call: back}}]}}
- {{service: back, instances: 4}}
)",
        algorithm
    );
}

} // namespace

class LockStepTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void bothDriversGiveTheSameVerdicts_data();
    void bothDriversGiveTheSameVerdicts();
    void anotherStreamGivesOtherVerdicts();
};

namespace {

// Tells every request of the front's sidecar to the recording thread.
class StreamEar final : public MeshSink
{
public:
    void onNodeEvent(const std::string&, const api::Event& event) override
    {
        if (const auto* const access = std::get_if<api::AccessEvent>(&event)) {
            if (access->source == "front" && !access->target.empty()) {
                static_cast<void>(mailbox.push(*access));
            }
        }
    }
    Mailbox<api::AccessEvent> mailbox{4096, [] {}};
};

Fault faultAt(FaultKind kind, std::string instance, Duration at, Duration length)
{
    return faultOf(kind, std::move(instance), at, length);
}

// Real engines without any policy, so that every request is one attempt with its outcome.
void recordStream(const std::string& path)
{
    const config::DecodeResult decoded = config::decode(R"(
_format_version: "3.0"
services:
- {name: front, host: front, retries: 0}
- {name: back, host: back, retries: 0, read_timeout: 300}
upstreams: [{name: back, algorithm: round-robin}]
models:
- {service: front, concurrency: 100, service_time: {dist: const, mean: 1ms}, script: [{call: back}]}
- {service: back, instances: 4, concurrency: 100, service_time: {dist: exp, mean: 5ms}}
)");
    const SystemClock clock;
    StreamEar ear;
    std::vector<std::string> notes;
    LiveMeshOptions options;
    options.load = {{"front", Arrivals::Poisson, {{0s, 40.0}}}};
    options.document = withOwnSidecars(decoded.document, options.load, notes);
    Fault some = faultAt(FaultKind::Error, "back-1", 16s, 8s);
    some.probability = 0.5;
    Fault all = faultAt(FaultKind::Error, {}, 24s, 4s);
    all.target.service = "back";
    options.timeline = {
        faultAt(FaultKind::Error, "back-2", 4s, 9s),
        some,
        all,
        faultAt(FaultKind::Kill, "back-3", 31s, 3s),
        faultAt(FaultKind::Freeze, "back-4", 35s, 2s)};
    options.clock = &clock;
    options.sink = &ear;
    options.engineFactory = [](const api::EngineOptions& engine,
                               const std::shared_ptr<const model::Document>&) {
        return proxy::makeLocalEngine(engine);
    };
    auto mesh = LiveMesh::start(std::move(options));
    QVERIFY2(mesh.has_value(), mesh ? "" : toText(mesh.error()).c_str());
    const WallTime begin = clock.wallNow();
    std::string text;
    std::binary_semaphore never{0};
    while (clock.wallNow() < begin + 40s) {
        static_cast<void>(never.try_acquire_for(50ms));
        while (const auto access = ear.mailbox.pop()) {
            const auto& workloads = (*mesh)->document()->workloads;
            const auto target = std::ranges::find_if(workloads, [&](const auto& workload) {
                return workload.inbound == access->target;
            });
            const bool isTimeout = access->status == 504;
            const bool isBroken = access->status == 502 || access->status == 0;
            text += fmt::format(
                "{} {} {} {}\n",
                (access->time - begin).count(),
                target->name.back() - '1',
                isTimeout  ? 1
                : isBroken ? 0
                           : access->status,
                static_cast<std::int64_t>(access->latencyTotal_ms * 1000)
            );
        }
    }
    (*mesh)->stop();
    QVERIFY(writeFileAtomically(path, text, 0644).has_value());
}

std::vector<std::string> verdictsOf(const Stream& stream, Side& side)
{
    Replay(stream, side).run();
    return side.verdicts;
}

std::ptrdiff_t countOf(const std::vector<std::string>& verdicts, std::string_view word)
{
    return std::ranges::count_if(verdicts, [word](const std::string& verdict) {
        return verdict.find(word) != std::string::npos;
    });
}

const CalleePlan& backOf(const MeshPlan& plan)
{
    return plan.callee(plan.instances().front().zone, *plan.find("back"));
}

} // namespace

void LockStepTest::initTestCase()
{
    const QByteArray path = qgetenv("MESH_RECORD");
    if (!path.isEmpty()) {
        recordStream(path.toStdString());
    }
}

void LockStepTest::bothDriversGiveTheSameVerdicts_data()
{
    QTest::addColumn<QByteArray>("algorithm");
    for (const char* algorithm :
         {"round-robin", "least-requests", "least-connections", "latency", "random"}) {
        QTest::newRow(algorithm) << QByteArray(algorithm);
    }
}

void LockStepTest::bothDriversGiveTheSameVerdicts()
{
    QFETCH(const QByteArray, algorithm);
    const Stream stream = readStream(kStreamFile);
    QVERIFY(stream.arrivals.size() > 1000);
    QCOMPARE(stream.hosts.size(), std::size_t{4});
    const MeshPlan plan = planOf(meshWith(algorithm.toStdString()));
    ProxySide proxySide(backOf(plan));
    SimulatorSide simulatorSide(backOf(plan));

    const std::vector<std::string> really = verdictsOf(stream, proxySide);
    const std::vector<std::string> virtually = verdictsOf(stream, simulatorSide);

    const auto [one, other] = std::ranges::mismatch(really, virtually);
    if (one != really.end() || other != virtually.end()) {
        const auto from = std::max<std::ptrdiff_t>(one - really.begin() - 12, 0);
        for (auto before = really.begin() + from; before != one; ++before) {
            qWarning("both: %s", before->c_str());
        }
        const std::string nothing = "nothing more";
        QCOMPARE(
            QByteArray::fromStdString(other == virtually.end() ? nothing : *other),
            QByteArray::fromStdString(one == really.end() ? nothing : *one)
        );
    }
    // The stream makes every policy decide.
    QVERIFY(countOf(really, "picked") > 1000);
    for (const char* word : {"ejected", "returned", "refused by the breaker", "repeated in"}) {
        QVERIFY2(countOf(really, word) > 0, word);
    }
    qInfo(
        "%zu verdicts: %td ejections, %td refusals, %td retries, %td without budget",
        really.size(),
        countOf(really, "ejected"),
        countOf(really, "refused"),
        countOf(really, "repeated in"),
        countOf(really, "no budget")
    );
}

// The lists are no constants: one outcome more or less changes them.
void LockStepTest::anotherStreamGivesOtherVerdicts()
{
    Stream stream = readStream(kStreamFile);
    const MeshPlan plan = planOf(meshWith("round-robin"));
    SimulatorSide one(backOf(plan));
    SimulatorSide other(backOf(plan));
    const std::vector<std::string> verdicts = verdictsOf(stream, one);
    for (Recorded& recorded : stream.hosts[0]) {
        recorded.status = recorded.status == 200 ? 503 : recorded.status;
    }

    QVERIFY(verdictsOf(stream, other) != verdicts);
}

} // namespace mesh::simulator

QTEST_GUILESS_MAIN(mesh::simulator::LockStepTest)
#include "lock_step_test.moc"
