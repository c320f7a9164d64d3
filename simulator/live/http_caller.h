#pragma once

#include "proxyengine/http/client.h"
#include "proxyengine/net/event_loop.h"
#include "simulator/live/out_call.h"

namespace mesh::simulator {

inline constexpr const char* kRequestIdHeader = "x-request-id";
inline constexpr const char* kTraceparentHeader = "traceparent";
inline constexpr const char* kCallerHeader = "x-simulated-caller";

// Sends calls over HTTP/1.1 with kept connections.
class HttpCaller final : public Caller
{
public:
    explicit HttpCaller(net::EventLoop& loop);

    void call(const OutCall& call, OnAnswer onAnswer) override;

private:
    http::Client m_client;
};

} // namespace mesh::simulator
