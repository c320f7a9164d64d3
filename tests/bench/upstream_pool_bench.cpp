// Question: what does it cost to take a kept connection of a target and to give it back?
// Budget: 30 ns for both, whatever the number of connections that are kept.
#include "proxyengine/proxy/upstream_pool.h"

#include "proxyengine/base/clock.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/sockets.h"
#include "proxyengine/telemetry/counters.h"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

namespace mesh::proxy {
namespace {

class Nobody final : public UpstreamUser
{
public:
    void onUpstreamReady(net::Ready ready) override
    {
        if (connection != nullptr && !connection->isConnected) {
            hasFailed = connection->goOnConnecting(ready) == UpstreamConnection::Connecting::Failed;
        }
    }
    void onUpstreamTimeout() override {}

    UpstreamConnection* connection = nullptr;
    bool hasFailed = false;
};

void takeAndGiveBack(benchmark::State& state)
{
    const SystemClock clock;
    auto loop = net::EventLoop::make(clock);
    auto listener = net::listenOn(net::SocketAddress::loopback(0));
    if (!loop || !listener) {
        state.SkipWithError("no loop or no listener");
        return;
    }
    const net::SocketAddress address = net::localAddress(listener->get());
    telemetry::WorkerCounters counters;
    telemetry::AttemptRow& row = counters.holdAttempts("bench", "up", address.toText(), {});
    UpstreamPool pool(
        **loop, PoolPeer{"127.0.0.1", address.port(), nullptr, {}}, std::chrono::seconds(60)
    );
    const auto count = static_cast<std::size_t>(state.range(0));
    std::vector<std::unique_ptr<Nobody>> users;
    for (std::size_t at = 0; at < count; ++at) {
        users.push_back(std::make_unique<Nobody>());
        auto made = pool.connect(address, row);
        if (!made) {
            state.SkipWithError("no connection");
            return;
        }
        users.back()->connection = *made;
        (*made)->attach(*users.back());
        for (int turn = 0; turn < 100 && !(*made)->isConnected; ++turn) {
            (*loop)->runTurn(std::chrono::milliseconds(10));
        }
    }
    for (const auto& user : users) {
        pool.giveBack(*user->connection);
    }
    for (auto _ : state) {
        UpstreamConnection* connection = pool.take(ConnectionAge::Any);
        if (connection == nullptr) {
            state.SkipWithError("nothing was kept");
            return;
        }
        connection->attach(*users.front());
        pool.giveBack(*connection);
    }
    telemetry::WorkerCounters::release(row);
}
BENCHMARK(takeAndGiveBack)->ArgName("kept")->Arg(1)->Arg(64);

} // namespace
} // namespace mesh::proxy
