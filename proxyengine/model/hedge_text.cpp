#include "proxyengine/model/hedge_text.h"

#include "proxyengine/base/duration_text.h"

#include <fmt/format.h>

#include <charconv>

namespace mesh::model {

Result<HedgeAfter> parseHedgeAfter(std::string_view text)
{
    if (!text.starts_with('p')) {
        const Result<Duration> duration = parseDuration(text);
        if (!duration) {
            return fail(
                duration.error().code,
                duration.error().code == ErrorCode::OutOfRange
                    ? duration.error().message
                    : "expected a duration, as in 200ms, or a percentile, as in p95"
            );
        }
        if (*duration == Duration::zero()) {
            return fail(ErrorCode::OutOfRange, "value should be more than 0s");
        }
        return HedgeAfter{*duration};
    }
    constexpr double kPercentileMin = 1; // Below it the text would need an exponent.
    constexpr double kPercentileEnd = 100;
    double percentile = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, status] =
        std::from_chars(text.data() + 1, end, percentile, std::chars_format::fixed);
    if (status != std::errc{} || rest != end) {
        return fail(ErrorCode::InvalidArgument, "expected a percentile, as in p95 or p99.9");
    }
    if (!(percentile >= kPercentileMin && percentile < kPercentileEnd)) {
        return fail(ErrorCode::OutOfRange, "percentile should be at least p1 and below p100");
    }
    return HedgeAfter{percentile};
}

std::string toText(const HedgeAfter& after)
{
    if (const double* const percentile = std::get_if<double>(&after.delay)) {
        return fmt::format("p{}", *percentile);
    }
    const Duration* const duration = std::get_if<Duration>(&after.delay);
    return toDurationText(duration != nullptr ? *duration : Duration::zero());
}

} // namespace mesh::model
