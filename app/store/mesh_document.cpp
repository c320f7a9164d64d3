#include "app/store/mesh_document.h"

#include "app/store/document_file.h"
#include "app/store/document_worker.h"
#include "app/store/metric_table.h"
#include "app/store/migrations.h"

namespace mesh::store {

namespace {

// In a transaction of its own.
Result<void> addRows(Database& database, MetricTable& metrics, const std::vector<MetricRow>& rows)
{
    MESH_TRY(Transaction transaction, Transaction::begin(database));
    MESH_TRY_VOID(metrics.add(database, rows));
    MESH_TRY_VOID(metrics.thin(database));
    return transaction.commit();
}

} // namespace

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

OpenEvent MeshDocument::beginEvent(EventRecord event)
{
    auto row = std::make_shared<std::atomic<std::int64_t>>(0);
    addEvent(std::move(event), [row](const Result<std::int64_t>& added) {
        row->store(added.value_or(0));
    });
    return row;
}

void MeshDocument::endEvent(OpenEvent event, std::int64_t end_us, Answer<void> answer)
{
    m_worker->write<void>(
        [event = std::move(event), end_us](Database& database, MetricTable&) -> Result<void> {
            if (event->load() == 0) {
                return fail(ErrorCode::NotFound, "the event that ends was not written");
            }
            return updateEventEnd(database, event->load(), end_us);
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
