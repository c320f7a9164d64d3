#include "proxyengine/control/node_calls.h"

#include "proxyengine/base/thread.h"
#include "proxyengine/control/node_address.h"
#include "proxyengine/control/node_tls.h"
#include "proxyengine/control/reconnect_pause.h"
#include "proxyengine/http/client.h"
#include "proxyengine/net/event_loop.h"

#include <fmt/format.h>

#include <atomic>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mesh::control {
namespace {

constexpr Duration kRetryFirst = std::chrono::milliseconds(100);
constexpr Duration kRetryLongest = std::chrono::seconds(2); // An operator waits for a push.

class LoopCalls final : public NodeCalls
{
public:
    LoopCalls(std::unique_ptr<net::EventLoop> loop, std::unique_ptr<net::Resolver> resolver)
        : m_loop(std::move(loop))
        , m_resolver(std::move(resolver))
        , m_random(Seed{static_cast<std::uint64_t>(m_loop->now().time_since_epoch().count())})
        , m_thread("node-calls", [this] {
            m_loop->moveHere();
            m_loop->run();
        })
    {}

    ~LoopCalls() override
    {
        m_loop->stop();
        m_thread.join();
        m_loop->moveHere();
        for (bool hasMore = true; hasMore;) { // Those that were posted and not yet begun.
            m_isEnding = true;
            m_loop->runTurn(Duration{});
            hasMore = m_posted.load() != m_begun;
        }
        while (!m_open.empty()) {
            finish(m_open.begin()->first, cancelled());
        }
        m_nodes.clear();
        m_resolver.reset();
    }

    void call(NodeCall call, OnAnswer onAnswer) override
    {
        m_posted.fetch_add(1);
        auto shared = std::make_shared<OnAnswer>(std::move(onAnswer));
        auto posted = m_loop->post([this, call = std::move(call), shared]() mutable {
            ++m_begun;
            add(++m_lastId, std::move(call), std::move(*shared));
        });
        if (!posted) {
            m_posted.fetch_sub(1);
            (*shared)(tl::unexpected(std::move(posted).error()));
        }
    }

    void cancel(NodeCaller caller) override
    {
        // When the mailbox is full, calls end by their own timeouts.
        static_cast<void>(m_loop->post([this, caller] {
            std::vector<Id> ids;
            for (const auto& [id, open] : m_open) {
                if (open.call.caller == caller) {
                    ids.push_back(id);
                }
            }
            for (const Id id : ids) {
                finish(id, cancelled());
            }
        }));
    }

    NodeCaller makeCaller() override { return NodeCaller(m_lastCaller.fetch_add(1) + 1); }

private:
    using Id = std::uint64_t;

    // Connections to one node, by one set of credentials.
    struct Node
    {
        std::unique_ptr<http::Client> client;
        std::optional<net::SocketAddress> found; // As of the last time it was connected to.
        std::size_t calls = 0; // Begun or held.
        TimePoint usedAt{};
        ReconnectPause pause{kRetryFirst, kRetryLongest};
        TimePoint nextAttempt{}; // Before it no connection is tried.
        std::vector<Id> held; // Until then.
        std::unique_ptr<net::FunctionTimer> retry;
    };

    struct Open
    {
        NodeCall call;
        OnAnswer onAnswer;
        Node* node = nullptr; // Null: waits for its turn.
        std::optional<http::CallId> sent;
        bool isRunning = false;
    };

    static Result<NodeAnswer> cancelled()
    {
        return fail(ErrorCode::Cancelled, "the request to the node was given up");
    }

    static std::string keyOf(const NodeRequest& request)
    {
        const NodeCredentials& files = request.credentials;
        return fmt::format(
            "{}\n{}\n{}\n{}", toText(request.address), files.certFile, files.keyFile, files.caFile
        );
    }

    void add(Id id, NodeCall call, OnAnswer onAnswer)
    {
        m_open.emplace(id, Open{std::move(call), std::move(onAnswer), nullptr, {}, false});
        if (m_isEnding) {
            finish(id, cancelled());
            return;
        }
        m_waiting.push_back(id);
        beginWaiting();
    }

    void beginWaiting()
    {
        while (m_running < kCallsAtOnceMax && !m_waiting.empty()) {
            const Id id = m_waiting.front();
            m_waiting.pop_front();
            if (m_open.contains(id)) {
                begin(id);
            }
        }
    }

    Node& nodeOf(const NodeRequest& request)
    {
        const std::string key = keyOf(request);
        const auto known = m_nodes.find(key);
        if (known != m_nodes.end()) {
            return known->second;
        }
        forgetOldest();
        Node& node = m_nodes[key];
        http::ClientOptions options;
        options.protocols = http::ClientProtocols::Http1And2;
        options.idlePerAddressMax = 1;
        if (request.address.isTls) {
            options.makeChannel = clientChannels(request.credentials, request.address);
        }
        node.client = std::make_unique<http::Client>(*m_loop, options);
        node.retry = std::make_unique<net::FunctionTimer>(m_loop->timers(), [this, &node] {
            release(node);
        });
        return node;
    }

