#pragma once

#include "proxyengine/http/client.h"
#include "proxyengine/net/event_loop.h"
#include "simulator/live/out_call.h"

#include <cstddef>
#include <string>

namespace mesh::simulator {

inline constexpr const char* kRequestIdHeader = "x-request-id";
inline constexpr const char* kTraceparentHeader = "traceparent";
inline constexpr const char* kPaddingHeader = "x-simulated-padding";
inline constexpr const char* kCallerHeader = "x-simulated-caller";

// Sends calls over HTTP/1.1 with kept connections.
class HttpCaller final : public Caller
{
public:
    // `padding`: bytes that every request carries for nothing, so that narrow lines feel it.
    explicit HttpCaller(net::EventLoop& loop, std::size_t padding = 0);

    void call(const OutCall& call, OnAnswer onAnswer) override;

private:
    http::Client m_client;
    const std::string m_padding;
};

} // namespace mesh::simulator
