#include "proxyengine/control/node_calls.h"

#include "proxyengine/base/thread.h"
#include "proxyengine/control/node_address.h"
#include "proxyengine/control/node_tls.h"
#include "proxyengine/http/client.h"
#include "proxyengine/net/event_loop.h"

#include <atomic>
#include <deque>
#include <map>
#include <utility>
#include <vector>

namespace mesh::control {
namespace {

class LoopCalls final : public NodeCalls
{
public:
    LoopCalls(std::unique_ptr<net::EventLoop> loop, std::unique_ptr<net::Resolver> resolver)
        : m_loop(std::move(loop))
        , m_resolver(std::move(resolver))
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

    struct Open
    {
        NodeCall call;
        OnAnswer onAnswer;
        std::unique_ptr<http::Client> client; // Null: waits for its turn.
    };

    static Result<NodeAnswer> cancelled()
    {
        return fail(ErrorCode::Cancelled, "the request to the node was given up");
    }

    void add(Id id, NodeCall call, OnAnswer onAnswer)
    {
        m_open.emplace(id, Open{std::move(call), std::move(onAnswer), nullptr});
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

    void begin(Id id)
    {
        Open& open = m_open.at(id);
        const AdminAddress& address = open.call.request.address;
        http::ClientOptions options;
        options.idlePerAddressMax = 0; // A thousand nodes would keep a thousand connections.
        if (address.isTls) {
            options.makeChannel = clientChannels(open.call.request.credentials, address);
        }
        open.client = std::make_unique<http::Client>(*m_loop, options);
        ++m_running;
        findNode(*m_resolver, address, [this, id](Result<net::SocketAddress> found) {
            if (!m_open.contains(id)) {
                return;
            }
            if (found) {
                send(id, *found);
            } else {
                finish(id, tl::unexpected(std::move(found).error()));
            }
        });
    }

    void send(Id id, const net::SocketAddress& address)
    {
        Open& open = m_open.at(id);
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
        open.client->call(
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

    void finish(Id id, Result<NodeAnswer> answer)
    {
        auto node = m_open.extract(id);
        if (node.empty()) {
            return;
        }
        Open& open = node.mapped();
        if (open.client != nullptr) {
            --m_running;
            m_loop->destroyLater(std::move(open.client)); // This may be inside a call of it.
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
