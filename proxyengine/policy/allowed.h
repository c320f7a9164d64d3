#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/base/time.h"
#include "proxyengine/policy/hosts.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace mesh::policy {

// Which weight an algorithm goes by.
enum class WeightKind : std::uint8_t { Configured, Warming };

// The hosts of one subset and level that may be picked now, in the order of their indices, with
// running sums of their weights. Brought up to date when the set's epoch has changed.
class AllowedHosts
{
public:
    AllowedHosts(std::vector<std::uint32_t> members, WeightKind kind);

    // True when list or weights changed.
    bool refresh(const HostSet& hosts, bool isPanic);

    [[nodiscard]] std::span<const std::uint32_t> members() const { return m_members; }
    [[nodiscard]] std::span<const std::uint32_t> list() const { return m_list; }
    [[nodiscard]] bool isPanic() const { return m_isPanic; }
    [[nodiscard]] std::uint64_t weight() const { return m_sums.empty() ? 0 : m_sums.back(); }
    [[nodiscard]] bool isEvenlyWeighted() const { return m_isEven; }
    // Sum of the weights before this place of the list.
    [[nodiscard]] std::uint64_t weightBefore(std::size_t place) const;
    [[nodiscard]] std::uint64_t weightAt(std::size_t place) const;
    // The place of the list where a running weight below weight() falls. Cost: two steps on
    // average, when the running weight is uniform.
    [[nodiscard]] std::size_t placeOf(std::uint64_t runningWeight) const;
    // Whether the list has a host that was not tried.
    [[nodiscard]] bool hasUntried(const TriedHosts& tried) const;

private:
    void indexWeights();

    std::vector<std::uint32_t> m_members; // All with weight, whatever their health; ascending.
    std::vector<std::uint32_t> m_list;
    std::vector<std::uint64_t> m_sums; // m_sums[i]: weights of m_list[0..i].
    std::vector<std::uint32_t> m_starts; // By running weight >> m_shift: the place it falls in.
    unsigned m_shift = 0;
    WeightKind m_kind;
    bool m_isEven = true;
    bool m_isPanic = false;
};

// What an algorithm chooses from, and what it may look at; made anew for each pick.
struct PickView
{
    const HostSet& hosts;
    const AllowedHosts& allowed; // Never empty.
    std::size_t group; // Number of the allowed list.
    const TriedHosts& tried; // Taken only when nothing else is left.
    std::optional<std::uint64_t> hash;
    TimePoint now;
    Random& random;
};

// Two different places of the list, drawn by weight. The list has two hosts or more.
struct TwoPlaces
{
    std::size_t first;
    std::size_t second;
};
[[nodiscard]] TwoPlaces drawTwo(const AllowedHosts& allowed, Random& random);

// A host drawn by weight, or the next in the list that was not tried.
[[nodiscard]] std::uint32_t drawUntried(const PickView& view);

} // namespace mesh::policy
