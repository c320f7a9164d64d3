#include "app/fleet/rollout_runner.h"

#include "app/fleet/stages.h"
#include "proxyengine/base/assert.h"
#include "proxyengine/base/thread.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/net/event_loop.h"

#include <fmt/format.h>

#include <atomic>
#include <future>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace mesh::fleet {
namespace {

using DocumentPointer = std::shared_ptr<const model::Document>;

constexpr Duration kTellInterval = std::chrono::milliseconds(100);
constexpr Duration kStepInterval = std::chrono::milliseconds(250);
constexpr Duration kReturnInterval = std::chrono::seconds(1);
constexpr Duration kStepSoon = std::chrono::milliseconds(2); // Answers of a burst are one step.

class Runner final : public RolloutRunner
{
public:
    Runner(
        const Clock& clock,
        RolloutRequest request,
        std::optional<Rollout> kept,
        Callbacks callbacks,
        std::unique_ptr<net::EventLoop> loop
    )
        : m_clock(clock)
        , m_request(std::move(request))
        , m_callbacks(std::move(callbacks))
        , m_loop(std::move(loop))
        , m_stepTimer(m_loop->timers(), [this] { step(); })
        , m_tellTimer(m_loop->timers(), [this] { tell(); })
        , m_thread("rollout", [this, kept = std::move(kept)]() mutable {
            m_loop->moveHere();
            begin(std::move(kept));
            m_loop->run();
        })
    {}

    ~Runner() override
    {
        m_loop->stop();
        m_thread.join();
        m_loop->moveHere();
        m_stepTimer.cancel();
        m_tellTimer.cancel();
        m_request.links.clear(); // Their last answers find a loop that runs no more.
    }

    void hold() override
    {
        command([](RolloutMachine& machine, WallTime now) { machine.hold(now); });
    }
    void continueNow() override
    {
        command([](RolloutMachine& machine, WallTime now) { machine.continueNow(now); });
    }
    void stop() override
    {
        m_isStopAsked = true;
        command([](RolloutMachine& machine, WallTime now) { machine.stop(now); });
    }
    void rollBack(const std::string& why) override
    {
        command([why](RolloutMachine& machine, WallTime now) { machine.rollBack(now, why); });
    }
    void onFigures(const std::string& node, const NodeFigures& sinceApplied) override
    {
        command([node, sinceApplied](RolloutMachine& machine, WallTime now) {
            machine.onFigures(node, sinceApplied, now);
        });
    }
    void onReachable(const std::string& node, bool isReachable) override
    {
        command([node, isReachable](RolloutMachine& machine, WallTime now) {
            machine.onReachable(node, isReachable, now);
        });
    }

    [[nodiscard]] Rollout wait(Duration timeout) override
    {
        auto over = std::make_shared<std::promise<Rollout>>();
        std::future<Rollout> future = over->get_future();
        while (!post([this, over] {
            m_waiting.push_back(over);
            answerWaiting();
        })) {
            std::this_thread::yield();
        }
        if (future.wait_for(timeout) == std::future_status::ready) {
            return future.get();
        }
        auto now = std::make_shared<std::promise<Rollout>>();
        std::future<Rollout> state = now->get_future();
        while (!post([this, now] { now->set_value(current()); })) {
            std::this_thread::yield();
        }
        return state.get();
    }

private:
    // Runs it on the runner's thread. Dropped when thousands wait already: an answer that is lost
    // is asked for again, and a stop has a flag of its own.
    template <typename Function>
    bool post(Function function)
    {
        return m_loop->post(std::move(function)).has_value();
    }

    template <typename Function>
    void command(Function function)
    {
        static_cast<void>(post([this, function = std::move(function)] {
            if (m_machine) {
                function(*m_machine, m_clock.wallNow());
                stepSoon();
            } else {
                m_early.emplace_back(function);
            }
        }));
    }

    // What is told by a link: on the runner's thread, as long as there is one.
    template <typename Function>
    auto onLoop(Function function)
    {
        return [loop = m_loop, function = std::move(function)](auto answer) {
            static_cast<void>(loop->post([function, answer = std::move(answer)]() mutable {
                function(std::move(answer));
            }));
        };
    }

    void begin(std::optional<Rollout> kept);
    void askAbsent();
    void make();
    void step();
    void stepSoon();
    void carryOut(const SendStage& action);
    void carryOut(const SendBefore& action);
    void carryOut(const ReadBack& action);
    void sendStage(const SendStage& action);
    void onSendAnswer(const std::string& node, SendAnswer answer);
    [[nodiscard]] NodeLink* linkOf(const std::string& node) const;
    void keep();
    void tell();
    void answerWaiting();
    [[nodiscard]] Rollout current() const { return m_machine ? m_machine->rollout() : Rollout(); }

