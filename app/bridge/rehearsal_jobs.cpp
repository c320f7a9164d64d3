#include "app/bridge/rehearsal_jobs.h"

#include <QElapsedTimer>
#include <QMetaObject>

#include <unistd.h>

#include <algorithm>
#include <array>

namespace mesh::bridge {

namespace {

constexpr qint64 kTellEvery_ms = 100;
constexpr std::array<double, 6> kLoads = {0.5, 0.75, 1.0, 1.25, 1.5, 2.0};
constexpr std::array<double, 5> kLengths_s = {5, 15, 30, 60, 120};
constexpr double kQuiet_s = 15; // Before the first fault.
constexpr double kRecovery_s = 90; // After the last one.

double longestFault(const simulator::Scenario& scenario)
{
    double longest = 0;
    for (const simulator::Fault& fault : scenario.timeline) {
        longest = std::max(longest, fault.length ? toSeconds(*fault.length) : 0.0);
    }
    return longest > 0 ? longest : 60;
}

Duration firstFault(const simulator::Scenario& scenario)
{
    Duration first = Duration::max();
    for (const simulator::Fault& fault : scenario.timeline) {
        first = std::min(first, fault.at);
    }
    return first;
}

} // namespace

StabilityRows stabilityGrid()
{
    StabilityRows rows;
    rows.loads.assign(kLoads.begin(), kLoads.end());
    rows.lengths_s.assign(kLengths_s.begin(), kLengths_s.end());
    for (const double length : rows.lengths_s) {
        for (const double load : rows.loads) {
            StabilityCell cell;
            cell.load = load;
            cell.length_s = length;
            rows.cells.push_back(cell);
        }
    }
    return rows;
}

simulator::Scenario cellScenario(const simulator::Scenario& scenario, const StabilityCell& cell)
{
    simulator::Scenario one = scenario;
    const Duration first = firstFault(scenario);
    const double stretch = cell.length_s / longestFault(scenario);
    const Duration begin = scenario.warmup + fromSeconds(kQuiet_s);
    Duration end = begin;
    for (simulator::Fault& fault : one.timeline) {
        fault.at = begin + fromSeconds(toSeconds(fault.at - first) * stretch);
        const double length = fault.length ? toSeconds(*fault.length) * stretch : cell.length_s;
        fault.length = fromSeconds(length);
        end = std::max(end, fault.at + *fault.length);
    }
    for (simulator::Load& load : one.load) {
        load.rate = {{Duration{}, simulator::rateAt(load, first) * cell.load}};
    }
    one.duration = end + fromSeconds(kRecovery_s);
    one.replications = 1;
    one.ablate.clear();
    one.guards.clear();
    if (one.policies.size() > 1) {
        one.policies.resize(1);
    }
    std::erase_if(one.asserts, [](const simulator::Assertion& assertion) {
        return assertion.window.empty(); // Comparisons.
    });
    return one;
}

RehearsalJobs::RehearsalJobs(const RehearsalOptions& options)
    : m_options(options)
    , m_threads(options.threads)
{
    if (!m_options.run) {
        m_options.run = simulator::rehearse;
    }
    if (!m_options.check) {
        m_options.check = simulator::checkRehearsal;
    }
    if (m_threads == 0) {
        // One processor stays with the window and the live mesh.
        m_threads = static_cast<unsigned>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN) - 1));
    }
}

RehearsalJobs::~RehearsalJobs() { end(); }

std::vector<Error> RehearsalJobs::check(const simulator::RehearsalRequest& request) const
{
    return m_options.check(request);
}

void RehearsalJobs::post(QObject& receiver, std::function<void()> work)
{
    QMetaObject::invokeMethod(&receiver, std::move(work), Qt::QueuedConnection);
}

void RehearsalJobs::startRun(
    QObject& receiver,
    simulator::RehearsalRequest request,
    std::function<void(const simulator::RehearsalProgress&)> onProgress,
    std::function<void(Result<simulator::Rehearsal>)> onFinished
)
{
    m_thread.join();
    m_isCancelled = false;
    m_isBusy = true;
    request.cancelled = &m_isCancelled;
    auto clock = std::make_shared<QElapsedTimer>();
    clock->start();
    request.onProgress = [this, &receiver, clock, last = qint64(-kTellEvery_ms), onProgress](
                             const simulator::RehearsalProgress& told
                         ) mutable {
        if (clock->elapsed() - last < kTellEvery_ms) {
            return;
        }
        last = clock->elapsed();
        post(receiver, [onProgress, told] { onProgress(told); });
    };
    m_thread = Thread("rehearse", [this, &receiver, wanted = std::move(request), onFinished] {
        QElapsedTimer taken;
        taken.start();
        auto outcome = std::make_shared<Result<simulator::Rehearsal>>(m_options.run(wanted));
        if (*outcome) {
            (*outcome)->wall_s = static_cast<double>(taken.elapsed()) / 1000;
        }
        post(receiver, [this, outcome, onFinished] {
            m_isBusy = false;
            onFinished(std::move(*outcome));
        });
    });
}

void RehearsalJobs::startStability(
    QObject& receiver,
    simulator::RehearsalRequest request,
    StabilityRows grid,
    std::function<void(const StabilityRows&)> onRows
)
{
    m_thread.join();
    m_isCancelled = false;
    m_isBusy = true;
    request.cancelled = &m_isCancelled;
    m_thread = Thread(
        "stability",
        [this, &receiver, wanted = std::move(request), rows = std::move(grid), onRows]() mutable {
            const simulator::Scenario scenario = wanted.scenario;
            QElapsedTimer clock;
            clock.start();
            qint64 last = 0;
            for (StabilityCell& cell : rows.cells) {
                wanted.scenario = cellScenario(scenario, cell);
                const auto outcome = m_options.run(wanted);
                if (!outcome) {
                    const bool isCancelled = outcome.error().code == ErrorCode::Cancelled;
                    rows.error =
                        isCancelled ? QString() : QString::fromStdString(outcome.error().message);
                    break;
                }
                cell.isDone = true;
                if (!outcome->variants.empty()) {
                    const simulator::Reaction& reaction = outcome->variants.front().reaction;
                    cell.success = 1 - reaction.failedShare;
                    if (reaction.recovered) {
                        cell.recovered_s = toSeconds(*reaction.recovered);
                    }
                }
                ++rows.done;
                if (clock.elapsed() - last >= kTellEvery_ms) {
                    last = clock.elapsed();
                    post(receiver, [onRows, rows] { onRows(rows); });
                }
            }
            rows.isRunning = false;
            post(receiver, [this, onRows, rows] {
                m_isBusy = false;
                onRows(rows);
            });
        }
    );
}

void RehearsalJobs::cancel() { m_isCancelled = true; }

void RehearsalJobs::end()
{
    m_isCancelled = true;
    m_thread.join();
}

} // namespace mesh::bridge
