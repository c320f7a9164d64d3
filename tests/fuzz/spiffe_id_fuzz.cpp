// Whatever a certificate calls itself: what is taken as an identity says itself back, has a trust
// domain, and no segment that a path could be confused by.
#include "proxyengine/base/assert.h"
#include "proxyengine/tls/identity.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(static_cast<const char*>(static_cast<const void*>(data)), size);
    if (const auto identity = mesh::tls::parseSpiffeId(text)) {
        MESH_ASSERT(identity->toText() == text);
        MESH_ASSERT(!identity->trustDomain.empty());
        MESH_ASSERT(identity->path.find("//") == std::string::npos);
        MESH_ASSERT(identity->path.find("/../") == std::string::npos);
        MESH_ASSERT(!identity->path.ends_with('/'));
    }
    return 0;
}
