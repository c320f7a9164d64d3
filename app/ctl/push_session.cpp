#include "app/ctl/push_session.h"

#include "app/ctl/node_watch.h"
#include "app/ctl/parallel.h"
#include "app/ctl/push_report.h"
#include "app/ctl/text_table.h"
#include "app/fleet/admin_link.h"
#include "app/fleet/rollout_runner.h"
#include "proxyengine/base/duration_text.h"
#include "proxyengine/base/log.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/control/node_calls.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace mesh::ctl {
namespace {

using fleet::ExpectedNode;
using fleet::NodeFigures;
using fleet::NodePhase;
using fleet::NodeProgress;
using fleet::Rollout;

constexpr Duration kLookEvery =
    std::chrono::milliseconds(100); // Ctrl+C and figures are seen within.
constexpr Duration kSurveyMax = std::chrono::seconds(5);
constexpr Duration kBaselineMax = std::chrono::seconds(60);

// Sums of frames, as gates judge them.
class FigureSum
{
public:
    void add(const telemetry::StatsFrame& frame)
    {
        m_span += frame.interval;
        for (const telemetry::RequestSeries& row : frame.requests) {
            for (std::size_t at = 0; at < row.answers.size(); ++at) {
                m_figures.requests += row.answers[at];
                // 5xx, and index 0: no answer at all.
                m_figures.errors += at == 0 || at == 5 ? row.answers[at] : 0;
            }
            m_latency.merge(row.latency);
        }
        for (const telemetry::PolicyCount& each : frame.policy) {
            m_figures.ejections += each.kind == "ejected" ? each.count : 0;
        }
    }

    [[nodiscard]] NodeFigures figures() const
    {
        NodeFigures result = m_figures;
        if (m_span > Duration{}) {
            result.rps = static_cast<double>(result.requests) / toSeconds(m_span);
        }
        if (m_latency.total() > 0) {
            result.p95_ms = m_latency.quantile(0.95) / 1e3;
        }
        return result;
    }

private:
    Duration m_span{};
    NodeFigures m_figures;
    HistogramCounts m_latency; // Microseconds.
};

struct Survey
{
    std::vector<ExpectedNode> nodes;
    std::shared_ptr<const model::Document> before; // What most of them run.
};

Survey surveyOf(const PushOrder& order, const Clock& clock)
{
    Survey survey;
    survey.nodes.resize(order.nodes.size());
    inParallel(order.nodes.size(), kNodesAskedAtOnce, [&](std::size_t at) {
        const NodeTarget& target = order.nodes[at];
        ExpectedNode& node = survey.nodes[at];
        node.name = target.name;
        node.role = target.role;
        node.zone = target.zone;
        const auto answer =
            askNode(clock, target, order.credentials, {"GET", "/config/hash", {}, {}, kSurveyMax});
        node.isReachable = answer.has_value();
        if (!answer) {
            node.absentBecause = answer.error().message;
        } else {
            node.seenAt = clock.wallNow();
            node.hash =
                textMember(nlohmann::ordered_json::parse(answer->body, nullptr, false), "hash");
        }
    });
    std::map<std::string, std::size_t> counts;
    std::string hash;
    for (const ExpectedNode& node : survey.nodes) {
        if (!node.hash.empty() && ++counts[node.hash] > counts[hash]) {
            hash = node.hash;
        }
    }
    for (std::size_t at = 0; !hash.empty() && !survey.before && at < survey.nodes.size(); ++at) {
        if (survey.nodes[at].hash == hash) {
            const auto running = readNodeDocument(clock, order.nodes[at], order.credentials);
            survey.before = running ? *running : nullptr;
        }
    }
    if (!survey.before) {
        survey.before = std::make_shared<const model::Document>();
    }
    return survey;
}

bool comparesWithBefore(const fleet::RolloutPlan& plan)
{
    return std::ranges::any_of(plan.gates, [](const fleet::GateRule& gate) {
        return gate.basis == fleet::GateBasis::AgainstBefore;
    });
}

std::string gatesLine(const Rollout& rollout)
{
    std::string line;
    for (const fleet::GateProgress& gate : rollout.gates) {
        line += fmt::format(
            "{}{} {}", line.empty() ? "" : ", ", fleet::toText(gate.rule), fleet::toText(gate.state)
        );
    }
    return line;
}

// Shows how far it is, once something changed.
class Progress
{
public:
    Progress(const PushOrder& order, const Surroundings& around)
        : m_order(order)
        , m_around(around)
        , m_isTerminal(around.setting.colour == Colour::On)
    {}

