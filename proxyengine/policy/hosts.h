#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mesh::policy {

// What a balancer knows of one host.
struct HostState
{
    std::uint32_t weight = 0; // 0: in the list, but no traffic.
    std::uint32_t active = 0; // Attempts begun and not ended.
    bool isAvailable = true; // By health; an unavailable host is never picked.
};

// The hosts of one upstream as one worker (or one simulated proxy) sees them. Indices are those of
// the constructor's list and never change; a new list of targets means a new set.
//
// Cost: begin() and end() are one increment; nothing allocates after construction.
class HostSet
{
public:
    explicit HostSet(std::span<const std::uint32_t> weights);

    [[nodiscard]] std::size_t size() const { return m_hosts.size(); }
    [[nodiscard]] const HostState& operator[](std::size_t host) const { return m_hosts[host]; }
    [[nodiscard]] std::span<const HostState> hosts() const { return m_hosts; }

    // An attempt began or ended; each begin() owes exactly one end().
    void begin(std::size_t host) { ++m_hosts[host].active; }
    void end(std::size_t host);

    enum class Availability : std::uint8_t { Available, Unavailable };
    void setAvailability(std::size_t host, Availability availability);

    // Grows whenever the answer of a balancer may change for another reason than `active`.
    [[nodiscard]] std::uint64_t epoch() const { return m_epoch; }

    [[nodiscard]] std::uint64_t weightTotal() const { return m_weightTotal; }
    [[nodiscard]] std::uint64_t weightAvailable() const { return m_weightAvailable; }

    // Whether the upstream may be used at all: more than `threshold` percent of the weight is
    // available; with 0, anything is. Source: the gateway's healthchecks.threshold.
    [[nodiscard]] bool isUsable(double threshold) const;

private:
    std::vector<HostState> m_hosts;
    std::uint64_t m_weightTotal = 0;
    std::uint64_t m_weightAvailable = 0;
    std::uint64_t m_epoch = 1;
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

private:
    std::array<std::uint32_t, kTriedMax> m_hosts{};
    std::size_t m_count = 0; // Of all ever added; the place of the next is this modulo kTriedMax.
};

} // namespace mesh::policy
