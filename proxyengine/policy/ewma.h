#pragma once

#include "proxyengine/policy/allowed.h"

namespace mesh::policy {

// How an attempt ended.
enum class AttemptEnd : std::uint8_t { Succeeded, Failed };

// A moving average of round trips that jumps up at once and comes down slowly; without news it
// falls towards zero, so that a host nobody asks is asked again.
//
// Source: Linkerd and Finagle, peak EWMA; default round trip 30 ms, decay 10 s. In whole numbers,
//         so that every build agrees: 1/65536 ns, round trips are capped at 17 minutes.
class PeakEwma
{
public:
    static constexpr Duration kDefaultRtt = std::chrono::milliseconds(30);
    static constexpr Duration kDecay = std::chrono::seconds(10);

    void start(Duration value, TimePoint now);
    void observe(Duration rtt, TimePoint now);
    [[nodiscard]] Duration at(TimePoint now) const;
    // at() in 1/65536 ns.
    [[nodiscard]] std::uint64_t fineAt(TimePoint now) const;

private:
    std::uint64_t m_value = 0; // In 1/65536 ns.
    TimePoint m_at{};
};

// Two hosts drawn by weight, the one with the smaller ewma x (active + 1). On a second attempt all
// hosts not yet tried are compared. A host that is new or came back starts at the average of the
// others; when nobody is known, at 30 ms.
//
// Failures count as at least 30 ms and never lower the average: a host that refuses quickly does
// not look fast.
class Latency
{
public:
    static constexpr WeightKind kWeights = WeightKind::Configured;

    Latency(const HostSet& hosts, std::span<const AllowedHosts> groups);

    // The group's list has changed.
    void prepare(
        const HostSet& hosts, const AllowedHosts& allowed, std::size_t group, Random& random
    );
    [[nodiscard]] std::uint32_t pick(const PickView& view);
    void report(std::uint32_t host, TimePoint now, Duration rtt, AttemptEnd end);
    // Takes over what is known of the hosts that stay; the others start at the average.
    void carryOver(
        const Latency& from, const HostSet& fromHosts, const HostSet& hosts, TimePoint now
    );
    // Nothing for a host that was not asked since it is available.
    [[nodiscard]] std::optional<Duration> estimate(std::uint32_t host, TimePoint now) const;

private:
    struct Known
    {
        PeakEwma rtt;
        bool isKnown = false; // Started, and allowed ever since.
    };
    void introduce(std::span<const std::uint32_t> list, TimePoint now);
    [[nodiscard]] std::uint64_t costOf(const PickView& view, std::uint32_t host);

    std::vector<Known> m_hosts;
};

} // namespace mesh::policy
