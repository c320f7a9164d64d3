#include "proxyengine/policy/least.h"

namespace mesh::policy {
namespace {

// True when a has less to do for its weight than b. Whole numbers, so that every build agrees.
bool isLessLoaded(const HostState& a, const HostState& b)
{
    const std::uint64_t loadA = (std::uint64_t{a.active} + 1) * b.pull;
    const std::uint64_t loadB = (std::uint64_t{b.active} + 1) * a.pull;
    return loadA < loadB;
}

// True when a has fewer attempts for its weight than b. Idle hosts are equals, so that the draw by
// weight decides between them.
bool isLessBusy(const HostState& a, const HostState& b)
{
    return std::uint64_t{a.active} * b.pull < std::uint64_t{b.active} * a.pull;
}

// The least loaded of the allowed hosts that were not tried, of all when every one was; ties go to
// the first after a random place.
std::uint32_t leastLoaded(const PickView& view)
{
    const std::span<const std::uint32_t> list = view.allowed.list();
    const bool isChoosy = !view.tried.isEmpty() && view.allowed.hasUntried(view.tried);
    const std::size_t start = view.random.below(list.size());
    std::optional<std::uint32_t> best;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::size_t place = start + i < list.size() ? start + i : start + i - list.size();
        const std::uint32_t host = list[place];
        if (isChoosy && view.tried.contains(host)) {
            continue;
        }
        if (!best || isLessLoaded(view.hosts[host], view.hosts[*best])) {
            best = host;
        }
    }
    return *best;
}

} // namespace

std::uint32_t LeastRequests::pick(const PickView& view)
{
    const std::span<const std::uint32_t> list = view.allowed.list();
    if (list.size() == 1) {
        return list.front();
    }
    if (!view.tried.isEmpty()) {
        return leastLoaded(view);
    }
    const TwoPlaces drawn = drawTwo(view.allowed, view.random);
    const std::uint32_t first = list[drawn.first];
    const std::uint32_t second = list[drawn.second];
    return isLessBusy(view.hosts[second], view.hosts[first]) ? second : first;
}

std::uint32_t LeastConnections::pick(const PickView& view) { return leastLoaded(view); }

} // namespace mesh::policy
