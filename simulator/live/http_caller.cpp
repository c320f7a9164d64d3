#include "simulator/live/http_caller.h"

#include <utility>

namespace mesh::simulator {

namespace {

http::ClientOptions clientOptions()
{
    http::ClientOptions options;
    options.idlePerAddressMax = 256; // A burst of a few hundred requests leaves that many.
    options.bodyBytesMax = 1U << 20U; // Simulated answers are small.
    return options;
}

} // namespace

HttpCaller::HttpCaller(net::EventLoop& loop, std::size_t padding)
    : m_client(loop, clientOptions())
    , m_padding(padding, 'x')
{}

void HttpCaller::call(const OutCall& call, OnAnswer onAnswer)
{
    http::Call out;
    out.address = call.to;
    out.timeout = call.timeout;
    out.request.target = call.path;
    if (!call.host.empty()) {
        out.request.headers.push_back({"Host", call.host});
    }
    if (!call.trace.requestId.empty()) {
        out.request.headers.push_back({kRequestIdHeader, call.trace.requestId});
    }
    if (!call.trace.traceparent.empty()) {
        out.request.headers.push_back({kTraceparentHeader, call.trace.traceparent});
    }
    if (!call.caller.empty()) {
        out.request.headers.push_back({kCallerHeader, call.caller});
    }
    if (!m_padding.empty()) {
        out.request.headers.push_back({kPaddingHeader, m_padding});
    }
    m_client.call(
        std::move(out),
        [onAnswer = std::move(onAnswer)](Result<http::Response> response) {
            onAnswer(std::move(response).map([](const http::Response& answer) {
                return answer.status;
            }));
        }
    );
}

} // namespace mesh::simulator
