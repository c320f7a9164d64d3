#include "app/store/mesh_document.h"

#include "app/store/document_file.h"
#include "app/store/metric_table.h"
#include "app/store/migrations.h"
#include "proxyengine/base/assert.h"
#include "proxyengine/base/handles.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/base/log.h"
#include "proxyengine/base/mailbox.h"
#include "proxyengine/base/thread.h"

#include <sys/eventfd.h>

#include <atomic>
#include <cerrno>
#include <type_traits>

namespace mesh::store {

namespace {

template <typename T>
void tell(const Answer<T>& answer, Result<T> result)
{
    if (answer) {
        answer(std::move(result));
    }
}

// In a transaction of its own.
Result<void> addRows(Database& database, MetricTable& metrics, const std::vector<MetricRow>& rows)
{
    MESH_TRY(Transaction transaction, Transaction::begin(database));
    MESH_TRY_VOID(metrics.add(database, rows));
    MESH_TRY_VOID(metrics.thin(database));
    return transaction.commit();
}

} // namespace

// The thread, its queue, and what only that thread touches.
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
                || error->code == ErrorCode::PermissionDenied);
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

MeshDocument::MeshDocument(std::unique_ptr<Worker> worker)
    : m_worker(std::move(worker))
{}

MeshDocument::~MeshDocument() = default;

void MeshDocument::close() { m_worker->close(); }

Result<std::unique_ptr<MeshDocument>> MeshDocument::create(
    const std::string& path, OpenOptions options
)
{
    return start(path, Intent::Create, std::move(options));
}

Result<std::unique_ptr<MeshDocument>> MeshDocument::open(
    const std::string& path, OpenOptions options
)
{
    return start(path, Intent::Existing, std::move(options));
}

Result<std::unique_ptr<MeshDocument>> MeshDocument::start(
    const std::string& path, Intent intent, OpenOptions options
)
{
    const auto how = intent == Intent::Create ? OpenIntent::Create : OpenIntent::Existing;
    MESH_TRY(OpenedFile file, openFile(path, how, options));
    MESH_TRY(MetricTable metrics, MetricTable::load(file.database));
    auto worker =
        std::make_unique<Worker>(path, std::move(file), std::move(metrics), std::move(options));
    return std::unique_ptr<MeshDocument>(new MeshDocument(std::move(worker)));
}

const std::string& MeshDocument::path() const { return m_worker->path(); }

const Access& MeshDocument::access() const { return m_worker->access(); }

void MeshDocument::opening(Answer<Opening> answer)
{
    m_worker->read<Opening>(
        [](Database& database, MetricTable& metrics) { return readOpening(database, metrics); },
        std::move(answer)
    );
}

void MeshDocument::addRevision(NewRevision revision, Answer<Revision> answer)
{
    m_worker->write<Revision>(
        [revision = std::move(revision)](Database& database, MetricTable&) {
            return insertRevision(database, revision);
        },
        std::move(answer)
    );
}

void MeshDocument::revisions(Answer<std::vector<Revision>> answer)
{
    m_worker->read<std::vector<Revision>>(
        [](Database& database, MetricTable&) { return readRevisions(database); }, std::move(answer)
    );
}

void MeshDocument::revisionText(std::int64_t id, Answer<std::string> answer)
{
    m_worker->read<std::string>(
        [id](Database& database, MetricTable&) { return readRevisionText(database, id); },
        std::move(answer)
    );
}

void MeshDocument::saveNodes(std::vector<NodeRecord> nodes, Answer<void> answer)
{
    m_worker->write<void>(
        [nodes = std::move(nodes)](Database& database, MetricTable&) {
            return replaceNodes(database, nodes);
        },
        std::move(answer)
    );
}

void MeshDocument::saveLayout(
    std::string view, std::vector<LayoutPosition> positions, Answer<void> answer
)
{
    m_worker->write<void>(
        [view = std::move(view),
         positions = std::move(positions)](Database& database, MetricTable&) {
            return replaceLayout(database, view, positions);
        },
        std::move(answer)
    );
}

void MeshDocument::saveSetting(std::string key, std::string value, Answer<void> answer)
{
    m_worker->write<void>(
        [key = std::move(key), value = std::move(value)](Database& database, MetricTable&) {
            return replaceSetting(database, key, value);
        },
        std::move(answer)
    );
}

void MeshDocument::saveDraft(std::optional<std::string> text, Answer<void> answer)
{
    m_worker->write<void>(
        [text = std::move(text)](Database& database, MetricTable&) {
            return replaceDraft(database, text);
        },
        std::move(answer)
    );
}

void MeshDocument::addMetrics(std::vector<MetricRow> rows, Answer<void> answer)
{
    const std::uint64_t count = rows.size();
    m_worker->write<void>(
        [rows = std::move(rows)](Database& database, MetricTable& metrics) -> Result<void> {
            auto outcome = addRows(database, metrics, rows);
            if (outcome) {
                return outcome;
            }
            // What the table remembers may have been rolled back.
            return metrics.reload(database).and_then([&outcome] { return outcome; });
        },
        std::move(answer),
        count
    );
}

void MeshDocument::series(
    SeriesFilter filter,
    TimeRange range,
    std::int64_t step_s,
    Answer<std::vector<MetricPoint>> answer
)
{
    m_worker->read<std::vector<MetricPoint>>(
        [filter = std::move(filter), range, step_s](Database& database, MetricTable& metrics) {
            return metrics.series(database, filter, range, step_s);
        },
        std::move(answer)
    );
}

void MeshDocument::window(TimeRange range, Answer<WindowTotals> answer)
{
    m_worker->read<WindowTotals>(
        [range](Database& database, MetricTable& metrics) {
            return metrics.window(database, range);
        },
        std::move(answer)
    );
}

void MeshDocument::recorded(Answer<TimeRange> answer)
{
    m_worker->read<TimeRange>(
        [](Database& database, MetricTable& metrics) { return metrics.recorded(database); },
        std::move(answer)
    );
}

void MeshDocument::addEvent(EventRecord event, Answer<std::int64_t> answer)
{
    m_worker->write<std::int64_t>(
        [event = std::move(event)](Database& database, MetricTable&) {
            return insertEvent(database, event);
        },
        std::move(answer)
    );
}

void MeshDocument::endEvent(std::int64_t id, std::int64_t end_us, Answer<void> answer)
{
    m_worker->write<void>(
        [id, end_us](Database& database, MetricTable&) {
            return updateEventEnd(database, id, end_us);
        },
        std::move(answer)
    );
}

void MeshDocument::events(
    std::int64_t begin_us, std::int64_t end_us, Answer<std::vector<EventRecord>> answer
)
{
    m_worker->read<std::vector<EventRecord>>(
        [begin_us, end_us](Database& database, MetricTable&) {
            return readEvents(database, begin_us, end_us);
        },
        std::move(answer)
    );
}

void MeshDocument::copyTo(std::string path, Answer<void> answer)
{
    m_worker->read<void>(
        [path = std::move(path)](Database& database, MetricTable&) {
            return copyDatabase(database, path);
        },
        std::move(answer)
    );
}

} // namespace mesh::store
