#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/base/strong_id.h"
#include "proxyengine/http/channel.h"
#include "proxyengine/http/message.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/socket_address.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

namespace mesh::http {

class ClientConnection;
class ClientStreams;
struct PendingCall;

using CallId = StrongId<struct CallTag, std::uint64_t>;

// One request to send. Host is the address unless `headers` has one; Content-Length is added.
struct Call
{
    net::SocketAddress address;
    Request request;
    Duration timeout = std::chrono::seconds(30); // From call to whole answer; of stream(): to the
                                                 // head.
};

using ResponseFunction = std::function<void(Result<Response>)>;

// What happens to a streamed response, in this order; exactly one onEnd unless cancelled.
struct StreamFunctions
{
    std::function<void(int status, const Headers& headers)> onHead;
    std::function<void(std::string_view bytes)> onBytes;
    std::function<void(Result<void>)> onEnd; // Errors: as of call().
};

// Http1And2: HTTP/2, where TLS agrees on it, and from the first byte on plain connections; a server
// that does not understand gets HTTP/1.1, which is remembered for five minutes.
enum class ClientProtocols : std::uint8_t { Http1, Http1And2 };

struct ClientOptions
{
    std::size_t idlePerAddressMax = 64; // Kept for the next call; by HTTP/2 one, or none with 0.
    std::size_t connectionsPerAddressMax = 0; // Above it calls wait; 0: no limit.
    std::size_t bodyBytesMax = kAdminBodyBytesMax; // Larger: LimitExceeded. Not for stream().
    Duration idleTimeout = kUpstreamIdleTimeout;
    ChannelFunction makeChannel = {}; // Empty: connections are plain.
    ClientProtocols protocols = ClientProtocols::Http1;
};

// A small client of HTTP/1.1, and HTTP/2 if asked for, for the console's nodes and simulated
// services.
//
// Connections are kept and used again per address; by HTTP/2 one carries all calls to it, and calls
// beyond what its server takes at a time wait. What a server has not begun with is sent once more
// on a new connection. A call on a kept connection that the server
// closed before any byte of an answer is sent once more on a new one, if its method is idempotent.
// Functions are called from the loop, never from inside call() or stream().
// Threads: the loop's. Lifetime: the loop outlives it; destroying it cancels everything.
class Client
{
public:
    explicit Client(net::EventLoop& loop, const ClientOptions& options = {});
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client();

    // Errors given to the function: Refused or Unavailable (no connection), Reset (ended in the
    // middle), Timeout, Protocol (not HTTP), LimitExceeded; what a channel says.
    CallId call(Call call, ResponseFunction onResponse);
    CallId stream(Call call, StreamFunctions functions);
    // Its functions are not called any more. No effect on answered calls.
    void cancel(CallId id);

    [[nodiscard]] std::size_t connections() const;
    [[nodiscard]] std::size_t idleConnections() const;
    void closeIdle();

private:
    struct State;
    friend class ClientConnection;
    friend class ClientStreams;
    friend struct PendingCall;
    std::unique_ptr<State> m_state;
};

} // namespace mesh::http
