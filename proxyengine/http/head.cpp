#include "proxyengine/http/head.h"

#include <utility>

namespace mesh::http {

Method methodOf(std::string_view text)
{
    constexpr std::array<std::pair<std::string_view, Method>, 9> kMethods = {{
        {"GET", Method::Get},
        {"POST", Method::Post},
        {"HEAD", Method::Head},
        {"PUT", Method::Put},
        {"DELETE", Method::Delete},
        {"OPTIONS", Method::Options},
        {"PATCH", Method::Patch},
        {"CONNECT", Method::Connect},
        {"TRACE", Method::Trace},
    }};
    for (const auto& [name, method] : kMethods) {
        if (text == name) {
            return method;
        }
    }
    return Method::Other;
}

std::optional<std::string_view> FieldTable::find(HeaderId id) const
{
    if (has(id)) {
        for (const FieldPlace& field : *this) {
            if (field.id == id) {
                return value(field);
            }
        }
    }
    return std::nullopt;
}

std::optional<std::string_view> FieldTable::find(std::string_view wanted) const
{
    for (const FieldPlace& field : *this) {
        if (equalsIgnoringCase(name(field), wanted)) {
            return value(field);
        }
    }
    return std::nullopt;
}

std::string_view RequestHead::path() const
{
    const std::string_view path = view(m_path);
    return path.empty() ? std::string_view("/") : path;
}

void RequestHead::rebase(const char* base)
{
    m_base = base;
    fields.rebase(base);
}

void ResponseHead::rebase(const char* base)
{
    m_base = base;
    fields.rebase(base);
}

} // namespace mesh::http
