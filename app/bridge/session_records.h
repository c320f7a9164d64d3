#pragma once

#include "app/bridge/session_rows.h"

#include <QObject>
#include <QString>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace mesh::store {
class MeshDocument;
}

namespace mesh::bridge {

class MeshSession;

// One thing somebody did; see store::AuditRecord.
struct AuditRow
{
    std::int64_t id = 0; // 1, 2, 3 …
    std::int64_t time_us = 0;
    QString actor; // "ada@host"
    QString action; // "revision.applied"
    QString subject;
    QString detail;
    QString hash;
    friend bool operator==(const AuditRow&, const AuditRow&) = default;
};

// A small thing a person made and named: a saved filter, an alert rule, a kept run.
struct ItemRow
{
    QString name; // Unique within its kind.
    QString text;
    friend bool operator==(const ItemRow&, const ItemRow&) = default;
};

// What the open document remembers besides configuration, metrics and events.
//
// Answers come on this thread, later; none comes when the document was closed meanwhile. Without a
// document that can be written, writes do nothing.
class SessionRecords : public QObject
{
    Q_OBJECT

public:
    explicit SessionRecords(MeshSession& session);

    // Appends to the audit what was done: action in dotted words, "fault.started".
    void addAudit(const QString& action, const QString& subject, const QString& detail = {});
    // Oldest first, at most kAuditListedMax newest.
    void askAudit(
        std::int64_t begin_us,
        std::int64_t end_us,
        std::function<void(const std::vector<AuditRow>&)> answer
    );
    // The first row that was changed or is missing; empty: the chain holds.
    void verifyAudit(std::function<void(std::optional<std::int64_t>)> answer);
    // As lines of JSON into a new file; answered with their number, or why not.
    void exportAudit(
        const QString& path, std::function<void(std::int64_t rows, const QString& failure)> answer
    );

    // Requests as nodes told them, in [begin, end), oldest first, at most `countMax` newest. Times
    // of attempts, policies and reasons are not kept.
    void askSamples(
        std::int64_t begin_us,
        std::int64_t end_us,
        std::size_t countMax,
        std::function<void(const std::vector<TapRow>&)> answer
    );

    void saveItem(const QString& kind, const QString& name, const QString& text);
    void removeItem(const QString& kind, const QString& name);
    // Sorted by name.
    void askItems(const QString& kind, std::function<void(const std::vector<ItemRow>&)> answer);

private:
    // On this thread, unless `asked` is not the open file any more.
    void post(const store::MeshDocument* asked, std::function<void()> work);

    MeshSession& m_session;
    QString m_host;
};

} // namespace mesh::bridge
