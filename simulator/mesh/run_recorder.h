#pragma once

#include "proxyengine/base/time.h"
#include "simulator/mesh/measures.h"
#include "simulator/mesh/mesh_plan.h"
#include "simulator/mesh/run_record.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace mesh::simulator {

// Writes a RunRecord while its run goes on. Sees the run, is never seen by it.
class RunRecorder
{
public:
    explicit RunRecorder(const MeshPlan& plan);

    // Edges in the order of their numbers. `service` is the callee, into MeshPlan::models().
    void addEdge(std::string name, std::string caller, std::uint32_t service);

    void begin(std::uint32_t edge);
    void end(std::uint32_t edge, Duration took, MeasureRow::Outcome outcome, int attempts);

    // What a proxy of this edge did now; `instance` may be empty.
    void mark(RunMarker::Kind kind, TimePoint now, std::uint32_t edge, std::string instance);
    // The same, once per second, edge and kind.
    void markOnce(RunMarker::Kind kind, TimePoint now, std::uint32_t edge);
    void markFault(RunMarker::Kind kind, TimePoint now, std::uint32_t fault);

    // To be called before anything that happens at `now` is told: ends the seconds that have
    // passed.
    void advance(TimePoint now)
    {
        if (now >= m_secondEnd) {
            endSeconds(now);
        }
    }
    // Ends the last second, even if it is not whole.
    void close(TimePoint end);

    [[nodiscard]] const RunRecord& record() const { return m_record; }

private:
    struct Edge
    {
        std::string caller;
        std::uint32_t service = 0;
        RunSecond now;
        bool isTouched = false;
        std::array<std::int64_t, 3> told{-1, -1, -1}; // Second of the last BudgetExhausted, ...
    };

    void endSeconds(TimePoint now);
    void endSecond();
    void push(RunMarker marker);

    const MeshPlan& m_plan;
    RunRecord m_record;
    std::vector<Edge> m_edges;
    std::vector<RunSecond> m_sums; // By service; of the second that ends.
    TimePoint m_secondEnd{std::chrono::seconds(1)};
    std::size_t m_second = 0;
};

} // namespace mesh::simulator
