// Question: what does a message cost under TLS, from one end of a connection to the other?
// Budget: 1.5 us for 400 bytes, system calls included, and 6 us for a full record.
#include "proxyengine/base/handles.h"
#include "proxyengine/tls/certificate.h"
#include "proxyengine/tls/context.h"
#include "proxyengine/tls/stream.h"

#include <benchmark/benchmark.h>

#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mesh::tls {
namespace {

constexpr WallTime kNow{std::chrono::seconds(1'500'000'000)};
constexpr Duration kThirtyYears = std::chrono::hours(24 * 365 * 30); // Valid whenever this runs.

struct Ends
{
    std::shared_ptr<const ServerContext> serverContext;
    std::shared_ptr<const ClientContext> clientContext;
    FileDescriptor serverSocket;
    FileDescriptor clientSocket;
    std::unique_ptr<TlsStream> server;
    std::unique_ptr<TlsStream> client;
};

// False when they could not be made.
bool shakeHands(Ends& ends)
{
    for (int step = 0; step < 10; ++step) {
        const StreamStep client = ends.client->handshake();
        const StreamStep server = ends.server->handshake();
        if (client.status == StreamStatus::Done && server.status == StreamStatus::Done) {
            return true;
        }
        if (client.status == StreamStatus::Failed || server.status == StreamStatus::Failed) {
            return false;
        }
    }
    return false;
}

bool makeContexts(Ends& ends)
{
    auto certificate = makeSelfSigned("bench.test", kNow, kThirtyYears);
    if (!certificate) {
        return false;
    }
    auto server = ServerContext::make({*certificate}, Http2Offer::No);
    ClientOptions options;
    options.verify = VerifyPeer::No;
    auto client = ClientContext::make(options);
    if (!server || !client) {
        return false;
    }
    ends.serverContext = *server;
    ends.clientContext = *client;
    return true;
}

bool connect(Ends& ends)
{
    std::array<int, 2> sockets{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets.data()) != 0) {
        return false;
    }
    ends.clientSocket.reset(sockets[0]);
    ends.serverSocket.reset(sockets[1]);
    auto client = TlsStream::client(*ends.clientContext, sockets[0], "bench.test");
    auto server = TlsStream::server(*ends.serverContext, sockets[1]);
    if (!client || !server) {
        return false;
    }
    ends.client = std::move(*client);
    ends.server = std::move(*server);
    return shakeHands(ends);
}

void passRecord(benchmark::State& state)
{
    Ends ends;
    if (!makeContexts(ends) || !connect(ends)) {
        state.SkipWithError("no connection");
        return;
    }
    const std::string message(static_cast<std::size_t>(state.range(0)), 'x');
    std::vector<char> buffer(65536);
    for (auto _ : state) {
        std::size_t left = message.size();
        if (ends.client->write(message).status != StreamStatus::Done) {
            state.SkipWithError("not written");
            return;
        }
        while (left > 0) {
            const StreamStep step = ends.server->read(buffer);
            if (step.status != StreamStatus::Done) {
                state.SkipWithError("not read");
                return;
            }
            left -= step.count;
        }
    }
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(passRecord)->ArgName("bytes")->Arg(400)->Arg(16384);

// Both sides of a full handshake on one thread: the keys of a new connection.
void fullHandshake(benchmark::State& state)
{
    Ends ends;
    if (!makeContexts(ends)) {
        state.SkipWithError("no certificate");
        return;
    }
    for (auto _ : state) {
        if (!connect(ends)) {
            state.SkipWithError("no handshake");
            return;
        }
    }
}
BENCHMARK(fullHandshake)->Unit(benchmark::kMicrosecond);

} // namespace
} // namespace mesh::tls
