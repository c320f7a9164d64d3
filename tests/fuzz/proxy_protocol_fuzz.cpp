// Whatever stands before a connection: a header that is read is read in the same way from more
// bytes and not from fewer, has an end within the limit, and can be told on in both versions.
#include "proxyengine/proxy/proxy_protocol.h"

#include "proxyengine/base/assert.h"
#include "proxyengine/base/limits.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mesh::proxy {
namespace {

using Status = ProxyHeaderStep::Status;

void tellOn(const ProxyHeader& header)
{
    for (const auto version : {model::ProxyProtocol::V1, model::ProxyProtocol::V2}) {
        std::string told;
        appendProxyHeader(told, version, *header.source, *header.destination);
        ProxyHeader again;
        MESH_ASSERT(readProxyHeader(told, again).status == Status::Done);
        MESH_ASSERT(again.bytes == told.size());
        MESH_ASSERT(again.source == header.source);
        MESH_ASSERT(again.destination == header.destination);
    }
}

void run(std::string_view bytes)
{
    ProxyHeader header;
    const ProxyHeaderStep step = readProxyHeader(bytes, header);
    if (step.status == Status::NeedMore) {
        MESH_ASSERT(bytes.size() < kProxyHeaderBytesMax);
        return;
    }
    if (step.status == Status::Refused) {
        MESH_ASSERT(!step.reason.empty());
        MESH_ASSERT(!header.source && !header.destination);
        return;
    }
    MESH_ASSERT(header.bytes > 0 && header.bytes <= bytes.size());
    MESH_ASSERT(header.bytes <= kProxyHeaderBytesMax);
    MESH_ASSERT(header.source.has_value() == header.destination.has_value());
    for (std::size_t count = 0; count < header.bytes; ++count) {
        ProxyHeader part;
        MESH_ASSERT(readProxyHeader(bytes.substr(0, count), part).status == Status::NeedMore);
    }
    ProxyHeader alone;
    MESH_ASSERT(readProxyHeader(bytes.substr(0, header.bytes), alone).status == Status::Done);
    MESH_ASSERT(alone.source == header.source && alone.destination == header.destination);
    if (header.source) {
        tellOn(header);
    }
}

} // namespace
} // namespace mesh::proxy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count)
{
    // A heap copy of exactly this size, so that reading past its end is found.
    const std::vector<char> copy(bytes, bytes + count);
    mesh::proxy::run({copy.data(), copy.size()});
    return 0;
}
