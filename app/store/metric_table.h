#pragma once

#include "app/store/database.h"
#include "app/store/mesh_document.h"
#include "app/store/metric.h"
#include "proxyengine/base/error.h"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace mesh::store {

// How long the rows of each step are kept, measured back from the newest row.
inline constexpr std::int64_t kKeep1s_s = 3600;
inline constexpr std::int64_t kKeep10s_s = 24L * 3600;
inline constexpr std::int64_t kKeep60s_s = 14L * 24 * 3600;

// A second is thinned when this much later ones have arrived; rows later than that are added to the
// thinned ones too, so the sums stay exact.
inline constexpr std::int64_t kLateness_s = 5;

// A stretch of time read in one step.
struct Span
{
    std::int64_t begin_s = 0;
    std::int64_t end_s = 0;
    std::int64_t step_s = 1;
    friend bool operator==(const Span&, const Span&) = default;
};

// Which steps exist when.
struct Retention
{
    std::int64_t begin1_s = 0; // 1 s steps exist from here on.
    std::int64_t begin10_s = 0;
    std::int64_t end10_s = 0; // 10 s steps exist up to here.
    std::int64_t end60_s = 0;
};

// Covers [begin, end) with the widest steps that lie wholly inside and are at most `stepMax_s`;
// where narrow ones have been dropped, with wider ones, rounded outwards. Pure.
[[nodiscard]] std::vector<Span> spansOf(
    TimeRange range, std::int64_t stepMax_s, const Retention& retention
);

// The rows of metrics in their three steps: adds, thins, drops, sums.
//
// 1 s ──10 of them──> 10 s ──6 of them──> 60 s
//
// Thinned rows are written as soon as their time is over and read at once for wide windows; the
// narrow ones are dropped when they are too old.
class MetricTable
{
public:
    [[nodiscard]] static Result<MetricTable> load(Database& database);

    // In the caller's transaction. After a failure forget() must be called.
    [[nodiscard]] Result<void> add(Database& database, const std::vector<MetricRow>& rows);
    // Thins and drops what has become due.
    [[nodiscard]] Result<void> thin(Database& database);
    // Reads again what the file says, after a transaction was rolled back.
    [[nodiscard]] Result<void> reload(Database& database);

    [[nodiscard]] Result<std::vector<MetricPoint>> series(
        Database& database, const SeriesFilter& filter, TimeRange range, std::int64_t step_s
    );
    [[nodiscard]] Result<WindowTotals> window(Database& database, TimeRange range);
    [[nodiscard]] Result<TimeRange> recorded(Database& database);

private:
    struct KeyHash
    {
        std::size_t operator()(const SeriesKey& key) const;
    };
    struct Statements
    {
        Statement insert;
        Statement select;
        Statement replace;
    };

    MetricTable() = default;
    [[nodiscard]] Result<std::int64_t> idOf(Database& database, const SeriesKey& key);
    [[nodiscard]] Result<Statements*> statements(Database& database, std::size_t level);
    [[nodiscard]] Result<void> merge(
        Database& database,
        std::size_t level,
        std::int64_t time_s,
        std::int64_t series,
        const MetricValue& value
    );
    [[nodiscard]] Result<void> thinLevel(Database& database, std::size_t level, std::int64_t until);
    [[nodiscard]] Result<void> thinChunk(Database& database, std::size_t level, std::int64_t begin);
    [[nodiscard]] Result<void> drop(Database& database);
    [[nodiscard]] Retention retention() const;
    [[nodiscard]] std::vector<std::int64_t> idsOf(const SeriesFilter& filter) const;

    std::unordered_map<SeriesKey, std::int64_t, KeyHash> m_ids;
    std::map<std::int64_t, SeriesKey> m_keys;
    std::array<std::optional<Statements>, 3> m_statements;
    std::int64_t m_newest_s = 0;
    std::array<std::int64_t, 3> m_thinnedEnd_s{}; // Of levels 1 (10 s) and 2 (60 s).
    std::array<std::int64_t, 3> m_droppedEnd_s{};
    std::string m_bytes; // Reused by every row.
};

} // namespace mesh::store
