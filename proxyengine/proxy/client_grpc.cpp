#include "proxyengine/proxy/client_connection.h"
#include "proxyengine/proxy/error_page.h"
#include "proxyengine/proxy/worker.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

// What is different when a request is a gRPC call: answers of our own, deadlines that callers send
// along, and a result that stands behind the body.
namespace mesh::proxy {
namespace {

constexpr std::string_view kGrpcStatus = "grpc-status";

std::optional<http::GrpcStatus> statusIn(std::string_view trailers)
{
    while (!trailers.empty()) {
        const std::size_t end = trailers.find("\r\n");
        const std::string_view line = trailers.substr(0, end);
        const std::size_t colon = line.find(':');
        if (colon != std::string_view::npos
            && http::equalsIgnoringCase(line.substr(0, colon), kGrpcStatus)) {
            std::string_view value = line.substr(colon + 1);
            while (value.starts_with(' ') || value.starts_with('\t')) {
                value.remove_prefix(1);
            }
            return http::parseGrpcStatus(value);
        }
        trailers.remove_prefix(end == std::string_view::npos ? trailers.size() : end + 2);
    }
    return std::nullopt;
}

} // namespace

// Of a route that takes gRPC alone. False: answered.
bool ClientConnection::admitGrpc()
{
    const Exchange& exchange = *m_exchange;
    if (!exchange.isGrpc) {
        answerSelf(415, "Non-gRPC request matched gRPC route", {});
        return false;
    }
    if (!isOverStream()) {
        answerSelf(
            426, "Please use HTTP2 protocol", {}, "Connection: Upgrade\r\nUpgrade: HTTP/2\r\n"
        );
        return false;
    }
    if (!exchange.route->allowsHttp && !m_listener->isTls) {
        answerGrpc(http::GrpcStatus::Cancelled, "gRPC request matched gRPCs route", {}, {});
        return false;
    }
    return true;
}

// An answer of our own to a call: a head that is its trailers too.
void ClientConnection::answerGrpc(
    http::GrpcStatus status,
    std::string_view message,
    std::string_view failure,
    std::string_view extraFields
)
{
    m_exchange->grpcStatus = status;
    const std::string fields = fmt::format(
        "grpc-status: {}\r\ngrpc-message: {}\r\n{}",
        static_cast<int>(status),
        http::encodeGrpcMessage(message.empty() ? failure : message),
        extraFields
    );
    answerRaw(200, "application/grpc", {}, failure, fields);
}

// The caller's deadline, when it is nearer than ours.
void ClientConnection::adoptGrpcTimeout()
{
    const Exchange& exchange = *m_exchange;
    RequestPolicy& state = *exchange.policy;
    const auto text = exchange.head.fields.find("grpc-timeout");
    const auto timeout = text ? http::parseGrpcTimeout(*text) : std::nullopt;
    if (timeout && exchange.startedAt + *timeout < state.deadline) {
        state.deadline = exchange.startedAt + *timeout;
        state.deadlinePlan = nullptr;
        state.arm();
    }
}

// What the head that is here says about the attempt, in statuses of HTTP.
int ClientConnection::attemptStatus()
{
    Exchange& exchange = *m_exchange;
    const int status = exchange.answer.status;
    if (!exchange.isGrpc || status != 200) {
        return status;
    }
    const auto text = exchange.answer.fields.find(kGrpcStatus);
    exchange.grpcStatus = text ? http::parseGrpcStatus(*text) : std::nullopt;
    return exchange.grpcStatus ? http::httpStatusFor(*exchange.grpcStatus) : status;
}

// What the caller was told, in statuses of HTTP; of a call that was cut off, 499.
int ClientConnection::resultStatus() const
{
    const Exchange& exchange = *m_exchange;
    if (!exchange.isGrpc || exchange.status != 200) {
        return exchange.status;
    }
    return http::httpStatusFor(exchange.grpcStatus.value_or(http::GrpcStatus::Cancelled));
}

// The answer has come to its end, or nobody wants the rest: counters and health hear of it.
void ClientConnection::reportAnswer()
{
    Exchange& exchange = *m_exchange;
    if (exchange.isGrpc && !exchange.grpcStatus && !exchange.isOwnAnswer) {
        exchange.grpcStatus = statusIn(exchange.trailers);
        if (!exchange.grpcStatus && exchange.isAnswerHead && exchange.answer.status == 200
            && exchange.down.isEndSeen()) {
            exchange.grpcStatus = http::GrpcStatus::Unknown; // As callers must take it.
        }
    }
    if (!std::exchange(exchange.owesReport, false)) {
        return;
    }
    int status = exchange.answer.status;
    if (exchange.isGrpc && status == 200 && exchange.grpcStatus) {
        status = http::httpStatusFor(*exchange.grpcStatus);
    }
    if (std::exchange(exchange.owesCount, false)) {
        ++exchange.attemptRow->answers[telemetry::classOf(status)];
    }
    report(policy::Observation::Kind::Status, status);
}

void ClientConnection::recordGrpc(Duration took)
{
    const Exchange& exchange = *m_exchange;
    const bool isHttpError = exchange.status != 0 && exchange.status != 200;
    const http::GrpcStatus status = isHttpError
                                        ? http::grpcStatusFor(exchange.status)
                                        : exchange.grpcStatus.value_or(http::GrpcStatus::Cancelled);
    m_worker.counters().grpc.record(
        exchange.row->source,
        exchange.row->service,
        http::grpcMethodOf(exchange.path).value_or("other"),
        static_cast<std::size_t>(status),
        static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(took).count()
        )
    );
}

// Ends a call whose answer has begun by trailers of our own. False: it is in the middle of a chunk,
// and can only be cut off.
bool ClientConnection::endGrpc(http::GrpcStatus status, std::string_view message)
{
    Exchange& exchange = *m_exchange;
    if (!exchange.isGrpc || !exchange.isAnswerHead || exchange.isOwnAnswer
        || !exchange.toClient.isEmpty() || !exchange.down.isBetweenChunks()
        || exchange.head.minorVersion == 0) {
        return false;
    }
    if (exchange.policy != nullptr) {
        cancelHedges();
        exchange.policy->ending = RequestPolicy::Ending::Failed;
    }
    endAttempt();
    skipBufferedBody();
    exchange.grpcStatus = status;
    exchange.failure = message;
    exchange.isOwnAnswer = true;
    exchange.closesClient = exchange.closesClient || !exchange.up.isEndSeen();
    exchange.toClient.acquire(m_worker.loop().buffers());
    exchange.toClient.append(fmt::format(
        "0\r\ngrpc-status: {}\r\ngrpc-message: {}\r\n\r\n",
        static_cast<int>(status),
        http::encodeGrpcMessage(message)
    ));
    if (!m_isRunning) {
        run();
    }
    return true;
}

} // namespace mesh::proxy
