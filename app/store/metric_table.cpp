#include "app/store/metric_table.h"

#include "proxyengine/base/assert.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace mesh::store {

namespace {

// The three tables. A chunk of one level is a step of the next.
struct Level
{
    const char* table;
    std::int64_t step_s;
    std::int64_t chunk_s;
    std::int64_t keep_s;
};

constexpr std::array<Level, 3> kLevels = {{
    {"metrics_1s", 1, 10, kKeep1s_s},
    {"metrics_10s", 10, 60, kKeep10s_s},
    {"metrics_60s", 60, 3600, kKeep60s_s},
}};

constexpr std::int64_t floorTo(std::int64_t time, std::int64_t step)
{
    const std::int64_t rest = time % step;
    return time - (rest < 0 ? rest + step : rest);
}

const Level& levelOf(std::int64_t step_s)
{
    const auto found = std::ranges::find(kLevels, step_s, &Level::step_s);
    MESH_ASSERT(found != kLevels.end());
    return *found;
}

// Calls `receive` with series, time and value of every row of the span, by chunk and series.
template <typename Receive>
Result<void> readSpan(Database& database, const Span& span, Receive receive)
{
    const Level& level = levelOf(span.step_s);
    MESH_TRY(
        Statement statement,
        database.prepare(fmt::format(
            "SELECT series, time_s, value FROM {} WHERE chunk >= ?1 AND chunk < ?3 "
            "AND time_s >= ?2 AND time_s < ?3",
            level.table
        ))
    );
    statement.bind(1, floorTo(span.begin_s, level.chunk_s));
    statement.bind(2, span.begin_s).bind(3, span.end_s);
    for (;;) {
        MESH_TRY(const bool hasRow, statement.step());
        if (!hasRow) {
            return {};
        }
        MESH_TRY(const MetricValue value, decode(statement.bytes(2)));
        receive(statement.integer(0), statement.integer(1), value);
    }
}

// The same for some series only, chunk by chunk.
template <typename Receive>
Result<void> readSeries(
    Database& database, const Span& span, const std::vector<std::int64_t>& ids, Receive receive
)
{
    const Level& level = levelOf(span.step_s);
    MESH_TRY(
        Statement statement,
        database.prepare(fmt::format(
            "SELECT time_s, value FROM {} WHERE chunk = ? AND series = ? "
            "AND time_s >= ? AND time_s < ?",
            level.table
        ))
    );
    for (std::int64_t chunk = floorTo(span.begin_s, level.chunk_s); chunk < span.end_s;
         chunk += level.chunk_s) {
        for (const std::int64_t id : ids) {
            statement.bind(1, chunk).bind(2, id).bind(3, span.begin_s).bind(4, span.end_s);
            for (;;) {
                MESH_TRY(const bool hasRow, statement.step());
                if (!hasRow) {
                    break;
                }
                MESH_TRY(const MetricValue value, decode(statement.bytes(1)));
                receive(statement.integer(0), value);
            }
            statement.reset();
        }
    }
    return {};
}

} // namespace

std::vector<Span> spansOf(TimeRange range, std::int64_t stepMax_s, const Retention& retention)
{
    std::vector<Span> spans;
    std::int64_t time = range.begin_s;
    while (time < range.end_s) {
        const auto fits = [&](std::int64_t step, std::int64_t thinnedEnd) {
            return step <= stepMax_s && floorTo(time, step) == time && time + step <= range.end_s
                   && time + step <= thinnedEnd;
        };
        std::int64_t step = 1;
        if (fits(60, retention.end60_s)) {
            step = 60;
        } else if (fits(10, retention.end10_s)) {
            step = 10;
        }
        if (time < retention.begin10_s) {
            step = 60;
        } else if (time < retention.begin1_s) {
            step = std::max<std::int64_t>(step, 10);
        }
        std::int64_t begin = floorTo(time, step);
        if (!spans.empty() && spans.back().end_s > begin) {
            begin = spans.back().end_s;
        }
        if (!spans.empty() && spans.back().step_s == step && spans.back().end_s == begin) {
            spans.back().end_s += step;
        } else {
            spans.push_back({begin, begin + step, step});
        }
        time = begin + step;
    }
    return spans;
}

