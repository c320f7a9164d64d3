#include "app/store/migrations.h"

#include "proxyengine/base/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <vector>

namespace mesh::store {

namespace {

constexpr std::string_view kBackupInfix = ".backup-";

// Version 1: the configuration with its history, and what a person arranged.
constexpr const char* kConfigurationTables = R"(
CREATE TABLE revisions(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    parent INTEGER NOT NULL,
    author TEXT NOT NULL,
    message TEXT NOT NULL,
    time_us INTEGER NOT NULL,
    hash TEXT NOT NULL,
    text TEXT NOT NULL);
CREATE TRIGGER revisions_stay BEFORE UPDATE ON revisions
BEGIN SELECT RAISE(ABORT, 'revisions are never changed'); END;
CREATE TRIGGER revisions_remain BEFORE DELETE ON revisions
BEGIN SELECT RAISE(ABORT, 'revisions are never removed'); END;
CREATE TABLE nodes(
    name TEXT PRIMARY KEY, url TEXT NOT NULL, seen_us INTEGER NOT NULL, hash TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE layout(
    view TEXT NOT NULL, id TEXT NOT NULL, x REAL NOT NULL, y REAL NOT NULL,
    pinned INTEGER NOT NULL, PRIMARY KEY(view, id)) WITHOUT ROWID;
CREATE TABLE settings(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE draft(id INTEGER PRIMARY KEY CHECK(id = 1), text TEXT NOT NULL);
)";

// Version 2: what was measured and what happened. A chunk is the span that is thinned into one step
// of the next table; within it the rows of a series lie together, so that a chart reads few pages.
constexpr const char* kMeasurementTables = R"(
CREATE TABLE series(
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL, source TEXT NOT NULL, service TEXT NOT NULL, route TEXT NOT NULL,
    instance TEXT NOT NULL, target TEXT NOT NULL,
    UNIQUE(kind, source, service, route, instance, target));
CREATE TABLE metrics_1s(
    chunk INTEGER NOT NULL, series INTEGER NOT NULL, time_s INTEGER NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY(chunk, series, time_s)) WITHOUT ROWID;
CREATE TABLE metrics_10s(
    chunk INTEGER NOT NULL, series INTEGER NOT NULL, time_s INTEGER NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY(chunk, series, time_s)) WITHOUT ROWID;
CREATE TABLE metrics_60s(
    chunk INTEGER NOT NULL, series INTEGER NOT NULL, time_s INTEGER NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY(chunk, series, time_s)) WITHOUT ROWID;
CREATE TABLE thinned(step_s INTEGER PRIMARY KEY, end_s INTEGER NOT NULL);
INSERT INTO thinned VALUES(10, 0), (60, 0);
CREATE TABLE events(
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL, begin_us INTEGER NOT NULL, end_us INTEGER NOT NULL,
    label TEXT NOT NULL, detail TEXT NOT NULL, subject TEXT NOT NULL);
CREATE INDEX events_by_begin ON events(begin_us);
)";

// Version 3: what was pushed, who did what, what people keep, requests to route again, and where
// everything stood when. The triggers of the audit stop mistakes; its hashes show the rest.
constexpr const char* kFleetTables = R"(
CREATE TABLE pushes(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    revision INTEGER NOT NULL, revision_before INTEGER NOT NULL,
    begin_us INTEGER NOT NULL, end_us INTEGER NOT NULL, outcome TEXT NOT NULL,
    converged INTEGER NOT NULL, expected INTEGER NOT NULL, json TEXT NOT NULL);
CREATE TABLE audit(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time_us INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,
    detail TEXT NOT NULL, hash TEXT NOT NULL);
CREATE INDEX audit_by_time ON audit(time_us);
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is never changed'); END;
CREATE TRIGGER audit_remains BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is never removed'); END;
CREATE TRIGGER audit_appends BEFORE INSERT ON audit
WHEN EXISTS(SELECT 1 FROM audit WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the audit is never replaced'); END;
CREATE TABLE items(
    kind TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY(kind, name)
) WITHOUT ROWID;
CREATE TABLE samples(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time_us INTEGER NOT NULL, node TEXT NOT NULL, method TEXT NOT NULL, scheme TEXT NOT NULL,
    host TEXT NOT NULL, path TEXT NOT NULL, headers TEXT NOT NULL, source TEXT NOT NULL,
    route TEXT NOT NULL, service TEXT NOT NULL, status INTEGER NOT NULL,
    latency_ms REAL NOT NULL, request_id TEXT NOT NULL);
CREATE INDEX samples_by_time ON samples(time_us);
CREATE TABLE layout_moves(
    view TEXT NOT NULL, id TEXT NOT NULL, time_us INTEGER NOT NULL,
    x REAL NOT NULL, y REAL NOT NULL, pinned INTEGER NOT NULL,
    PRIMARY KEY(view, id, time_us)) WITHOUT ROWID;
INSERT INTO layout_moves SELECT view, id, 0, x, y, pinned FROM layout;
)";

constexpr std::array<const char*, kTablesVersion> kSteps = {
    kConfigurationTables, kMeasurementTables, kFleetTables};

struct Backup
{
    int number;
    std::string path;
};

// Sorted by number, newest last.
std::vector<Backup> backupsOf(const std::string& path)
{
    const std::filesystem::path document(path);
    const std::string prefix = document.filename().string() + std::string(kBackupInfix);
    const auto folder =
        document.has_parent_path() ? document.parent_path() : std::filesystem::path(".");
    std::vector<Backup> backups;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (!name.starts_with(prefix)) {
            continue;
        }
        int number = 0;
        const char* last = name.data() + name.size();
        const auto parsed = std::from_chars(name.data() + prefix.size(), last, number);
        if (parsed.ec == std::errc() && parsed.ptr == last) {
            backups.push_back({number, entry->path().string()});
        }
    }
    std::ranges::sort(backups, {}, &Backup::number);
    return backups;
}

// Writes the next backup by `write`, whole or not at all, then drops the oldest.
template <typename Write>
Result<std::string> addBackup(const std::string& path, Write write)
{
    const std::vector<Backup> backups = backupsOf(path);
    const int number = backups.empty() ? 1 : backups.back().number + 1;
    const std::string copy = fmt::format("{}{}{:04}", path, kBackupInfix, number);
    const std::string part = copy + ".part";
    std::error_code error;
    std::filesystem::remove(part, error); // Of a backup that was interrupted.
    if (auto written = write(part); !written) {
        std::filesystem::remove(part, error);
        return tl::unexpected(std::move(written).error());
    }
    std::filesystem::rename(part, copy, error);
    if (error) {
        return fail(ErrorCode::Io, fmt::format("{}: {}", copy, error.message()));
    }
    for (std::size_t at = 0; at + kAutomaticBackupsMax <= backups.size(); ++at) {
        std::error_code ignored; // An old backup that cannot be removed harms nobody.
        std::filesystem::remove(backups[at].path, ignored);
    }
    return copy;
}

// What a person made, and what happened; not what was measured.
constexpr std::array<const char*, 10> kConfigurationTableNames = {
    "revisions",
    "nodes",
    "layout",
    "settings",
    "draft",
    "events",
    "pushes",
    "audit",
    "items",
    "layout_moves"};

Result<void> fillCopy(Database& database)
{
    MESH_TRY(Transaction transaction, Transaction::begin(database));
    for (const char* table : kConfigurationTableNames) {
        // What the steps of a new file have put there stands in the source too.
        MESH_TRY_VOID(database.execute(fmt::format("DELETE FROM copy.{}", table)));
        MESH_TRY_VOID(
            database.execute(fmt::format("INSERT INTO copy.{0} SELECT * FROM main.{0}", table))
        );
    }
    return transaction.commit();
}

Result<void> copyConfiguration(Database& database, const std::string& path)
{
    {
        MESH_TRY(Database fresh, Database::open(path, Connect::Create));
        MESH_TRY_VOID(migrate(fresh));
    }
    {
        MESH_TRY(Statement attach, database.prepare("ATTACH ? AS copy"));
        attach.bindText(1, path);
        MESH_TRY_VOID(attach.run());
    }
    auto filled = fillCopy(database);
    auto detached = database.execute("DETACH copy");
    return filled ? detached : filled;
}

} // namespace

