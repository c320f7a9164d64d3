// Whatever a client sends first: reading it in pieces means the same as reading it whole, a verdict
// stays once it is there, and a name that was found is one that a router may compare.
#include "proxyengine/tls/client_hello.h"

#include "proxyengine/base/assert.h"
#include "proxyengine/base/limits.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mesh::tls {
namespace {

using Status = ClientHelloReader::Status;

void run(std::string_view bytes)
{
    ClientHelloReader whole;
    const Status verdict = whole.read(bytes);
    MESH_ASSERT(whole.read(bytes) == verdict);

    ClientHelloReader pieces;
    Status status = Status::NeedMore;
    std::size_t needed = bytes.size();
    for (std::size_t count = 0; count <= bytes.size(); ++count) {
        const Status next = pieces.read(bytes.substr(0, count));
        MESH_ASSERT(status == Status::NeedMore || next == status);
        if (status == Status::NeedMore && next != Status::NeedMore) {
            needed = count;
        }
        status = next;
    }
    MESH_ASSERT(status == verdict);
    MESH_ASSERT(pieces.serverName() == whole.serverName());
    if (verdict == Status::Done) {
        MESH_ASSERT(needed <= kClientHelloBytesMax);
        const std::string& name = whole.serverName();
        MESH_ASSERT(name.size() <= 255);
        MESH_ASSERT(std::ranges::none_of(name, [](char c) {
            return c <= ' ' || c > '~' || (c >= 'A' && c <= 'Z');
        }));
    }
    if (verdict == Status::NeedMore) {
        MESH_ASSERT(bytes.size() < kClientHelloBytesMax);
    }
}

} // namespace
} // namespace mesh::tls

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count)
{
    // A heap copy of exactly this size, so that reading past its end is found.
    const std::vector<char> copy(bytes, bytes + count);
    mesh::tls::run({copy.data(), copy.size()});
    return 0;
}
