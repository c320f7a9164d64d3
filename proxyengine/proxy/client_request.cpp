#include "proxyengine/policy/path.h"
#include "proxyengine/proxy/client_connection.h"
#include "proxyengine/proxy/error_page.h"
#include "proxyengine/proxy/worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace mesh::proxy {
namespace {

// Eight hexadecimal digits of 32 bits, in an order that does not matter.
std::uint64_t hexOf(std::uint32_t bits)
{
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    std::uint64_t spread = bits;
    spread = (spread | spread << 16U) & 0x0000ffff0000ffff;
    spread = (spread | spread << 8U) & 0x00ff00ff00ff00ff;
    spread = (spread | spread << 4U) & 0x0f0f0f0f0f0f0f0f;
    const std::uint64_t isLetter = (spread + kOnes * 6) >> 4U & kOnes;
    return spread + kOnes * '0' + isLetter * ('a' - '0' - 10);
}

void writeRequestId(Random& random, std::array<char, 32>& out)
{
    char* at = out.data();
    for (int half = 0; half < 2; ++half) {
        const std::uint64_t bits = random.next();
        for (const std::uint64_t digits :
             {hexOf(static_cast<std::uint32_t>(bits)),
              hexOf(static_cast<std::uint32_t>(bits >> 32U))}) {
            std::memcpy(at, &digits, sizeof(digits));
            at += sizeof(digits);
        }
    }
}

char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

} // namespace

void ClientConnection::startExchange()
{
    Exchange& exchange = *m_exchange;
    m_timer.cancel();
    exchange.startedAt = m_worker.loop().now();
    exchange.bodyAt = exchange.head.size;
    exchange.bytesIn = exchange.head.size;
    exchange.up.start(exchange.head.body, http::ChunkedDecoder::Mode::Keep);
    exchange.runtime = &m_worker.runtime();
    ++exchange.runtime->streams;
    exchange.listener = m_listener->index;
    exchange.closesClient = !exchange.head.keepsAlive;
    if (const auto type = exchange.head.fields.find(http::HeaderId::ContentType)) {
        exchange.isGrpc = http::isGrpcContentType(*type);
    }
    writeRequestId(m_worker.random(), exchange.requestId);
    if (readHost() && route() && admit()) {
        startAttempts();
    }
}

void ClientConnection::noteVerdict(
    std::string_view kind,
    std::string_view subject,
    std::string_view reason,
    std::string_view detail
)
{
    m_worker.tally().notice(kind, subject, reason, detail);
    m_exchange->verdicts.push_back(kind);
}

bool ClientConnection::readHost()
{
    Exchange& exchange = *m_exchange;
    std::string_view host = exchange.head.host();
    const std::size_t colon = host.rfind(':');
    if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) {
        host = host.substr(0, colon);
    }
    exchange.host.resize(host.size());
    std::ranges::transform(host, exchange.host.begin(), lowered);
    if (exchange.head.form == http::TargetForm::Authority) {
        exchange.closesClient = true;
        answerSelf(405, messageOf(405), "CONNECT is not served");
        return false;
    }
    const std::string_view full = exchange.head.path();
    const std::size_t mark = full.find('?');
    exchange.query = mark == std::string_view::npos ? std::string_view() : full.substr(mark);
    const auto path = policy::normalizePath(full.substr(0, mark), exchange.pathBuffer);
    if (!path) {
        ++m_worker.counters().protocolErrors;
        exchange.closesClient = true;
        answerSelf(400, messageOf(400), toText(path.error()));
        return false;
    }
    exchange.path = *path;
    return true;
}

bool ClientConnection::route()
{
    Exchange& exchange = *m_exchange;
    Runtime& runtime = *exchange.runtime;
    const ListenerView& view = runtime.listeners[exchange.listener];
    std::optional<policy::RouteMatch> match;
    if (view.table != ListenerView::kNoTable) {
        auto& headers = m_worker.headerViews();
        headers.clear();
        for (const http::FieldPlace& field : exchange.head.fields) {
            headers.push_back({exchange.head.fields.name(field), exchange.head.fields.value(field)}
            );
        }
        policy::RequestView request;
        request.method = exchange.head.methodText();
        request.host = exchange.host;
        request.port = m_listener->port;
        request.path = exchange.path;
        request.isTls = m_listener->isTls;
        if (m_transport.tls() != nullptr) {
            request.sni = m_transport.tls()->serverName();
        }
        request.headers = headers.data();
        request.headerCount = headers.size();
        match = runtime.snapshot().tables[view.table].router.match(request);
    }
    std::optional<std::size_t> part;
    if (match) {
        exchange.route = &runtime.snapshot().tables[view.table].routes[match->route];
        part = chooseSplit(*exchange.route);
    }
    exchange.row = &runtime.requestRow(
        m_worker.counters(),
        exchange.listener,
        match ? std::optional<std::size_t>(match->route) : std::nullopt,
        part
    );
    ++exchange.row->inflight;
    if (!admitPeer()) {
        return false;
    }
    if (!match) {
        answerSelf(404, "no Route matched with those values", {});
        return false;
    }
    exchange.matchedPathBytes = match->matchedPathBytes;
    exchange.pattern = match->pattern;
    if (exchange.route->isGrpc && !admitGrpc()) {
        return false;
    }
    if (!exchange.route->allowsHttp && !m_listener->isTls) {
        if (exchange.route->redirectStatus == 426) {
            answerSelf(
                426,
                "Please use HTTPS protocol",
                {},
                "Connection: Upgrade\r\nUpgrade: TLS/1.2, HTTP/1.1\r\n"
            );
        } else {
            answerSelf(
                exchange.route->redirectStatus,
                {},
                {},
                fmt::format("Location: https://{}{}\r\n", exchange.host, exchange.head.path())
            );
        }
        return false;
    }
    if (!authenticate()) {
        return false;
    }
    const config::RoutePlan& route = *exchange.route;
    if (!part && !route.service) {
        answerSelf(503, "no Service found with those values", {});
        return false;
    }
    const std::size_t service = part ? route.split[*part].service : *route.service;
    exchange.service = &runtime.snapshot().services[service];
    exchange.upstream = runtime.upstreams[exchange.service->upstream];
    exchange.retriesLeft = exchange.service->retries;
    if (exchange.head.asksForUpgrade) {
        chooseUpgrade();
    }
    beginPolicy(part ? route.split[*part].resilience : route.resilience);
    return true;
}

