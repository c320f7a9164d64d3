#pragma once

#include "app/store/mesh_document.h"
#include "app/store/metric.h"

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace mesh::bridge {

// The sums of the last seconds of every series, kept by adding what comes and subtracting what
// goes, so that a turn costs what is new and not the length of the window.
//
// Limits: at most kLengthMax_s seconds; the store answers for more.
class WindowSums
{
public:
    static constexpr std::int64_t kLengthMax_s = 300;

    // Books a row on its second. Rows before the window are left out.
    void add(const store::MetricRow& row);
    // The window becomes [end - length, end). Rows of later seconds wait.
    void moveTo(std::int64_t end_s, std::int64_t length_s);
    void clear();

    // Those with a row in the window, sorted by key.
    [[nodiscard]] std::vector<store::SeriesTotal> totals() const;
    [[nodiscard]] std::int64_t begin_s() const { return m_begin_s; }
    [[nodiscard]] std::int64_t end_s() const { return m_end_s; }

private:
    struct Sum
    {
        store::MetricValue value; // Without latency.
        std::vector<std::uint32_t> latency; // Dense, by bucket.
        std::int64_t rows = 0; // In the window.
        std::int64_t last_s = 0;
    };
    using Second = std::vector<std::pair<const store::SeriesKey*, store::MetricValue>>;

    void include(const store::SeriesKey& key, const store::MetricValue& value, std::int64_t time);
    void exclude(const store::SeriesKey& key, const store::MetricValue& value);

    std::map<store::SeriesKey, Sum> m_sums; // Never shrinks but by clear(): keys are few.
    std::map<std::int64_t, Second> m_seconds; // Up to kLengthMax_s and those that wait.
    std::int64_t m_begin_s = 0;
    std::int64_t m_end_s = 0;
};

} // namespace mesh::bridge
