#pragma once

#include "app/ctl/node_access.h"
#include "proxyengine/api/engine.h"
#include "proxyengine/base/mailbox.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <semaphore>
#include <vector>

namespace mesh::ctl {

// What nodes tell, as they tell it: their streams of events, one after the other.
//
// Threads: the maker's; each node has a thread of its own that only hands on.
// Limits: kEventsPerSubscriberMax wait; what comes beyond is lost and counted.
class NodeWatch
{
public:
    struct News
    {
        std::size_t node = 0; // Index into those that are watched.
        WallTime receivedAt{};
        api::Event event;
    };

    enum class Wish : std::uint8_t { Measurements, Requests };

    // `wish`: states and frames, or states and single requests; the rest is dropped at once.
    NodeWatch(
        const Clock& clock,
        const std::vector<NodeTarget>& nodes,
        const CredentialFiles& credentials,
        Wish wish = Wish::Measurements
    );
    NodeWatch(const NodeWatch&) = delete;
    NodeWatch& operator=(const NodeWatch&) = delete;
    ~NodeWatch(); // Ends the streams.

    // The next one; waits for it until `deadline`. Nothing: there is none.
    [[nodiscard]] std::optional<News> next(TimePoint deadline);

    [[nodiscard]] std::uint64_t lost() const { return m_lost; }

private:
    class Sink;

    const Clock& m_clock;
    std::counting_semaphore<> m_arrived{0};
    Mailbox<News> m_news;
    std::atomic<std::uint64_t> m_lost{0};
    std::vector<std::unique_ptr<Sink>> m_sinks;
    std::vector<std::unique_ptr<api::Engine>> m_engines;
};

} // namespace mesh::ctl
