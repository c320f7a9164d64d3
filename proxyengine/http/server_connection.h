#pragma once

#include "proxyengine/base/handles.h"
#include "proxyengine/http/answer_sink.h"
#include "proxyengine/http/chunked.h"
#include "proxyengine/http/head.h"
#include "proxyengine/http/parser.h"
#include "proxyengine/http/server.h"
#include "proxyengine/http/server_streams.h"
#include "proxyengine/net/acceptor.h"
#include "proxyengine/net/buffer.h"
#include "proxyengine/net/event_loop.h"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace mesh::http {

// What the connections of one server share; ends when the server does.
struct Server::State final : net::AcceptHandler
{
    State(net::EventLoop& ownLoop, const ServerOptions& ownOptions, RequestFunction function)
        : loop(ownLoop)
        , options(ownOptions)
        , onRequest(std::move(function))
    {}

    void onAccepted(FileDescriptor socket, const net::SocketAddress& peer) override;
    void remove(ServerConnection& connection);
    void beginHandshake(ServerConnection& connection);
    void endHandshake(ServerConnection& connection);

    net::EventLoop& loop;
    ServerOptions options;
    RequestFunction onRequest;
    std::unique_ptr<net::Acceptor> acceptor;
    net::SocketAddress address;
    std::unordered_map<ServerConnection*, std::unique_ptr<ServerConnection>> connections;
    std::deque<ServerConnection*> handshaking; // Oldest first.
    bool isStopping = false;
    bool isFull = false; // Accepting is paused because of connectionsMax.
    bool isPaused = false; // Accepting is paused because the owner said so.
};

// One client of the small server: reads a request whole, waits for its answer, goes on.
//
//   Handshake (of a channel) --> Head --> Body --> Handling --> Head ...
//   any --> Closing (the answer is written out) --> Lingering (of a refused request) --> Closed
//   Handshake or the first Head --> Http2 (server_streams.h) --> Lingering or Closed
class ServerConnection final
    : public net::FdHandler
    , private net::TimerHandler
    , private AnswerSink
    , private ServerStreamsOwner
{
public:
    ServerConnection(Server::State& server, FileDescriptor socket);
    ~ServerConnection() = default;

    [[nodiscard]] bool start(); // False: the loop could not watch it.
    void close();
    void reset() override;
    [[nodiscard]] bool isHandling() const { return m_phase == Phase::Handling; }
    void closeWhenIdle();

private:
    enum class Phase : std::uint8_t {
        Handshake,
        Head,
        Body,
        Handling,
        Http2,
        Closing,
        Lingering,
        Closed
    };
    static constexpr Duration kLingerTime = std::chrono::seconds(2); // To read a refusal.

    void sendWhole(const Response& response) override;
    void beginStream(int status, const Headers& headers) override;
    void writeStream(std::string_view bytes) override;
    void endStream() override;
    [[nodiscard]] std::size_t pendingBytes() const override { return m_out.size() - m_outAt; }

    void onRequest(Request request, Responder responder) override;
    void onWantsWrite() override { exchangeFrames(); }
    [[nodiscard]] bool beginsHttp2() const;
    void becomeHttp2(std::optional<Response> refusal);
    void takeFrames();
    void exchangeFrames();
    void writeFrames();
    void watchProgress();
    void onHttp2Timer();

    void onReady(net::Ready ready) override;
    void onTimer(net::Timer& timer) override;
    void shakeHands();
    [[nodiscard]] Channel::Step readInto(std::span<char> room);
    void readSome();
    void linger();
    void drain();
    void process();
    [[nodiscard]] bool takeHead();
    [[nodiscard]] bool takeBody();
    [[nodiscard]] bool takeChunks();
    void dispatch();
    void refuse(int status, std::string_view reason);
    void completeAnswer();
    void queue(std::string_view bytes);
    void flush();
    void writeHead(int status, const Headers& headers, std::optional<std::size_t> length);
    void loseClient();
    [[nodiscard]] bool isBodyTooLarge(std::size_t more) const;

    Server::State* m_server; // Null after close().
    FileDescriptor m_socket;
    std::unique_ptr<Channel> m_channel; // Null: plain.
    net::Timer m_timer;
    net::Buffer m_in;
    Phase m_phase = Phase::Head;
    RequestParser m_parser;
    RequestHead m_head;
    ChunkedDecoder m_chunks{ChunkedDecoder::Mode::Strip};
    std::uint64_t m_bodyLeft = 0;
    Request m_request;
    std::shared_ptr<Responder::Link> m_link;
    std::string m_out;
    std::size_t m_outAt = 0;
    bool m_isHeadMethod = false;
    bool m_keepsAlive = true;
    bool m_isRefused = false; // Bytes of the request may still be on their way.
    bool m_isChunkedAnswer = false;
    bool m_mayHaveInput = false; // Reading stopped before the socket was drained.
    bool m_isProcessing = false;
    bool m_isFresh = true; // No request has come.
    std::unique_ptr<ServerStreams> m_streams; // In Http2 and after it.
    bool m_isExchanging = false;
    bool m_isRefusedPeer = false; // By its channel: it has kLingerTime to ask and be told.
};

} // namespace mesh::http