    void say(const std::string& text) const
    {
        if (!m_around.isJson()) {
            m_around.output.err += fmt::format("{}\n", printable(text));
            m_around.flush();
        }
    }

    void show(const Rollout& rollout)
    {
        if (m_around.isJson()) {
            return;
        }
        if (m_isTerminal) {
            draw(rollout);
        } else {
            sayNews(rollout);
        }
    }

    // Takes the drawn table away again.
    void end()
    {
        erase();
        m_around.flush();
    }

private:
    void draw(const Rollout& rollout)
    {
        std::string block = tableOf(m_order, rollout, Colour::On);
        if (!rollout.gates.empty()) {
            block += fmt::format("gates: {}\n", gatesLine(rollout));
        }
        if (!rollout.notes.empty()) {
            block += fmt::format("{}\n", printable(rollout.notes.back().text));
        }
        if (block == m_block) {
            return;
        }
        erase();
        m_lines = static_cast<std::size_t>(std::ranges::count(block, '\n'));
        m_around.output.out += block;
        m_block = std::move(block);
        m_around.flush();
    }

    void erase()
    {
        if (m_lines > 0) {
            m_around.output.out += fmt::format("\x1b[{}A\x1b[J", m_lines);
        }
        m_lines = 0;
        m_block.clear();
    }

    void sayNews(const Rollout& rollout)
    {
        for (const NodeProgress& node : rollout.nodes) {
            const auto [known, isNew] = m_phases.try_emplace(node.name, NodePhase::Queued);
            if (known->second != node.phase) {
                known->second = node.phase;
                say(fmt::format(
                    "{}: {}{}{}",
                    node.name,
                    fleet::toText(node.phase),
                    node.text.empty() ? "" : "; ",
                    node.text
                ));
            }
        }
        const auto isNews = [&](const fleet::RolloutNote& note) {
            return std::pair(note.time, note.text) > m_lastNote;
        };
        for (const fleet::RolloutNote& note : rollout.notes) {
            if (isNews(note)) {
                say(note.text);
                m_lastNote = {note.time, note.text};
            }
        }
    }

    const PushOrder& m_order;
    const Surroundings& m_around;
    const bool m_isTerminal;
    std::string m_block; // As it is drawn now.
    std::size_t m_lines = 0;
    std::map<std::string, NodePhase> m_phases;
    std::pair<WallTime, std::string> m_lastNote;
};

// What nodes measured before: as long as a wave bakes.
void measureBefore(
    NodeWatch& watch, const PushOrder& order, Survey& survey, const Surroundings& around
)
{
    std::vector<FigureSum> sums(order.nodes.size());
    const TimePoint end = around.clock().now() + std::min(order.plan.bake, kBaselineMax);
    while (around.clock().now() < end && !around.isInterrupted()) {
        const auto news = watch.next(std::min(end, around.clock().now() + kLookEvery));
        const auto* stats = news ? std::get_if<api::StatsEvent>(&news->event) : nullptr;
        if (stats != nullptr) {
            sums[news->node].add(*stats->frame);
        }
    }
    for (std::size_t at = 0; at < sums.size(); ++at) {
        if (survey.nodes[at].isReachable) {
            survey.nodes[at].before = sums[at].figures();
        }
    }
}

// Hands frames of nodes that have the change on to the runner.
class FrameCarrier
{
public:
    FrameCarrier(NodeWatch& watch, fleet::RolloutRunner& runner, const PushOrder& order)
        : m_watch(watch)
        , m_runner(runner)
        , m_order(order)
        , m_sums(order.nodes.size())
    {}

