#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/policy/adaptive_concurrency.h"
#include "proxyengine/policy/breaker.h"
#include "proxyengine/proxy/policy_cells.h"
#include "proxyengine/proxy/policy_ledger.h"
#include "proxyengine/telemetry/frame.h"

#include <memory>
#include <vector>

namespace mesh::proxy {

// The machines of a node whose state needs more than a word: breakers and adaptive limits. Workers
// admit requests through the cells; their outcomes come here, and what the machines make of them
// goes back into the cells. A machine lives as long as its cell is part of the configuration.
//
// Threads: the control loop's. Lifetime: the ledger outlives it.
class PolicyBoard
{
public:
    PolicyBoard(net::EventLoop& loop, Seed seed, PolicyLedger& ledger);

    // The cells of a new snapshot. Machines of cells that stay are kept; a breaker that goes while
    // it is not closed is told as closed.
    void apply(std::shared_ptr<const PolicyCells> cells);
    void take(const PolicyReport& report);
    // Breakers that are not closed.
    void fill(telemetry::StatsFrame& frame) const;

private:
    struct BreakerRow
    {
        std::shared_ptr<BreakerCell> cell;
        policy::BreakerMachine machine;
    };
    struct ConcurrencyRow
    {
        std::shared_ptr<ConcurrencyCell> cell;
        policy::AdaptiveConcurrencyController controller;
    };

    void take(const BreakerReport& report);
    void take(const ConcurrencyReport& report);
    void take(const PolicyNotice& notice);
    void carryOut(BreakerRow& row, const policy::BreakerStep& step);
    static void publish(ConcurrencyRow& row);
    void armTimer();
    void onTimer();

    net::EventLoop& m_loop;
    Random m_random;
    PolicyLedger& m_ledger;
    std::shared_ptr<const PolicyCells> m_cells;
    std::vector<std::unique_ptr<BreakerRow>> m_breakers; // By index of the snapshot.
    std::vector<std::unique_ptr<ConcurrencyRow>> m_concurrencies;
    net::FunctionTimer m_timer;
};

} // namespace mesh::proxy
