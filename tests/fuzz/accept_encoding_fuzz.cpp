// Whatever a client accepts: weights lie within their limits, do not depend on blanks and empty
// elements, and an empty field changes nothing.
#include "proxyengine/base/assert.h"
#include "proxyengine/http/content_coding.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mesh::http {
namespace {

bool isSame(const AcceptedCodings& a, const AcceptedCodings& b)
{
    return a.gzip() == b.gzip() && a.brotli() == b.brotli() && a.identity() == b.identity();
}

void run(std::string_view text)
{
    AcceptedCodings accepted;
    accepted.add(text);
    MESH_ASSERT(accepted.gzip() <= kQualityMax);
    MESH_ASSERT(accepted.brotli() <= kQualityMax);
    MESH_ASSERT(accepted.identity() <= kQualityMax);

    AcceptedCodings padded;
    padded.add(" ,\t" + std::string(text) + " , ");
    MESH_ASSERT(isSame(accepted, padded));

    AcceptedCodings twice = accepted;
    twice.add("");
    MESH_ASSERT(isSame(accepted, twice));
}

} // namespace
} // namespace mesh::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count)
{
    // A heap copy of exactly this size, so that reading past its end is found.
    const std::vector<char> copy(bytes, bytes + count);
    mesh::http::run({copy.data(), copy.size()});
    return 0;
}
