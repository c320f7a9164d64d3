#pragma once

#include "simulator/kernel/agenda.h"
#include "simulator/models/duration_law.h"
#include "simulator/models/latency_tally.h"

#include <cstdint>
#include <vector>

namespace mesh::simulator {

// A queue that textbooks have formulas for: one stream of arrivals, `workers` servers, first come
// first served, no limit. Runs on the simulator's kernel.
struct QueueLaws
{
    model::DurationLaw gap; // Between arrivals.
    model::DurationLaw service;
    std::uint32_t workers = 1;
};

class QueueModel
{
public:
    QueueModel(const QueueLaws& laws, Seed seed)
        : m_gap(laws.gap, deriveSeed(seed, 1))
        , m_service(laws.service, deriveSeed(seed, 2))
        , m_waiting(kFirstRoom)
        , m_idle(laws.workers)
        , m_inService(laws.workers)
    {
        for (std::uint32_t worker = 0; worker < laws.workers; ++worker) {
            m_idle[worker] = worker;
        }
        m_agenda.schedule(m_gap.next(), {kArrival, 0, 0, 0});
    }

    // Until this many customers have left. What arrived before the first `warmup` of them left is
    // not measured.
    void run(std::uint64_t customers, std::uint64_t warmup)
    {
        m_warmup = warmup;
        TimedEvent event{};
        while (m_left < customers && m_agenda.next(TimePoint::max(), event)) {
            handle(event);
        }
    }

    void handle(const TimedEvent& event)
    {
        if (event.event.kind == kArrival) {
            m_agenda.schedule(m_gap.next(), {kArrival, 0, 0, 0});
            if (m_idle.empty()) {
                enqueue(event.at);
            } else {
                const std::uint32_t worker = m_idle.back();
                m_idle.pop_back();
                serve(worker, event.at);
            }
            return;
        }
        const std::uint32_t worker = event.event.subject;
        leave(event.at, m_inService[worker]);
        if (m_first == m_last) {
            m_idle.push_back(worker);
        } else {
            serve(worker, m_waiting[m_first++ & (m_waiting.size() - 1)]);
        }
    }

    [[nodiscard]] const LatencyTally& sojourns() const { return m_sojourns; }
    [[nodiscard]] const LatencyTally& waits() const { return m_waits; }
    [[nodiscard]] const Agenda& agenda() const { return m_agenda; }

private:
    static constexpr std::uint32_t kArrival = 1;
    static constexpr std::uint32_t kDeparture = 2;
    static constexpr std::size_t kFirstRoom = 1024; // Always a power of two.

    void serve(std::uint32_t worker, TimePoint arrivedAt)
    {
        if (m_left >= m_warmup) {
            m_waits.record(m_agenda.now() - arrivedAt);
        }
        m_inService[worker] = arrivedAt;
        m_agenda.schedule(m_service.next(), {kDeparture, worker, 0, 0});
    }

    void leave(TimePoint now, TimePoint arrivedAt)
    {
        if (m_left++ >= m_warmup) {
            m_sojourns.record(now - arrivedAt);
        }
    }

    void enqueue(TimePoint arrivedAt)
    {
        if (m_last - m_first == m_waiting.size()) {
            std::vector<TimePoint> wider(m_waiting.size() * 2);
            for (std::uint64_t at = m_first; at < m_last; ++at) {
                wider[at & (wider.size() - 1)] = m_waiting[at & (m_waiting.size() - 1)];
            }
            m_waiting = std::move(wider);
        }
        m_waiting[m_last++ & (m_waiting.size() - 1)] = arrivedAt;
    }

    Agenda m_agenda;
    DurationStream m_gap;
    DurationStream m_service;
    std::vector<TimePoint> m_waiting; // A ring.
    std::uint64_t m_first = 0;
    std::uint64_t m_last = 0;
    std::vector<std::uint32_t> m_idle;
    std::vector<TimePoint> m_inService; // By worker: when its customer arrived.
    std::uint64_t m_left = 0;
    std::uint64_t m_warmup = 0;
    LatencyTally m_sojourns;
    LatencyTally m_waits;
};

} // namespace mesh::simulator
