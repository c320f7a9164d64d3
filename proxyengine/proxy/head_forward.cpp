#include "proxyengine/proxy/head_forward.h"

#include "proxyengine/base/version.h"
#include "proxyengine/policy/path.h"

#include <fmt/format.h>

#include <algorithm>

namespace mesh::proxy {
namespace {

using http::HeaderId;

constexpr std::string_view kOwnPrefix = "x-meshwright-";

bool isOwnName(std::string_view name)
{
    return name.size() > kOwnPrefix.size() && (name[0] == 'x' || name[0] == 'X')
           && http::equalsIgnoringCase(name.substr(0, kOwnPrefix.size()), kOwnPrefix);
}

constexpr std::uint64_t bit(HeaderId id) { return std::uint64_t{1} << static_cast<unsigned>(id); }

// Said anew by us in requests.
constexpr std::uint64_t kRequestDropped =
    bit(HeaderId::Host) | bit(HeaderId::ContentLength) | bit(HeaderId::TransferEncoding)
    | bit(HeaderId::Expect) | bit(HeaderId::Via) | bit(HeaderId::XForwardedFor)
    | bit(HeaderId::XForwardedHost) | bit(HeaderId::XForwardedPath) | bit(HeaderId::XForwardedPort)
    | bit(HeaderId::XForwardedPrefix) | bit(HeaderId::XForwardedProto) | bit(HeaderId::XRealIp)
    | bit(HeaderId::Te) | bit(HeaderId::Connection) | bit(HeaderId::Proxy);

constexpr std::uint64_t kAnswerDropped = bit(HeaderId::ContentLength)
                                         | bit(HeaderId::TransferEncoding) | bit(HeaderId::Via)
                                         | bit(HeaderId::Connection);

constexpr std::string_view kGrpcTimeout = "grpc-timeout";

// The deadline of a call goes with it, so that everybody on its way knows when to give up.
bool hasGrpcDeadline(const Exchange& exchange)
{
    return exchange.isGrpc && exchange.policy != nullptr
           && exchange.policy->deadline != TimePoint::max();
}

// Whether these are the fields of a compressed body, which itself may be left out.
bool isCoded(const Exchange& exchange)
{
    return exchange.compressor != nullptr || (exchange.coding.coding && !exchange.coding.hasBody);
}

// What a body that is compressed on its way needs and what it cannot keep; and Vary, where another
// client would have got another coding.
void writeCoding(http::HeadWriter& out, const Exchange& exchange)
{
    const http::FieldTable& fields = exchange.answer.fields;
    out.raw("Vary: ");
    for (const http::FieldPlace& field : fields) {
        if (field.id == HeaderId::Vary) {
            out.raw(fields.value(field));
            out.raw(", ");
        }
    }
    out.raw("Accept-Encoding\r\n");
    if (!isCoded(exchange)) {
        return;
    }
    if (exchange.answer.status != 304) { // Which says no more than caches need.
        out.field("Content-Encoding", toText(*exchange.coding.coding));
    }
    if (exchange.compressor != nullptr) {
        out.raw("Transfer-Encoding: chunked\r\n");
    }
    if (const auto etag = fields.find(HeaderId::Etag)) {
        out.raw(etag->starts_with("W/") ? "ETag: " : "ETag: W/");
        out.raw(*etag);
        out.raw("\r\n");
    }
}

// Copies the fields that stay, runs of neighbours in one piece, as they were received.
// `alsoDropped`: one more name, of those without an id.
void copyFields(
    http::HeadWriter& out,
    const http::FieldTable& fields,
    std::uint64_t dropped,
    std::string_view alsoDropped = {}
)
{
    const char* begin = nullptr;
    const char* end = nullptr;
    const auto flush = [&] {
        if (begin != nullptr) {
            out.raw({begin, static_cast<std::size_t>(end - begin)});
            out.raw("\r\n");
            begin = nullptr;
        }
    };
    for (const http::FieldPlace& field : fields) {
        const std::string_view name = fields.name(field);
        const bool isDropped =
            field.isHopByHop
            || (field.id != HeaderId::Other
                    ? (dropped & bit(field.id)) != 0
                    : isOwnName(name)
                          || (!alsoDropped.empty() && http::equalsIgnoringCase(name, alsoDropped)));
        if (isDropped) {
            flush();
            continue;
        }
        if (begin == nullptr) {
            begin = name.data();
        }
        const std::string_view value = fields.value(field);
        end = value.data() + value.size();
    }
    flush();
}

std::string_view upstreamTarget(Exchange& exchange, const config::ServicePlan& service)
{
    if (exchange.head.form == http::TargetForm::Asterisk) {
        return "*";
    }
    const std::string_view servicePath =
        service.path.empty() ? std::string_view("/") : service.path;
    const auto strip = exchange.route->stripPath ? policy::StripPath::Yes : policy::StripPath::No;
    const std::string_view joined = policy::joinUpstreamPath(
        servicePath, exchange.path, exchange.matchedPathBytes, strip, exchange.joinBuffer
    );
    return policy::escapePath(joined, exchange.escapeBuffer);
}

void writeHost(
    http::HeadWriter& out,
    const Exchange& exchange,
    const config::ServicePlan& service,
    const config::UpstreamPlan& upstream,
    const config::TargetPlan& target
)
{
    out.raw("Host: ");
    if (exchange.route->preserveHost && !exchange.head.host().empty()) {
        out.raw(exchange.head.host());
    } else if (upstream.hostHeader) {
        out.raw(*upstream.hostHeader);
    } else {
        const bool isHttps = service.protocol == model::Protocol::Https;
        out.raw(
            target.port == (isHttps ? 443 : 80) ? std::string_view(target.host)
                                                : std::string_view(target.address)
        );
    }
    out.raw("\r\n");
}

void writeFraming(http::HeadWriter& out, const http::BodyFraming& body)
{
    if (body.kind == http::BodyFraming::Kind::Length) {
        out.field("Content-Length", body.length);
    } else if (body.kind == http::BodyFraming::Kind::Chunked) {
        out.raw("Transfer-Encoding: chunked\r\n");
    }
}

bool mayHaveBody(http::Method method)
{
    return method == http::Method::Post || method == http::Method::Put
           || method == http::Method::Patch;
}

} // namespace

OwnNames makeOwnNames()
{
    const std::string_view full = version();
    const std::size_t first = full.find('.');
    const std::size_t second = first == std::string_view::npos ? first : full.find('.', first + 1);
    const std::string_view shortened = full.substr(0, second);
    return {fmt::format("1.1 meshwright/{}", shortened), fmt::format("meshwright/{}", shortened)};
}

std::string_view serverNameFor(
    const Exchange& exchange, const config::UpstreamPlan& upstream, const config::TargetPlan& target
)
{
    if (exchange.route->preserveHost && !exchange.host.empty()) {
        return exchange.host;
    }
    if (!upstream.hostHeader) {
        return target.host;
    }
    const std::string_view host = *upstream.hostHeader;
    return host.substr(0, host.ends_with(']') ? host.size() : host.rfind(':'));
}

bool isNameOfClient(const Exchange& exchange)
{
    const config::RoutePlan& route = *exchange.route;
    return route.preserveHost && !exchange.host.empty()
           && std::ranges::find(route.listedHosts, exchange.host) == route.listedHosts.end();
}

void writeUpstreamHead(
    http::HeadWriter& out,
    Exchange& exchange,
    const config::ServicePlan& service,
    const config::UpstreamPlan& upstream,
    const config::TargetPlan& target,
    const ClientFacts& client,
    const OwnNames& names
)
{
    const http::RequestHead& head = exchange.head;
    out.raw(head.methodText());
    out.raw(" ");
    out.raw(upstreamTarget(exchange, service));
    out.raw(exchange.query);
    out.raw(" HTTP/1.1\r\n");
    writeHost(out, exchange, service, upstream, target);
    if (hasGrpcDeadline(exchange)) {
        copyFields(out, head.fields, kRequestDropped, kGrpcTimeout);
        out.field(kGrpcTimeout, http::grpcTimeoutText(exchange.policy->deadline - client.now));
    } else {
        copyFields(out, head.fields, kRequestDropped);
    }
    writeFraming(out, head.body);
    if (head.body.kind == http::BodyFraming::Kind::None && mayHaveBody(head.method)) {
        out.raw("Content-Length: 0\r\n");
    }
    if (!exchange.upgrade.empty()) {
        out.raw("Connection: keep-alive, Upgrade\r\n");
        out.field("Upgrade", exchange.upgrade);
    } else if (head.acceptsTrailers) {
        out.raw("Connection: keep-alive, TE\r\nTE: trailers\r\n");
    } else {
        out.raw("Connection: keep-alive\r\n");
    }
    out.field("X-Forwarded-For", client.address);
    out.field("X-Real-IP", client.address);
    out.raw(client.isTls ? "X-Forwarded-Proto: https\r\n" : "X-Forwarded-Proto: http\r\n");
    if (!exchange.host.empty()) {
        out.field("X-Forwarded-Host", exchange.host);
    }
    out.field("X-Forwarded-Port", std::uint64_t{client.listenerPort});
    out.raw("X-Forwarded-Path: ");
    out.raw(policy::escapePath(exchange.path, exchange.escapeBuffer));
    out.raw("\r\n");
    if (exchange.route->stripPath && exchange.matchedPathBytes > 1) {
        out.raw("X-Forwarded-Prefix: ");
        out.raw(policy::escapePath(
            exchange.path.substr(0, exchange.matchedPathBytes), exchange.escapeBuffer
        ));
        out.raw("\r\n");
    }
    out.raw("Via: ");
    if (const auto via = head.fields.find(HeaderId::Via)) {
        out.raw(*via);
        out.raw(", ");
    }
    if (client.isHttp2) {
        constexpr std::size_t kVersionBytes = 3; // "1.1" of names.via.
        out.raw("2.0");
        out.raw(std::string_view(names.via).substr(kVersionBytes));
    } else {
        out.raw(names.via);
    }
    out.raw("\r\n");
    out.field("X-Meshwright-Request-Id", {exchange.requestId.data(), exchange.requestId.size()});
    out.end();
}

void writeClientHead(
    http::HeadWriter& out,
    const Exchange& exchange,
    ClientConnectionEnds ends,
    Duration proxyLatency,
    const OwnNames& names
)
{
    const http::ResponseHead& answer = exchange.answer;
    out.statusLine(answer.status);
    const bool isCompressed = isCoded(exchange);
    if (exchange.coding.varies) {
        const std::uint64_t rewritten =
            bit(HeaderId::Vary) | (isCompressed ? bit(HeaderId::Etag) : 0);
        copyFields(
            out,
            answer.fields,
            kAnswerDropped | rewritten,
            isCompressed ? "accept-ranges" : std::string_view()
        );
        writeCoding(out, exchange);
    } else {
        copyFields(out, answer.fields, kAnswerDropped);
    }
    const bool isChunked = answer.body.kind == http::BodyFraming::Kind::Chunked;
    const bool hasNoBodyEver = answer.status == 204 || answer.status < 200;
    if (isCompressed) {
        // Said with the coding.
    } else if (exchange.head.method == http::Method::Head || answer.status == 304) {
        if (const auto length = answer.fields.find(HeaderId::ContentLength)) {
            out.field("Content-Length", *length);
        }
    } else if (answer.body.kind == http::BodyFraming::Kind::None && !hasNoBodyEver) {
        out.raw("Content-Length: 0\r\n");
    } else if (!isChunked || exchange.head.minorVersion >= 1) {
        writeFraming(out, answer.body);
    }
    if (answer.status == 101) {
        out.raw("Connection: Upgrade\r\n");
        out.field("Upgrade", exchange.upgrade);
    } else if (ends == ClientConnectionEnds::Yes) {
        out.raw("Connection: close\r\n");
    } else if (exchange.head.minorVersion == 0) {
        out.raw("Connection: keep-alive\r\n");
    }
    out.raw("Via: ");
    if (const auto via = answer.fields.find(HeaderId::Via)) {
        out.raw(*via);
        out.raw(", ");
    }
    out.raw(names.via);
    out.raw("\r\n");
    out.field(
        "X-Meshwright-Upstream-Latency",
        static_cast<std::uint64_t>(toMilliseconds(exchange.upstreamLatency))
    );
    out.field(
        "X-Meshwright-Proxy-Latency", static_cast<std::uint64_t>(toMilliseconds(proxyLatency))
    );
    out.field("X-Meshwright-Request-Id", {exchange.requestId.data(), exchange.requestId.size()});
    out.raw(exchange.answerFields);
    out.end();
}

} // namespace mesh::proxy
