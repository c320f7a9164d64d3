#include "app/charts/time_axis.h"

#include <QDateTime>

#include <algorithm>
#include <array>
#include <cmath>

namespace mesh::charts {

QString clockText(std::int64_t time_us, std::int64_t step_us)
{
    const bool hasSeconds = step_us % 60'000'000 != 0;
    return QDateTime::fromMSecsSinceEpoch(time_us / 1'000)
        .toString(hasSeconds ? QStringLiteral("HH:mm:ss") : QStringLiteral("HH:mm"));
}

std::int64_t tickStep(const TimeSpan& span, int countMax)
{
    constexpr std::array<std::int64_t, 14> kSteps_s = {
        1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1'800, 3'600, 10'800, 86'400};
    const std::int64_t length = span.end_us - span.begin_us;
    for (const std::int64_t step : kSteps_s) {
        if (length / (step * 1'000'000) <= std::max(1, countMax)) {
            return step * 1'000'000;
        }
    }
    return kSteps_s.back() * 1'000'000;
}

std::vector<std::int64_t> timeTicks(const TimeSpan& span, int countMax)
{
    std::vector<std::int64_t> ticks;
    if (span.end_us <= span.begin_us) {
        return ticks;
    }
    const std::int64_t step = tickStep(span, countMax);
    for (std::int64_t at = (span.begin_us / step + 1) * step;
         at < span.end_us && static_cast<int>(ticks.size()) < countMax;
         at += step) {
        ticks.push_back(at);
    }
    return ticks;
}

TimeSpan grownSpan(const bridge::Series& series, const TimeSpan& wanted, int least_s)
{
    if (series.points.empty() || wanted.end_us <= wanted.begin_us) {
        return wanted;
    }
    const std::int64_t latest = wanted.end_us - least_s * 1'000'000LL;
    const std::int64_t first = std::min(series.points.front().time_us, latest);
    return {std::max(wanted.begin_us, first), wanted.end_us};
}

int gridLines(double top)
{
    const double power = std::pow(10.0, std::floor(std::log10(top) + 1e-9));
    return std::lround(top / power) % 3 == 0 ? 3 : 2;
}

double roundTop(double value, double floor)
{
    const double wanted = std::max(value, floor);
    const double power = std::pow(10.0, std::floor(std::log10(wanted)));
    for (const double factor : {1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0}) {
        if (wanted <= factor * power * 1.0001) {
            return factor * power;
        }
    }
    return 10 * power;
}

std::vector<TimeSpan> gaps(const bridge::Series& series, const TimeSpan& span)
{
    std::vector<TimeSpan> found;
    std::int64_t covered = span.begin_us;
    if (!series.points.empty()) {
        covered = std::max(covered, series.points.front().time_us);
    }
    const auto close = [&](std::int64_t until) {
        if (until - covered > 2 * series.step_us) {
            found.push_back({covered, until});
        }
    };
    for (const bridge::SeriesPoint& point : series.points) {
        if (point.time_us < span.begin_us) {
            covered = std::max(covered, point.time_us);
            continue;
        }
        if (point.time_us > span.end_us) {
            break;
        }
        close(point.time_us);
        covered = point.time_us;
    }
    close(span.end_us);
    return found;
}

const bridge::SeriesPoint* pointAt(const bridge::Series& series, std::int64_t time_us)
{
    const auto after = std::upper_bound(
        series.points.begin(),
        series.points.end(),
        time_us,
        [](std::int64_t time, const bridge::SeriesPoint& point) { return time < point.time_us; }
    );
    if (after == series.points.begin()) {
        return nullptr;
    }
    const bridge::SeriesPoint& point = *std::prev(after);
    return time_us - point.time_us <= 2 * series.step_us ? &point : nullptr;
}

} // namespace mesh::charts
