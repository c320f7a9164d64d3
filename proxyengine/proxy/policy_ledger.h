#pragma once

#include "proxyengine/net/event_loop.h"
#include "proxyengine/telemetry/frame.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

namespace mesh::proxy {

// What the policies of a node did: each act is counted for the next frame, and told as an event
// when it is news. The one place where events are held back so that a storm of verdicts about
// requests is one event a second and kind and subject, whatever the number of workers.
//
// Threads: the control loop's.
// Limits: kSeriesPerNodeMax rows between two frames; further ones are counted as dropped series.
class PolicyLedger
{
public:
    using EventFunction =
        std::function<void(std::string kind, std::string subject, std::string reason)>;

    // How long the same verdict about requests is not told again.
    static constexpr Duration kRepeatAfter = std::chrono::seconds(1);
    // Workers tell once a second, as frames are made once a second; one may fall between two.
    static constexpr int kSilentFramesMax = 1;

    PolicyLedger(const net::EventLoop& loop, EventFunction onEvent);

    // Something changed its state: told at once and counted as one.
    void change(
        std::string_view kind,
        std::string_view subject,
        std::string reason,
        std::string_view detail = {}
    );
    // An event that no frame counts.
    void tell(std::string_view kind, std::string_view subject, std::string reason);
    // Verdicts about `count` requests. Told when they begin and then at most once a second, with
    // how many there were meanwhile. An empty reason: only counted.
    void note(
        std::string_view kind,
        std::string_view subject,
        std::string_view reason,
        std::uint64_t count,
        std::string_view detail = {}
    );

    // At the end of an interval: moves the counts into the frame, shows what is under way as
    // states, and tells the notes that have waited.
    void close(telemetry::StatsFrame& frame);

private:
    using Key = std::tuple<std::string, std::string, std::string>; // Kind, subject, detail.
    struct Note
    {
        std::string reason; // The latest.
        WallTime since{}; // When it began.
        TimePoint toldAt{};
        std::uint64_t untold = 0;
        int silentFrames = 0; // How many frames went by without any.
    };

    void count(const Key& key, std::uint64_t count);
    void tellNote(const Key& key, Note& note);

    const net::EventLoop& m_loop;
    EventFunction m_onEvent;
    std::map<Key, std::uint64_t> m_counts;
    std::map<Key, Note> m_notes; // Of the last seconds.
    std::uint64_t m_dropped = 0;
};

} // namespace mesh::proxy
