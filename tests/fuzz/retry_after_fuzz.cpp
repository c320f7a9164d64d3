// Whatever an upstream writes into Retry-After: what is read lies between now and a century, means
// the same with blanks around it, and never waits longer when read later.
#include "proxyengine/base/assert.h"
#include "proxyengine/policy/backoff.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mesh::policy {
namespace {

// Early 2026: in the fuzzer's hands only the text changes.
constexpr WallTime kNow{std::chrono::seconds(1'769'904'000)};
constexpr Duration kLongest = std::chrono::hours(24) * 366 * 100;

void run(std::string_view text)
{
    const auto asked = parseRetryAfter(text, kNow);
    const auto padded = parseRetryAfter(" \t" + std::string(text) + "\t ", kNow);
    const auto later = parseRetryAfter(text, kNow + std::chrono::minutes(1));
    MESH_ASSERT(asked == padded);
    MESH_ASSERT(asked.has_value() == later.has_value());
    if (asked) {
        MESH_ASSERT(*asked >= Duration{});
        MESH_ASSERT(*asked <= kLongest);
        MESH_ASSERT(*later <= *asked);
    }
}

} // namespace
} // namespace mesh::policy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count)
{
    // A heap copy of exactly this size, so that reading past its end is found.
    const std::vector<char> copy(bytes, bytes + count);
    mesh::policy::run({copy.data(), copy.size()});
    return 0;
}
