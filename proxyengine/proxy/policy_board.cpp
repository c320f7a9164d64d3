#include "proxyengine/proxy/policy_board.h"

#include "proxyengine/policy/counter_word.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace mesh::proxy {
namespace {

std::string_view eventOf(policy::BreakerState state)
{
    switch (state) {
    case policy::BreakerState::Open:
        return "breaker_opened";
    case policy::BreakerState::HalfOpen:
        return "breaker_half_opened";
    case policy::BreakerState::Closed:
        return "breaker_closed";
    case policy::BreakerState::Ramping:
        break; // Still half open to those who watch: some are let through.
    }
    return {};
}

// The row of this cell; null when the configuration has it no more.
template <typename Rows, typename Cell>
auto* rowOf(const Rows& rows, const Cell* cell)
{
    const auto found =
        std::ranges::find_if(rows, [cell](const auto& row) { return row->cell.get() == cell; });
    return found == rows.end() ? nullptr : found->get();
}

// Takes the row of the cell out of the old ones, if it is there.
template <typename Rows, typename Cell>
auto takeRow(Rows& rows, const Cell* cell)
{
    const auto found = std::ranges::find_if(rows, [cell](const auto& row) {
        return row != nullptr && row->cell.get() == cell;
    });
    return found == rows.end() ? typename Rows::value_type() : std::move(*found);
}

// "max_requests" of "max_requests 1024 reached".
std::string_view firstWord(std::string_view text) { return text.substr(0, text.find(' ')); }

} // namespace

PolicyBoard::PolicyBoard(net::EventLoop& loop, Seed seed, PolicyLedger& ledger)
    : m_loop(loop)
    , m_random(seed)
    , m_ledger(ledger)
    , m_timer(loop.timers(), [this] { onTimer(); })
{}

void PolicyBoard::apply(std::shared_ptr<const PolicyCells> cells)
{
    auto breakers = std::exchange(m_breakers, {});
    auto concurrencies = std::exchange(m_concurrencies, {});
    m_cells = std::move(cells);
    for (const auto& cell : m_cells->breakers) {
        auto row = takeRow(breakers, cell.get());
        if (row == nullptr) {
            row = std::make_unique<BreakerRow>(BreakerRow{
                cell, policy::BreakerMachine(cell->plan.settings, m_loop.now())});
        }
        m_breakers.push_back(std::move(row));
    }
    for (const auto& gone : breakers) {
        if (gone != nullptr && gone->machine.state() != policy::BreakerState::Closed) {
            m_ledger.change(
                "breaker_closed", gone->cell->plan.subject, "its settings changed or went"
            );
        }
    }
    for (const auto& cell : m_cells->concurrencies) {
        auto row = takeRow(concurrencies, cell.get());
        if (row == nullptr) {
            row = std::make_unique<ConcurrencyRow>(ConcurrencyRow{
                cell, policy::AdaptiveConcurrencyController(cell->plan.settings, m_loop.now())});
            publish(*row);
        }
        m_concurrencies.push_back(std::move(row));
    }
    armTimer();
}

void PolicyBoard::take(const PolicyReport& report)
{
    for (const BreakerReport& part : report.breakers) {
        take(part);
    }
    for (const ConcurrencyReport& part : report.concurrencies) {
        take(part);
    }
    for (const PolicyNotice& notice : report.notices) {
        take(notice);
    }
    armTimer();
}

void PolicyBoard::take(const BreakerReport& report)
{
    if (BreakerRow* row = rowOf(m_breakers, report.cell.get()); row != nullptr) {
        // What time alone changed comes first, or outcomes would meet a state that is over.
        carryOut(*row, row->machine.advance(m_loop.now()));
        carryOut(*row, row->machine.observe(m_loop.now(), report.round, report.counts));
    }
}

void PolicyBoard::take(const ConcurrencyReport& report)
{
    if (ConcurrencyRow* row = rowOf(m_concurrencies, report.cell.get()); row != nullptr) {
        for (const Duration roundTrip : report.roundTrips) {
            row->controller.record(report.epoch, roundTrip);
        }
    }
}

void PolicyBoard::take(const PolicyNotice& notice)
{
    const bool isLimit = notice.kind == "limit_reached";
    // Whoever watches must be able to tell a fault that was ordered from one that was not.
    const bool isFault = notice.kind == "fault_injected" && notice.reason.empty();
    m_ledger.note(
        notice.kind,
        notice.subject,
        isFault ? std::string_view("faults are injected by configuration") : notice.reason,
        notice.count,
        isLimit ? firstWord(notice.reason) : std::string_view(notice.detail)
    );
}

void PolicyBoard::carryOut(BreakerRow& row, const policy::BreakerStep& step)
{
    if (step.gate) {
        row.cell->gate.store(
            step.gate->word(), std::memory_order_relaxed
        ); // It alone is the state.
    }
    if (step.entered) {
        if (const std::string_view kind = eventOf(*step.entered); !kind.empty()) {
            m_ledger.change(kind, row.cell->plan.subject, row.machine.reason(m_loop.now()));
        }
    }
}

void PolicyBoard::publish(ConcurrencyRow& row)
{
    policy::step(row.cell->gate, [&row](std::uint64_t& word) {
        word = policy::withLimit(
                   policy::ConcurrencyGate::fromWord(word),
                   row.controller.limit(),
                   row.controller.epoch()
        )
                   .word();
        return true;
    });
}

void PolicyBoard::armTimer()
{
    TimePoint next = TimePoint::max();
    for (const auto& row : m_breakers) {
        next = std::min(next, row->machine.nextChangeAt());
    }
    for (const auto& row : m_concurrencies) {
        next = std::min(next, row->controller.nextUpdateAt());
    }
    if (next == TimePoint::max()) {
        m_timer.cancel();
    } else {
        m_timer.arm(next);
    }
}

void PolicyBoard::onTimer()
{
    for (const auto& row : m_breakers) {
        carryOut(*row, row->machine.advance(m_loop.now()));
    }
    for (const auto& row : m_concurrencies) {
        if (row->controller.nextUpdateAt() <= m_loop.now()
            && row->controller.advance(m_loop.now(), m_random)) {
            publish(*row);
        }
    }
    armTimer();
}

void PolicyBoard::fill(telemetry::StatsFrame& frame) const
{
    for (const auto& row : m_breakers) {
        const policy::BreakerState state = row->machine.state();
        if (state != policy::BreakerState::Closed) {
            const Duration age = m_loop.now() - row->machine.since();
            frame.states.push_back(
                {state == policy::BreakerState::Open ? "breaker_open" : "breaker_half_open",
                 row->cell->plan.subject,
                 row->machine.reason(m_loop.now()),
                 m_loop.wallNow() - std::chrono::duration_cast<WallTime::duration>(age),
                 {}}
            );
        }
    }
}

} // namespace mesh::proxy
