#include "proxyengine/proxy/error_page.h"

#include "proxyengine/http/header_id.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

namespace mesh::proxy {
namespace {

struct TypeRow
{
    std::string_view type;
    PageFormat format;
};

constexpr std::array<TypeRow, 9> kTypes = {{
    {"application/json", PageFormat::Json},
    {"text/plain", PageFormat::Plain},
    {"application/xml", PageFormat::Xml},
    {"text/xml", PageFormat::Xml},
    {"text/html", PageFormat::Html},
    {"application/xhtml+xml", PageFormat::Html},
    {"*/*", PageFormat::Json},
    {"application/*", PageFormat::Json},
    {"text/*", PageFormat::Plain},
}};

std::string_view trimmed(std::string_view text)
{
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Thousandths; what is not a quality counts as 1.
int qualityOf(std::string_view parameters)
{
    const std::size_t at = parameters.find("q=");
    if (at == std::string_view::npos || at + 2 >= parameters.size()) {
        return 1000;
    }
    std::string_view digits = parameters.substr(at + 2);
    int quality = digits.front() == '1' ? 1000 : 0;
    int weight = 100;
    for (std::size_t place = 2; place < digits.size() && weight > 0; ++place, weight /= 10) {
        if (digits[place] < '0' || digits[place] > '9') {
            break;
        }
        quality += (digits[place] - '0') * weight;
    }
    return quality;
}

std::string escapedJson(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else if (static_cast<unsigned char>(c) < 0x20) {
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
        } else {
            out.push_back(c);
        }
    }
    return out;
}

std::string escapedMarkup(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        switch (c) {
        case '&':
            out.append("&amp;");
            break;
        case '<':
            out.append("&lt;");
            break;
        case '>':
            out.append("&gt;");
            break;
        case '"':
            out.append("&quot;");
            break;
        default:
            out.push_back(c);
        }
    }
    return out;
}

} // namespace

PageFormat pageFormatOf(std::string_view accept)
{
    PageFormat best = PageFormat::Json;
    int bestQuality = 0;
    while (!accept.empty()) {
        const std::size_t comma = accept.find(',');
        const std::string_view item = trimmed(accept.substr(0, comma));
        accept = comma == std::string_view::npos ? std::string_view() : accept.substr(comma + 1);
        const std::size_t semicolon = item.find(';');
        const std::string_view type = trimmed(item.substr(0, semicolon));
        const int quality =
            semicolon == std::string_view::npos ? 1000 : qualityOf(item.substr(semicolon));
        for (const TypeRow& row : kTypes) {
            if (quality > bestQuality && http::equalsIgnoringCase(row.type, type)) {
                best = row.format;
                bestQuality = quality;
            }
        }
    }
    return best;
}

std::string_view contentTypeOf(PageFormat format)
{
    switch (format) {
    case PageFormat::Plain:
        return "text/plain; charset=utf-8";
    case PageFormat::Xml:
        return "application/xml; charset=utf-8";
    case PageFormat::Html:
        return "text/html; charset=utf-8";
    case PageFormat::Json:
        break;
    }
    return "application/json; charset=utf-8";
}

std::string makePage(PageFormat format, std::string_view message, std::string_view requestId)
{
    switch (format) {
    case PageFormat::Plain:
        return fmt::format("{}\nrequest_id: {}\n", message, requestId);
    case PageFormat::Xml:
        return fmt::format(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error>\n  <message>{}</message>\n"
            "  <requestid>{}</requestid>\n</error>\n",
            escapedMarkup(message),
            requestId
        );
    case PageFormat::Html:
        return fmt::format(
            "<!doctype html>\n<html>\n  <head>\n    <meta charset=\"utf-8\">\n"
            "    <title>Error</title>\n  </head>\n  <body>\n    <h1>Error</h1>\n"
            "    <p>{}.</p>\n    <p>request_id: {}</p>\n  </body>\n</html>\n",
            escapedMarkup(message),
            requestId
        );
    case PageFormat::Json:
        break;
    }
    return fmt::format(
        "{{\n  \"message\":\"{}\",\n  \"request_id\":\"{}\"\n}}", escapedJson(message), requestId
    );
}

std::string_view messageOf(int status)
{
    switch (status) {
    case 400:
        return "Bad request";
    case 404:
        return "Not found";
    case 405:
        return "Method not allowed";
    case 408:
        return "Request timeout";
    case 411:
        return "Length required";
    case 413:
        return "Payload too large";
    case 414:
        return "URI too long";
    case 417:
        return "Expectation failed";
    case 421:
        return "Nobody here speaks for this host";
    case 431:
        return "Request header or cookie too large";
    case 502:
        return "An invalid response was received from the upstream server";
    case 503:
        return "The upstream server is currently unavailable";
    case 504:
        return "The upstream server is timing out";
    case 505:
        return "HTTP version not supported";
    default:
        return "An unexpected error occurred";
    }
}

} // namespace mesh::proxy