std::size_t MetricTable::KeyHash::operator()(const SeriesKey& key) const
{
    const std::hash<std::string> hash;
    std::size_t sum = static_cast<std::size_t>(key.kind);
    for (const std::string* part :
         {&key.source, &key.service, &key.route, &key.instance, &key.target}) {
        sum = sum * 0x9E3779B97F4A7C15U + hash(*part);
    }
    return sum;
}

Result<MetricTable> MetricTable::load(Database& database)
{
    MetricTable table;
    MESH_TRY_VOID(table.reload(database));
    return table;
}

Result<void> MetricTable::reload(Database& database)
{
    m_ids.clear();
    m_keys.clear();
    MESH_TRY(
        Statement statement,
        database.prepare("SELECT id, kind, source, service, route, instance, target FROM series")
    );
    for (;;) {
        MESH_TRY(const bool hasRow, statement.step());
        if (!hasRow) {
            break;
        }
        SeriesKey key{
            static_cast<SeriesKind>(statement.integer(1)),
            statement.text(2),
            statement.text(3),
            statement.text(4),
            statement.text(5),
            statement.text(6)};
        m_keys.emplace(statement.integer(0), key);
        m_ids.emplace(std::move(key), statement.integer(0));
    }
    for (std::size_t level = 1; level < kLevels.size(); ++level) {
        MESH_TRY(
            m_thinnedEnd_s[level],
            database.number(
                fmt::format("SELECT end_s FROM thinned WHERE step_s = {}", kLevels[level].step_s)
            )
        );
    }
    MESH_TRY(const TimeRange range, recorded(database));
    m_newest_s = range.end_s == range.begin_s ? 0 : range.end_s - 1;
    for (std::size_t level = 0; level < kLevels.size(); ++level) {
        // Dropping is by whole chunks; what is due but not yet dropped is harmless.
        m_droppedEnd_s[level] = floorTo(m_newest_s - kLevels[level].keep_s, kLevels[level].chunk_s);
    }
    return {};
}

Result<std::int64_t> MetricTable::idOf(Database& database, const SeriesKey& key)
{
    const auto found = m_ids.find(key);
    if (found != m_ids.end()) {
        return found->second;
    }
    MESH_TRY(
        Statement statement,
        database.prepare("INSERT INTO series(kind, source, service, route, instance, target) "
                         "VALUES(?, ?, ?, ?, ?, ?)")
    );
    statement.bind(1, static_cast<std::int64_t>(key.kind)).bindText(2, key.source);
    statement.bindText(3, key.service).bindText(4, key.route);
    statement.bindText(5, key.instance).bindText(6, key.target);
    MESH_TRY_VOID(statement.run());
    const std::int64_t id = database.insertedId();
    m_ids.emplace(key, id);
    m_keys.emplace(id, key);
    return id;
}

Result<MetricTable::Statements*> MetricTable::statements(Database& database, std::size_t level)
{
    if (!m_statements[level]) {
        const char* table = kLevels[level].table;
        MESH_TRY(
            Statement insert,
            database.prepare(
                fmt::format("INSERT INTO {} VALUES(?, ?, ?, ?) ON CONFLICT DO NOTHING", table)
            )
        );
        MESH_TRY(
            Statement select,
            database.prepare(fmt::format(
                "SELECT value FROM {} WHERE chunk = ? AND series = ? AND time_s = ?", table
            ))
        );
        MESH_TRY(
            Statement replace,
            database.prepare(fmt::format("REPLACE INTO {} VALUES(?, ?, ?, ?)", table))
        );
        m_statements[level].emplace(Statements{
            std::move(insert), std::move(select), std::move(replace)});
    }
    return &*m_statements[level];
}

