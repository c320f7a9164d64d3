#pragma once

#include "proxyengine/model/resilience.h"
#include "proxyengine/policy/counter_word.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace mesh::policy {

// What an upstream's limits count.
enum class LimitedResource : std::uint8_t {
    Connections,
    Pending, // Requests that wait for a connection.
    Requests,
    Retries,
    TargetConnections, // Of one target, of all priorities.
};

enum class LimitLane : std::uint8_t { Default, High }; // Each is counted apart.

// Low shares the lane of Default.
[[nodiscard]] LimitLane laneOf(model::RequestPriority priority);

struct LimitVerdict
{
    bool isAdmitted = true;
    LimitedResource resource = LimitedResource::Requests;
    std::uint64_t max = 0; // The limit that was reached.
};

// "max_requests 1024 reached"; empty when admitted.
[[nodiscard]] std::string toText(const LimitVerdict& verdict);

// The thresholds of one upstream. Immutable; the counts live apart, because they outlive a
// snapshot.
class LimitRules
{
public:
    explicit LimitRules(const model::Limits& limits);

    // Nothing: not limited.
    [[nodiscard]] std::optional<std::uint64_t> max(LimitedResource resource, LimitLane lane) const;

private:
    std::array<std::array<std::uint64_t, 4>, 2> m_max{};
    std::optional<std::uint64_t> m_targetConnections;
};

// The counts of one upstream, for the whole node. Word: std::uint64_t, or an atomic of it that all
// workers share. The counts of a target's connections are words beside the target.
template <typename Word>
struct LimitUse
{
    std::array<std::array<Word, 4>, 2> words{};

    Word& of(LimitedResource resource, LimitLane lane)
    {
        return words[static_cast<std::size_t>(lane)][static_cast<std::size_t>(resource)];
    }
};

// Changes for step(): one more while below `max`, and one less. An end without a begin asserts.
[[nodiscard]] bool tryBeginUse(std::uint64_t max, std::uint64_t& word);
void endUse(std::uint64_t& word);

// Takes one of the resource, or says which limit was reached. Each admission owes one release() of
// the same word. `word` is LimitUse::of(), or the target's for TargetConnections.
template <typename Word>
[[nodiscard]] LimitVerdict admit(
    const LimitRules& rules, LimitedResource resource, LimitLane lane, Word& word
)
{
    const std::uint64_t max = rules.max(resource, lane).value_or(~std::uint64_t{0});
    const bool isAdmitted =
        step(word, [max](std::uint64_t& count) { return tryBeginUse(max, count); });
    return {isAdmitted, resource, max};
}

template <typename Word>
void release(Word& word)
{
    step(word, [](std::uint64_t& count) {
        endUse(count);
        return true;
    });
}

} // namespace mesh::policy
