#pragma once

#include "tests/support/certificate_maker.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

// Certificates as a declarative file holds them.
namespace mesh::test {

inline std::string indentedPem(std::string_view text)
{
    std::string out = "    ";
    for (const char c : text) {
        out += c;
        if (c == '\n') {
            out += "    ";
        }
    }
    return out;
}

// An element of `certificates`.
inline std::string certificateYaml(
    const IssuedCertificate& shown, std::string_view id, std::string_view sni = {}
)
{
    std::string yaml = fmt::format(
        "- id: {}\n  cert: |\n{}\n  key: |\n{}\n",
        id,
        indentedPem(shown.pem()),
        indentedPem(shown.keyPem())
    );
    return sni.empty() ? yaml : yaml + fmt::format("  snis: [{{name: {}}}]\n", sni);
}

// An element of `ca_certificates`.
inline std::string authorityElementYaml(
    const IssuedCertificate& authority, std::string_view id, const std::string& crl = {}
)
{
    std::string yaml = fmt::format("- id: {}\n  cert: |\n{}\n", id, indentedPem(authority.pem()));
    return crl.empty() ? yaml : yaml + fmt::format("  crl: |\n{}\n", indentedPem(crl));
}

} // namespace mesh::test