Result<void> MetricTable::merge(
    Database& database,
    std::size_t level,
    std::int64_t time_s,
    std::int64_t series,
    const MetricValue& value
)
{
    MESH_TRY(Statements * use, statements(database, level));
    const std::int64_t step = floorTo(time_s, kLevels[level].step_s);
    const std::int64_t chunk = floorTo(time_s, kLevels[level].chunk_s);
    encode(value, m_bytes);
    use->insert.bind(1, chunk).bind(2, series).bind(3, step).bindBlob(4, m_bytes);
    MESH_TRY_VOID(use->insert.run());
    if (database.changedRows() > 0) {
        return {};
    }
    use->select.bind(1, chunk).bind(2, series).bind(3, step);
    MESH_TRY(const bool hasRow, use->select.step());
    MESH_ASSERT(hasRow);
    auto sum = decode(use->select.bytes(0));
    use->select.reset();
    if (!sum) {
        return tl::unexpected(std::move(sum).error());
    }
    sum->merge(value);
    encode(*sum, m_bytes);
    use->replace.bind(1, chunk).bind(2, series).bind(3, step).bindBlob(4, m_bytes);
    return use->replace.run();
}

Result<void> MetricTable::add(Database& database, const std::vector<MetricRow>& rows)
{
    for (const MetricRow& row : rows) {
        MESH_TRY(const std::int64_t id, idOf(database, row.key));
        for (std::size_t level = 0; level < kLevels.size(); ++level) {
            // Wider steps only when theirs are written already; thin() makes the others.
            const bool isWritten = level == 0 || row.time_s < m_thinnedEnd_s[level];
            if (isWritten && row.time_s >= m_droppedEnd_s[level]) {
                MESH_TRY_VOID(merge(database, level, row.time_s, id, row.value));
            }
        }
        m_newest_s = std::max(m_newest_s, row.time_s);
    }
    return {};
}

Result<void> MetricTable::thin(Database& database)
{
    for (std::size_t level = 1; level < kLevels.size(); ++level) {
        const std::int64_t complete =
            level == 1 ? m_newest_s - kLateness_s + 1 : m_thinnedEnd_s[level - 1];
        const std::int64_t until = floorTo(complete, kLevels[level].step_s);
        if (until > m_thinnedEnd_s[level]) {
            MESH_TRY_VOID(thinLevel(database, level, until));
        }
    }
    return drop(database);
}

Result<void> MetricTable::thinLevel(Database& database, std::size_t level, std::int64_t until)
{
    const Level& narrow = kLevels[level - 1];
    MESH_TRY(
        Statement statement,
        database.prepare(fmt::format(
            "SELECT chunk FROM {} WHERE chunk >= ? ORDER BY chunk LIMIT 1", narrow.table
        ))
    );
    std::int64_t begin = m_thinnedEnd_s[level];
    while (begin < until) {
        // Hours without rows are skipped in one step.
        statement.bind(1, begin);
        MESH_TRY(const bool hasRow, statement.step());
        const std::int64_t found = hasRow ? statement.integer(0) : until;
        statement.reset();
        if (found >= until) {
            break;
        }
        MESH_TRY_VOID(thinChunk(database, level, found));
        begin = found + narrow.chunk_s;
    }
    m_thinnedEnd_s[level] = until;
    return database.execute(
        fmt::format("UPDATE thinned SET end_s = {} WHERE step_s = {}", until, kLevels[level].step_s)
    );
}

Result<void> MetricTable::thinChunk(Database& database, std::size_t level, std::int64_t begin)
{
    const Level& narrow = kLevels[level - 1];
    std::int64_t series = 0;
    MetricValue sum;
    Result<void> outcome;
    const auto write = [&] {
        if (series != 0 && outcome) {
            outcome = merge(database, level, begin, series, sum);
        }
    };
    // Rows of one chunk come by series, so one sum at a time is enough.
    MESH_TRY_VOID(readSpan(
        database,
        {begin, begin + narrow.chunk_s, narrow.step_s},
        [&](std::int64_t id, std::int64_t, const MetricValue& value) {
            if (id != series) {
                write();
                series = id;
                sum = value;
            } else {
                sum.merge(value);
            }
        }
    ));
    write();
    return outcome;
}

Result<void> MetricTable::drop(Database& database)
{
    for (std::size_t level = 0; level < kLevels.size(); ++level) {
        const std::int64_t end =
            floorTo(m_newest_s - kLevels[level].keep_s, kLevels[level].chunk_s);
        if (end > m_droppedEnd_s[level]) {
            MESH_TRY_VOID(database.execute(
                fmt::format("DELETE FROM {} WHERE chunk < {}", kLevels[level].table, end)
            ));
            m_droppedEnd_s[level] = end;
        }
    }
    return {};
}