    const Clock& m_clock;
    RolloutRequest m_request;
    const Callbacks m_callbacks;
    const std::shared_ptr<net::EventLoop> m_loop;
    net::FunctionTimer m_stepTimer;
    net::FunctionTimer m_tellTimer;
    std::vector<DocumentPointer> m_stages;
    std::vector<std::string> m_stageHashes;
    std::map<std::string, DocumentPointer> m_documents; // By hash: what nodes may go back to.
    std::set<std::string> m_unasked; // Nodes that have not said yet what they run.
    std::optional<RolloutMachine> m_machine;
    std::vector<std::function<void(RolloutMachine&, WallTime)>> m_early; // Said before it is made.
    std::vector<std::shared_ptr<std::promise<Rollout>>> m_waiting;
    RolloutState m_keptState = RolloutState::Running;
    bool m_hasNews = false; // An answer came since the last step.
    TimePoint m_toldAt{};
    std::atomic<bool> m_isStopAsked{false};
    Thread m_thread;
};

void Runner::begin(std::optional<Rollout> kept)
{
    for (model::Document& stage : stagesOf(*m_request.before, *m_request.after)) {
        m_stages.push_back(std::make_shared<const model::Document>(std::move(stage)));
        m_stageHashes.push_back(config::hashOf(*m_stages.back()));
        m_documents.emplace(m_stageHashes.back(), m_stages.back());
    }
    m_documents.emplace(config::hashOf(*m_request.before), m_request.before);
    if (kept) {
        m_machine.emplace(*std::move(kept), m_stageHashes, m_clock.wallNow());
        step();
        return;
    }
    askAbsent();
}

// Whoever is not known to run anything is asked, so that it can be told what must not be
// overwritten, and so that it can go back.
void Runner::askAbsent()
{
    for (ExpectedNode& node : m_request.nodes) {
        const bool hasLink = linkOf(node.name) != nullptr;
        node.isReachable = node.isReachable && hasLink;
        if (node.isReachable && node.hash.empty()) {
            m_unasked.insert(node.name);
        }
    }
    const std::set<std::string> asked = m_unasked;
    for (const std::string& name : asked) {
        linkOf(name)->readHash(onLoop([this, name](const Result<std::string>& hash) {
            const auto node = std::ranges::find(m_request.nodes, name, &ExpectedNode::name);
            if (m_unasked.erase(name) == 0) {
                return;
            }
            if (hash) {
                node->hash = *hash;
                node->seenAt = m_clock.wallNow();
            } else if (hash.error().code != ErrorCode::NotFound) { // It runs nothing yet.
                node->isReachable = false;
                node->absentBecause = hash.error().message;
            }
            if (m_unasked.empty()) {
                make();
            }
        }));
    }
    if (m_unasked.empty()) {
        make();
    } else {
        m_stepTimer.arm(m_loop->now() + m_request.plan.answerMax);
    }
}

void Runner::make()
{
    for (const std::string& name : std::exchange(m_unasked, {})) {
        ExpectedNode& node = *std::ranges::find(m_request.nodes, name, &ExpectedNode::name);
        node.isReachable = false;
        node.absentBecause = "it did not say what it runs";
    }
    m_machine.emplace(m_request.plan, m_stageHashes, std::move(m_request.nodes), m_clock.wallNow());
    m_machine->words().revision = m_request.revision;
    m_machine->words().revisionBefore = m_request.revisionBefore;
    m_machine->words().message = m_request.message;
    for (const auto& said : std::exchange(m_early, {})) {
        said(*m_machine, m_clock.wallNow());
    }
    step();
}

void Runner::stepSoon() { m_stepTimer.arm(m_loop->now() + kStepSoon); }

void Runner::step()
{
    if (!m_machine) {
        make(); // Those that did not answer in time are absent.
        return;
    }
    if (m_isStopAsked.exchange(false)) {
        m_machine->stop(m_clock.wallNow());
    }
    const std::vector<RolloutAction> actions = m_machine->step(m_clock.wallNow());
    const bool doesSend = std::ranges::any_of(actions, [](const RolloutAction& action) {
        return !std::holds_alternative<ReadBack>(action);
    });
    const RolloutState state = m_machine->rollout().state;
    const bool isNew = state != m_keptState;
    const bool isLate = std::exchange(m_hasNews, false) && isOver(state);
    if (doesSend || isNew || isLate) {
        m_keptState = state;
        keep();
    }
    for (const RolloutAction& action : actions) {
        std::visit([this](const auto& each) { carryOut(each); }, action);
    }
    if (isOver(state)) {
        if (isNew || isLate) {
            tell();
        }
        answerWaiting();
    } else if (!m_tellTimer.isArmed()) {
        m_tellTimer.arm(std::max(m_loop->now(), m_toldAt + kTellInterval));
    }
    if (!isOver(state)) {
        m_stepTimer.arm(m_loop->now() + kStepInterval);
    } else if (m_machine->waitsForNodes()) {
        m_stepTimer.arm(m_loop->now() + kReturnInterval);
    }
}

NodeLink* Runner::linkOf(const std::string& node) const
{
    const auto found = m_request.links.find(node);
    return found == m_request.links.end() ? nullptr : found->second.get();
}

void Runner::onSendAnswer(const std::string& node, SendAnswer answer)
{
    m_hasNews = true;
    m_machine->onSent(
        node, answer.outcome, answer.text, std::move(answer.problems), m_clock.wallNow()
    );
    stepSoon();
}

// What the node runs is fetched first when nobody here has it: else there would be no way back.
void Runner::carryOut(const SendStage& action)
{
    NodeLink* const link = linkOf(action.node);
    const std::string& hash = action.onlyIfHash;
    if (link == nullptr) {
        onSendAnswer(action.node, {SendOutcome::Unreachable, {}, "there is no way to it", {}});
        return;
    }
    if (hash.empty() || m_documents.contains(hash)) {
        sendStage(action);
        return;
    }
    link->readDocument(onLoop([this, action](const Result<DocumentPointer>& document) {
        const bool isIt = document && config::hashOf(**document) == action.onlyIfHash;
        if (isIt) {
            m_documents.emplace(action.onlyIfHash, *document);
            sendStage(action);
            return;
        }
        SendAnswer answer;
        answer.outcome = document ? SendOutcome::Superseded : SendOutcome::Unreachable;
        answer.text = document ? "another push changed it meanwhile"
                               : "cannot be read to go back: " + document.error().message;
        onSendAnswer(action.node, std::move(answer));
    }));
}

void Runner::sendStage(const SendStage& action)
{
    // A stop may have come while its document was read.
    const RolloutState state = m_machine->rollout().state;
    if (state != RolloutState::Running && state != RolloutState::Partial
        && state != RolloutState::Held) {
        onSendAnswer(action.node, {SendOutcome::Unreachable, {}, "was not sent", {}});
        return;
    }
    linkOf(action.node)
        ->send(
            m_stages.at(action.stage),
            action.onlyIfHash,
            onLoop([this, node = action.node](SendAnswer answer) {
                onSendAnswer(node, std::move(answer));
            })
        );
}

void Runner::carryOut(const SendBefore& action)
{
    const auto& nodes = m_machine->rollout().nodes;
    const auto node = std::ranges::find(nodes, action.node, &NodeProgress::name);
    const auto document = m_documents.find(node->hashBefore);
    NodeLink* const link = linkOf(action.node);
    if (link == nullptr || document == m_documents.end()) {
        SendAnswer answer;
        answer.outcome = link == nullptr ? SendOutcome::Unreachable : SendOutcome::Rejected;
        answer.text = link == nullptr ? "there is no way to it"
                                      : "what it ran before is not known here any more";
        onSendAnswer(action.node, std::move(answer));
        return;
    }
    link->send(
        document->second, action.onlyIfHash, onLoop([this, name = action.node](SendAnswer answer) {
            onSendAnswer(name, std::move(answer));
        })
    );
}

void Runner::carryOut(const ReadBack& action)
{
    NodeLink* const link = linkOf(action.node);
    if (link == nullptr) {
        m_machine->onReadBack(action.node, {}, m_clock.wallNow());
        return;
    }
    link->readHash(onLoop([this, node = action.node](const Result<std::string>& hash) {
        m_hasNews = m_hasNews || hash.has_value();
        m_machine->onReadBack(node, hash ? *hash : std::string(), m_clock.wallNow());
        stepSoon();
    }));
}

void Runner::keep()
{
    if (m_callbacks.keep) {
        m_callbacks.keep(toJson(m_machine->rollout()));
    }
}

void Runner::tell()
{
    m_toldAt = m_loop->now();
    m_tellTimer.cancel();
    if (m_callbacks.onChange) {
        m_callbacks.onChange(m_machine->rollout());
    }
}

void Runner::answerWaiting()
{
    if (!m_machine || !isOver(m_machine->rollout().state)) {
        return;
    }
    for (const auto& waiting : std::exchange(m_waiting, {})) {
        waiting->set_value(m_machine->rollout());
    }
}

std::unique_ptr<RolloutRunner> make(
    const Clock& clock,
    RolloutRequest request,
    std::optional<Rollout> kept,
    RolloutRunner::Callbacks callbacks
)
{
    auto loop = net::EventLoop::make(clock);
    MESH_ASSERT(loop.has_value()); // Without descriptors no node can be reached either.
    return std::make_unique<Runner>(
        clock, std::move(request), std::move(kept), std::move(callbacks), *std::move(loop)
    );
}

} // namespace

std::unique_ptr<RolloutRunner> RolloutRunner::start(
    const Clock& clock, RolloutRequest request, Callbacks callbacks
)
{
    return make(clock, std::move(request), std::nullopt, std::move(callbacks));
}

std::unique_ptr<RolloutRunner> RolloutRunner::resume(
    const Clock& clock, RolloutRequest request, Rollout kept, Callbacks callbacks
)
{
    return make(clock, std::move(request), std::move(kept), std::move(callbacks));
}

} // namespace mesh::fleet
