#include "app/store/record_tables.h"

#include "proxyengine/base/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace mesh::store {

namespace {

constexpr const char* kPushColumns =
    "id, revision, revision_before, begin_us, end_us, outcome, converged, expected";

// The columns of kPushColumns.
PushRecord pushOf(const Statement& statement)
{
    PushRecord push;
    push.id = statement.integer(0);
    push.revision = statement.integer(1);
    push.revisionBefore = statement.integer(2);
    push.begin_us = statement.integer(3);
    push.end_us = statement.integer(4);
    push.outcome = statement.text(5);
    push.converged = static_cast<int>(statement.integer(6));
    push.expected = static_cast<int>(statement.integer(7));
    return push;
}

// Binds 1 to 8, all but the id.
void bindPush(Statement& statement, const PushRecord& push)
{
    statement.bind(1, push.revision).bind(2, push.revisionBefore);
    statement.bind(3, push.begin_us).bind(4, push.end_us).bindText(5, push.outcome);
    statement.bind(6, static_cast<std::int64_t>(push.converged));
    statement.bind(7, static_cast<std::int64_t>(push.expected));
    statement.bindText(8, push.json);
}

Result<std::int64_t> insertPush(Database& database, const PushRecord& push)
{
    MESH_TRY(
        Statement statement,
        database.prepare("INSERT INTO pushes(revision, revision_before, begin_us, end_us, outcome, "
                         "converged, expected, json) VALUES(?, ?, ?, ?, ?, ?, ?, ?)")
    );
    bindPush(statement, push);
    MESH_TRY_VOID(statement.run());
    const std::int64_t id = database.insertedId();
    MESH_TRY_VOID(database.execute(fmt::format(
        "UPDATE pushes SET json = '' WHERE id <= {} AND end_us <> 0 AND json <> ''",
        id - static_cast<std::int64_t>(kPushDetailsMax)
    )));
    return id;
}

Result<std::int64_t> updatePush(Database& database, const PushRecord& push)
{
    MESH_TRY(
        Statement statement,
        database.prepare("UPDATE pushes SET revision = ?, revision_before = ?, begin_us = ?, "
                         "end_us = ?, outcome = ?, converged = ?, expected = ?, json = ? "
                         "WHERE id = ?")
    );
    bindPush(statement, push);
    statement.bind(9, push.id);
    MESH_TRY_VOID(statement.run());
    if (database.changedRows() == 0) {
        return fail(ErrorCode::NotFound, fmt::format("there is no push {}", push.id));
    }
    return push.id;
}

// Where everything of a view stood at its last move.
Result<std::map<std::string, LayoutPosition>> lastPositions(
    Database& database, const std::string& view
)
{
    MESH_TRY(
        Statement statement,
        database.prepare("SELECT id, x, y, pinned, max(time_us) FROM layout_moves "
                         "WHERE view = ? GROUP BY id")
    );
    statement.bindText(1, view);
    std::map<std::string, LayoutPosition> positions;
    for (;;) {
        MESH_TRY(const bool hasRow, statement.step());
        if (!hasRow) {
            return positions;
        }
        LayoutPosition position{
            statement.text(0), statement.real(1), statement.real(2), statement.integer(3) != 0};
        positions.emplace(position.id, std::move(position));
    }
}

} // namespace

Result<std::int64_t> replacePush(Database& database, const PushRecord& push)
{
    if (push.json.size() > kPushBytesMax) {
        return fail(
            ErrorCode::LimitExceeded,
            fmt::format("a push of {} bytes; at most {} are kept", push.json.size(), kPushBytesMax)
        );
    }
    return synced(database, [&]() -> Result<std::int64_t> {
        MESH_TRY(Transaction transaction, Transaction::begin(database));
        MESH_TRY(
            const std::int64_t id,
            push.id == 0 ? insertPush(database, push) : updatePush(database, push)
        );
        MESH_TRY_VOID(transaction.commit());
        return id;
    });
}

