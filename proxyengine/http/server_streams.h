#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/time.h"
#include "proxyengine/http/answer_sink.h"
#include "proxyengine/http/h2_server_codec.h"
#include "proxyengine/http/message.h"
#include "proxyengine/http/parser.h"
#include "proxyengine/http/server.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace mesh::http {

// Whoever moves the bytes of ServerStreams.
class ServerStreamsOwner
{
public:
    ServerStreamsOwner() = default;
    ServerStreamsOwner(const ServerStreamsOwner&) = delete;
    ServerStreamsOwner& operator=(const ServerStreamsOwner&) = delete;

    virtual void onRequest(Request request, Responder responder) = 0; // From deliver().
    // There is something to send. From any call of a responder, those inside deliver() too.
    virtual void onWantsWrite() = 0;

protected:
    ~ServerStreamsOwner() = default;
};

// The requests and answers of one HTTP/2 connection of the small server, without its socket.
//
//   receive() the client's bytes -> deliver() -> fill() what is to be sent; until !hasNews()
//
// Requests are read whole and handed out in the order in which they became whole; answers leave as
// they come. Limits: those of H2ServerCodec; request bodies on their way together at most
// `bodyBytesMax` (beyond: 413), and while as many bytes of answers wait, no request is handed out.
// Threads: the loop's. Lifetime: responders may outlive it.
class ServerStreams final : private H2ServerHandler
{
public:
    // With a `refusal` every request is answered by it when its head has come, and reaches nobody.
    // Errors: Overloaded when memory is short.
    [[nodiscard]] static Result<std::unique_ptr<ServerStreams>> make(
        ServerStreamsOwner& owner,
        std::size_t bodyBytesMax,
        TimePoint now,
        std::optional<Response> refusal
    );
    ~ServerStreams();

    // False: the connection is over; what fill() still gives is to be sent before it is closed.
    [[nodiscard]] bool receive(std::string_view bytes, TimePoint now);
    // Hands out requests and tells responders what has happened.
    void deliver();
    [[nodiscard]] bool hasNews() const;
    [[nodiscard]] std::size_t fill(std::span<char> room, TimePoint now);
    [[nodiscard]] bool isOver() const { return m_codec->isOver(); }

    void leave(); // New requests are refused; it is over after the last answer.
    void stop(H2Error code); // Over, with this last word.
    void lose(); // The client has gone: tells responders. Nothing may be called afterwards.

    [[nodiscard]] bool isIdle() const { return m_streams.empty(); }
    // A request is unfinished, or an answer is whole and not taken: it is the client's turn.
    [[nodiscard]] bool waitsForClient() const;
    // When bytes of a request came or bytes of an answer went last. Frames that carry none of them
    // keep no connection alive.
    [[nodiscard]] TimePoint progressAt() const { return m_progressAt; }

private:
    struct Stream;

    ServerStreams(ServerStreamsOwner& owner, std::size_t bodyBytesMax, TimePoint now);
    void* onRequest(std::int32_t stream, H2HeadReader& head, StreamEnds ends) override;
    void onData(void* user, std::string_view data) override;
    void onTrailers(void* user, std::string_view lines) override;
    void onEnd(void* user) override;
    void onClosed(void* user, std::uint32_t code) override;
    [[nodiscard]] Offer offer(void* user, std::size_t most) override;
    void copyBody(void* user, std::span<char> out) override;
    void onEndSent(void* user) override;
    void onLimit(H2Limit limit) override;
    void onProtocolError(std::string_view reason) override;
    void onPingAcknowledged() override {}

    void refuse(Stream& stream, int status, std::string_view reason);
    void dispatch(Stream& stream);
    void submit(Stream& stream, const Response& response);
    // False: no body may follow.
    bool submitHead(
        Stream& stream, int status, const Headers& headers, std::optional<std::size_t> length
    );
    void finish(Stream& stream);
    [[nodiscard]] Stream* find(std::int32_t id);

    ServerStreamsOwner& m_owner;
    const std::size_t m_bytesMax;
    std::unique_ptr<H2ServerCodec> m_codec;
    std::optional<Response> m_refusal;
    std::map<std::int32_t, std::unique_ptr<Stream>> m_streams;
    std::deque<std::int32_t> m_ready; // Whole requests, not yet handed out.
    std::vector<std::int32_t> m_drained;
    std::vector<std::function<void()>> m_gone;
    RequestParser m_parser;
    RequestHead m_head;
    TimePoint m_now{};
    TimePoint m_progressAt{};
    std::size_t m_requestBytes = 0; // Of bodies that are not handed out.
    std::size_t m_answerBytes = 0; // Of bodies that are not sent.
    bool m_isLost = false;
};

} // namespace mesh::http
