#include "proxyengine/policy/hash_key.h"

#include "proxyengine/base/hash.h"
#include "proxyengine/policy/field_text.h"

#define XXH_STATIC_LINKING_ONLY // For a state on the stack.
#include <xxhash.h>

#include <algorithm>
#include <charconv>

namespace mesh::policy {
namespace {

constexpr char toLower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool isSameHeader(std::string_view a, std::string_view b)
{
    return std::ranges::equal(a, b, {}, toLower, toLower);
}

using Hash = std::optional<std::uint64_t>;

Hash hashOfText(std::string_view text) { return text.empty() ? std::nullopt : Hash(xxh64(text)); }

// Of all fields of the name, as if they stood in one, joined by ", ".
Hash hashOfHeader(std::span<const HeaderView> headers, std::string_view name)
{
    const HeaderView* first = nullptr;
    XXH64_state_t state;
    bool isJoined = false;
    for (const HeaderView& header : headers) {
        if (!isSameHeader(header.name, name)) {
            continue;
        }
        if (first == nullptr) {
            first = &header;
            continue;
        }
        if (!isJoined) {
            isJoined = true;
            XXH64_reset(&state, 0);
            XXH64_update(&state, first->value.data(), first->value.size());
        }
        XXH64_update(&state, ", ", 2);
        XXH64_update(&state, header.value.data(), header.value.size());
    }
    if (isJoined) {
        return XXH64_digest(&state);
    }
    return first == nullptr ? std::nullopt : hashOfText(first->value);
}

Hash hashOfArgument(std::string_view query, std::string_view name)
{
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(pair.size() + 1, query.size()));
        const std::size_t equals = std::min(pair.find('='), pair.size());
        if (pair.substr(0, equals) == name && equals < pair.size()) {
            return hashOfText(pair.substr(equals + 1));
        }
    }
    return std::nullopt;
}

Hash hashOfCapture(std::span<const UriCapture> captures, std::string_view name)
{
    for (const UriCapture& capture : captures) {
        if (capture.name == name && !name.empty()) {
            return hashOfText(capture.value);
        }
    }
    std::size_t number = 0;
    const char* const end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data(), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end || number == 0 || number > captures.size()) {
        return std::nullopt;
    }
    return hashOfText(captures[number - 1].value);
}

NewCookie makeCookie(const HashRule& rule, std::string_view name, Random& random)
{
    constexpr std::string_view kDigits = "0123456789abcdef";
    NewCookie cookie{name, rule.cookiePath, {}};
    for (std::size_t half = 0; half < 2; ++half) {
        std::uint64_t bits = random.next();
        for (std::size_t digit = 0; digit < 16; ++digit) {
            cookie.value[half * 16 + digit] = kDigits[bits & 0xfU];
            bits >>= 4U;
        }
    }
    return cookie;
}

HashVerdict hashOfOne(
    model::HashOn on,
    std::string_view name,
    const HashRule& rule,
    const HashInput& input,
    Random& random
)
{
    switch (on) {
    case model::HashOn::None:
        return {};
    case model::HashOn::Consumer:
        return {hashOfText(input.consumer.empty() ? input.credential : input.consumer)};
    case model::HashOn::Ip:
        return {hashOfText(input.clientIp)};
    case model::HashOn::Header:
        return {hashOfHeader(input.headers, name)};
    case model::HashOn::Path:
        return {hashOfText(input.path)};
    case model::HashOn::QueryArg:
        return {hashOfArgument(input.query, name)};
    case model::HashOn::UriCapture:
        return {hashOfCapture(input.captures, name)};
    case model::HashOn::Cookie:
        break;
    }
    const auto known = cookieOf(input.headers, name);
    if (known && !known->empty()) {
        return {xxh64(*known)};
    }
    const NewCookie cookie = makeCookie(rule, name, random);
    return {xxh64({cookie.value.data(), cookie.value.size()}), cookie};
}

} // namespace

HashVerdict hashOf(const HashRule& rule, const HashInput& input, Random& random)
{
    const HashVerdict first = hashOfOne(rule.on, rule.name, rule, input, random);
    if (first.hash || rule.on == model::HashOn::None) {
        return first;
    }
    return hashOfOne(rule.fallback, rule.fallbackName, rule, input, random);
}

std::optional<std::string_view> cookieOf(std::span<const HeaderView> headers, std::string_view name)
{
    for (const HeaderView& header : headers) {
        if (!isSameHeader(header.name, "cookie")) {
            continue;
        }
        std::string_view rest = header.value;
        while (!rest.empty()) {
            const std::string_view pair = rest.substr(0, rest.find(';'));
            rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
            const std::size_t equals = pair.find('=');
            if (equals != std::string_view::npos && trimmed(pair.substr(0, equals)) == name) {
                return trimmed(pair.substr(equals + 1));
            }
        }
    }
    return std::nullopt;
}

std::string setCookieText(const NewCookie& cookie)
{
    std::string text(cookie.name);
    text += '=';
    text.append(cookie.value.data(), cookie.value.size());
    text += "; Path=";
    text += cookie.path;
    text += "; HttpOnly; SameSite=Lax";
    return text;
}

} // namespace mesh::policy
