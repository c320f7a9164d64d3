#include "proxyengine/control/reconnect_pause.h"

#include <algorithm>
#include <utility>

namespace mesh::control {

ReconnectPause::ReconnectPause(Duration first, Duration longest)
    : m_first(first)
    , m_longest(longest)
    , m_whole(first)
{}

Duration ReconnectPause::next(Random& random)
{
    const Duration whole = std::exchange(m_whole, std::min(m_whole * 2, m_longest));
    return fromSeconds(toSeconds(whole) * (0.5 + random.unit() / 2));
}

} // namespace mesh::control
