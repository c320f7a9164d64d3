#include "proxyengine/tls/name_pattern.h"

#include <algorithm>

namespace mesh::tls {

std::string comparable(std::string_view name)
{
    if (name.ends_with('.')) {
        name.remove_suffix(1);
    }
    std::string lowered(name);
    std::ranges::transform(lowered, lowered.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return lowered;
}

NamePattern::NamePattern(std::string_view text)
    : m_text(comparable(text))
{
    if (m_text == "*") {
        m_kind = Kind::Any;
    } else if (m_text.starts_with("*.")) {
        m_kind = Kind::Suffix;
        m_text.erase(0, 1);
    } else if (m_text.ends_with(".*")) {
        m_kind = Kind::Prefix;
        m_text.pop_back();
    }
}

bool NamePattern::matches(std::string_view name) const
{
    switch (m_kind) {
    case Kind::Any:
        return true;
    case Kind::Exact:
        return !name.empty() && name == m_text;
    case Kind::Suffix:
        return name.ends_with(m_text);
    case Kind::Prefix:
        return name.starts_with(m_text);
    }
    return false;
}

} // namespace mesh::tls
