#include "simulator/report/run_pool.h"

#include "proxyengine/base/assert.h"
#include "proxyengine/base/mailbox.h"
#include "proxyengine/base/thread.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <utility>

namespace mesh::simulator {
namespace {

constexpr std::size_t kPreviewSeconds = 5; // Of virtual time between two previews at least.

struct PoolMessage
{
    std::size_t job = 0;
    std::unique_ptr<RunOutcome> outcome; // Null: a preview.
    std::unique_ptr<RunRecord> preview;
};

// The calling thread takes messages, in the order of the jobs; workers take jobs by number.
class RunPool
{
public:
    RunPool(const std::vector<RunOrder>& jobs, const PoolCalls& calls)
        : m_jobs(jobs)
        , m_calls(calls)
        , m_outcomes(jobs.size())
        , m_mailbox(jobs.size() + 1, [this] { tell(); })
    {}

    void run(unsigned threads)
    {
        const std::size_t count =
            std::clamp<std::size_t>(threads, 1, std::max<std::size_t>(m_jobs.size(), 1));
        std::vector<Thread> workers;
        m_working = count;
        for (std::size_t at = 0; at < count; ++at) {
            workers.emplace_back(fmt::format("rehearse-{}", at), [this] { work(); });
        }
        while (!isDone()) {
            const std::uint32_t seen = m_news.load(std::memory_order_acquire);
            if (!takeOne() && !isDone()) {
                m_news.wait(seen, std::memory_order_acquire);
            }
        }
        while (takeOne()) {
        }
    }

private:
    void tell()
    {
        m_news.fetch_add(1, std::memory_order_release);
        m_news.notify_one();
    }

    [[nodiscard]] bool isDone() const { return m_working.load(std::memory_order_acquire) == 0; }

    void work()
    {
        for (std::size_t job = m_next++; job < m_jobs.size(); job = m_next++) {
            RunOrder order = m_jobs[job];
            if (order.cancelled != nullptr && order.cancelled->load(std::memory_order_relaxed)) {
                break;
            }
            if (job == 0 && m_calls.onPreview) {
                order.onSecond = [this](const RunRecord& record, std::size_t second) {
                    preview(record, second);
                };
            }
            auto outcome = std::make_unique<RunOutcome>(runOnce(order));
            const auto sent = m_mailbox.push({job, std::move(outcome), nullptr});
            MESH_ASSERT(sent.has_value()); // There is room for one per job.
        }
        m_working.fetch_sub(1, std::memory_order_acq_rel);
        tell();
    }

    void preview(const RunRecord& record, std::size_t second)
    {
        if (second % kPreviewSeconds != 0 || !m_isPreviewWanted.exchange(false)) {
            return;
        }
        const auto sent = m_mailbox.push({0, nullptr, std::make_unique<RunRecord>(record)});
        MESH_ASSERT(sent.has_value()); // There is room for one.
    }

    bool takeOne()
    {
        std::optional<PoolMessage> message = m_mailbox.pop();
        if (!message) {
            return false;
        }
        if (message->preview != nullptr) {
            m_calls.onPreview(*message->preview);
            m_isPreviewWanted = true;
            return true;
        }
        m_outcomes[message->job] = std::move(message->outcome);
        while (m_handedOn < m_outcomes.size() && m_outcomes[m_handedOn] != nullptr) {
            const std::unique_ptr<RunOutcome> outcome = std::move(m_outcomes[m_handedOn]);
            m_calls.onOutcome(m_handedOn++, std::move(*outcome));
        }
        return true;
    }

    const std::vector<RunOrder>& m_jobs;
    const PoolCalls& m_calls;
    std::vector<std::unique_ptr<RunOutcome>> m_outcomes; // Come before their turn.
    std::size_t m_handedOn = 0;
    Mailbox<PoolMessage> m_mailbox;
    std::atomic<std::uint32_t> m_news = 0; // Counts what the calling thread should look at.
    std::atomic<std::size_t> m_next = 0;
    std::atomic<std::size_t> m_working = 0;
    std::atomic<bool> m_isPreviewWanted = true;
};

} // namespace

void runAll(const std::vector<RunOrder>& jobs, unsigned threads, const PoolCalls& calls)
{
    RunPool(jobs, calls).run(threads);
}

} // namespace mesh::simulator
