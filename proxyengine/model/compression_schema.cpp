#include "proxyengine/model/compression.h"
#include "proxyengine/model/field_build.h"
#include "proxyengine/model/schema.h"
#include "proxyengine/model/traffic_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

// Compression of answers, and what a service says about upgrades.
namespace mesh::model {
namespace build {

template <>
std::span<const std::string_view> wordsOf<ContentCoding>()
{
    static constexpr std::array<std::string_view, 2> kWords = {"br", "gzip"};
    return kWords;
}

} // namespace build

using build::as;
using build::ListOf;
using build::plain;
using build::rules;
using build::texts;
using build::Words;

namespace {

constexpr double kMinContentLengthMax = 1 << 30;

std::string lowered(std::string_view text)
{
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

} // namespace

template <>
const Schema& schemaOf<Compression>()
{
    static const Schema kSchema(
        "compression",
        {
            as<&Compression::codings, ListOf<Words<ContentCoding>>>("codings")
                .named("Codings", "Offered to clients; the first wins among equally liked ones.")
                .unique()
                .atLeast(1),
            texts<&Compression::contentTypes>("content_types")
                .named("Content types", "Answers of these types are compressed, as in text/html.")
                .unique()
                .atLeast(1),
            plain<&Compression::minContentLength>("min_content_length")
                .named("Shortest body", "Shorter bodies are left as they are.")
                .between(0, kMinContentLengthMax)
                .measuredIn("bytes"),
            plain<&Compression::compressionLevel>("compression_level")
                .named("gzip level", "1 is fast, 9 is small.")
                .between(1, 9),
            plain<&Compression::quality>("quality")
                .named("brotli quality", "0 is fast, 11 is small.")
                .between(0, 11),
            plain<&Compression::disableOnEtagHeader>("disable_on_etag_header")
                .named("Leave ETags", "Answers with an ETag are not compressed."),
            plain<&Compression::disableOnSetCookie>("disable_on_set_cookie")
                .named("Leave cookies", "Answers that set a cookie are not compressed."),
        },
        rules<Compression, checkCompression>()
    );
    return kSchema;
}

void checkCompression(const Compression& compression, FieldProblems& problems)
{
    for (std::size_t at = 0; at < compression.contentTypes.size(); ++at) {
        const std::string& type = compression.contentTypes[at];
        const std::size_t slash = type.find('/');
        const bool isType = slash != std::string::npos && slash > 0 && slash + 1 < type.size()
                            && type.find('/', slash + 1) == std::string::npos
                            && type.find_first_of("; ,\t\"*") == std::string::npos;
        if (!isType) {
            problems.push_back(
                {fmt::format("content_types[{}]", at),
                 ErrorCode::InvalidArgument,
                 "expected a media type without parameters, as in text/html",
                 {}}
            );
        }
    }
}

void checkUpgrades(const Service& service, FieldProblems& problems)
{
    const bool isHttp = service.protocol == Protocol::Http || service.protocol == Protocol::Https;
    for (std::size_t at = 0; at < service.upgrades.size(); ++at) {
        const std::string word = lowered(service.upgrades[at]);
        std::string message;
        if (word == "h2c" || word == "tls" || word.starts_with("http")
            || word.starts_with("tls/")) {
            message = fmt::format(
                "'{}' would carry requests past the proxy; it cannot be passed on",
                service.upgrades[at]
            );
        } else if (!isHttp && service.upgrades != Service().upgrades) {
            message = "can only be set when 'protocol' is 'http' or 'https'";
        }
        if (!message.empty()) {
            problems.push_back(
                {fmt::format("upgrades[{}]", at), ErrorCode::InvalidArgument, message, {}}
            );
        }
    }
}

} // namespace mesh::model
