#include "tests/gui/rollout_sample.h"

#include "proxyengine/base/clock.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/model/canonical.h"

#include <QTest>

namespace mesh::test {

namespace {

class ToldRunner final : public fleet::RolloutRunner
{
public:
    explicit ToldRunner(ToldFleet& fleet)
        : m_fleet(fleet)
    {}
    void hold() override { m_fleet.commands.emplace_back("hold"); }
    void continueNow() override { m_fleet.commands.emplace_back("continue"); }
    void stop() override { m_fleet.commands.emplace_back("stop"); }
    void rollBack(const std::string& why) override
    {
        m_fleet.commands.push_back("roll back " + why);
    }
    void onFigures(const std::string& node, const fleet::NodeFigures& figures) override
    {
        static_cast<void>(node);
        static_cast<void>(figures);
    }
    void onReachable(const std::string& node, bool isReachable) override
    {
        static_cast<void>(node);
        static_cast<void>(isReachable);
    }
    fleet::Rollout wait(Duration timeout) override
    {
        static_cast<void>(timeout);
        return {};
    }

private:
    ToldFleet& m_fleet;
};

WallTime at(int second) { return SystemClock().wallNow() - std::chrono::seconds(60 - second); }

} // namespace

Result<CommandId> ToldEngine::submit(api::Command command)
{
    const CommandId id{++m_last};
    api::CommandDone done{id, api::Applied{hash}, {}};
    if (const auto* apply = std::get_if<api::ApplyDocument>(&command)) {
        if (!refusal.empty()) {
            done.result = fail(ErrorCode::InvalidArgument, refusal);
            done.problems.push_back({"services[0].retries", 0, 0, "out_of_range", refusal});
        } else {
            hash = runsInstead.empty() ? config::hashOf(*apply->document) : runsInstead;
            done.result = api::Applied{config::hashOf(*apply->document)};
        }
    }
    if (m_sink != nullptr) {
        m_sink->onEvent(done);
    }
    return id;
}

void ToldEngine::subscribe(api::EventSink& sink)
{
    m_sink = &sink;
    api::StateEvent state;
    state.node = m_node;
    state.version = "0.1.0";
    state.state = api::EngineState::Running;
    state.hash = hash;
    sink.onEvent(state);
}

void ToldEngine::measure()
{
    auto frame = std::make_shared<telemetry::StatsFrame>();
    frame->node = m_node;
    frame->time = SystemClock().wallNow();
    frame->interval = std::chrono::seconds(1);
    frame->sequence = ++m_sequence;
    frame->hash = hash;
    telemetry::RequestSeries requests;
    requests.source = m_node;
    requests.service = "cart";
    requests.answers[2] = 100;
    requests.latency.record(20'000, 100);
    frame->requests.push_back(std::move(requests));
    m_sink->onEvent(api::StatsEvent{std::move(frame)});
}

bridge::RolloutOptions ToldFleet::options()
{
    bridge::RolloutOptions made;
    made.review = [this](
                      const model::Document& before,
                      const model::Document& after,
                      const std::vector<fleet::RequestSample>& told
                  ) {
        samples = told; // Read when the review is over.
        fleet::Review review;
        review.objects = model::diff(before, after);
        fleet::EffectiveGroup group;
        group.nodes = {"edge-1", "vm-1", "vm-2"};
        group.summary = "cart";
        review.groups.push_back(std::move(group));
        review.findings = findings;
        return review;
    };
    made.start =
        [this](
            const Clock& clock, fleet::RolloutRequest request, fleet::RolloutRunner::Callbacks told
        ) {
            static_cast<void>(clock);
            requests.push_back(std::move(request));
            callbacks = std::move(told);
            return std::make_unique<ToldRunner>(*this);
        };
    made.resume = [this](
                      const Clock& clock,
                      fleet::RolloutRequest request,
                      fleet::Rollout kept,
                      fleet::RolloutRunner::Callbacks told
                  ) {
        static_cast<void>(clock);
        static_cast<void>(kept);
        requests.push_back(std::move(request));
        callbacks = std::move(told);
        ++resumed;
        return std::make_unique<ToldRunner>(*this);
    };
    return made;
}

ToldMesh::ToldMesh(const QString& path)
    : session(bridge::SessionOptions{})
{
    const auto imported = session.importText(QString::fromLatin1(kFleetMesh), path);
    if (!imported) {
        qWarning("%s", imported.error().message.c_str());
        return;
    }
    const std::string hash = config::hashOf(*session.document());
    for (const char* node : {"edge-1", "vm-1", "vm-2"}) {
        auto engine = std::make_unique<ToldEngine>(node);
        engine->hash = hash;
        engines.push_back(engine.get());
        session.addEngine(QString::fromLatin1(node), std::move(engine));
    }
    const bool isRunning = QTest::qWaitFor(
        [this] {
            int count = 0;
            for (const bridge::NodeRow& node : session.nodes()) {
                count += node.state == bridge::NodeState::Running ? 1 : 0;
            }
            return count == 3;
        },
        10'000
    );
    if (!isRunning) {
        qWarning("the told nodes do not run");
    }
    for (ToldEngine* engine : engines) {
        engine->measure();
    }
}

void ToldMesh::replace(const QString& was, const QString& becomes)
{
    QString text = session.draftText();
    if (!text.contains(was)) {
        qWarning("the draft has no %s", qPrintable(was));
    }
    session.setDraftText(text.replace(was, becomes));
}

fleet::Rollout rolloutSample()
{
    fleet::Rollout rollout;
    rollout.revision = 43;
    rollout.revisionBefore = 42;
    rollout.hash = std::string(64, 'b');
    rollout.message = "Fewer retries";
    fleet::WaveSpec canary;
    canary.kind = fleet::WaveSpec::Kind::Named;
    canary.nodes = {"vm-1"};
    rollout.plan.waves = {canary, fleet::WaveSpec{}};
    rollout.plan.bake = std::chrono::seconds(60);
    fleet::GateRule gate;
    gate.quantity = fleet::GateQuantity::ErrorRatio;
    gate.basis = fleet::GateBasis::AgainstBefore;
    gate.limit = 0.005;
    rollout.plan.gates = {gate};
    rollout.state = fleet::RolloutState::Running;
    rollout.startedAt = at(0);
    fleet::WaveProgress first;
    first.label = "canary";
    first.state = fleet::WaveState::Baking;
    first.nodes = {"vm-1"};
    first.baked = std::chrono::seconds(39);
    fleet::WaveProgress second;
    second.label = "all";
    second.nodes = {"edge-1", "vm-2"};
    rollout.waves = {first, second};
    const std::string before(64, 'a');
    for (const char* name : {"vm-1", "edge-1", "vm-2"}) {
        fleet::NodeProgress node;
        node.name = name;
        node.role = name == std::string("edge-1") ? "gateway" : "sidecar";
        node.zone = "a";
        node.wave = name == std::string("vm-1") ? 0 : 1;
        node.hashBefore = before;
        node.hashNow = before;
        rollout.nodes.push_back(std::move(node));
    }
    fleet::GateProgress progress;
    progress.rule = gate;
    progress.state = fleet::GateState::Holds;
    progress.measured = 0.0001;
    rollout.gates = {progress};
    rollout.notes.push_back({at(0), "push of rev 43 began", false});
    return rollout;
}

} // namespace mesh::test
