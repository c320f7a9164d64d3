#include "proxyengine/control/admin_message.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

namespace mesh::control {
namespace {

std::string percentDecoded(std::string_view text)
{
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned byte = 0;
        if (text[i] == '%' && text.size() - i > 2) {
            const char* begin = text.data() + i + 1;
            const auto [rest, status] = std::from_chars(begin, begin + 2, byte, 16);
            if (status == std::errc{} && rest == begin + 2) {
                decoded.push_back(static_cast<char>(byte));
                i += 2;
                continue;
            }
        }
        decoded.push_back(text[i]);
    }
    return decoded;
}

template <typename Function>
void forEachPart(std::string_view text, char separator, const Function& function)
{
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(separator), text.size());
        if (end > 0) {
            function(text.substr(0, end));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

} // namespace

std::string_view AdminTarget::parameter(std::string_view name) const
{
    for (const auto& [key, value] : parameters) {
        if (key == name) {
            return value;
        }
    }
    return {};
}

AdminTarget parseAdminTarget(std::string_view target)
{
    AdminTarget parsed;
    const std::size_t question = std::min(target.find('?'), target.size());
    forEachPart(target.substr(0, question), '/', [&](std::string_view part) {
        parsed.segments.push_back(percentDecoded(part));
    });
    const std::string_view query = target.substr(std::min(question + 1, target.size()));
    forEachPart(query, '&', [&](std::string_view part) {
        const std::size_t equals = std::min(part.find('='), part.size());
        parsed.parameters.emplace_back(
            percentDecoded(part.substr(0, equals)),
            percentDecoded(part.substr(std::min(equals + 1, part.size())))
        );
    });
    return parsed;
}

AdminResponse messageResponse(int status, std::string_view text)
{
    AdminResponse response;
    response.status = status;
    response.body = nlohmann::json{{"message", text}}.dump(
        -1, ' ', false, nlohmann::json::error_handler_t::replace
    );
    return response;
}

} // namespace mesh::control
