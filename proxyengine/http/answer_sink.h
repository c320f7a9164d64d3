#pragma once

#include "proxyengine/http/message.h"
#include "proxyengine/http/server.h"

#include <cstddef>
#include <functional>
#include <string_view>

namespace mesh::http {

// Where a responder's calls go: a connection of HTTP/1.1, or one stream of HTTP/2.
class AnswerSink
{
public:
    AnswerSink() = default;
    AnswerSink(const AnswerSink&) = delete;
    AnswerSink& operator=(const AnswerSink&) = delete;

    // As of Responder; each may end the sink.
    virtual void sendWhole(const Response& response) = 0;
    virtual void beginStream(int status, const Headers& headers) = 0;
    virtual void writeStream(std::string_view bytes) = 0;
    virtual void endStream() = 0;
    virtual void reset() = 0;
    [[nodiscard]] virtual std::size_t pendingBytes() const = 0;

protected:
    ~AnswerSink() = default;
};

// Joins a responder to where it answers; either may go first.
struct Responder::Link
{
    AnswerSink* sink = nullptr; // Null once the client has gone or the answer is complete.
    bool hasBegun = false;
    std::function<void()> onGone;
    std::function<void()> onDrained;
};

} // namespace mesh::http
