#include "app/store/document_file.h"

#include "app/store/migrations.h"
#include "app/store/record_tables.h"
#include "proxyengine/base/limits.h"

#include <fmt/format.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace mesh::store {

namespace {

constexpr std::uint64_t kPageBytes = 8192; // Metrics are read in runs; fewer, larger pages.
constexpr int kCacheKibibytes = 16 * 1024;
constexpr int kWalBytesMax = 64 * 1024 * 1024; // What stays of the log after a burst.

// Root passes every access() check, so the mode is looked at too: who removed the write bits meant
// it.
bool canWrite(const std::string& path)
{
    struct stat status = {};
    if (::stat(path.c_str(), &status) != 0 || (status.st_mode & 0222U) == 0) {
        return false;
    }
    return ::access(path.c_str(), W_OK) == 0;
}

std::string folderOf(const std::string& path)
{
    const auto folder = std::filesystem::path(path).parent_path();
    return folder.empty() ? "." : folder.string();
}

Result<void> checkIsDocument(Database& database)
{
    MESH_TRY(const std::int64_t id, database.number("PRAGMA application_id"));
    MESH_TRY(const std::int64_t version, database.number("PRAGMA user_version"));
    if (id != kApplicationId || version < 1) {
        return fail(ErrorCode::Syntax, "the file is no mesh document");
    }
    return {};
}

Result<OpenedFile> openReadOnly(const std::string& path, Access access)
{
    auto database = Database::open(path, Connect::ReadOnly);
    auto checked =
        database ? checkDocument(*database) : Result<void>(tl::unexpected(database.error()));
    if (!checked && checked.error().code != ErrorCode::Syntax) {
        // On a read-only medium the shared memory of the log cannot be made.
        database = Database::open(path, Connect::Immutable);
        checked =
            database ? checkDocument(*database) : Result<void>(tl::unexpected(database.error()));
    }
    if (!checked) {
        return tl::unexpected(std::move(checked).error());
    }
    MESH_TRY(const std::int64_t version, database->number("PRAGMA user_version"));
    MESH_TRY_VOID(addStandIns(*database, version));
    return OpenedFile{nullptr, *std::move(database), std::move(access)};
}

Result<void> configure(Database& database, const OpenOptions& options)
{
    MESH_TRY_VOID(database.execute(fmt::format(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -{}; "
        "PRAGMA journal_size_limit = {}; PRAGMA temp_store = MEMORY",
        kCacheKibibytes,
        kWalBytesMax
    )));
    if (options.bytesMax != 0) {
        MESH_TRY(const std::int64_t pageBytes, database.number("PRAGMA page_size"));
        const auto pages = options.bytesMax / static_cast<std::uint64_t>(pageBytes);
        MESH_TRY_VOID(database.execute(fmt::format("PRAGMA max_page_count = {}", pages)));
    }
    return {};
}

} // namespace

Result<void> checkDocument(Database& database)
{
    MESH_TRY_VOID(checkIsDocument(database));
    // Those of the first version; a later one may lack in the file.
    for (const char* table : {"revisions", "draft", "nodes", "layout", "settings"}) {
        MESH_TRY(Statement check, database.prepare(fmt::format("PRAGMA quick_check({})", table)));
        MESH_TRY(const bool hasRow, check.step());
        const std::string words = hasRow ? check.text(0) : "no answer";
        if (words != "ok") {
            return fail(ErrorCode::Syntax, "the document is damaged: " + words);
        }
    }
    return {};
}

Result<OpenedFile> openFile(const std::string& path, OpenIntent intent, const OpenOptions& options)
{
    std::error_code ignored;
    const bool isThere = std::filesystem::exists(path, ignored);
    if (intent == OpenIntent::Create && isThere) {
        return fail(ErrorCode::AlreadyExists, path + " exists already");
    }
    if (intent == OpenIntent::Existing && !isThere) {
        return fail(ErrorCode::NotFound, path + " does not exist");
    }
    if (options.mode == OpenMode::ReadOnly) {
        return openReadOnly(path, {AccessReason::AskedFor, "opened for reading"});
    }
    if (isThere && (!canWrite(path) || !canWrite(folderOf(path)))) {
        return openReadOnly(
            path, {AccessReason::NotWritable, "the file or its folder is read-only"}
        );
    }
    auto lock = FileLock::take(path);
    if (!lock) {
        const Error& error = lock.error();
        if (isThere && error.code == ErrorCode::Conflict) {
            return openReadOnly(path, {AccessReason::InUse, error.message});
        }
        return tl::unexpected(error);
    }
    MESH_TRY(
        Database database, Database::open(path, isThere ? Connect::ReadWrite : Connect::Create)
    );
    if (isThere) {
        MESH_TRY_VOID(checkDocument(database));
        MESH_TRY(const std::int64_t version, database.number("PRAGMA user_version"));
        if (version > kTablesVersion) {
            const auto text = fmt::format(
                "the document was written by a newer version (tables {}, known up to {})",
                version,
                kTablesVersion
            );
            return openReadOnly(path, {AccessReason::NewerVersion, text});
        }
        if (version < kTablesVersion) {
            MESH_TRY(const std::string backup, backUp(database, path));
        }
    } else {
        MESH_TRY_VOID(database.execute(fmt::format("PRAGMA page_size = {}", kPageBytes)));
    }
    MESH_TRY_VOID(configure(database, options));
    MESH_TRY_VOID(migrate(database));
    return OpenedFile{std::make_unique<FileLock>(*std::move(lock)), std::move(database), Access{}};
}

