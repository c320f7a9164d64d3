// Whatever a caller writes as grpc-timeout, status, message or method: what is read lies within the
// limits, is written back as no more than it was, and what is written can stand in a head.
#include "proxyengine/base/assert.h"
#include "proxyengine/http/grpc_words.h"
#include "proxyengine/http/head_writer.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mesh::http {
namespace {

void run(std::string_view text)
{
    if (const auto timeout = parseGrpcTimeout(text)) {
        MESH_ASSERT(*timeout >= Duration{} && *timeout <= kGrpcTimeoutMax);
        const auto again = parseGrpcTimeout(grpcTimeoutText(*timeout));
        MESH_ASSERT(again.has_value());
        MESH_ASSERT(*again <= *timeout || *timeout == Duration{});
        MESH_ASSERT(*timeout - *again <= *timeout / 1000 || *timeout == Duration{});
    }
    if (const auto status = parseGrpcStatus(text)) {
        MESH_ASSERT(static_cast<std::size_t>(*status) < kGrpcStatuses);
        MESH_ASSERT(!toText(*status).empty());
    }
    MESH_ASSERT(isFieldValue(encodeGrpcMessage(text)));
    if (const auto method = grpcMethodOf(text)) {
        MESH_ASSERT(method->size() + 1 == text.size() && text.size() <= kGrpcMethodBytesMax);
    }
    static_cast<void>(isGrpcContentType(text));
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