Result<void> migrate(Database& database, int target)
{
    MESH_TRY(Transaction transaction, Transaction::begin(database));
    // Read inside the transaction, so that two who open at once do not both migrate.
    MESH_TRY(const std::int64_t version, database.number("PRAGMA user_version"));
    for (std::int64_t step = version; step < target; ++step) {
        MESH_TRY_VOID(database.execute(kSteps[static_cast<std::size_t>(step)]));
    }
    if (version < target) {
        MESH_TRY_VOID(database.execute(fmt::format(
            "PRAGMA user_version = {}; PRAGMA application_id = {}", target, kApplicationId
        )));
    }
    return transaction.commit();
}

Result<void> addStandIns(Database& database, std::int64_t version)
{
    constexpr std::string_view kTable = "CREATE TABLE ";
    for (auto step = static_cast<std::size_t>(version); step < kSteps.size(); ++step) {
        const std::string_view sql = kSteps[step];
        for (std::size_t at = sql.find(kTable); at != std::string_view::npos;
             at = sql.find(kTable, at + 1)) {
            const std::string_view table =
                sql.substr(at + kTable.size(), sql.find(";\n", at) - at - kTable.size());
            MESH_TRY_VOID(database.execute(fmt::format("CREATE TEMP TABLE {}", table)));
        }
    }
    return {};
}

std::vector<std::string> backupPaths(const std::string& path)
{
    std::vector<std::string> paths;
    for (Backup& backup : backupsOf(path)) {
        paths.push_back(std::move(backup.path));
    }
    return paths;
}

Result<std::string> backUp(Database& database, const std::string& path)
{
    return addBackup(path, [&](const std::string& copy) { return copyDatabase(database, copy); });
}

Result<std::string> backUpConfiguration(Database& database, const std::string& path)
{
    return addBackup(path, [&](const std::string& copy) {
        return copyConfiguration(database, copy);
    });
}

Result<void> copyDatabase(Database& database, const std::string& path)
{
    std::error_code error;
    if (std::filesystem::exists(path, error)) {
        return fail(ErrorCode::AlreadyExists, path + " exists already");
    }
    MESH_TRY(Statement statement, database.prepare("VACUUM INTO ?"));
    statement.bindText(1, path);
    return statement.run();
}

} // namespace mesh::store