    void carry(const Rollout& rollout, TimePoint until)
    {
        while (const auto news = m_watch.next(until)) {
            const std::string& name = m_order.nodes[news->node].name;
            if (const auto* stats = std::get_if<api::StatsEvent>(&news->event)) {
                // By the hash in the frame: no clock of a node is compared with ours. The first of
                // them began before the change.
                Sum& sum = m_sums[news->node];
                if (stats->frame->hash == rollout.hash && std::exchange(sum.hasBegun, true)) {
                    sum.figures.add(*stats->frame);
                    m_runner.onFigures(name, sum.figures.figures());
                }
            } else if (const auto* state = std::get_if<api::StateEvent>(&news->event)) {
                if (state->state != api::EngineState::Starting) {
                    m_runner.onReachable(name, state->state != api::EngineState::Unreachable);
                }
            }
        }
    }

private:
    struct Sum
    {
        bool hasBegun = false;
        FigureSum figures;
    };

    NodeWatch& m_watch;
    fleet::RolloutRunner& m_runner;
    const PushOrder& m_order;
    std::vector<Sum> m_sums;
};

fleet::RolloutRequest requestOf(const PushOrder& order, const Survey& survey)
{
    fleet::RolloutRequest request;
    request.before = survey.before;
    request.after = order.document;
    request.revision = order.revision;
    request.revisionBefore = order.revisionBefore;
    request.message = order.message;
    request.plan = order.plan;
    request.nodes = survey.nodes;
    return request;
}

} // namespace

Rollout carryOut(const PushOrder& order, const Surroundings& around)
{
    setLogLevel(LogLevel::Off); // What nodes do is told in the table.
    const Clock& clock = around.clock();
    Progress progress(order, around);
    static_cast<void>(around.isInterrupted()); // From here on Ctrl+C is ours.
    Survey survey = surveyOf(order, clock);
    std::optional<NodeWatch> watch;
    if (!order.plan.gates.empty()) {
        watch.emplace(clock, order.nodes, order.credentials);
    }
    if (watch && comparesWithBefore(order.plan)) {
        progress.say(fmt::format(
            "measuring {} what the nodes do before the change",
            toDurationText(std::min(order.plan.bake, kBaselineMax))
        ));
        measureBefore(*watch, order, survey, around);
    }
    const auto calls = control::NodeCalls::start(clock);
    if (!calls) { // Without descriptors no node can be reached, and each row says so.
        progress.say(calls.error().message);
    }
    fleet::RolloutRequest request = requestOf(order, survey);
    for (const NodeTarget& node : order.nodes) {
        if (calls) {
            request.links.emplace(
                node.name, fleet::makeAdminLink(**calls, node.address, order.credentials)
            );
        }
    }
    const auto runner = fleet::RolloutRunner::start(clock, std::move(request), {{}, order.keep});
    std::optional<FrameCarrier> carrier;
    if (watch) {
        carrier.emplace(*watch, *runner, order);
    }
    bool isStopped = false;
    Rollout rollout = runner->wait(Duration{});
    while (!fleet::isOver(rollout.state)) {
        const bool isHeld = rollout.state == fleet::RolloutState::Held; // Nobody is here to go on.
        if (!isStopped && (isHeld || around.isInterrupted())) {
            isStopped = true;
            progress.say("stopping: no node gets anything any more");
            runner->stop();
        }
        if (carrier) {
            carrier->carry(rollout, clock.now());
        }
        rollout = runner->wait(kLookEvery);
        progress.show(rollout);
    }
    progress.end();
    return rollout;
}

} // namespace mesh::ctl
