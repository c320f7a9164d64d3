#include "proxyengine/telemetry/frame.h"

#include <algorithm>
#include <array>

namespace mesh::telemetry {
namespace {

constexpr std::array<std::string_view, 5> kProtocolWords = {
    "http", "tcp", "tls", "tls_passthrough", "udp"};

} // namespace

std::string_view toText(EdgeProtocol protocol)
{
    return kProtocolWords[static_cast<std::size_t>(protocol)];
}

EdgeProtocol edgeProtocolOf(std::string_view word)
{
    const auto found = std::ranges::find(kProtocolWords, word);
    return found == kProtocolWords.end()
               ? EdgeProtocol::Http
               : static_cast<EdgeProtocol>(found - kProtocolWords.begin());
}

void addTo(StreamCounts& sum, const StreamCounts& part)
{
    sum.unrouted += part.unrouted;
    sum.headersRefused += part.headersRefused;
    sum.hellosRefused += part.hellosRefused;
    sum.sessionsRefused += part.sessionsRefused;
    sum.datagramsIn += part.datagramsIn;
    sum.datagramsOut += part.datagramsOut;
    sum.datagramsLost += part.datagramsLost;
}

} // namespace mesh::telemetry
