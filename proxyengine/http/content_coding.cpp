#include "proxyengine/http/content_coding.h"

#include "proxyengine/http/characters.h"
#include "proxyengine/http/header_id.h"

#include <optional>

namespace mesh::http {
namespace {

// "0", "0.5", "1.000". Nothing when it is not one.
std::optional<Quality> readQuality(std::string_view text)
{
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')
        || (text.size() > 1 && text[1] != '.')) {
        return std::nullopt;
    }
    Quality quality = text[0] == '1' ? kQualityMax : 0;
    Quality weight = 100;
    for (std::size_t at = 2; at < text.size(); ++at) {
        if (text[at] < '0' || text[at] > '9') {
            return std::nullopt;
        }
        quality = static_cast<Quality>(quality + (text[at] - '0') * weight);
        weight /= 10;
    }
    return quality <= kQualityMax ? std::optional(quality) : std::nullopt;
}

// The q among the parameters; 1 without any. Nothing when there is something else.
std::optional<Quality> qualityOf(std::string_view parameters)
{
    const std::string_view parameter = trimmed(parameters);
    if (parameter.size() < 2 || (parameter[0] != 'q' && parameter[0] != 'Q')) {
        return std::nullopt;
    }
    const std::size_t equals = parameter.find('=');
    if (equals != 1) {
        return std::nullopt;
    }
    return readQuality(parameter.substr(2));
}

} // namespace

void AcceptedCodings::add(std::string_view fieldValue)
{
    std::string_view element;
    while (takeElement(fieldValue, element)) {
        const std::size_t semicolon = element.find(';');
        const std::string_view name = trimmed(element.substr(0, semicolon));
        const auto quality = semicolon == std::string_view::npos
                                 ? std::optional(kQualityMax)
                                 : qualityOf(element.substr(semicolon + 1));
        if (!quality) {
            continue;
        }
        if (equalsIgnoringCase(name, "gzip") || equalsIgnoringCase(name, "x-gzip")) {
            m_qualities[kGzip] = *quality;
        } else if (equalsIgnoringCase(name, "br")) {
            m_qualities[kBrotli] = *quality;
        } else if (equalsIgnoringCase(name, "identity")) {
            m_qualities[kIdentity] = *quality;
        } else if (name == "*") {
            m_qualities[kAny] = *quality;
        }
    }
}

Quality AcceptedCodings::of(Coding coding) const
{
    if (m_qualities[coding] != kNotNamed) {
        return m_qualities[coding];
    }
    return m_qualities[kAny] == kNotNamed ? Quality{0} : m_qualities[kAny];
}

Quality AcceptedCodings::identity() const
{
    if (m_qualities[kIdentity] != kNotNamed) {
        return m_qualities[kIdentity];
    }
    return m_qualities[kAny] == 0 ? Quality{0} : Quality{1};
}

} // namespace mesh::http