Result<std::vector<PushRecord>> readPushes(Database& database)
{
    MESH_TRY(
        Statement statement,
        database.prepare(
            fmt::format("SELECT {}, json FROM pushes ORDER BY id DESC LIMIT ?", kPushColumns)
        )
    );
    statement.bind(1, static_cast<std::int64_t>(kPushesListedMax));
    std::vector<PushRecord> pushes;
    std::size_t bytes = 0;
    for (;;) {
        MESH_TRY(const bool hasRow, statement.step());
        if (!hasRow) {
            break;
        }
        PushRecord push = pushOf(statement);
        bytes += statement.bytes(8).size();
        if (bytes <= kPushListBytesMax) {
            push.json = statement.text(8);
        }
        pushes.push_back(std::move(push));
    }
    std::ranges::reverse(pushes);
    return pushes;
}

Result<PushRecord> readPush(Database& database, std::int64_t id)
{
    MESH_TRY(
        Statement statement,
        database.prepare(fmt::format("SELECT {}, json FROM pushes WHERE id = ?", kPushColumns))
    );
    statement.bind(1, id);
    MESH_TRY(const bool hasRow, statement.step());
    if (!hasRow) {
        return fail(ErrorCode::NotFound, fmt::format("there is no push {}", id));
    }
    PushRecord push = pushOf(statement);
    push.json = statement.text(8);
    return push;
}

Result<void> replaceItem(Database& database, const ItemRecord& item)
{
    if (item.kind.empty() || item.name.empty()) {
        return fail(ErrorCode::InvalidArgument, "an item needs a kind and a name");
    }
    if (item.name.size() + item.text.size() > kItemBytesMax) {
        return fail(
            ErrorCode::LimitExceeded,
            fmt::format(
                "{} has {} bytes; at most {} are kept", item.name, item.text.size(), kItemBytesMax
            )
        );
    }
    MESH_TRY(Transaction transaction, Transaction::begin(database));
    MESH_TRY(
        Statement count, database.prepare("SELECT count(*) FROM items WHERE kind = ? AND name <> ?")
    );
    count.bindText(1, item.kind).bindText(2, item.name);
    MESH_TRY(const bool hasRow, count.step());
    if (hasRow && count.integer(0) >= static_cast<std::int64_t>(kItemsPerKindMax)) {
        return fail(
            ErrorCode::LimitExceeded,
            fmt::format("{} of them are kept already; remove one first", kItemsPerKindMax)
        );
    }
    MESH_TRY(Statement statement, database.prepare("REPLACE INTO items VALUES(?, ?, ?)"));
    statement.bindText(1, item.kind).bindText(2, item.name).bindText(3, item.text);
    MESH_TRY_VOID(statement.run());
    return transaction.commit();
}

Result<void> deleteItem(Database& database, const std::string& kind, const std::string& name)
{
    MESH_TRY(
        Statement statement, database.prepare("DELETE FROM items WHERE kind = ? AND name = ?")
    );
    statement.bindText(1, kind).bindText(2, name);
    return statement.run();
}

Result<std::vector<ItemRecord>> readItems(Database& database, const std::string& kind)
{
    MESH_TRY(
        Statement statement,
        database.prepare("SELECT name, text FROM items WHERE kind = ? ORDER BY name")
    );
    statement.bindText(1, kind);
    std::vector<ItemRecord> items;
    for (;;) {
        MESH_TRY(const bool hasRow, statement.step());
        if (!hasRow) {
            return items;
        }
        items.push_back({kind, statement.text(0), statement.text(1)});
    }
}

