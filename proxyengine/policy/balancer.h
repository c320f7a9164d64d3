#pragma once

#include "proxyengine/model/gateway.h"
#include "proxyengine/policy/ewma.h"
#include "proxyengine/policy/hash_choice.h"
#include "proxyengine/policy/least.h"
#include "proxyengine/policy/round_robin.h"

#include <string_view>
#include <variant>

// Which host gets the next attempt. A host is allowed when it is available and has weight; a host
// that the request already tried is taken only when nothing else is allowed.
namespace mesh::policy {

// What runs when the configuration names an algorithm.
struct AlgorithmRow
{
    model::Algorithm named;
    model::Algorithm runs;
    std::string_view word; // As in the file.
    bool isHashing; // Wants PickRequest::hash.
    bool isWarming; // Honours slow start.
};

// One row for each algorithm of the model, in its order.
[[nodiscard]] std::span<const AlgorithmRow> algorithmTable();

// What one attempt asks for.
struct PickRequest
{
    TimePoint now;
    const TriedHosts& tried; // Must live until pick() returns.
    std::optional<std::uint64_t> hash = {}; // By policy::hashOf(); absent: any host.
    Subset subset = kAllHosts; // By HostSet::subsetOf().
};

struct PickVerdict
{
    std::optional<std::uint32_t> host = {}; // Nothing: no host is allowed.
    std::uint32_t level = 0; // Of the host.
    bool isPanic = false; // The host's level ignores health.
};

// Chooses hosts for one upstream in one worker. A value; no virtual call and no allocation per
// pick.
//
// Lifetime: made for one HostSet and always asked about that one.
class Balancer
{
public:
    Balancer(model::Algorithm algorithm, const HostSet& hosts, Random& random, LoadBound bound = 0);

    // The caller begins and ends the attempt on the HostSet. Brings slow start up to date.
    [[nodiscard]] PickVerdict pick(const PickRequest& request, HostSet& hosts, Random& random);

    // A pick will come soon: what it will look at first is fetched from memory.
    void foresee() const
    {
        __builtin_prefetch(m_groups.data());
        __builtin_prefetch(m_groups.data() + 1); // It is longer than a line of the cache.
    }
    // The next step, once that has arrived.
    void foreseeLists() const { __builtin_prefetch(m_groups.front().list().data()); }

    // How long an attempt took, until its response head or its failure. Only `latency` listens.
    void report(std::uint32_t host, TimePoint now, Duration rtt, AttemptEnd end);

    // Takes over what the balancer of the former list of targets knew of the hosts that stay.
    void carryOver(
        const Balancer& from, const HostSet& fromHosts, const HostSet& hosts, TimePoint now
    );

    // What `latency` believes of a host, for the eye; nothing with other algorithms.
    [[nodiscard]] std::optional<Duration> latency(std::uint32_t host, TimePoint now) const;

private:
    using Choice = std::variant<
        RoundRobin,
        LeastRequests,
        LeastConnections,
        Latency,
        HashChoice<Ring>,
        HashChoice<Maglev>,
        RandomChoice>;

    [[nodiscard]] static Choice makeChoice(
        model::Algorithm algorithm,
        const HostSet& hosts,
        std::span<const AllowedHosts> groups,
        LoadBound bound
    );
    void refresh(const HostSet& hosts, Random& random);
    [[nodiscard]] std::size_t groupFor(
        const PickRequest& request, const HostSet& hosts, Random& random
    ) const;

    std::vector<AllowedHosts> m_groups; // By subset and level.
    Choice m_choice;
    std::uint64_t m_epoch = 0;
};

} // namespace mesh::policy
