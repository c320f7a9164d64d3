#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/model/gateway.h"
#include "proxyengine/policy/router.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace mesh::policy {

// A regular expression that runs in linear time and bounded memory (kRouteRegexBytesMax).
class Pattern
{
public:
    enum class Case : std::uint8_t { Sensitive, Ignored };

    // (?<name> is read as (?P<name>. Errors: InvalidArgument with the engine's words.
    [[nodiscard]] static Result<Pattern> make(std::string_view text, Case sensitivity);

    Pattern(Pattern&&) noexcept;
    Pattern& operator=(Pattern&&) noexcept;
    Pattern(const Pattern&) = delete;
    Pattern& operator=(const Pattern&) = delete;
    ~Pattern();

    [[nodiscard]] bool isFoundIn(std::string_view text) const;
    // How many bytes at the start of `text` it takes; nothing when it does not begin there.
    [[nodiscard]] std::optional<std::size_t> prefixOf(std::string_view text) const;

    // The first kCapturesMax groups of prefixOf()'s match into `out`. Returns how many.
    static constexpr std::size_t kCapturesMax = 16;
    [[nodiscard]] std::size_t captures(std::string_view text, std::span<UriCapture> out) const;

private:
    explicit Pattern(std::unique_ptr<const re2::RE2> regex);
    std::unique_ptr<const re2::RE2> m_regex;
};

// "x.com", "*.x.com", "x.*" or "*", with an optional port, in the form that is compared.
struct HostPattern
{
    enum class Kind : std::uint8_t { Any, Exact, Suffix, Prefix };
    Kind kind = Kind::Exact;
    std::string text; // Lower case: the host, ".x.com" or "x.".
    std::uint16_t port = 0; // 0: any.

    // Nothing when a '*' stands where it has no meaning.
    [[nodiscard]] static std::optional<HostPattern> make(std::string_view text);
    [[nodiscard]] bool matches(std::string_view host) const; // Without the port.
};

// What a route asks for besides host and path.
struct RouteRule
{
    struct Header
    {
        std::string name; // Lower case.
        std::vector<std::string> values; // Lower case; one is enough.
        std::optional<Pattern> pattern; // Instead of values.
    };

    std::vector<std::string> methods;
    std::vector<Header> headers; // All of them.
    std::vector<HostPattern> snis;

    [[nodiscard]] bool matches(const RequestView& request) const;
    [[nodiscard]] bool takesAll() const
    {
        return methods.empty() && headers.empty() && snis.empty();
    }
};

// Lower case of the ASCII letters.
[[nodiscard]] std::string toLower(std::string_view text);

// Compiles methods, headers and SNIs. What cannot be compiled is added to `refusals`.
[[nodiscard]] RouteRule makeRule(
    std::size_t index, const model::Route& route, std::vector<Router::Refusal>& refusals
);

} // namespace mesh::policy
