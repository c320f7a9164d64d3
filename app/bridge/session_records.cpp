#include "app/bridge/session_records.h"

#include "app/bridge/mesh_session.h"
#include "app/store/mesh_document.h"
#include "proxyengine/base/clock.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QSysInfo>

#include <algorithm>
#include <iterator>
#include <utility>

namespace mesh::bridge {

namespace {

TapRow rowOfSample(const store::SampleRecord& sample)
{
    TapRow row;
    row.time_us = sample.time_us;
    row.node = QString::fromStdString(sample.node);
    row.source = QString::fromStdString(sample.source);
    row.method = QString::fromStdString(sample.method);
    row.host = QString::fromStdString(sample.host);
    row.path = QString::fromStdString(sample.path);
    row.status = sample.status;
    row.route = QString::fromStdString(sample.route);
    row.service = QString::fromStdString(sample.service);
    row.latency_ms = sample.latency_ms;
    row.requestId = QString::fromStdString(sample.requestId);
    const auto headers = QJsonDocument::fromJson(QByteArray::fromStdString(sample.headers)).array();
    for (const QJsonValue& header : headers) {
        const QJsonArray pair = header.toArray();
        if (pair.size() == 2) {
            row.headers.emplace_back(pair[0].toString(), pair[1].toString());
        }
    }
    return row;
}

} // namespace

SessionRecords::SessionRecords(MeshSession& session)
    : m_session(session)
    , m_host(QSysInfo::machineHostName())
{}

void SessionRecords::post(const store::MeshDocument* asked, std::function<void()> work)
{
    QMetaObject::invokeMethod(
        this,
        [this, asked, work = std::move(work)] {
            if (m_session.file() == asked) {
                work();
            }
        },
        Qt::QueuedConnection
    );
}

void SessionRecords::addAudit(const QString& action, const QString& subject, const QString& detail)
{
    store::MeshDocument* file = m_session.file();
    if (file == nullptr || !file->access().isWritable()) {
        return;
    }
    store::AuditRecord record;
    record.time_us = m_session.clock().wallNow().time_since_epoch().count();
    record.actor = QStringLiteral("%1@%2").arg(m_session.author(), m_host).toStdString();
    record.action = action.toStdString();
    record.subject = subject.toStdString();
    record.detail = detail.toStdString();
    file->addAudit(std::move(record));
}

void SessionRecords::askAudit(
    std::int64_t begin_us,
    std::int64_t end_us,
    std::function<void(const std::vector<AuditRow>&)> answer
)
{
    store::MeshDocument* file = m_session.file();
    if (file == nullptr) {
        return;
    }
    file->audit(
        begin_us,
        end_us,
        [this,
         file,
         answer = std::move(answer)](const Result<std::vector<store::AuditRecord>>& found) {
            std::vector<AuditRow> rows;
            if (found) {
                for (const store::AuditRecord& record : *found) {
                    rows.push_back(
                        {record.id,
                         record.time_us,
                         QString::fromStdString(record.actor),
                         QString::fromStdString(record.action),
                         QString::fromStdString(record.subject),
                         QString::fromStdString(record.detail),
                         QString::fromStdString(record.hash)}
                    );
                }
            }
            post(file, [answer, rows = std::move(rows)] { answer(rows); });
        }
    );
}

void SessionRecords::verifyAudit(std::function<void(std::optional<std::int64_t>)> answer)
{
    store::MeshDocument* file = m_session.file();
    if (file == nullptr) {
        return;
    }
    file->verifyAudit(
        [this, file, answer = std::move(answer)](const Result<std::optional<std::int64_t>>& found) {
            // What cannot be read is broken from its first row on.
            const std::optional<std::int64_t> row = found ? *found : std::optional<std::int64_t>(1);
            post(file, [answer, row] { answer(row); });
        }
    );
}

void SessionRecords::exportAudit(
    const QString& path, std::function<void(std::int64_t rows, const QString& failure)> answer
)
{
    store::MeshDocument* file = m_session.file();
    if (file == nullptr) {
        return;
    }
    file->exportAudit(
        QFile::encodeName(path).toStdString(),
        [this, file, answer = std::move(answer)](const Result<std::int64_t>& rows) {
            const QString failure = rows ? QString() : QString::fromStdString(toText(rows.error()));
            post(file, [answer, count = rows ? *rows : 0, failure] { answer(count, failure); });
        }
    );
}

void SessionRecords::askSamples(
    std::int64_t begin_us,
    std::int64_t end_us,
    std::size_t countMax,
    std::function<void(const std::vector<TapRow>&)> answer
)
{
    store::MeshDocument* file = m_session.file();
    if (file == nullptr) {
        return;
    }
    file->samples(
        begin_us,
        end_us,
        countMax,
        [this,
         file,
         answer = std::move(answer)](const Result<std::vector<store::SampleRecord>>& found) {
            std::vector<TapRow> rows;
            if (found) {
                std::ranges::transform(*found, std::back_inserter(rows), rowOfSample);
            }
            post(file, [answer, rows = std::move(rows)] { answer(rows); });
        }
    );
}

void SessionRecords::saveItem(const QString& kind, const QString& name, const QString& text)
{
    store::MeshDocument* file = m_session.file();
    if (file != nullptr && file->access().isWritable()) {
        file->saveItem(kind.toStdString(), name.toStdString(), text.toStdString());
    }
}

void SessionRecords::removeItem(const QString& kind, const QString& name)
{
    store::MeshDocument* file = m_session.file();
    if (file != nullptr && file->access().isWritable()) {
        file->removeItem(kind.toStdString(), name.toStdString());
    }
}

void SessionRecords::askItems(
    const QString& kind, std::function<void(const std::vector<ItemRow>&)> answer
)
{
    store::MeshDocument* file = m_session.file();
    if (file == nullptr) {
        return;
    }
    file->items(
        kind.toStdString(),
        [this, file, answer = std::move(answer)](const Result<std::vector<store::ItemRecord>>& found
        ) {
            std::vector<ItemRow> rows;
            if (found) {
                for (const store::ItemRecord& item : *found) {
                    rows.push_back(
                        {QString::fromStdString(item.name), QString::fromStdString(item.text)}
                    );
                }
            }
            post(file, [answer, rows = std::move(rows)] { answer(rows); });
        }
    );
}

} // namespace mesh::bridge
