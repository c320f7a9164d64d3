#pragma once

#include "proxyengine/base/file.h"
#include "proxyengine/policy/hosts.h"
#include "proxyengine/policy/retry_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

// A recorded stream of times and outcomes, whoever decides on it, and the replay that lets them.
namespace mesh::simulator {

// What one host answered at a time.
struct Recorded
{
    Duration at{};
    policy::AttemptOutcome::Kind kind = policy::AttemptOutcome::Kind::Answer;
    int status = 200;
    Duration took{};
};

struct Stream
{
    std::vector<Duration> arrivals; // Sorted.
    std::vector<std::vector<Recorded>> hosts; // By host; sorted.

    // The host's latest outcome by then, or its first.
    [[nodiscard]] const Recorded& outcomeAt(std::size_t host, Duration at) const
    {
        const std::vector<Recorded>& list = hosts[host];
        const auto next = std::ranges::upper_bound(list, at, {}, &Recorded::at);
        return next == list.begin() ? list.front() : *(next - 1);
    }
};

// Lines "MICROSECONDS HOST STATUS MICROSECONDS"; status 0: refused or reset, 1: timed out.
inline Stream readStream(const std::string& path)
{
    Stream stream;
    const auto text = readFile(path, 1U << 20U);
    std::istringstream lines(text ? *text : std::string());
    std::int64_t at = 0;
    std::size_t host = 0;
    int status = 0;
    std::int64_t took = 0;
    while (lines >> at >> host >> status >> took) {
        using Kind = policy::AttemptOutcome::Kind;
        Recorded recorded;
        recorded.at = std::chrono::microseconds(at);
        recorded.kind = status == 0 ? Kind::Reset : status == 1 ? Kind::Timeout : Kind::Answer;
        recorded.status = status;
        recorded.took = std::chrono::microseconds(took);
        stream.arrivals.push_back(recorded.at);
        stream.hosts.resize(std::max(stream.hosts.size(), host + 1));
        stream.hosts[host].push_back(recorded);
    }
    std::ranges::sort(stream.arrivals);
    for (auto& list : stream.hosts) {
        std::ranges::sort(list, {}, &Recorded::at);
    }
    return stream;
}

inline bool isGoodAnswer(const policy::AttemptOutcome& outcome)
{
    return outcome.kind == policy::AttemptOutcome::Kind::Answer && outcome.status < 500;
}

// What both sides are asked for. Times are since the begin of the stream.
class Side
{
public:
    Side() = default;
    Side(const Side&) = delete;
    Side& operator=(const Side&) = delete;
    virtual ~Side() = default;

    // Everything that time alone does, up to and at `to`.
    virtual void advance(Duration to) = 0;
    // The round of the breaker; nothing: refused.
    virtual std::optional<std::uint32_t> admit() = 0;
    virtual std::optional<std::uint32_t> pick(const policy::TriedHosts& tried) = 0;
    virtual void begin(std::uint32_t host) = 0;
    virtual void end(std::uint32_t host, const policy::AttemptOutcome& outcome, Duration took) = 0;
    // How long to wait before the next attempt; nothing: none.
    virtual std::optional<Duration> repeat(
        const policy::AttemptOutcome& outcome, int attempts, int retries, bool holdsRetry
    ) = 0;
    virtual void finish(
        std::uint32_t round, bool isGood, bool isRefused, bool holdsRetry, Duration took
    ) = 0;

    std::vector<std::string> verdicts;

protected:
    void say(std::string verdict)
    {
        verdicts.push_back(fmt::format("{:.6f} {}", toSeconds(m_now), verdict));
    }
    Duration m_now{};
};

// Plays the stream to one side: what it decides decides what comes next.
class Replay
{
public:
    Replay(const Stream& stream, Side& side)
        : m_stream(stream)
        , m_side(side)
    {
        for (const Duration at : stream.arrivals) {
            push(at, {Step::Kind::Arrival, 0, {}});
        }
    }

    void run()
    {
        while (!m_steps.empty()) {
            const auto first = m_steps.begin();
            const Duration at = first->first.first;
            const Step step = first->second;
            m_steps.erase(first);
            m_side.advance(at);
            m_now = at;
            switch (step.kind) {
            case Step::Kind::Arrival:
                arrive();
                break;
            case Step::Kind::Attempt:
                attempt(step.call);
                break;
            case Step::Kind::Outcome:
                end(step.call, step.recorded);
                break;
            }
        }
    }

private:
    struct Step
    {
        enum class Kind : std::uint8_t { Arrival, Attempt, Outcome };
        Kind kind = Kind::Arrival;
        std::size_t call = 0;
        Recorded recorded;
    };
    struct Call
    {
        Duration startedAt{};
        std::uint32_t round = 0;
        std::uint32_t host = 0;
        policy::TriedHosts tried;
        int attempts = 0;
        int retries = 0;
        bool holdsRetry = false;
    };

    void push(Duration at, const Step& step) { m_steps.emplace(std::pair(at, m_number++), step); }

    void arrive()
    {
        const auto round = m_side.admit();
        if (!round) {
            return;
        }
        m_calls.emplace_back();
        m_calls.back().startedAt = m_now;
        m_calls.back().round = *round;
        attempt(m_calls.size() - 1);
    }

    void attempt(std::size_t at)
    {
        Call& call = m_calls[at];
        const auto host = m_side.pick(call.tried);
        if (!host) {
            finish(call, false, call.attempts == 0);
            return;
        }
        ++call.attempts;
        call.host = *host;
        m_side.begin(*host);
        const Recorded& recorded = m_stream.outcomeAt(*host, m_now);
        push(m_now + recorded.took, {Step::Kind::Outcome, at, recorded});
    }

    void end(std::size_t at, const Recorded& recorded)
    {
        Call& call = m_calls[at];
        const policy::AttemptOutcome outcome{recorded.kind, false, recorded.status, {}, {}};
        m_side.end(call.host, outcome, recorded.took);
        if (isGoodAnswer(outcome)) {
            finish(call, true, false);
            return;
        }
        call.tried.add(call.host);
        const auto wait = m_side.repeat(outcome, call.attempts, call.retries, call.holdsRetry);
        if (!wait) {
            // The hold went back when the budget was asked, or goes back at the end.
            finish(call, false, false);
            return;
        }
        call.holdsRetry = true;
        ++call.retries;
        push(m_now + *wait, {Step::Kind::Attempt, at, {}});
    }

    void finish(Call& call, bool isGood, bool isRefused)
    {
        m_side.finish(
            call.round,
            isGood,
            isRefused,
            std::exchange(call.holdsRetry, false),
            m_now - call.startedAt
        );
    }

    const Stream& m_stream;
    Side& m_side;
    std::map<std::pair<Duration, std::uint64_t>, Step> m_steps; // By time, then by number.
    std::uint64_t m_number = 0;
    std::vector<Call> m_calls;
    Duration m_now{};
};

} // namespace mesh::simulator
