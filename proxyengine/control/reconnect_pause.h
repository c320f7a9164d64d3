#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/base/time.h"

namespace mesh::control {

// How long to wait after a connection that failed, before the next attempt: doubling up to a
// longest, and each time somewhere between half and the whole of it, so that many consoles do not
// return to a node in step.
class ReconnectPause
{
public:
    ReconnectPause(Duration first, Duration longest);

    [[nodiscard]] Duration next(Random& random); // After one more failure.
    void reset() { m_whole = m_first; } // After a success.

private:
    Duration m_first;
    Duration m_longest;
    Duration m_whole;
};

} // namespace mesh::control
