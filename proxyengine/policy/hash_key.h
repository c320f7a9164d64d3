#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/model/gateway.h"
#include "proxyengine/policy/router.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// What the hashing balancers hash: hash_on of the gateway format, with its fallback.
namespace mesh::policy {

// The names belong to the kind beside them.
struct HashRule
{
    model::HashOn on = model::HashOn::None;
    model::HashOn fallback = model::HashOn::None;
    std::string
        name; // Header, cookie, query argument, or URI capture (a name, or a number from 1).
    std::string fallbackName;
    std::string cookiePath = "/";
};

// What a request offers; nothing is copied, empty means absent.
struct HashInput
{
    std::string_view clientIp = {};
    std::string_view consumer = {}; // Id of the consumer, else of the credential.
    std::string_view credential = {};
    std::string_view path = {}; // Normalised, without the query.
    std::string_view query = {}; // Without the question mark, as received.
    std::span<const HeaderView> headers = {};
    std::span<const UriCapture> captures = {};
};

// A cookie that the answer must set, so that the client comes back to the same host.
struct NewCookie
{
    std::string_view name; // Of the rule, which must outlive this.
    std::string_view path;
    std::array<char, 32> value; // 128 random bits in lower-case hexadecimal digits.
};

struct HashVerdict
{
    std::optional<std::uint64_t> hash = {}; // Absent: any host.
    std::optional<NewCookie> cookie = {};
};

// XXH64 of the first of the rule's two things that the request has. A header given several times
// counts as one, joined by ", "; of cookies and query arguments the first counts, undecoded. A
// missing cookie never falls back: it is made up, and hashed.
//
// Source: the gateway's hash_on and hash_fallback (reference 1.17), but with neither thing any
//         host is taken instead of always the same.
// Cost: one pass over the headers at most; allocates nothing.
[[nodiscard]] HashVerdict hashOf(const HashRule& rule, const HashInput& input, Random& random);

// The value of Set-Cookie: "name=value; Path=/; HttpOnly; SameSite=Lax".
[[nodiscard]] std::string setCookieText(const NewCookie& cookie);

// Value of the first cookie of this name in all Cookie headers; nothing when there is none.
[[nodiscard]] std::optional<std::string_view> cookieOf(
    std::span<const HeaderView> headers, std::string_view name
);

} // namespace mesh::policy