void ClientConnection::answerSelf(
    int status, std::string_view message, std::string_view failure, std::string_view extraFields
)
{
    Exchange& exchange = *m_exchange;
    if (exchange.requestId[0] == '\0') {
        writeRequestId(m_worker.random(), exchange.requestId);
    }
    if (exchange.isGrpc && status != 426) {
        answerGrpc(http::grpcStatusFor(status), message, failure, extraFields);
        return;
    }
    const std::string_view id(exchange.requestId.data(), exchange.requestId.size());
    PageFormat format = PageFormat::Json;
    if (!exchange.path.empty()) { // Otherwise there may be no head to look at.
        if (const auto accept = exchange.head.fields.find(http::HeaderId::Accept)) {
            format = pageFormatOf(*accept);
        }
    }
    const std::string page = message.empty() ? std::string() : makePage(format, message, id);
    answerRaw(
        status,
        page.empty() ? std::string_view() : contentTypeOf(format),
        page,
        failure,
        extraFields
    );
}

// An answer of our own, word for word.
void ClientConnection::answerRaw(
    int status,
    std::string_view contentType,
    std::string_view body,
    std::string_view failure,
    std::string_view extraFields
)
{
    Exchange& exchange = *m_exchange;
    const std::string_view id(exchange.requestId.data(), exchange.requestId.size());
    if (exchange.policy != nullptr) {
        cancelHedges(); // Theirs would be a second answer.
    }
    skipBufferedBody();
    exchange.isOwnAnswer = true;
    exchange.hasAnswered = true;
    exchange.status = status;
    exchange.failure = failure;
    exchange.closesClient = exchange.closesClient || !exchange.up.isEndSeen()
                            || m_worker.isDraining() || !m_worker.isOpen(*m_listener);
    http::HeadWriter out(m_worker.scratch());
    out.statusLine(status);
    if (!contentType.empty()) {
        out.field("Content-Type", contentType);
    }
    out.field("Content-Length", static_cast<std::uint64_t>(body.size()));
    if (exchange.closesClient && extraFields.find("Connection:") == std::string_view::npos) {
        out.raw("Connection: close\r\n");
    } else if (exchange.head.minorVersion == 0) {
        out.raw("Connection: keep-alive\r\n");
    }
    out.raw(extraFields);
    out.raw(exchange.answerFields);
    out.field("Server", m_worker.names().server);
    out.field(
        "X-Meshwright-Response-Latency",
        static_cast<std::uint64_t>(toMilliseconds(m_worker.loop().now() - exchange.startedAt))
    );
    out.field("X-Meshwright-Request-Id", id);
    if (!failure.empty()) {
        out.field("x-meshwright-proxy-error", failure);
    }
    out.end();
    exchange.toClient.release();
    exchange.toClient.acquire(m_worker.loop().buffers());
    exchange.toClient.append(out.written());
    if (exchange.head.method != http::Method::Head) {
        exchange.toClient.append(body);
    }
    if (!m_isRunning) {
        run();
    }
}

ClientConnection::Progress ClientConnection::pumpOwn()
{
    Exchange& exchange = *m_exchange;
    const std::size_t before = exchange.toClient.size();
    const Progress progress = flush(exchange.toClient, m_transport, m_mayWrite);
    if (m_phase != Phase::Exchange) {
        return Progress::Moved; // The exchange is somebody else's by now.
    }
    exchange.bytesOut += before - exchange.toClient.size();
    if (m_phase == Phase::Exchange && exchange.toClient.isEmpty()) {
        finish();
        return Progress::Moved;
    }
    return progress;
}

} // namespace mesh::proxy