    void forgetOldest()
    {
        if (m_nodes.size() < kCallsAtOnceMax) {
            return;
        }
        auto oldest = m_nodes.end();
        for (auto at = m_nodes.begin(); at != m_nodes.end(); ++at) {
            const bool isOlder =
                oldest == m_nodes.end() || at->second.usedAt < oldest->second.usedAt;
            if (at->second.calls == 0 && isOlder) {
                oldest = at;
            }
        }
        if (oldest != m_nodes.end()) {
            oldest->second.retry->cancel();
            m_loop->destroyLater(std::move(oldest->second.retry)); // This may be inside them.
            m_loop->destroyLater(std::move(oldest->second.client));
            m_nodes.erase(oldest);
        }
    }

    void begin(Id id)
    {
        Open& open = m_open.at(id);
        Node& node = nodeOf(open.call.request);
        open.node = &node;
        ++node.calls;
        if (node.client->connections() == 0 && m_loop->now() < node.nextAttempt) {
            node.held.push_back(id);
            if (!node.retry->isArmed()) {
                node.retry->arm(node.nextAttempt);
            }
            return;
        }
        run(id, open);
    }

    // The pause is over: all that waited try together.
    void release(Node& node)
    {
        for (const Id id : std::exchange(node.held, {})) {
            const auto found = m_open.find(id);
            if (found != m_open.end()) {
                run(id, found->second);
            }
        }
    }

    void run(Id id, Open& open)
    {
        open.isRunning = true;
        ++m_running;
        Node& node = *open.node;
        if (node.found && node.client->connections() != 0) {
            send(id, open, *node.found);
            return;
        }
        findNode(
            *m_resolver,
            open.call.request.address,
            [this, id](const Result<net::SocketAddress>& found) {
                const auto asking = m_open.find(id);
                if (asking == m_open.end()) {
                    return;
                }
                if (!found) {
                    finish(id, tl::unexpected(found.error()));
                    return;
                }
                asking->second.node->found = *found;
                send(id, asking->second, *found);
            }
        );
    }

    void send(Id id, Open& open, const net::SocketAddress& address)
    {
        NodeRequest& asked = open.call.request;
        http::Request request;
        request.method = asked.method;
        request.target = asked.path;
        request.body = std::move(asked.body);
        request.headers.push_back(
            {"Host", asked.address.isUnix() ? std::string("localhost") : asked.address.hostPort}
        );
        if (!asked.onlyIfHash.empty()) {
            request.headers.push_back({"If-Match", "\"" + asked.onlyIfHash + "\""});
        }
        open.sent = open.node->client->call(
            {address, std::move(request), asked.timeout},
            [this, id, node = asked.address](Result<http::Response> response) {
                if (!response) {
                    finish(id, tl::unexpected(std::move(response).error()));
                } else if (auto error = refusalOf(node, *response)) {
                    finish(id, tl::unexpected(*std::move(error)));
                } else {
                    finish(id, NodeAnswer{response->status, std::move(response->body)});
                }
            }
        );
    }

    // Calls that fail together were one attempt.
    void note(Node& node, const Result<NodeAnswer>& answer)
    {
        if (answer) {
            node.pause.reset();
            node.nextAttempt = {};
            return;
        }
        const bool isLost =
            answer.error().code != ErrorCode::Cancelled && node.client->connections() == 0;
        if (isLost && m_loop->now() >= node.nextAttempt) {
            node.nextAttempt = m_loop->now() + node.pause.next(m_random);
        }
    }

    void finish(Id id, Result<NodeAnswer> answer)
    {
        auto taken = m_open.extract(id);
        if (taken.empty()) {
            return;
        }
        Open& open = taken.mapped();
        if (open.node != nullptr) {
            Node& node = *open.node;
            --node.calls;
            node.usedAt = m_loop->now();
            std::erase(node.held, id);
            if (open.sent) {
                node.client->cancel(*open.sent); // Without effect when it was answered.
            }
            if (open.isRunning) {
                --m_running;
                note(node, answer);
            }
        }
        open.onAnswer(std::move(answer));
        if (!m_isEnding) {
            beginWaiting();
        }
    }

    std::unique_ptr<net::EventLoop> m_loop;
    std::unique_ptr<net::Resolver> m_resolver;
    std::atomic<std::uint64_t> m_lastCaller{0};
    Id m_lastId = 0;
    std::atomic<std::uint64_t> m_posted{0};
    std::uint64_t m_begun = 0;
    std::map<Id, Open> m_open;
    std::deque<Id> m_waiting;
    std::map<std::string, Node> m_nodes;
    Random m_random;
    std::size_t m_running = 0;
    bool m_isEnding = false;
    Thread m_thread;
};

} // namespace

Result<std::unique_ptr<NodeCalls>> NodeCalls::start(const Clock& clock)
{
    MESH_TRY(auto loop, net::EventLoop::make(clock));
    MESH_TRY(auto resolver, net::Resolver::make(*loop));
    return std::unique_ptr<NodeCalls>(
        std::make_unique<LoopCalls>(std::move(loop), std::move(resolver))
    );
}

} // namespace mesh::control
