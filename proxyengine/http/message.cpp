#include "proxyengine/http/message.h"

#include "proxyengine/http/head.h"
#include "proxyengine/http/header_id.h"

#include <algorithm>

namespace mesh::http {
namespace {

std::optional<int> hexValue(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    if (digit >= 'A' && digit <= 'F') {
        return digit - 'A' + 10;
    }
    return std::nullopt;
}

} // namespace

std::optional<std::string_view> findHeader(const Headers& headers, std::string_view name)
{
    const auto found = std::ranges::find_if(headers, [&](const Header& header) {
        return equalsIgnoringCase(header.name, name);
    });
    return found == headers.end() ? std::nullopt : std::optional<std::string_view>(found->value);
}

std::string_view Request::path() const
{
    return std::string_view(target).substr(0, target.find('?'));
}

std::optional<std::string> Request::queryValue(std::string_view name) const
{
    const std::size_t mark = target.find('?');
    if (mark == std::string::npos) {
        return std::nullopt;
    }
    std::string_view rest = std::string_view(target).substr(mark + 1);
    while (!rest.empty()) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        const std::size_t equals = pair.find('=');
        if (decodePercent(pair.substr(0, equals)) == name) {
            return equals == std::string_view::npos ? std::string()
                                                    : decodePercent(pair.substr(equals + 1));
        }
    }
    return std::nullopt;
}

std::optional<std::string> decodePercent(std::string_view text)
{
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '+') {
            decoded += ' ';
        } else if (text[at] != '%') {
            decoded += text[at];
        } else {
            const auto high = at + 2 < text.size() ? hexValue(text[at + 1]) : std::nullopt;
            const auto low = high ? hexValue(text[at + 2]) : std::nullopt;
            if (!low) {
                return std::nullopt;
            }
            decoded += static_cast<char>(*high * 16 + *low);
            at += 2;
        }
    }
    return decoded;
}

Request toRequest(const RequestHead& head)
{
    Request request{std::string(head.methodText()), std::string(head.path()), {}, {}};
    for (const FieldPlace& field : head.fields) {
        request.headers.push_back(
            {std::string(head.fields.name(field)), std::string(head.fields.value(field))}
        );
    }
    return request;
}

} // namespace mesh::http