Result<Revision> insertRevision(Database& database, const NewRevision& revision)
{
    return synced(database, [&]() -> Result<Revision> {
        MESH_TRY(Transaction transaction, Transaction::begin(database));
        MESH_TRY(const std::int64_t parent, database.number("SELECT max(id) FROM revisions"));
        MESH_TRY(
            Statement statement,
            database.prepare("INSERT INTO revisions(parent, author, message, time_us, hash, text) "
                             "VALUES(?, ?, ?, ?, ?, ?)")
        );
        const std::int64_t time_us = revision.time.time_since_epoch().count();
        statement.bind(1, parent).bindText(2, revision.author).bindText(3, revision.message);
        statement.bind(4, time_us).bindText(5, revision.hash).bindText(6, revision.text);
        MESH_TRY_VOID(statement.run());
        const std::int64_t id = database.insertedId();
        MESH_TRY_VOID(transaction.commit());
        return Revision{
            id, parent, revision.author, revision.message, revision.time, revision.hash};
    });
}

Result<std::vector<Revision>> readRevisions(Database& database)
{
    MESH_TRY(
        Statement statement,
        database.prepare("SELECT id, parent, author, message, time_us, hash FROM revisions "
                         "ORDER BY id DESC LIMIT ?")
    );
    statement.bind(1, static_cast<std::int64_t>(kRevisionsListedMax));
    std::vector<Revision> revisions;
    for (;;) {
        MESH_TRY(const bool hasRow, statement.step());
        if (!hasRow) {
            break;
        }
        revisions.push_back(
            {statement.integer(0),
             statement.integer(1),
             statement.text(2),
             statement.text(3),
             WallTime(std::chrono::microseconds(statement.integer(4))),
             statement.text(5)}
        );
    }
    std::ranges::reverse(revisions);
    return revisions;
}

Result<std::string> readRevisionText(Database& database, std::int64_t id)
{
    MESH_TRY(Statement statement, database.prepare("SELECT text FROM revisions WHERE id = ?"));
    statement.bind(1, id);
    MESH_TRY(const bool hasRow, statement.step());
    if (!hasRow) {
        return fail(ErrorCode::NotFound, fmt::format("there is no revision {}", id));
    }
    return statement.text(0);
}

Result<void> replaceNodes(Database& database, const std::vector<NodeRecord>& nodes)
{
    MESH_TRY(Transaction transaction, Transaction::begin(database));
    MESH_TRY_VOID(database.execute("DELETE FROM nodes"));
    MESH_TRY(Statement statement, database.prepare("REPLACE INTO nodes VALUES(?, ?, ?, ?)"));
    for (const NodeRecord& node : nodes) {
        const std::int64_t seen_us = node.seenLast.time_since_epoch().count();
        statement.bindText(1, node.name).bindText(2, node.url);
        statement.bind(3, seen_us).bindText(4, node.hashLast);
        MESH_TRY_VOID(statement.run());
    }
    return transaction.commit();
}

Result<void> replaceLayout(
    Database& database, const std::string& view, const std::vector<LayoutPosition>& positions
)
{
    MESH_TRY(Transaction transaction, Transaction::begin(database));
    MESH_TRY(Statement removal, database.prepare("DELETE FROM layout WHERE view = ?"));
    removal.bindText(1, view);
    MESH_TRY_VOID(removal.run());
    MESH_TRY(Statement statement, database.prepare("REPLACE INTO layout VALUES(?, ?, ?, ?, ?)"));
    for (const LayoutPosition& position : positions) {
        statement.bindText(1, view).bindText(2, position.id).bind(3, position.x);
        statement.bind(4, position.y).bind(5, static_cast<std::int64_t>(position.isPinned));
        MESH_TRY_VOID(statement.run());
    }
    return transaction.commit();
}

