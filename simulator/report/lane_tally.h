#pragma once

#include "simulator/report/rehearsal.h"
#include "simulator/report/single_run.h"
#include "simulator/report/windows.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::simulator {

// What one replication says by itself, for intervals and hits.
struct ReplicationNotes
{
    std::vector<std::optional<double>> values; // Of the assertions, in file order.
    std::optional<double> success; // Of the entries during the faults; a share.
    std::optional<double> p99_ms; // Likewise.
    std::optional<Duration> detected; // First fault to the first reaction of a policy.
};

// Adds up the runs of one variant or ablation, in the order of the replications.
class LaneTally
{
public:
    LaneTally(const Scenario& scenario, const ScenarioWindows& windows);

    void add(RunOutcome outcome);

    // Over all runs so far. Services and edges that were never called have no figures.
    [[nodiscard]] FiguresByName services(std::size_t window) const;
    [[nodiscard]] FiguresByName edges(std::size_t window) const;
    // Of a service or an edge; nothing when the window is empty or nothing was measured.
    [[nodiscard]] std::optional<double> value(const Condition& condition, std::size_t window) const;

    [[nodiscard]] const std::vector<ReplicationNotes>& notes() const { return m_notes; }
    [[nodiscard]] const std::vector<RunSeries>& series() const { return m_series; }
    [[nodiscard]] const RunRecord& worstRecord() const { return m_worstRecord; }
    [[nodiscard]] int worst() const { return m_worst; }
    // The slowest root requests of the worst run.
    [[nodiscard]] const std::vector<SlowRequest>& slowest() const { return m_slowest; }
    [[nodiscard]] std::optional<std::size_t> guard() const { return m_guard; }
    [[nodiscard]] std::uint64_t events() const { return m_events; }
    [[nodiscard]] std::uint64_t hops() const { return m_hops; }
    [[nodiscard]] std::uint64_t hash() const { return m_hash; } // Of all runs, in their order.

private:
    // Sums of one run or of several.
    struct Sums
    {
        std::map<std::string, MeasureRow, std::less<>> services;
        std::map<std::string, MeasureRow, std::less<>> edges;
        std::map<std::string, std::vector<double>, std::less<>> busy; // Worker-seconds by window.
        std::map<std::string, std::vector<double>, std::less<>> capacity; // Likewise.
        std::vector<Duration> lengths; // By window.
    };

    static void merge(Sums& to, Sums from);
    [[nodiscard]] Sums sumsOf(RunOutcome& outcome) const; // Takes its rows away.
    [[nodiscard]] static RehearsalFigures figures(
        const Sums& sums, const MeasureRow& row, std::size_t window
    );
    [[nodiscard]] static std::optional<double> valueIn(
        const Sums& sums, const Condition& condition, std::size_t window
    );
    [[nodiscard]] ReplicationNotes notesOf(const Sums& sums, const RunOutcome& outcome) const;
    void addSeries(const std::vector<RunSeries>& list);

    const Scenario& m_scenario;
    const ScenarioWindows& m_windows;
    Sums m_sums;
    std::vector<ReplicationNotes> m_notes;
    std::vector<RunSeries> m_series;
    RunRecord m_worstRecord;
    int m_worst = 0;
    std::vector<SlowRequest> m_slowest;
    std::optional<std::size_t> m_guard; // Of the first run that one stopped.
    std::uint64_t m_events = 0;
    std::uint64_t m_hops = 0;
    std::uint64_t m_hash = 0x13198a2e03707344U; // Of pi.
};

// A hash of a hash and one more number; the order matters.
[[nodiscard]] std::uint64_t mixed(std::uint64_t hash, std::uint64_t next);

} // namespace mesh::simulator