Result<void> insertSamples(Database& database, const std::vector<SampleRecord>& samples)
{
    MESH_TRY(Transaction transaction, Transaction::begin(database));
    MESH_TRY(
        Statement statement,
        database.prepare("INSERT INTO samples(time_us, node, method, scheme, host, path, headers, "
                         "source, route, service, status, latency_ms, request_id) "
                         "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    );
    for (const SampleRecord& sample : samples) {
        statement.bind(1, sample.time_us).bindText(2, sample.node).bindText(3, sample.method);
        statement.bindText(4, sample.scheme).bindText(5, sample.host).bindText(6, sample.path);
        statement.bindText(7, sample.headers).bindText(8, sample.source);
        statement.bindText(9, sample.route).bindText(10, sample.service);
        statement.bind(11, static_cast<std::int64_t>(sample.status)).bind(12, sample.latency_ms);
        statement.bindText(13, sample.requestId);
        MESH_TRY_VOID(statement.run());
    }
    MESH_TRY_VOID(database.execute(fmt::format(
        "DELETE FROM samples WHERE id <= (SELECT max(id) FROM samples) - {}", kSamplesKeptMax
    )));
    return transaction.commit();
}

Result<std::vector<SampleRecord>> readSamples(
    Database& database, std::int64_t begin_us, std::int64_t end_us, std::size_t countMax
)
{
    MESH_TRY(
        Statement statement,
        database.prepare("SELECT time_us, node, method, scheme, host, path, headers, source, "
                         "route, service, status, latency_ms, request_id FROM samples "
                         "WHERE time_us >= ? AND time_us < ? ORDER BY time_us DESC, id DESC LIMIT ?"
        )
    );
    statement.bind(1, begin_us).bind(2, end_us);
    statement.bind(3, static_cast<std::int64_t>(std::min(countMax, kSamplesKeptMax)));
    std::vector<SampleRecord> samples;
    for (;;) {
        MESH_TRY(const bool hasRow, statement.step());
        if (!hasRow) {
            break;
        }
        SampleRecord sample;
        sample.time_us = statement.integer(0);
        sample.node = statement.text(1);
        sample.method = statement.text(2);
        sample.scheme = statement.text(3);
        sample.host = statement.text(4);
        sample.path = statement.text(5);
        sample.headers = statement.text(6);
        sample.source = statement.text(7);
        sample.route = statement.text(8);
        sample.service = statement.text(9);
        sample.status = static_cast<int>(statement.integer(10));
        sample.latency_ms = statement.real(11);
        sample.requestId = statement.text(12);
        samples.push_back(std::move(sample));
    }
    std::ranges::reverse(samples);
    return samples;
}

Result<void> insertLayoutMoves(
    Database& database,
    const std::string& view,
    std::int64_t time_us,
    const std::vector<LayoutPosition>& positions
)
{
    MESH_TRY(Transaction transaction, Transaction::begin(database));
    MESH_TRY(const auto last, lastPositions(database, view));
    MESH_TRY(
        Statement statement, database.prepare("REPLACE INTO layout_moves VALUES(?, ?, ?, ?, ?, ?)")
    );
    for (const LayoutPosition& position : positions) {
        const auto known = last.find(position.id);
        if (known != last.end() && known->second == position) {
            continue;
        }
        statement.bindText(1, view).bindText(2, position.id).bind(3, time_us);
        statement.bind(4, position.x).bind(5, position.y);
        statement.bind(6, static_cast<std::int64_t>(position.isPinned));
        MESH_TRY_VOID(statement.run());
    }
    // The oldest moves go first, but nothing loses its last one.
    MESH_TRY(
        Statement removal,
        database.prepare("DELETE FROM layout_moves WHERE view = ?1 AND (id, time_us) IN "
                         "(SELECT id, time_us FROM layout_moves AS old WHERE view = ?1 AND EXISTS "
                         "(SELECT 1 FROM layout_moves WHERE view = ?1 AND id = old.id "
                         "AND time_us > old.time_us) ORDER BY time_us LIMIT "
                         "max(0, (SELECT count(*) FROM layout_moves WHERE view = ?1) - ?2))")
    );
    removal.bindText(1, view).bind(2, static_cast<std::int64_t>(kLayoutMovesMax));
    MESH_TRY_VOID(removal.run());
    return transaction.commit();
}

Result<std::vector<LayoutPosition>> readLayoutAt(
    Database& database, const std::string& view, std::int64_t time_us
)
{
    // The last move until then; of what had not been placed yet, the first one after.
    MESH_TRY(
        Statement statement,
        database.prepare("SELECT id, x, y, pinned, max(time_us) FROM layout_moves "
                         "WHERE view = ?1 AND time_us <= ?2 GROUP BY id UNION ALL "
                         "SELECT id, x, y, pinned, min(time_us) FROM layout_moves "
                         "WHERE view = ?1 GROUP BY id HAVING min(time_us) > ?2 ORDER BY 1")
    );
    statement.bindText(1, view).bind(2, time_us);
    std::vector<LayoutPosition> positions;
    for (;;) {
        MESH_TRY(const bool hasRow, statement.step());
        if (!hasRow) {
            return positions;
        }
        positions.push_back(
            {statement.text(0), statement.real(1), statement.real(2), statement.integer(3) != 0}
        );
    }
}

} // namespace mesh::store
