#include "proxyengine/proxy/compression.h"

#include "proxyengine/http/characters.h"
#include "proxyengine/http/content_coding.h"

#include <algorithm>
#include <brotli/encode.h>
#include <limits>
#include <zlib.h>

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

bool isTypeListed(const model::Compression& rules, const http::FieldTable& fields)
{
    const auto value = fields.find(HeaderId::ContentType);
    if (!value) {
        return false;
    }
    const std::string_view type = http::trimmed(value->substr(0, value->find(';')));
    return std::ranges::any_of(rules.contentTypes, [type](const std::string& each) {
        return http::equalsIgnoringCase(each, type);
    });
}

// Everything but what the client accepts.
bool isCompressible(
    const model::Compression& rules,
    const http::RequestHead& request,
    const http::ResponseHead& answer
)
{
    const int status = answer.status;
    const http::FieldTable& fields = answer.fields;
    const bool isEmptyEver = status < 200 || status == 204 || status == 205 || status == 304
                             || answer.body.kind == http::BodyFraming::Kind::None;
    const auto shortest = static_cast<std::uint64_t>(rules.minContentLength);
    if (isEmptyEver || status == 206 || request.method == http::Method::Head
        || (answer.body.kind == http::BodyFraming::Kind::Length && answer.body.length < shortest)
        || fields.has(HeaderId::ContentEncoding) || fields.has(HeaderId::Trailer)
        || !isTypeListed(rules, fields)) {
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
    if (!isCompressible(rules, request, answer)) {
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