Retention MetricTable::retention() const
{
    return {m_droppedEnd_s[0], m_droppedEnd_s[1], m_thinnedEnd_s[1], m_thinnedEnd_s[2]};
}

std::vector<std::int64_t> MetricTable::idsOf(const SeriesFilter& filter) const
{
    const auto accepts = [](const std::optional<std::string>& wanted, const std::string& part) {
        return !wanted || *wanted == part;
    };
    std::vector<std::int64_t> ids;
    for (const auto& [id, key] : m_keys) {
        if (key.kind == filter.kind && accepts(filter.source, key.source)
            && accepts(filter.service, key.service)
            && accepts(filter.instance, key.instance.empty() ? key.target : key.instance)
            && (!filter.sources
                || std::ranges::find(*filter.sources, key.source) != filter.sources->end())) {
            ids.push_back(id);
        }
    }
    return ids;
}

Result<std::vector<MetricPoint>> MetricTable::series(
    Database& database, const SeriesFilter& filter, TimeRange range, std::int64_t step_s
)
{
    const std::vector<std::int64_t> ids = idsOf(filter);
    std::map<std::int64_t, MetricValue> sums;
    MESH_TRY(const TimeRange available, recorded(database));
    range.begin_s = floorTo(std::max(range.begin_s, available.begin_s), step_s);
    range.end_s = std::min(range.end_s, available.end_s);
    for (const Span& span : spansOf(range, step_s, retention())) {
        MESH_TRY_VOID(readSeries(
            database,
            span,
            ids,
            [&](std::int64_t time, const MetricValue& value) {
                sums[floorTo(time, step_s)].merge(value);
            }
        ));
    }
    std::vector<MetricPoint> points;
    points.reserve(sums.size());
    for (auto& [time, value] : sums) {
        points.push_back({time, std::move(value)});
    }
    return points;
}

Result<WindowTotals> MetricTable::window(Database& database, TimeRange range)
{
    MESH_TRY(const TimeRange available, recorded(database));
    range.begin_s = std::max(range.begin_s, available.begin_s);
    range.end_s = std::min(range.end_s, available.end_s);
    std::map<std::int64_t, SeriesTotal> sums;
    WindowTotals totals{range.begin_s, std::max(range.begin_s, range.end_s), {}};
    for (const Span& span : spansOf(range, kLevels.back().step_s, retention())) {
        totals.begin_s = std::min(totals.begin_s, span.begin_s);
        totals.end_s = std::max(totals.end_s, span.end_s);
        MESH_TRY_VOID(readSpan(
            database,
            span,
            [&](std::int64_t id, std::int64_t time, const MetricValue& value) {
                SeriesTotal& sum = sums[id];
                sum.value.merge(value);
                sum.last_s = std::max(sum.last_s, time + span.step_s - 1);
            }
        ));
    }
    for (auto& [id, sum] : sums) {
        const auto key = m_keys.find(id);
        if (key != m_keys.end()) {
            sum.key = key->second;
            totals.series.push_back(std::move(sum));
        }
    }
    std::ranges::sort(totals.series, {}, &SeriesTotal::key);
    return totals;
}

Result<TimeRange> MetricTable::recorded(Database& database)
{
    TimeRange range{0, 0};
    for (const Level& level : kLevels) {
        MESH_TRY(
            Statement statement,
            database.prepare(fmt::format(
                "SELECT (SELECT min(time_s) FROM {0} WHERE chunk = (SELECT min(chunk) FROM {0})), "
                "(SELECT max(time_s) FROM {0} WHERE chunk = (SELECT max(chunk) FROM {0}))",
                level.table
            ))
        );
        MESH_TRY(const bool hasRow, statement.step());
        if (!hasRow || statement.isNull(0)) {
            continue;
        }
        const std::int64_t begin = statement.integer(0);
        const std::int64_t end = statement.integer(1) + level.step_s;
        range.begin_s = range.end_s == 0 ? begin : std::min(range.begin_s, begin);
        range.end_s = std::max(range.end_s, end);
    }
    return range;
}

} // namespace mesh::store
