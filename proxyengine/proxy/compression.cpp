#include "proxyengine/proxy/compression.h"

#include "proxyengine/http/characters.h"
#include "proxyengine/http/content_coding.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace mesh::proxy {
namespace {

using http::HeaderId;
using model::ContentCoding;

bool hasToken(const http::FieldTable& fields, HeaderId id, std::string_view wanted)
{
    for (const http::FieldPlace& field : fields) {
        if (field.id != id) {
            continue;
        }
        std::string_view list = fields.value(field);
        std::string_view element;
        while (http::takeElement(list, element)) {
            if (http::equalsIgnoringCase(element, wanted)) {
                return true;
            }
        }
    }
    return false;
}

// A 304 says the type only at times; then the answer that it stands for may have been compressed.
bool isTypeListed(const model::Compression& rules, const http::ResponseHead& answer)
{
    const auto value = answer.fields.find(HeaderId::ContentType);
    if (!value) {
        return answer.status == 304;
    }
    const std::string_view type = http::trimmed(value->substr(0, value->find(';')));
    return std::ranges::any_of(rules.contentTypes, [type](const std::string& each) {
        return http::equalsIgnoringCase(each, type);
    });
}

// The length of the body that is here or left out, if it is known.
std::optional<std::uint64_t> lengthOf(const http::ResponseHead& answer, bool hasBody)
{
    if (hasBody) {
        return answer.body.kind == http::BodyFraming::Kind::Length
                   ? std::optional(answer.body.length)
                   : std::nullopt;
    }
    const auto text = answer.fields.find(HeaderId::ContentLength);
    std::uint64_t length = 0;
    const bool isKnown =
        text
        && std::from_chars(text->data(), text->data() + text->size(), length).ec == std::errc();
    return isKnown ? std::optional(length) : std::nullopt;
}

// Everything but what the client accepts.
bool isCompressible(
    const model::Compression& rules,
    const http::RequestHead& request,
    const http::ResponseHead& answer,
    bool hasBody
)
{
    const int status = answer.status;
    const http::FieldTable& fields = answer.fields;
    const bool isEmptyEver = status < 200 || status == 204 || status == 205
                             || (hasBody && answer.body.kind == http::BodyFraming::Kind::None);
    const auto shortest = static_cast<std::uint64_t>(rules.minContentLength);
    if (isEmptyEver || status == 206 || lengthOf(answer, hasBody).value_or(shortest) < shortest
        || fields.has(HeaderId::ContentEncoding) || fields.has(HeaderId::Trailer)
        || !isTypeListed(rules, answer)) {
        return false;
    }
    if ((rules.disableOnEtagHeader && fields.has(HeaderId::Etag))
        || (rules.disableOnSetCookie && fields.has(HeaderId::SetCookie))) {
        return false;
    }
    return !hasToken(fields, HeaderId::CacheControl, "no-transform")
           && !hasToken(request.fields, HeaderId::CacheControl, "no-transform");
}

} // namespace

CodingVerdict decideCoding(
    const model::Compression& rules,
    const http::RequestHead& request,
    const http::ResponseHead& answer
)
{
    CodingVerdict verdict;
    verdict.hasBody = request.method != http::Method::Head && answer.status != 304;
    if (!isCompressible(rules, request, answer, verdict.hasBody)) {
        return verdict;
    }
    verdict.varies = true;
    if (request.minorVersion == 0 || request.fields.has(HeaderId::Range)
        || !request.fields.has(HeaderId::AcceptEncoding)) {
        return verdict;
    }
    http::AcceptedCodings accepted;
    for (const http::FieldPlace& field : request.fields) {
        if (field.id == HeaderId::AcceptEncoding) {
            accepted.add(request.fields.value(field));
        }
    }
    http::Quality best = std::max<http::Quality>(accepted.identity(), 1);
    bool isFound = false;
    for (const ContentCoding coding : rules.codings) {
        const http::Quality quality =
            coding == ContentCoding::Gzip ? accepted.gzip() : accepted.brotli();
        if (isFound ? quality > best : quality >= best) {
            isFound = true;
            best = quality;
            verdict.coding = coding;
        }
    }
    return verdict;
}

std::unique_ptr<http::Compressor> makeCompressor(
    ContentCoding coding, const model::Compression& rules
)
{
    return coding == ContentCoding::Gzip ? http::makeGzipCompressor(rules.compressionLevel)
                                         : http::makeBrotliCompressor(rules.quality);
}

std::string_view toText(ContentCoding coding)
{
    return coding == ContentCoding::Gzip ? "gzip" : "br";
}

} // namespace mesh::proxy
