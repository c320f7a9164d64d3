#pragma once

#include "app/bridge/rehearsal_session.h"
#include "proxyengine/base/thread.h"

#include <QObject>

#include <atomic>
#include <functional>
#include <memory>

namespace mesh::bridge {

// The grid of loads and fault lengths, nothing measured yet.
[[nodiscard]] StabilityRows stabilityGrid();

// The scenario of one cell: constant load, faults of that length, one replication of the first
// variant, a minute to recover.
[[nodiscard]] simulator::Scenario cellScenario(
    const simulator::Scenario& scenario, const StabilityCell& cell
);

// Runs one thing at a time on a thread; what it tells arrives on the thread of `receiver`.
class RehearsalJobs
{
public:
    explicit RehearsalJobs(const RehearsalOptions& options);
    ~RehearsalJobs();

    [[nodiscard]] unsigned threads() const { return m_threads; }
    [[nodiscard]] bool isRunning() const { return m_isBusy; }
    [[nodiscard]] std::vector<Error> check(const simulator::RehearsalRequest& request) const;

    // Progress comes at most ten times a second.
    void startRun(
        QObject& receiver,
        simulator::RehearsalRequest request,
        std::function<void(const simulator::RehearsalProgress&)> onProgress,
        std::function<void(Result<simulator::Rehearsal>)> onFinished
    );
    void startStability(
        QObject& receiver,
        simulator::RehearsalRequest request,
        StabilityRows grid,
        std::function<void(const StabilityRows&)> onRows
    );
    void cancel(); // The end is told as ever.
    void end(); // Cancels and waits; nothing is told any more.

private:
    // Runs `work` on the receiver's thread, unless end() was called.
    void post(QObject& receiver, std::function<void()> work);

    RehearsalOptions m_options;
    unsigned m_threads = 1;
    std::atomic<bool> m_isCancelled = false;
    bool m_isBusy = false; // Of the receiver's thread.
    Thread m_thread;
};

} // namespace mesh::bridge
