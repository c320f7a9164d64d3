#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/policy/locality.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::policy {

// Those hosts of a set that a pick may choose from: all of them, or those of one version. A number
// that HostSet::subsetOf() gives.
using Subset = std::uint32_t;
inline constexpr Subset kAllHosts = 0;
inline constexpr Subset kNoHosts = ~Subset{0}; // No host has the version.

// One host as the configuration describes it.
struct HostSpec
{
    std::string key = {}; // "host:port": its identity, and its place on hash tables.
    std::uint32_t weight = 100; // At most 65535; 0: in the list, but no traffic.
    std::uint32_t level = 0; // By levelOf(); 0 without a locality.
    std::string version = {}; // Empty: none.
    std::optional<TimePoint> joinedAt = {}; // Absent: established, not slow-started.
};

// What holds for all hosts of an upstream.
struct HostSettings
{
    std::optional<model::Locality> locality; // Absent: one level, no panic.
    std::uint32_t levels = 1; // By levelCount().
    Duration slowStart{}; // Zero: none.
};

// What a balancer looks at of one host for each pick.
struct HostState
{
    std::uint32_t weight = 0; // 0: in the list, but no traffic.
    std::uint32_t active = 0; // Attempts begun and not ended.
    std::uint32_t pull = 0; // The weight during slow start; only its ratio to others' counts.
    bool isAvailable = true; // By health; an unavailable host is never picked, but in panic.
};

// How traffic is spread over the zones now. `epoch` grows with every change of `levels`.
struct LocalityState
{
    std::uint64_t epoch;
    std::span<const LevelState> levels;
};

// The hosts of one upstream as one worker (or one simulated proxy) sees them. Indices are those of
// the constructor's list and never change; a new list of targets means a new set.
//
// Cost: begin() and end() are one increment; nothing allocates after construction.
class HostSet
{
public:
    // Hosts without names, zones and versions; their keys are their indices.
    explicit HostSet(std::span<const std::uint32_t> weights);
    HostSet(std::vector<HostSpec> specs, HostSettings settings);

    [[nodiscard]] std::size_t size() const { return m_hosts.size(); }
    [[nodiscard]] const HostState& operator[](std::size_t host) const { return m_hosts[host]; }
    [[nodiscard]] std::span<const HostState> hosts() const { return m_hosts; }
    [[nodiscard]] std::string_view key(std::size_t host) const { return m_specs[host].key; }
    [[nodiscard]] std::uint32_t level(std::size_t host) const { return m_specs[host].level; }
    // The first host with this key. Cost: a binary search.
    [[nodiscard]] std::optional<std::size_t> find(std::string_view key) const;

    // The subset of a version; kAllHosts for an empty one. Cost: a few comparisons.
    [[nodiscard]] Subset subsetOf(std::string_view version) const;
    [[nodiscard]] bool isIn(std::size_t host, Subset subset) const;
    [[nodiscard]] std::uint32_t subsets() const; // kAllHosts included.
    [[nodiscard]] std::uint32_t levels() const { return m_levelCount; }

    // An attempt began or ended; each begin() owes exactly one end().
    void begin(std::size_t host) { ++m_hosts[host].active; }
    void end(std::size_t host);

    enum class Availability : std::uint8_t { Available, Unavailable };
    // By health and ejection, combined by the caller. A host that comes back starts slowly, if the
    // settings say so.
    void setAvailability(std::size_t host, Availability availability, TimePoint now);

    // Since when the host has been warming up; nothing once it has its whole share. What a set
    // with a changed list of targets takes over as joinedAt.
    [[nodiscard]] std::optional<TimePoint> warmingSince(std::size_t host) const;

    // Brings the shares of slow start up to date. Cost: one comparison, unless a step is due.
    void warm(TimePoint now)
    {
        if (now >= m_nextStep) {
            stepWarming(now);
        }
    }

    // Grows whenever the answer of a balancer may change for another reason than `active`.
    [[nodiscard]] std::uint64_t epoch() const { return m_epoch; }

    [[nodiscard]] std::uint64_t weightTotal() const { return m_weightTotal; }
    [[nodiscard]] std::uint64_t weightAvailable() const { return m_weightAvailable; }

    // Whether the upstream may be used at all: more than `threshold` percent of the weight is
    // available; with 0, anything is. In panic it always may. Source: the gateway's
    // healthchecks.threshold.
    [[nodiscard]] bool isUsable(double threshold) const;

    // Loads and panic by level; of all hosts, or of a version. Always up to date. The epoch is
    // that of all subsets together.
    [[nodiscard]] LocalityState locality(Subset subset = kAllHosts) const;
    [[nodiscard]] bool isInPanic() const { return m_isInPanic; } // Any level of all hosts.

private:
    void stepWarming(TimePoint now);
    void startWarming(std::size_t host, TimePoint since);
    void countLevels();
    void countAvailability(std::size_t host);
    void assignLevels(Subset subset);
    [[nodiscard]] std::span<LevelState> levelsOf(Subset subset);
    [[nodiscard]] std::uint32_t pullOf(std::size_t host, std::uint32_t percent) const;

    // What every pick looks at comes first.
    std::vector<HostState> m_hosts;
    TimePoint m_nextStep = TimePoint::max(); // max: nobody is warming up.
    std::uint64_t m_weightTotal = 0;
    std::uint64_t m_weightAvailable = 0;
    std::uint64_t m_epoch = 1;
    std::uint64_t m_localityEpoch = 1;
    std::uint32_t m_levelCount = 1;
    bool m_isInPanic = false;
    std::vector<std::string> m_versions; // By subset; the first is empty.

    std::vector<HostSpec> m_specs;
    std::vector<std::uint32_t> m_byKey; // Hosts in the order of their keys.
    std::vector<Subset> m_subsets; // By host; kAllHosts: of no version.
    std::vector<LevelState> m_levels; // By subset and level.
    std::vector<LevelState> m_scratch; // One subset's, before a change.
    std::optional<model::Locality> m_locality;
    Duration m_slowStart{};
    std::vector<std::optional<TimePoint>> m_warmingSince; // By host.
};

// Hosts that one request has already tried. Remembers the last kTriedMax; a request that was tried
// more often may meet the first again.
class TriedHosts
{
public:
    static constexpr std::size_t kTriedMax = 16; // Retries are 5 by default; 15 is already a storm.

    void add(std::uint32_t host);
    [[nodiscard]] bool contains(std::uint32_t host) const;
    [[nodiscard]] bool isEmpty() const { return m_count == 0; }
    [[nodiscard]] std::span<const std::uint32_t> list() const; // Each once, in no special order.

private:
    std::array<std::uint32_t, kTriedMax> m_hosts{};
    std::size_t m_count = 0; // Of all ever added; the place of the next is this modulo kTriedMax.
};

} // namespace mesh::policy
