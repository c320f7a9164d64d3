// Waves, gates and kept rollouts from any text: what is read is within its bounds, and what is
// printed is read back as the same.
#include "app/fleet/rollout.h"
#include "proxyengine/base/assert.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mesh::fleet {
namespace {

void runWaves(std::string_view text)
{
    const auto waves = parseWaves(text);
    if (!waves) {
        return;
    }
    std::string printed;
    for (const WaveSpec& wave : *waves) {
        MESH_ASSERT(wave.share > 0 && wave.share <= 1);
        printed += (printed.empty() ? "" : ",") + toText(wave);
    }
    const auto again = parseWaves(printed);
    MESH_ASSERT(again && again->size() == waves->size());
    MESH_ASSERT(waves->back() == WaveSpec{});
}

void runGates(std::string_view text)
{
    const auto gates = parseGates(text);
    if (!gates) {
        return;
    }
    for (const GateRule& rule : gates->rules) {
        MESH_ASSERT(rule.limit > 0);
    }
}

void runRollout(std::string_view text)
{
    const auto rollout = rolloutFromJson(text);
    if (!rollout) {
        return;
    }
    const std::string json = toJson(*rollout);
    const auto again = rolloutFromJson(json);
    MESH_ASSERT(again.has_value());
    MESH_ASSERT(toJson(*again) == json);
}

} // namespace
} // namespace mesh::fleet

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count)
{
    // A heap copy of exactly this size, so that reading past its end is found.
    const std::vector<char> copy(bytes, bytes + count);
    const std::string_view text(copy.data(), copy.size());
    mesh::fleet::runWaves(text);
    mesh::fleet::runGates(text);
    mesh::fleet::runRollout(text);
    return 0;
}
