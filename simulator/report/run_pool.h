#pragma once

#include "simulator/report/single_run.h"

#include <cstddef>
#include <functional>
#include <vector>

namespace mesh::simulator {

struct PoolCalls
{
    // Each outcome, in the order of the jobs, on the calling thread.
    std::function<void(std::size_t job, RunOutcome outcome)> onOutcome;
    // Optional; now and then while the first job runs, on the calling thread: its record so far.
    std::function<void(const RunRecord& record)> onPreview;
};

// Runs all jobs on this many threads and waits for them. What is handed on does not depend on the
// number of threads. After a cancellation, jobs that had not begun have no outcome.
void runAll(const std::vector<RunOrder>& jobs, unsigned threads, const PoolCalls& calls);

} // namespace mesh::simulator
