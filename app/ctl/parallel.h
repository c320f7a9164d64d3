#pragma once

#include <cstddef>
#include <functional>

namespace mesh::ctl {

// Calls `work` with 0 .. count - 1, on at most `threadsMax` threads at once; returns when all are
// done. For questions to many nodes, which wait far more than they work.
void inParallel(
    std::size_t count, std::size_t threadsMax, const std::function<void(std::size_t)>& work
);

} // namespace mesh::ctl
