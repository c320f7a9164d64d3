#pragma once

#include "proxyengine/net/acceptor.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/proxy/transport.h"

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mesh::test {

using H2Pairs = std::vector<std::pair<std::string, std::string>>;

// One request as it came, and how it is answered.
struct H2Call
{
    std::string method;
    std::string path;
    H2Pairs fields; // All, pseudo-fields too.
    H2Pairs trailers;
    std::string body;
    bool hasEnded = false;
    std::int32_t id = 0;
    std::size_t connection = 0; // Number of the connection, from 0.

    [[nodiscard]] std::string field(std::string_view name) const;
};

struct H2Answer
{
    enum class Kind : std::uint8_t {
        Whole,
        Silence, // Nothing, ever.
        Reset, // RST_STREAM with `code`.
        Close, // The connection ends at once.
        GoAway, // `code`; nothing at or above this stream is served, what is below is.
        Endless, // A head, then data that never ends; for as long as the window allows.
    };
    Kind kind = Kind::Whole;
    std::uint32_t code = 0;
    H2Pairs head = {{":status", "200"}};
    std::string body;
    H2Pairs trailers;
    bool waitsForEnd = true; // Of the request; otherwise answered with its head.
    bool endsEarly = false; // The connection ends after the first bytes of the body.
};

// An HTTP/2 server on the test's loop that does what it is told, wrong things too.
class H2TestServer final : private net::AcceptHandler
{
public:
    using Function = std::function<H2Answer(const H2Call&)>;
    struct Options
    {
        std::uint32_t streamsMax = 100;
        std::uint32_t window = 65535; // Of each stream.
        bool readsBodies = true; // False: windows are never opened.
        std::string firstBytes; // Said instead of HTTP/2.
        std::shared_ptr<const tls::ServerContext> tls;
    };

    H2TestServer(net::EventLoop& loop, Options options, Function function);
    H2TestServer(net::EventLoop& loop, Function function)
        : H2TestServer(loop, Options(), std::move(function))
    {}
    ~H2TestServer();

    [[nodiscard]] const net::SocketAddress& address() const { return m_acceptor->address(); }
    [[nodiscard]] std::size_t accepted() const { return m_connections.size(); }
    [[nodiscard]] std::size_t open() const;
    [[nodiscard]] std::size_t openRetired() const; // Of those that said GOAWAY.
    [[nodiscard]] std::size_t calls() const { return m_calls; }
    [[nodiscard]] const std::vector<std::size_t>& callsByConnection() const
    {
        return m_byConnection;
    }
    [[nodiscard]] std::size_t atOnceMax() const { return m_atOnceMax; }
    [[nodiscard]] std::size_t resets() const { return m_resets; } // Heard.
    [[nodiscard]] std::size_t bodyBytesSent() const { return m_bodySent; }
    [[nodiscard]] std::size_t bodyBytesHeard() const { return m_bodyHeard; }
    // Answers what was left silent.
    void answerSilent();
    void sayGoAway(); // On every connection; streams go on.
    void sendRaw(std::string_view bytes); // On every connection.
    void flood(std::size_t pings);

private:
    struct Connection;
    struct Glue;
    void onAccepted(FileDescriptor socket, const net::SocketAddress&) override;

    net::EventLoop& m_loop;
    Options m_options;
    Function m_function;
    std::size_t m_calls = 0;
    std::vector<std::size_t> m_byConnection;
    std::size_t m_atOnce = 0;
    std::size_t m_atOnceMax = 0;
    std::size_t m_resets = 0;
    std::size_t m_bodySent = 0;
    std::size_t m_bodyHeard = 0;
    std::vector<std::unique_ptr<Connection>> m_connections;
    std::unique_ptr<net::Acceptor> m_acceptor;
};

} // namespace mesh::test
