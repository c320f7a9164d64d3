#include "proxyengine/policy/backoff.h"

#include "proxyengine/policy/field_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>

namespace mesh::policy {

namespace {

constexpr std::int64_t kRetryAfterSecondsMax = 100LL * 366 * 86'400; // Reads as "never".

// Reads a text from the left. Every function says whether it found what it was asked for.
class Scanner
{
public:
    explicit Scanner(std::string_view text)
        : m_rest(text)
    {}

    [[nodiscard]] bool isAtEnd() const { return m_rest.empty(); }

    bool literal(std::string_view text)
    {
        if (!m_rest.starts_with(text)) {
            return false;
        }
        m_rest.remove_prefix(text.size());
        return true;
    }

    bool digits(std::size_t count, int& number)
    {
        if (m_rest.size() < count) {
            return false;
        }
        number = 0;
        for (const char c : m_rest.substr(0, count)) {
            if (c < '0' || c > '9') {
                return false;
            }
            number = number * 10 + (c - '0');
        }
        m_rest.remove_prefix(count);
        return true;
    }

    // One of the words; its index.
    template <std::size_t Count>
    bool word(const std::array<std::string_view, Count>& words, int& index)
    {
        for (std::size_t i = 0; i < Count; ++i) {
            if (literal(words[i])) {
                index = static_cast<int>(i);
                return true;
            }
        }
        return false;
    }

private:
    std::string_view m_rest;
};

constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 7> kLongDays = {
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 12> kMonths = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct DateParts
{
    int year = 0;
    int month = 0; // 0 to 11.
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
};

bool scanTime(Scanner& text, DateParts& parts)
{
    return text.digits(2, parts.hour) && text.literal(":") && text.digits(2, parts.minute)
           && text.literal(":") && text.digits(2, parts.second);
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
bool scanFixed(Scanner text, DateParts& parts)
{
    int weekday = 0;
    return text.word(kDays, weekday) && text.literal(", ") && text.digits(2, parts.day)
           && text.literal(" ") && text.word(kMonths, parts.month) && text.literal(" ")
           && text.digits(4, parts.year) && text.literal(" ") && scanTime(text, parts)
           && text.literal(" GMT") && text.isAtEnd();
}

// "Sunday, 06-Nov-94 08:49:37 GMT"; the century is found by the caller.
bool scanShortYear(Scanner text, DateParts& parts)
{
    int weekday = 0;
    return text.word(kLongDays, weekday) && text.literal(", ") && text.digits(2, parts.day)
           && text.literal("-") && text.word(kMonths, parts.month) && text.literal("-")
           && text.digits(2, parts.year) && text.literal(" ") && scanTime(text, parts)
           && text.literal(" GMT") && text.isAtEnd();
}

// "Sun Nov  6 08:49:37 1994"
bool scanAsctime(Scanner text, DateParts& parts)
{
    int weekday = 0;
    if (!text.word(kDays, weekday) || !text.literal(" ") || !text.word(kMonths, parts.month)
        || !text.literal(" ")) {
        return false;
    }
    const bool isDay = text.literal(" ") ? text.digits(1, parts.day) : text.digits(2, parts.day);
    return isDay && text.literal(" ") && scanTime(text, parts) && text.literal(" ")
           && text.digits(4, parts.year) && text.isAtEnd();
}

std::optional<std::chrono::sys_seconds> toSeconds(const DateParts& parts)
{
    const std::chrono::year_month_day date(
        std::chrono::year(parts.year),
        std::chrono::month(static_cast<unsigned>(parts.month + 1)),
        std::chrono::day(static_cast<unsigned>(parts.day))
    );
    // A second of 60 is a leap second and means the next minute.
    if (!date.ok() || parts.hour > 23 || parts.minute > 59 || parts.second > 60) {
        return std::nullopt;
    }
    return std::chrono::sys_days(date) + std::chrono::hours(parts.hour)
           + std::chrono::minutes(parts.minute) + std::chrono::seconds(parts.second);
}

std::chrono::sys_seconds toSysSeconds(WallTime now)
{
    return std::chrono::sys_seconds(std::chrono::floor<std::chrono::seconds>(now.time_since_epoch())
    );
}

// The year with these last two digits that is at most 50 years ahead and less than 50 years past.
int fullYear(int twoDigits, WallTime now)
{
    const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(toSysSeconds(now))
    );
    const int thisYear = static_cast<int>(today.year());
    const int year = thisYear - thisYear % 100 + twoDigits;
    if (year > thisYear + 50) {
        return year - 100;
    }
    return year <= thisYear - 50 ? year + 100 : year;
}

std::optional<std::chrono::sys_seconds> parseDate(std::string_view text, WallTime now)
{
    DateParts parts;
    if (scanFixed(Scanner(text), parts) || scanAsctime(Scanner(text), parts)) {
        return toSeconds(parts);
    }
    if (scanShortYear(Scanner(text), parts)) {
        parts.year = fullYear(parts.year, now);
        return toSeconds(parts);
    }
    return std::nullopt;
}

} // namespace

Duration backoff(const model::RetryBackoff& settings, int retryNumber, Random& random)
{
    const int doublings = std::clamp(retryNumber, 1, 32);
    const std::int64_t factor = (std::int64_t{1} << doublings) - 1;
    const std::int64_t max = settings.max.count();
    const std::int64_t base = settings.base.count();
    const std::int64_t range = base > max / factor ? max : base * factor;
    if (range <= 0) {
        static_cast<void>(random.next());
        return Duration{};
    }
    return Duration(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(range))));
}

std::optional<Duration> parseRetryAfter(std::string_view value, WallTime now)
{
    value = trimmed(value);
    const bool isNumber =
        !value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
    if (isNumber) {
        std::int64_t seconds = 0;
        const auto [rest, status] =
            std::from_chars(value.data(), value.data() + value.size(), seconds);
        const bool isHuge = status != std::errc{} || seconds > kRetryAfterSecondsMax;
        return std::chrono::seconds(isHuge ? kRetryAfterSecondsMax : seconds);
    }
    const auto date = parseDate(value, now);
    if (!date) {
        return std::nullopt;
    }
    const std::chrono::microseconds ahead = date->time_since_epoch() - now.time_since_epoch();
    return std::clamp<std::chrono::microseconds>(
        ahead, std::chrono::microseconds(0), std::chrono::seconds(kRetryAfterSecondsMax)
    );
}

Duration spreadRetryAfter(Duration asked, Random& random)
{
    const auto half = static_cast<std::uint64_t>(asked.count() / 2);
    return asked + Duration(static_cast<std::int64_t>(random.below(half + 1)));
}

} // namespace mesh::policy
