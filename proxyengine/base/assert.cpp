#include "proxyengine/base/assert.h"

#include "proxyengine/base/log.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace mesh {
namespace {

std::atomic<std::uint64_t>& counter()
{
    static std::atomic<std::uint64_t> count{0};
    return count;
}

} // namespace

void assertionFailed(const char* condition, SourcePlace place)
{
    std::fprintf(stderr, "%s:%d: assertion failed: %s\n", place.file, place.line, condition);
    std::abort();
}

void bugFound(const char* text, SourcePlace place)
{
    counter().fetch_add(1, std::memory_order_relaxed);
    MESH_LOG(
        Error, "bug.contained", kv("text", text), kv("file", place.file), kv("line", place.line)
    );
#ifndef NDEBUG
    std::abort();
#endif
}

std::uint64_t bugCount() { return counter().load(std::memory_order_relaxed); }

} // namespace mesh
