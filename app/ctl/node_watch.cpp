#include "app/ctl/node_watch.h"

#include "proxyengine/base/limits.h"
#include "proxyengine/control/remote_engine.h"

#include <utility>

namespace mesh::ctl {

class NodeWatch::Sink final : public api::EventSink
{
public:
    Sink(NodeWatch& watch, std::size_t node, Wish wish)
        : m_watch(watch)
        , m_node(node)
        , m_wish(wish)
    {}

    void onEvent(const api::Event& event) override
    {
        const bool isWanted =
            std::holds_alternative<api::StateEvent>(event)
            || (m_wish == Wish::Measurements ? std::holds_alternative<api::StatsEvent>(event)
                                             : std::holds_alternative<api::AccessEvent>(event));
        if (isWanted && !m_watch.m_news.push({m_node, m_watch.m_clock.wallNow(), event})) {
            m_watch.m_lost.fetch_add(1);
        }
    }

private:
    NodeWatch& m_watch;
    const std::size_t m_node;
    const Wish m_wish;
};

NodeWatch::NodeWatch(
    const Clock& clock,
    const std::vector<NodeTarget>& nodes,
    const CredentialFiles& credentials,
    Wish wish
)
    : m_clock(clock)
    , m_news(kEventsPerSubscriberMax, [this] { m_arrived.release(); })
{
    for (std::size_t at = 0; at < nodes.size(); ++at) {
        control::RemoteOptions options;
        options.address = nodes[at].address;
        options.node = nodes[at].name;
        options.seed = Seed{at + 1};
        options.credentials = credentials;
        m_sinks.push_back(std::make_unique<Sink>(*this, at, wish));
        m_engines.push_back(control::makeRemoteEngine(clock, std::move(options)));
        m_engines.back()->subscribe(*m_sinks.back());
    }
}

NodeWatch::~NodeWatch()
{
    for (const auto& engine : m_engines) {
        engine->stop(Duration{});
    }
}

std::optional<NodeWatch::News> NodeWatch::next(TimePoint deadline)
{
    const Duration left = deadline - m_clock.now();
    const bool hasCome =
        left > Duration{} ? m_arrived.try_acquire_for(left) : m_arrived.try_acquire();
    return hasCome ? m_news.pop() : std::nullopt;
}

} // namespace mesh::ctl
