#pragma once

#include "proxyengine/base/clock.h"
#include "proxyengine/base/handles.h"
#include "proxyengine/base/thread.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/socket_address.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A small HTTP/1.1 server that does wrong what it is told to do wrong.
namespace mesh::test {

enum class Fault : std::uint8_t {
    None,
    Refuse, // Nobody listens; open connections are reset. The port stays reserved.
    ResetAtAccept, // RST at once.
    ResetAtRequest, // RST when a request has arrived whole.
    Hang, // Reads and never answers.
    SlowHead, // The answer's head comes byte by byte, `pace` apart.
    SlowBody, // The head at once, the body byte by byte.
    Unavailable, // 503.
    HalfUnavailable, // 503 for every second request of the server.
    RetryLater, // 503 with Retry-After: `retryAfter_s`.
    LengthTooLong, // Content-Length says more than comes before the end.
    LengthTooShort, // More comes than Content-Length says.
    CloseMidBody, // Half of a chunked body, then the end.
    Garbage, // What comes is not HTTP.
};

// "refuse", "reset-at-accept" ...: how the command line calls them.
[[nodiscard]] std::optional<Fault> parseFault(std::string_view text);
[[nodiscard]] std::string_view toText(Fault fault);

struct Behaviour
{
    Fault fault = Fault::None;
    int status = 200; // Of answers that are not a fault's.
    std::string body; // Of every answer; empty: the server's name.
    std::vector<std::pair<std::string, std::string>> headers; // More, of every answer.
    Duration delay{}; // Before each answer.
    Duration pace = std::chrono::milliseconds(50); // Between slow bytes.
    int retryAfter_s = 1;
};

// A request as it arrived.
struct ReceivedRequest
{
    std::string method;
    std::string target;
    std::vector<std::pair<std::string, std::string>> headers; // Names in lower case.
    std::string body; // Decoded.

    // The first value, or "".
    [[nodiscard]] std::string header(std::string_view lowerName) const;
};

// Listens on a free port of loopback in a thread of its own. Every good answer says `X-Server` with
// its name and `X-Got` with the bytes of body that it received.
//
// Threads: one caller. Calls return when the server's thread has carried them out.
class MisbehavingServer
{
public:
    explicit MisbehavingServer(std::string name = "server", Behaviour behaviour = {});
    MisbehavingServer(const MisbehavingServer&) = delete;
    MisbehavingServer& operator=(const MisbehavingServer&) = delete;
    ~MisbehavingServer();

    [[nodiscard]] const net::SocketAddress& address() const { return m_address; }
    // Counts from now; open connections stay, but for Refuse.
    void behave(Behaviour behaviour);
    void behave(Fault fault);
    // Decides instead of the behaviour when it is set: called on the server's thread.
    void decide(std::function<Behaviour(const ReceivedRequest&)> decision);

    [[nodiscard]] std::uint64_t requests() const { return m_requests.load(); }
    [[nodiscard]] std::uint64_t accepted() const { return m_accepted.load(); }
    // Requests whose caller closed the connection before it was answered.
    [[nodiscard]] std::uint64_t abandoned() const { return m_abandoned.load(); }
    // Connections that are open now.
    [[nodiscard]] std::uint64_t open() const { return m_open.load(); }
    // Those since the last call, at most kReceivedMax.
    [[nodiscard]] std::vector<ReceivedRequest> takeReceived();

    static constexpr std::size_t kReceivedMax = 10'000;

private:
    class Port;
    class Line;
    friend class Line;
    void carryOut(std::function<void()> function); // On the server's thread; waits for it.
    void setBehaviour(Behaviour behaviour);
    [[nodiscard]] Behaviour behaviourFor(const ReceivedRequest& request);

    std::string m_name;
    SystemClock m_clock;
    std::unique_ptr<net::EventLoop> m_loop;
    net::SocketAddress m_address;
    FileDescriptor m_reserved; // Bound and not listening, so that nobody else gets the port.
    std::atomic<std::uint64_t> m_requests{0};
    std::atomic<std::uint64_t> m_accepted{0};
    std::atomic<std::uint64_t> m_abandoned{0};
    std::atomic<std::uint64_t> m_open{0};
    // The server's thread's from here on.
    Behaviour m_behaviour;
    std::function<Behaviour(const ReceivedRequest&)> m_decision;
    std::vector<ReceivedRequest> m_received;
    std::uint64_t m_turn = 0; // For every second.
    std::unique_ptr<Port> m_port; // Null: refuses.
    std::vector<std::unique_ptr<Line>> m_lines;
    Thread m_thread;
};

} // namespace mesh::test
