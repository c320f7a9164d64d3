#pragma once

#include "app/store/document_file.h"
#include "app/store/mesh_document.h"
#include "app/store/metric_table.h"
#include "proxyengine/base/assert.h"
#include "proxyengine/base/handles.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/base/log.h"
#include "proxyengine/base/mailbox.h"
#include "proxyengine/base/thread.h"

#include <sys/eventfd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace mesh::store {

template <typename T>
void tell(const Answer<T>& answer, Result<T> result)
{
    if (answer) {
        answer(std::move(result));
    }
}

// The thread of a document, its queue, and what only that thread touches. For the implementation of
// MeshDocument alone.
//
// Threads: any for read(), write() and close(); answers come on the worker's.
class MeshDocument::Worker
{
public:
    using Job = std::function<void(Worker&)>;

    Worker(std::string path, OpenedFile file, MetricTable metrics, OpenOptions options)
        : m_path(std::move(path))
        , m_access(std::move(file.access))
        , m_options(std::move(options))
        , m_lock(std::move(file.lock))
        , m_database(std::move(file.database))
        , m_metrics(std::move(metrics))
        , m_wake(::eventfd(0, EFD_CLOEXEC))
        , m_jobs(kStoreJobsMax, [this] { wake(); })
    {
        MESH_ASSERT(m_wake.isOpen());
        m_thread = Thread("store", [this] { run(); });
    }

    ~Worker() { close(); }
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    Worker(Worker&&) = delete;
    Worker& operator=(Worker&&) = delete;

    // Everything waiting is done first; the connection closes before the lock is given back.
    void close()
    {
        if (!m_thread.isRunning()) {
            return;
        }
        m_isClosing.store(true);
        wake();
        m_thread.join();
        m_metrics.reset();
        m_database.reset();
        m_lock.reset();
    }

    [[nodiscard]] const std::string& path() const { return m_path; }
    [[nodiscard]] const Access& access() const { return m_access; }

    // Does `work` on the thread and answers; when the queue is full or closed, answers here.
    template <typename T>
    void read(std::function<Result<T>(Database&, MetricTable&)> work, Answer<T> answer)
    {
        post<T>(
            [work = std::move(work), answer](Worker& worker) {
                tell<T>(answer, work(*worker.m_database, *worker.m_metrics));
            },
            answer
        );
    }

    // The same for what changes the file; notices when writing begins to fail. `rows` are those
    // that are lost when it fails.
    template <typename T>
    void write(
        std::function<Result<T>(Database&, MetricTable&)> work,
        Answer<T> answer,
        std::uint64_t rows = 0
    )
    {
        if (!m_access.isWritable()) {
            tell<T>(answer, fail(ErrorCode::PermissionDenied, m_access.text));
            return;
        }
        post<T>(
            [work = std::move(work), answer, rows](Worker& worker) {
                Result<T> result = work(*worker.m_database, *worker.m_metrics);
                worker.noteWrite(result ? nullptr : &result.error(), rows);
                tell<T>(answer, std::move(result));
            },
            answer
        );
    }

private:
    template <typename T>
    void post(Job job, const Answer<T>& answer)
    {
        if (m_isClosing.load()) {
            tell<T>(answer, fail(ErrorCode::Cancelled, "the document is closed"));
            return;
        }
        if (auto pushed = m_jobs.push(std::move(job)); !pushed) {
            tell<T>(answer, fail(ErrorCode::Overloaded, "the document has too much to do"));
        }
    }

    void wake() { static_cast<void>(::eventfd_write(m_wake.get(), 1)); }

    void run()
    {
        for (;;) {
            // Read before looking: what is pushed after the look wakes the next wait.
            const bool isClosing = m_isClosing.load();
            while (auto job = m_jobs.pop()) {
                (*job)(*this);
            }
            if (isClosing) {
                return;
            }
            eventfd_t count = 0;
            static_cast<void>(::eventfd_read(m_wake.get(), &count));
        }
    }

    void noteWrite(const Error* error, std::uint64_t rows)
    {
        const bool isEnvironment =
            error != nullptr
            && (error->code == ErrorCode::Io || error->code == ErrorCode::Database
                || error->code == ErrorCode::PermissionDenied
                || error->code == ErrorCode::Syntax); // Damaged.
        if (isEnvironment) {
            noteFailure(*error, rows);
        } else if (error == nullptr && m_failure) {
            noteRecovery();
        }
    }

    void noteFailure(const Error& error, std::uint64_t rows)
    {
        const bool isNew = !m_failure;
        if (isNew) {
            MESH_LOG(Warn, "document.write_failed", kv("path", m_path), kv("error", error));
            m_failure = WriteFailure{error, 0};
        }
        m_failure->rowsLost += rows;
        if (isNew && m_options.onWriteFailure) {
            m_options.onWriteFailure(m_failure);
        }
    }

    void noteRecovery()
    {
        MESH_LOG(
            Info,
            "document.write_recovered",
            kv("path", m_path),
            kv("rows_lost", m_failure->rowsLost)
        );
        m_failure.reset();
        if (m_options.onWriteFailure) {
            m_options.onWriteFailure(std::nullopt);
        }
    }

    const std::string m_path;
    const Access m_access;
    const OpenOptions m_options;
    std::unique_ptr<FileLock> m_lock;
    std::optional<Database> m_database;
    std::optional<MetricTable> m_metrics;
    std::optional<WriteFailure> m_failure;
    FileDescriptor m_wake;
    Mailbox<Job> m_jobs;
    std::atomic<bool> m_isClosing = false;
    Thread m_thread;
};

} // namespace mesh::store
