#pragma once

#include "proxyengine/base/handles.h"
#include "proxyengine/http/chunked.h"
#include "proxyengine/http/client.h"
#include "proxyengine/http/head.h"
#include "proxyengine/http/parser.h"
#include "proxyengine/net/buffer.h"
#include "proxyengine/net/event_loop.h"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::http {

class ClientConnection;
class ClientStreams;

// One call from its beginning to its only outcome.
struct PendingCall
{
    CallId id;
    Call call;
    ResponseFunction onResponse; // Empty: a stream.
    StreamFunctions stream;
    std::unique_ptr<net::FunctionTimer> deadline;
    ClientConnection* connection = nullptr; // Null: waits for one.
    bool wasSentAgain = false;
    TimePoint sentAt{}; // Of HTTP/2: given to its connection.
};

// Whether a method may be repeated without a second effect (RFC 9110, 9.2.2).
[[nodiscard]] bool isIdempotent(Method method);

struct Client::State
{
    State(net::EventLoop& ownLoop, const ClientOptions& ownOptions);

    struct Pool
    {
        std::vector<std::unique_ptr<ClientConnection>> open;
        std::vector<ClientConnection*> idle; // The last used is taken first.
        std::deque<CallId> waiting;
        ClientConnection* shared = nullptr; // Takes all calls, by HTTP/2.
        TimePoint http1Until{}; // The server did not understand more.
    };
    struct Failed
    {
        CallId id;
        Error error;
    };

    CallId add(Call call, ResponseFunction onResponse, StreamFunctions stream);
    void begin(CallId id);
    void beginShared(PendingCall& call, Pool& pool);
    void beginAgain(CallId id); // Its connection could not take it.
    void noteHttp1(const ClientConnection& connection); // Its server speaks nothing else.
    void finish(
        CallId id, Result<Response> result
    ); // Calls the function; touches nothing after it.
    void failLater(CallId id, Error error);
    void runFailures();
    void release(ClientConnection& connection); // It can take another call.
    void remove(ClientConnection& connection); // It is closed.
    void serveWaiting(Pool& pool);
    [[nodiscard]] PendingCall* find(CallId id);

    net::EventLoop& loop;
    ClientOptions options;
    std::map<net::SocketAddress, Pool> pools;
    std::map<CallId, std::unique_ptr<PendingCall>> calls;
    std::vector<Failed> failed;
    net::FunctionTimer failTimer;
    std::uint64_t lastId = 0;
};

// One connection of the small client: by HTTP/1.1 one call at a time, by HTTP/2 many.
//
//   Connecting -> Handshake (of a channel) -> Active <-> Idle, or Http2 -> Closed
class ClientConnection final
    : public net::FdHandler
    , private net::TimerHandler
{
public:
    ClientConnection(Client::State& client, const net::SocketAddress& address);
    ~ClientConnection();

    [[nodiscard]] Result<void> connect();
    void send(PendingCall& call);
    void close();
    // The call was cancelled: by HTTP/1.1 the connection cannot be used again.
    void dropCall(CallId id);
    void timeOut(CallId id, TimePoint sentAt); // Of the call.
    void enqueue(PendingCall& call); // For HTTP/2.
    [[nodiscard]] bool isRetired() const; // Takes no calls by enqueue().
    [[nodiscard]] bool isFree() const; // Speaks HTTP/2, and nothing is asked.
    [[nodiscard]] const net::SocketAddress& address() const { return m_address; }

private:
    enum class Phase : std::uint8_t { Connecting, Handshake, Idle, Active, Http2, Closed };

    void onReady(net::Ready ready) override;
    void onTimer(net::Timer& timer) override;
    void onConnected();
    void shakeHands();
    [[nodiscard]] Channel::Step readInto(std::span<char> room);
    void flush();
    void readSome();
    void process();
    [[nodiscard]] bool takeHead();
    [[nodiscard]] bool takeBody();
    [[nodiscard]] bool takeChunks();
    [[nodiscard]] bool deliver(std::string_view bytes);
    void endOfInput();
    void complete();
    void failCall(Error error);
    void beginProtocol();
    void becomeHttp2();
    void becomeHttp1();
    void fallBack();
    void onHttp2Ready(net::Ready ready);
    void readFrames();
    [[nodiscard]] bool takeFrames();
    void exchangeFrames();
    void endBySession();
    [[nodiscard]] bool writeFrames();
    void failShared(Error error);

    Client::State* m_client; // Null after close().
    net::SocketAddress m_address;
    FileDescriptor m_socket;
    std::unique_ptr<Channel> m_channel; // Null: plain.
    net::Timer m_idleTimer;
    net::Buffer m_in;
    Phase m_phase = Phase::Connecting;
    std::optional<CallId> m_call;
    Method m_method = Method::Get;
    std::string m_out;
    std::size_t m_outAt = 0;
    ResponseParser m_parser;
    ResponseHead m_head;
    ChunkedDecoder m_chunks{ChunkedDecoder::Mode::Strip};
    std::uint64_t m_bodyLeft = 0;
    Response m_response;
    bool m_hasHead = false;
    bool m_hasInput = false; // Any byte of an answer has come.
    bool m_isReused = false;
    std::unique_ptr<ClientStreams> m_streams; // In Http2 and after it.
    std::deque<CallId> m_waiting; // For the connection, or for room on it.
    TimePoint m_heardAt{};
    bool m_isShared = false; // Is to speak HTTP/2, or does.
    bool m_isSuspect = false; // A call was met with silence.
    bool m_isInside = false; // Of the streams: nothing is to be begun or closed.
};

} // namespace mesh::http