Result<void> replaceSetting(Database& database, const std::string& key, const std::string& value)
{
    MESH_TRY(Statement statement, database.prepare("REPLACE INTO settings VALUES(?, ?)"));
    statement.bindText(1, key).bindText(2, value);
    return statement.run();
}

Result<void> replaceDraft(Database& database, const std::optional<std::string>& text)
{
    if (!text) {
        return database.execute("DELETE FROM draft");
    }
    MESH_TRY(Statement statement, database.prepare("REPLACE INTO draft VALUES(1, ?)"));
    statement.bindText(1, *text);
    return statement.run();
}

Result<std::int64_t> insertEvent(Database& database, const EventRecord& event)
{
    MESH_TRY(
        Statement statement,
        database.prepare("INSERT INTO events(kind, begin_us, end_us, label, detail, subject) "
                         "VALUES(?, ?, ?, ?, ?, ?)")
    );
    statement.bindText(1, event.kind).bind(2, event.begin_us).bind(3, event.end_us);
    statement.bindText(4, event.label).bindText(5, event.detail).bindText(6, event.subject);
    MESH_TRY_VOID(statement.run());
    return database.insertedId();
}

Result<void> updateEventEnd(Database& database, std::int64_t id, std::int64_t end_us)
{
    MESH_TRY(Statement statement, database.prepare("UPDATE events SET end_us = ? WHERE id = ?"));
    statement.bind(1, end_us).bind(2, id);
    return statement.run();
}

Result<std::vector<EventRecord>> readEvents(
    Database& database, std::int64_t begin_us, std::int64_t end_us
)
{
    MESH_TRY(
        Statement statement,
        database.prepare("SELECT id, kind, begin_us, end_us, label, detail, subject FROM events "
                         "WHERE begin_us <= ? AND (end_us >= ? OR end_us = 0) "
                         "ORDER BY begin_us DESC, id DESC LIMIT ?")
    );
    statement.bind(1, end_us).bind(2, begin_us);
    statement.bind(3, static_cast<std::int64_t>(kEventsListedMax));
    std::vector<EventRecord> events;
    for (;;) {
        MESH_TRY(const bool hasRow, statement.step());
        if (!hasRow) {
            break;
        }
        events.push_back(
            {statement.integer(0),
             statement.text(1),
             statement.integer(2),
             statement.integer(3),
             statement.text(4),
             statement.text(5),
             statement.text(6)}
        );
    }
    std::ranges::reverse(events);
    return events;
}

Result<Opening> readOpening(Database& database, MetricTable& metrics)
{
    Opening opening;
    MESH_TRY(opening.revisions, readRevisions(database));
    if (!opening.revisions.empty()) {
        MESH_TRY(opening.text, readRevisionText(database, opening.revisions.back().id));
    }
    MESH_TRY(Statement draft, database.prepare("SELECT text FROM draft"));
    MESH_TRY(const bool hasDraft, draft.step());
    if (hasDraft) {
        opening.draft = draft.text(0);
    }
    MESH_TRY(opening.recorded, metrics.recorded(database));
    MESH_TRY(Statement layout, database.prepare("SELECT view, id, x, y, pinned FROM layout"));
    for (;;) {
        MESH_TRY(const bool hasRow, layout.step());
        if (!hasRow) {
            break;
        }
        opening.positions.emplace_back(
            layout.text(0),
            LayoutPosition{layout.text(1), layout.real(2), layout.real(3), layout.integer(4) != 0}
        );
    }
    MESH_TRY(Statement settings, database.prepare("SELECT key, value FROM settings"));
    for (;;) {
        MESH_TRY(const bool hasRow, settings.step());
        if (!hasRow) {
            break;
        }
        opening.settings.emplace_back(settings.text(0), settings.text(1));
    }
    MESH_TRY(Statement nodes, database.prepare("SELECT name, url, seen_us, hash FROM nodes"));
    for (;;) {
        MESH_TRY(const bool hasRow, nodes.step());
        if (!hasRow) {
            break;
        }
        opening.nodes.push_back(
            {nodes.text(0),
             nodes.text(1),
             WallTime(std::chrono::microseconds(nodes.integer(2))),
             nodes.text(3)}
        );
    }
    return opening;
}

} // namespace mesh::store
