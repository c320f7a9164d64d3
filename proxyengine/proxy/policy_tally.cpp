#include "proxyengine/proxy/policy_tally.h"

#include <algorithm>
#include <utility>

namespace mesh::proxy {

PolicyTally::PolicyTally(net::EventLoop& loop, SendFunction send)
    : m_loop(loop)
    , m_send(std::move(send))
    , m_timer(loop.timers(), [this] { flush(); })
{}

void PolicyTally::breaker(
    const std::shared_ptr<BreakerCell>& cell,
    std::uint32_t round,
    policy::BreakerOutcome outcome,
    Duration latency
)
{
    auto row = std::ranges::find_if(m_report.breakers, [&](const BreakerReport& report) {
        return report.cell == cell && report.round == round;
    });
    if (row == m_report.breakers.end()) {
        row = m_report.breakers.insert(row, {cell, round, {}});
    }
    if (outcome == policy::BreakerOutcome::Succeeded) {
        ++row->counts.succeeded;
    } else {
        ++row->counts.failed;
    }
    if (latency > cell->plan.settings.slow) {
        ++row->counts.slow;
    }
    const policy::BreakerGate gate = policy::BreakerGate::fromWord(cell->gate.load());
    if (row->counts.succeeded + row->counts.failed >= kBatchMax
        || gate.state() != policy::BreakerState::Closed) {
        flush();
    } else {
        wait();
    }
}

void PolicyTally::concurrency(
    const std::shared_ptr<ConcurrencyCell>& cell, std::uint16_t epoch, Duration roundTrip
)
{
    auto row = std::ranges::find_if(m_report.concurrencies, [&](const ConcurrencyReport& report) {
        return report.cell == cell && report.epoch == epoch;
    });
    if (row == m_report.concurrencies.end()) {
        row = m_report.concurrencies.insert(row, {cell, epoch, {}});
    }
    row->roundTrips.push_back(roundTrip);
    if (row->roundTrips.size() >= kBatchMax) {
        flush();
    } else {
        wait();
    }
}

void PolicyTally::notice(
    std::string_view kind,
    std::string_view subject,
    std::string_view reason,
    std::string_view detail
)
{
    const auto found = m_told.find(KeyView(kind, subject, detail));
    if (found != m_told.end()) {
        ++found->second.count;
        found->second.isQuiet = false;
        if (found->second.reason != reason) {
            found->second.reason = reason;
        }
        return;
    }
    m_told.emplace(Key(kind, subject, detail), Told{std::string(reason), 0, false});
    m_report.notices.push_back(
        {std::string(kind), std::string(subject), std::string(reason), 1, std::string(detail)}
    );
    wait();
}

void PolicyTally::flushCounts()
{
    for (auto row = m_told.begin(); row != m_told.end();) {
        Told& told = row->second;
        if (told.count > 0) {
            m_report.notices.push_back(
                {std::get<0>(row->first),
                 std::get<1>(row->first),
                 told.reason,
                 told.count,
                 std::get<2>(row->first)}
            );
            told.count = 0;
        }
        if (told.isQuiet) {
            row = m_told.erase(row); // The next one begins anew.
            continue;
        }
        told.isQuiet = true;
        ++row;
    }
    flush();
}

void PolicyTally::flush()
{
    m_timer.cancel();
    if (m_report.breakers.empty() && m_report.concurrencies.empty() && m_report.notices.empty()) {
        return;
    }
    m_send(std::exchange(m_report, {}));
}

void PolicyTally::wait()
{
    if (!m_timer.isArmed()) {
        m_timer.arm(m_loop.now() + kReportDelay);
    }
}

} // namespace mesh::proxy
