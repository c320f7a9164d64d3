#include "simulator/live/engine_set.h"

#include "proxyengine/base/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace mesh::simulator {

namespace {

constexpr const char* kGatewayListen = "127.0.0.1:0";

std::size_t listenersOf(const model::Document& document, const model::Node& node)
{
    std::size_t count = node.role == model::NodeRole::Gateway ? 1 : 0;
    for (const model::Workload& workload : document.workloads) {
        if (node.role == model::NodeRole::Sidecar && workload.node == node.name) {
            count += (workload.inbound ? 1U : 0U) + (workload.outbound ? 1U : 0U);
        }
    }
    return count;
}

} // namespace

// Passes one engine's events on, and those that somebody may wait for to the set.
class EngineSet::Watch final : public api::EventSink
{
public:
    Watch(EngineSet& set, std::size_t node, std::string name)
        : m_set(set)
        , m_node(node)
        , m_name(std::move(name))
    {}

    void onEvent(const api::Event& event) override
    {
        if (const auto* const done = std::get_if<api::CommandDone>(&event)) {
            std::optional<Error> failure;
            if (!done->result) {
                failure = done->result.error();
                if (!done->problems.empty()) {
                    const auto& problem = done->problems.front();
                    failure->message = fmt::format("{}: {}", problem.path, problem.message);
                }
            }
            tell({m_node, done->id, std::move(failure), {}});
        } else if (const auto* const state = std::get_if<api::StateEvent>(&event)) {
            tell({m_node, std::nullopt, std::nullopt, state->listeners});
        }
        if (m_set.m_sink != nullptr) {
            m_set.m_sink->onNodeEvent(m_name, event);
        }
    }

private:
    // A full mailbox means that nobody has waited for long; the next apply() empties it first.
    void tell(News news) { static_cast<void>(m_set.m_news.push(std::move(news))); }

    EngineSet& m_set;
    const std::size_t m_node;
    const std::string m_name;
};

EngineSet::EngineSet(const Clock& clock, MeshSink* sink)
    : m_clock(clock)
    , m_sink(sink)
    , m_news(kMailboxMessagesMax, [this] { m_arrived.release(); })
{}

EngineSet::~EngineSet() { stop(Duration::zero()); }

Result<void> EngineSet::start(
    const EngineFactory& factory,
    const std::shared_ptr<const model::Document>& document,
    const NodeView& view,
    Duration startMax
)
{
    for (const model::Node& node : document->nodes) {
        api::EngineOptions options;
        options.node = node.name;
        options.workers = 1;
        if (node.role == model::NodeRole::Gateway) {
            options.proxyListen.push_back({kGatewayListen, false, false});
        }
        MESH_TRY(std::unique_ptr<api::Engine> engine, factory(options, view(node.name)));
        m_watches.push_back(std::make_unique<Watch>(*this, m_nodes.size(), node.name));
        m_nodes.push_back({node.name, engine.get()});
        m_standings.emplace_back().listenersWanted = listenersOf(*document, node);
        m_engines.push_back(std::move(engine));
        m_engines.back()->subscribe(*m_watches.back());
    }
    MESH_TRY_VOID(apply(view, startMax));
    for (std::size_t i = 0; i < m_nodes.size(); ++i) {
        if (document->nodes[i].role == model::NodeRole::Gateway) {
            m_gatewayAddresses.push_back(m_standings[i].listeners.front().address);
        }
    }
    return {};
}

Result<void> EngineSet::apply(const NodeView& view, Duration answerMax)
{
    while (std::optional<News> old = m_news.pop()) {
        if (!old->listeners.empty()) {
            m_standings[old->node].listeners = std::move(old->listeners);
        }
    }
    MESH_TRY_VOID(submitToAll(view));
    return waitForAll(answerMax);
}

Result<void> EngineSet::submitToAll(const NodeView& view)
{
    for (std::size_t i = 0; i < m_engines.size(); ++i) {
        m_standings[i].isAsked = false;
        m_standings[i].answered.clear();
        m_standings[i].awaited.reset();
    }
    for (std::size_t i = 0; i < m_engines.size(); ++i) {
        const std::shared_ptr<const model::Document> document = view(m_nodes[i].name);
        if (document == nullptr) {
            continue;
        }
        m_standings[i].isAsked = true;
        MESH_TRY(const CommandId id, m_engines[i]->submit(api::ApplyDocument{document}));
        m_standings[i].awaited = id;
    }
    return {};
}

bool EngineSet::isReady(const Standing& standing)
{
    if (!standing.isAsked) {
        return true;
    }
    return standing.awaited
           && std::ranges::find(standing.answered, *standing.awaited) != standing.answered.end()
           && standing.listeners.size() >= standing.listenersWanted;
}

Result<void> EngineSet::waitForAll(Duration answerMax)
{
    const TimePoint deadline = m_clock.now() + answerMax;
    while (!std::ranges::all_of(m_standings, isReady)) {
        while (std::optional<News> news = m_news.pop()) {
            MESH_TRY_VOID(take(*std::move(news)));
        }
        const auto late = std::ranges::find_if_not(m_standings, isReady);
        if (late == m_standings.end()) {
            break;
        }
        if (m_clock.now() >= deadline) {
            const auto at = static_cast<std::size_t>(late - m_standings.begin());
            return fail(
                ErrorCode::Timeout,
                fmt::format(
                    "node {} listens on {} of {} addresses",
                    m_nodes[at].name,
                    late->listeners.size(),
                    late->listenersWanted
                )
            );
        }
        static_cast<void>(m_arrived.try_acquire_for(std::chrono::milliseconds(50)));
    }
    return {};
}

Result<void> EngineSet::take(News news)
{
    Standing& standing = m_standings[news.node];
    if (news.failure) {
        return fail(
            ErrorCode::Refused,
            fmt::format(
                "node {} refused the configuration: {}",
                m_nodes[news.node].name,
                news.failure->message
            )
        );
    }
    if (news.command) {
        standing.answered.push_back(*news.command);
    } else if (!news.listeners.empty()) {
        standing.listeners = std::move(news.listeners);
    }
    return {};
}

void EngineSet::stop(Duration grace)
{
    for (const std::unique_ptr<api::Engine>& engine : m_engines) {
        engine->stop(grace);
    }
    m_nodes.clear();
    m_engines.clear();
}

} // namespace mesh::simulator
