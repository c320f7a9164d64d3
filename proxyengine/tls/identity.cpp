#include "proxyengine/tls/identity.h"

#include <algorithm>
#include <cstddef>

namespace mesh::tls {
namespace {

constexpr std::string_view kScheme = "spiffe://";
constexpr std::size_t kTrustDomainBytesMax = 255;
constexpr std::size_t kIdBytesMax = 2048;

bool isDomainCharacter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool isPathCharacter(char c) { return isDomainCharacter(c) || (c >= 'A' && c <= 'Z'); }

bool isSegment(std::string_view segment)
{
    return !segment.empty() && segment != "." && segment != ".."
           && std::ranges::all_of(segment, isPathCharacter);
}

} // namespace

std::optional<SpiffeId> parseSpiffeId(std::string_view text)
{
    if (text.size() > kIdBytesMax || !text.starts_with(kScheme)) {
        return std::nullopt;
    }
    text.remove_prefix(kScheme.size());
    const std::size_t slash = std::min(text.find('/'), text.size());
    const std::string_view domain = text.substr(0, slash);
    if (domain.empty() || domain.size() > kTrustDomainBytesMax
        || !std::ranges::all_of(domain, isDomainCharacter)) {
        return std::nullopt;
    }
    const std::string_view path = text.substr(slash);
    for (std::size_t begin = 0; begin < path.size();) {
        const std::size_t end = std::min(path.find('/', begin + 1), path.size());
        if (!isSegment(path.substr(begin + 1, end - begin - 1))) {
            return std::nullopt;
        }
        begin = end;
    }
    return SpiffeId{std::string(domain), std::string(path)};
}

} // namespace mesh::tls
