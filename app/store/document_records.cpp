#include "app/store/audit_chain.h"
#include "app/store/document_worker.h"
#include "app/store/mesh_document.h"
#include "app/store/migrations.h"
#include "app/store/record_tables.h"

namespace mesh::store {

void MeshDocument::savePush(PushRecord push, Answer<std::int64_t> answer)
{
    m_worker->write<std::int64_t>(
        [push = std::move(push)](Database& database, MetricTable&) {
            return replacePush(database, push);
        },
        std::move(answer)
    );
}

void MeshDocument::pushes(Answer<std::vector<PushRecord>> answer)
{
    m_worker->read<std::vector<PushRecord>>(
        [](Database& database, MetricTable&) { return readPushes(database); }, std::move(answer)
    );
}

void MeshDocument::push(std::int64_t id, Answer<PushRecord> answer)
{
    m_worker->read<PushRecord>(
        [id](Database& database, MetricTable&) { return readPush(database, id); }, std::move(answer)
    );
}

void MeshDocument::addAudit(AuditRecord record, Answer<std::int64_t> answer)
{
    m_worker->write<std::int64_t>(
        [record = std::move(record)](Database& database, MetricTable&) {
            return insertAudit(database, record);
        },
        std::move(answer)
    );
}

void MeshDocument::audit(
    std::int64_t begin_us, std::int64_t end_us, Answer<std::vector<AuditRecord>> answer
)
{
    m_worker->read<std::vector<AuditRecord>>(
        [begin_us, end_us](Database& database, MetricTable&) {
            return readAudit(database, begin_us, end_us);
        },
        std::move(answer)
    );
}

void MeshDocument::verifyAudit(Answer<std::optional<std::int64_t>> answer)
{
    m_worker->read<std::optional<std::int64_t>>(
        [](Database& database, MetricTable&) { return firstBrokenAudit(database); },
        std::move(answer)
    );
}

void MeshDocument::exportAudit(std::string path, Answer<std::int64_t> answer)
{
    m_worker->read<std::int64_t>(
        [path = std::move(path)](Database& database, MetricTable&) {
            return store::exportAudit(database, path);
        },
        std::move(answer)
    );
}

void MeshDocument::saveItem(
    std::string kind, std::string name, std::string text, Answer<void> answer
)
{
    m_worker->write<void>(
        [item =
             ItemRecord{
                 std::move(kind),
                 std::move(name),
                 std::move(text)}](Database& database, MetricTable&) {
            return replaceItem(database, item);
        },
        std::move(answer)
    );
}

void MeshDocument::removeItem(std::string kind, std::string name, Answer<void> answer)
{
    m_worker->write<void>(
        [kind = std::move(kind), name = std::move(name)](Database& database, MetricTable&) {
            return deleteItem(database, kind, name);
        },
        std::move(answer)
    );
}

void MeshDocument::items(std::string kind, Answer<std::vector<ItemRecord>> answer)
{
    m_worker->read<std::vector<ItemRecord>>(
        [kind = std::move(kind)](Database& database, MetricTable&) {
            return readItems(database, kind);
        },
        std::move(answer)
    );
}

void MeshDocument::addSamples(std::vector<SampleRecord> samples, Answer<void> answer)
{
    m_worker->write<void>(
        [samples = std::move(samples)](Database& database, MetricTable&) {
            return insertSamples(database, samples);
        },
        std::move(answer)
    );
}

void MeshDocument::samples(
    std::int64_t begin_us,
    std::int64_t end_us,
    std::size_t countMax,
    Answer<std::vector<SampleRecord>> answer
)
{
    m_worker->read<std::vector<SampleRecord>>(
        [begin_us, end_us, countMax](Database& database, MetricTable&) {
            return readSamples(database, begin_us, end_us, countMax);
        },
        std::move(answer)
    );
}

void MeshDocument::addLayoutMoves(
    std::string view,
    std::int64_t time_us,
    std::vector<LayoutPosition> positions,
    Answer<void> answer
)
{
    m_worker->write<void>(
        [view = std::move(view),
         time_us,
         positions = std::move(positions)](Database& database, MetricTable&) {
            return insertLayoutMoves(database, view, time_us, positions);
        },
        std::move(answer)
    );
}

void MeshDocument::layoutAt(
    std::string view, std::int64_t time_us, Answer<std::vector<LayoutPosition>> answer
)
{
    m_worker->read<std::vector<LayoutPosition>>(
        [view = std::move(view), time_us](Database& database, MetricTable&) {
            return readLayoutAt(database, view, time_us);
        },
        std::move(answer)
    );
}

void MeshDocument::backUp(Answer<std::string> answer)
{
    m_worker->write<std::string>(
        [path = path()](Database& database, MetricTable&) {
            return backUpConfiguration(database, path);
        },
        std::move(answer)
    );
}

} // namespace mesh::store
