#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mesh::tls {

// A server name as names are compared: in lower case, without a last dot.
[[nodiscard]] std::string comparable(std::string_view name);

// "x.com", "*.x.com" (everything below, at any depth), "x.*" or "*" (also no name at all). The same
// rules as those of routes (policy::HostPattern), which this folder must not see: whoever is routed
// by a name has to be asked for a certificate under it.
class NamePattern
{
public:
    explicit NamePattern(std::string_view text);

    // `name`: comparable; empty when the client sent none.
    [[nodiscard]] bool matches(std::string_view name) const;

private:
    enum class Kind : std::uint8_t { Any, Exact, Suffix, Prefix };
    Kind m_kind = Kind::Exact;
    std::string m_text; // The name, ".x.com" or "x.".
};

} // namespace mesh::tls
