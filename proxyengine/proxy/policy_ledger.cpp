#include "proxyengine/proxy/policy_ledger.h"

#include "proxyengine/base/limits.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace mesh::proxy {
namespace {

struct StateOfKind
{
    std::string_view kind; // Of an event.
    std::string_view state; // Of a frame.
};

// Verdicts about requests that mean that a policy is not at rest. The others are single acts.
constexpr std::array kStates = {
    StateOfKind{"budget_exhausted", "budget_exhausted"},
    StateOfKind{"limit_reached", "limit_reached"},
    StateOfKind{"concurrency_limited", "limit_reached"},
    StateOfKind{"rate_limited", "limit_reached"},
    StateOfKind{"shed", "shedding"},
    StateOfKind{"fault_injected", "fault"},
};

std::string_view stateOf(std::string_view kind)
{
    for (const StateOfKind& row : kStates) {
        if (row.kind == kind) {
            return row.state;
        }
    }
    return {};
}

} // namespace

PolicyLedger::PolicyLedger(const net::EventLoop& loop, EventFunction onEvent)
    : m_loop(loop)
    , m_onEvent(std::move(onEvent))
{}

void PolicyLedger::change(
    std::string_view kind, std::string_view subject, std::string reason, std::string_view detail
)
{
    count(Key(kind, subject, detail), 1);
    tell(kind, subject, std::move(reason));
}

void PolicyLedger::tell(std::string_view kind, std::string_view subject, std::string reason)
{
    m_onEvent(std::string(kind), std::string(subject), std::move(reason));
}

void PolicyLedger::note(
    std::string_view kind,
    std::string_view subject,
    std::string_view reason,
    std::uint64_t count_,
    std::string_view detail
)
{
    const Key key(kind, subject, detail);
    count(key, count_);
    if (reason.empty() || count_ == 0) {
        return;
    }
    auto found = m_notes.find(key);
    if (found == m_notes.end()) {
        if (m_notes.size() >= kSeriesPerNodeMax) {
            return; // Counted as dropped by count().
        }
        found = m_notes.emplace(key, Note{}).first;
        found->second.since = m_loop.wallNow();
        found->second.toldAt = m_loop.now() - kRepeatAfter;
    }
    Note& entry = found->second;
    entry.reason = reason;
    entry.silentFrames = 0;
    entry.untold += count_;
    if (m_loop.now() - entry.toldAt >= kRepeatAfter) {
        tellNote(key, entry);
    }
}

void PolicyLedger::count(const Key& key, std::uint64_t count_)
{
    const auto found = m_counts.find(key);
    if (found != m_counts.end()) {
        found->second += count_;
    } else if (m_counts.size() < kSeriesPerNodeMax) {
        m_counts.emplace(key, count_);
    } else {
        ++m_dropped;
    }
}

void PolicyLedger::tellNote(const Key& key, Note& note)
{
    const std::uint64_t times = std::exchange(note.untold, 0);
    note.toldAt = m_loop.now();
    tell(
        std::get<0>(key),
        std::get<1>(key),
        times > 1 ? fmt::format("{} ({} times)", note.reason, times) : note.reason
    );
}

void PolicyLedger::close(telemetry::StatsFrame& frame)
{
    for (auto& [key, times] : m_counts) {
        const auto& [kind, subject, detail] = key;
        frame.policy.push_back({kind, subject, times, detail});
    }
    m_counts.clear();
    frame.droppedSeries += std::exchange(m_dropped, 0);
    for (auto at = m_notes.begin(); at != m_notes.end();) {
        Note& entry = at->second;
        if (entry.silentFrames > kSilentFramesMax && entry.untold == 0) {
            at = m_notes.erase(at); // Over; the next one is news again.
            continue;
        }
        ++entry.silentFrames;
        if (entry.untold > 0 && m_loop.now() - entry.toldAt >= kRepeatAfter) {
            tellNote(at->first, entry);
        }
        const auto& [kind, subject, detail] = at->first;
        if (const std::string_view state = stateOf(kind); !state.empty()) {
            frame.states.push_back({std::string(state), subject, entry.reason, entry.since, detail}
            );
        }
        ++at;
    }
}

} // namespace mesh::proxy
