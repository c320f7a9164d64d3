#include "proxyengine/policy/route_rule.h"

#include "proxyengine/base/limits.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

namespace mesh::policy {

namespace {

char toLowerByte(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// `lower` is in lower case already.
bool isSameWithoutCase(std::string_view text, std::string_view lower)
{
    return std::ranges::equal(text, lower, {}, toLowerByte);
}

re2::StringPiece toPiece(std::string_view text) { return {text.data(), text.size()}; }

bool beginsNamedGroup(std::string_view text)
{
    return text.size() > 3 && text.starts_with("(?<") && text[3] != '=' && text[3] != '!';
}

// (?<name> is how most write a named group, (?P<name> how RE2 reads it. Not inside a class, not
// escaped; (?<= and (?<! stay, and RE2 refuses them.
std::string withRe2Names(std::string_view text)
{
    std::string out;
    bool isInClass = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        out.push_back(text[i]);
        if (text[i] == '\\' && i + 1 < text.size()) {
            out.push_back(text[++i]);
        } else if (text[i] == '[') {
            isInClass = true;
        } else if (text[i] == ']') {
            isInClass = false;
        } else if (!isInClass && beginsNamedGroup(text.substr(i))) {
            out.append("?P<");
            i += 2;
        }
    }
    return out;
}

bool isAnySniMatched(const std::vector<HostPattern>& snis, std::string_view sni)
{
    if (sni.ends_with('.')) {
        sni.remove_suffix(1);
    }
    return std::ranges::any_of(snis, [sni](const HostPattern& pattern) {
        return pattern.matches(sni);
    });
}

bool isHeaderMatched(const RouteRule::Header& wanted, const RequestView& request)
{
    for (std::size_t i = 0; i < request.headerCount; ++i) {
        const HeaderView& header = request.headers[i];
        if (!isSameWithoutCase(header.name, wanted.name)) {
            continue;
        }
        const bool isMatch = wanted.pattern
                                 ? wanted.pattern->isFoundIn(header.value)
                                 : std::ranges::any_of(wanted.values, [&](const auto& value) {
                                       return isSameWithoutCase(header.value, value);
                                   });
        if (isMatch) {
            return true;
        }
    }
    return false;
}

} // namespace

Pattern::Pattern(std::unique_ptr<const re2::RE2> regex)
    : m_regex(std::move(regex))
{}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::make(std::string_view text, Case sensitivity)
{
    re2::RE2::Options options;
    options.set_max_mem(static_cast<std::int64_t>(kRouteRegexBytesMax));
    options.set_log_errors(false);
    options.set_case_sensitive(sensitivity == Case::Sensitive);
    auto regex = std::make_unique<const re2::RE2>(withRe2Names(text), options);
    if (!regex->ok()) {
        return fail(
            ErrorCode::InvalidArgument,
            fmt::format("invalid regex: '{}' ({})", text, regex->error())
        );
    }
    return Pattern(std::move(regex));
}

bool Pattern::isFoundIn(std::string_view text) const
{
    return m_regex->Match(toPiece(text), 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

std::optional<std::size_t> Pattern::prefixOf(std::string_view text) const
{
    re2::StringPiece whole;
    if (!m_regex->Match(toPiece(text), 0, text.size(), re2::RE2::ANCHOR_START, &whole, 1)) {
        return std::nullopt;
    }
    return whole.size();
}

std::size_t Pattern::captures(std::string_view text, std::span<UriCapture> out) const
{
    std::array<re2::StringPiece, kCapturesMax + 1> groups; // The first is the whole match.
    const std::size_t count = std::min(
        {static_cast<std::size_t>(std::max(m_regex->NumberOfCapturingGroups(), 0)),
         kCapturesMax,
         out.size()}
    );
    const bool isMatched = m_regex->Match(
        toPiece(text),
        0,
        text.size(),
        re2::RE2::ANCHOR_START,
        groups.data(),
        static_cast<int>(count) + 1
    );
    if (!isMatched) {
        return 0;
    }
    const std::map<int, std::string>& names = m_regex->CapturingGroupNames();
    for (std::size_t at = 0; at < count; ++at) {
        const auto name = names.find(static_cast<int>(at) + 1);
        out[at].name = name == names.end() ? std::string_view() : std::string_view(name->second);
        out[at].value = {groups[at + 1].data(), groups[at + 1].size()};
    }
    return count;
}

std::optional<HostPattern> HostPattern::make(std::string_view text)
{
    HostPattern pattern;
    const std::size_t colon = text.rfind(':');
    if (colon != std::string_view::npos && text.find(']', colon) == std::string_view::npos) {
        const std::string_view digits = text.substr(colon + 1);
        const auto [rest, status] =
            std::from_chars(digits.data(), digits.data() + digits.size(), pattern.port);
        if (status == std::errc{} && rest == digits.data() + digits.size()) {
            text = text.substr(0, colon);
        }
    }
    pattern.text = toLower(text);
    if (text == "*") {
        pattern.kind = Kind::Any;
        pattern.text.clear();
    } else if (text.starts_with("*.")) {
        pattern.kind = Kind::Suffix;
        pattern.text.erase(0, 1);
    } else if (text.ends_with(".*")) {
        pattern.kind = Kind::Prefix;
        pattern.text.pop_back();
    }
    if (pattern.text.find('*') != std::string::npos) {
        return std::nullopt;
    }
    return pattern;
}

bool HostPattern::matches(std::string_view host) const
{
    switch (kind) {
    case Kind::Any:
        return true;
    case Kind::Exact:
        return isSameWithoutCase(host, text);
    case Kind::Suffix:
        return host.size() >= text.size()
               && isSameWithoutCase(host.substr(host.size() - text.size()), text);
    case Kind::Prefix:
        return host.size() >= text.size() && isSameWithoutCase(host.substr(0, text.size()), text);
    }
    return false;
}

bool RouteRule::matches(const RequestView& request) const
{
    if (!methods.empty() && std::ranges::find(methods, request.method) == methods.end()) {
        return false;
    }
    if (!snis.empty() && request.isTls && !isAnySniMatched(snis, request.sni)) {
        return false;
    }
    return std::ranges::all_of(headers, [&request](const Header& header) {
        return isHeaderMatched(header, request);
    });
}

std::string toLower(std::string_view text)
{
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), toLowerByte);
    return lower;
}

RouteRule makeRule(
    std::size_t index, const model::Route& route, std::vector<Router::Refusal>& refusals
)
{
    RouteRule rule;
    rule.methods = route.methods;
    for (const model::HeaderMatch& wanted : route.headers) {
        RouteRule::Header header{toLower(wanted.name), {}, std::nullopt};
        if (wanted.values.size() == 1 && wanted.values.front().starts_with("~*")) {
            auto pattern = Pattern::make(wanted.values.front().substr(2), Pattern::Case::Ignored);
            if (!pattern) {
                refusals.push_back({index, "headers." + wanted.name, pattern.error().message});
                continue;
            }
            header.pattern = std::move(*pattern);
        } else {
            std::ranges::transform(wanted.values, std::back_inserter(header.values), toLower);
        }
        rule.headers.push_back(std::move(header));
    }
    for (std::size_t i = 0; i < route.snis.size(); ++i) {
        std::string_view sni = route.snis[i];
        if (sni.ends_with('.')) {
            sni.remove_suffix(1);
        }
        if (auto pattern = HostPattern::make(sni)) {
            rule.snis.push_back(*std::move(pattern));
        } else {
            refusals.push_back({index, fmt::format("snis[{}]", i), "a wildcard is *.name or name.*"}
            );
        }
    }
    return rule;
}

} // namespace mesh::policy
