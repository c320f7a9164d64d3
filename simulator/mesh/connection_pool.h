#pragma once

#include "proxyengine/base/time.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mesh::simulator {

// The connections of one proxy to one instance, kept and used again as the proxy's own pools do it:
// the one that became idle last first, for kUpstreamIdleTimeout, kRequestsPerConnectionMax times.
//
// Nothing happens by itself: what has been idle too long is found when somebody looks.
class ConnectionPool
{
public:
    // Requests that a connection carries at once: 1, or HTTP/2's streams.
    explicit ConnectionPool(std::uint32_t streamsMax)
        : m_streamsMax(streamsMax)
    {}

    // A request's place on a connection. One of a connection that is gone names nothing.
    struct Lease
    {
        std::uint32_t session = 0;
        std::uint32_t serial = 0; // 0: none.
    };
    struct Taken
    {
        Lease lease;
        TimePoint readyAt{}; // When the connection is made; max(): never.
        bool isNew = false; // Then the caller says how it goes on, by setReady() or setFailed().
    };

    // Whether take() would find a kept one.
    [[nodiscard]] bool canTake(TimePoint now);
    Taken take(TimePoint now);
    // When handshakes are over, or max(): they never are.
    void setReady(Lease lease, TimePoint at);
    // Its handshake fails then, for all that wait for it.
    void setFailed(Lease lease, TimePoint at);

    enum class Made : std::uint8_t { Yes, Failed };
    // What came of the connection that this request waited for. A failed one is closed.
    Made made(Lease lease);

    enum class After : std::uint8_t {
        Keep,
        Leave, // The request was given up: a stream is reset, a whole connection closed.
        Close, // The connection is of no use.
    };
    void giveBack(Lease lease, TimePoint now, After after);

    void closeIdle();
    void closeAll(); // The instance is gone.
    [[nodiscard]] std::uint32_t open() const { return m_open; }

private:
    struct Session
    {
        std::uint32_t serial = 0; // 0: closed.
        std::uint32_t streams = 0;
        std::uint64_t requests = 0;
        TimePoint readyAt{};
        TimePoint idleSince{};
        bool isFailed = false;
    };

    Session* find(Lease lease);
    void close(std::uint32_t session);
    [[nodiscard]] bool hasRoom(const Session& session) const;

    std::uint32_t m_streamsMax;
    std::uint32_t m_serial = 0;
    std::uint32_t m_open = 0;
    std::vector<Session> m_sessions;
    std::vector<std::uint32_t> m_room; // Sessions that take one more, the best last.
    std::vector<std::uint32_t> m_closed;
};

} // namespace mesh::simulator
