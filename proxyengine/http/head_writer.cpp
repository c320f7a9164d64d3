#include "proxyengine/http/head_writer.h"

#include "proxyengine/http/characters.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

namespace mesh::http {
namespace {

struct StatusReason
{
    int status;
    std::string_view reason;
};

// RFC 9110, 15, and those of later documents that are in use. Sorted by status.
constexpr std::array<StatusReason, 54> kReasons = {{
    {100, "Continue"},
    {101, "Switching Protocols"},
    {102, "Processing"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {511, "Network Authentication Required"},
}};

} // namespace

void HeadWriter::requestLine(std::string_view method, std::string_view target)
{
    raw(method);
    raw(" ");
    raw(target);
    raw(" HTTP/1.1\r\n");
}

void HeadWriter::statusLine(int status)
{
    if (status == 200) {
        raw("HTTP/1.1 200 OK\r\n");
        return;
    }
    std::array<char, 4> text{};
    const auto [end, failed] = std::to_chars(text.data(), text.data() + text.size(), status);
    static_cast<void>(failed); // Three digits.
    raw("HTTP/1.1 ");
    raw({text.data(), static_cast<std::size_t>(end - text.data())});
    raw(" ");
    raw(reasonOf(status));
    raw("\r\n");
}

void HeadWriter::field(std::string_view name, std::string_view value)
{
    if (fits(name.size() + value.size() + kFieldExtra)) {
        if (!name.empty()) {
            put(name.data(), name.size());
        }
        put(": ", 2);
        if (!value.empty()) {
            put(value.data(), value.size());
        }
        put("\r\n", 2);
    }
}

void HeadWriter::field(std::string_view name, std::uint64_t value)
{
    std::array<char, 20> text; // 20 digits hold every value; written from the back.
    std::size_t at = text.size();
    do {
        text[--at] = static_cast<char>('0' + value % 10);
        value /= 10;
    } while (value != 0);
    field(name, std::string_view(text.data() + at, text.size() - at));
}

std::string_view reasonOf(int status)
{
    const auto found = std::ranges::lower_bound(kReasons, status, {}, &StatusReason::status);
    return found != kReasons.end() && found->status == status ? found->reason
                                                              : std::string_view("Unknown");
}

bool isToken(std::string_view text)
{
    return !text.empty() && std::ranges::all_of(text, isTokenCharacter);
}

bool isFieldValue(std::string_view text)
{
    const char* const end = text.data() + text.size();
    return findControl(text.data(), end) == end;
}

std::string_view DateText::at(WallTime now)
{
    namespace chrono = std::chrono;
    constexpr std::array<std::string_view, 7> kDays = {
        "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<std::string_view, 12> kMonths = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

    const auto seconds = chrono::floor<chrono::seconds>(now.time_since_epoch());
    if (seconds.count() != m_second) {
        m_second = seconds.count();
        const auto days = chrono::floor<chrono::days>(seconds);
        const chrono::sys_days day(days);
        const chrono::year_month_day date(day);
        const chrono::hh_mm_ss clock(seconds - days);
        fmt::format_to_n(
            m_text.data(),
            m_text.size(),
            "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
            kDays[chrono::weekday(day).c_encoding()],
            static_cast<unsigned>(date.day()),
            kMonths[static_cast<unsigned>(date.month()) - 1],
            static_cast<int>(date.year()),
            clock.hours().count(),
            clock.minutes().count(),
            clock.seconds().count()
        );
    }
    return {m_text.data(), m_text.size()};
}

} // namespace mesh::http
