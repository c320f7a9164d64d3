#include "proxyengine/control/remote_engine.h"

#include "proxyengine/base/duration_text.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/base/log.h"
#include "proxyengine/base/thread.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/control/event_json.h"
#include "proxyengine/control/json_reader.h"
#include "proxyengine/control/node_address.h"
#include "proxyengine/control/node_tls.h"
#include "proxyengine/control/reconnect_pause.h"
#include "proxyengine/http/client.h"
#include "proxyengine/net/event_loop.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <utility>
#include <vector>

namespace mesh::control {
namespace {

using Json = nlohmann::ordered_json;

constexpr Duration kRetryFirst = std::chrono::milliseconds(200);
constexpr Duration kRetryLongest = std::chrono::seconds(10);
constexpr Duration kSilenceMax = std::chrono::seconds(5); // A living node sends stats every second.
constexpr std::size_t kRefusalBytesMax = 16U << 10U; // A message, with two certificates' names.
constexpr Duration kCommandTimeout = std::chrono::seconds(60); // A large document compiles.

// Everything but unreserved characters, so that a name stays one path segment.
std::string percentEncoded(std::string_view text)
{
    std::string encoded;
    for (const char c : text) {
        const bool isPlain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                             || (c >= '0' && c <= '9')
                             || std::string_view("-._~").find(c) != std::string_view::npos;
        if (isPlain) {
            encoded.push_back(c);
        } else {
            encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return encoded;
}

// A command as the request that asks for it.
struct RequestOf
{
    Result<http::Request> operator()(const api::ApplyDocument& command) const
    {
        http::Request made = request("POST", "/config", config::toJson(*command.document));
        if (!command.onlyIfHash.empty()) {
            made.headers.push_back({"If-Match", fmt::format("\"{}\"", command.onlyIfHash)});
        }
        return made;
    }

    Result<http::Request> operator()(const api::SetTargetHealth& command) const
    {
        if (command.health == api::HealthOverride::None) {
            return fail(
                ErrorCode::Unsupported, "a node's override is taken back by pushing a configuration"
            );
        }
        const bool isHealthy = command.health == api::HealthOverride::Healthy;
        return request(
            "PUT",
            fmt::format(
                "/upstreams/{}/targets/{}/{}",
                percentEncoded(command.upstream),
                percentEncoded(command.target),
                isHealthy ? "healthy" : "unhealthy"
            )
        );
    }

    Result<http::Request> operator()(const api::Drain& command) const
    {
        return request("POST", "/v1/drain?grace=" + toDurationText(command.grace));
    }

    Result<http::Request> operator()(const api::SetLogLevel& command) const
    {
        return request("PUT", fmt::format("/v1/log-level?level={}", toText(command.level)));
    }

    Result<http::Request> operator()(const api::SetMaintenance& command) const
    {
        const bool isOn = command.maintenance == api::Maintenance::On;
        return request("POST", fmt::format("/v1/maintenance?on={}", isOn));
    }

    Result<http::Request> operator()(const api::SetTapHeaders& /*command*/) const
    {
        return fail(ErrorCode::Internal, "the headers of a tap are asked for with its stream");
    }

    Result<http::Request> operator()(const api::DelayVerdicts& /*command*/) const
    {
        return fail(ErrorCode::Unsupported, "a running node is not made late");
    }

    static http::Request request(std::string method, std::string target, std::string body = {})
    {
        http::Request request;
        request.method = std::move(method);
        request.target = std::move(target);
        request.body = std::move(body);
        return request;
    }
};

ErrorCode codeOf(int status)
{
    switch (status) {
    case 404:
        return ErrorCode::NotFound;
    case 412:
        return ErrorCode::Conflict;
    case 413:
        return ErrorCode::LimitExceeded;
    case 503:
        return ErrorCode::Overloaded;
    default:
        return ErrorCode::Refused;
    }
}

api::CommandDone doneOf(CommandId id, const Result<http::Response>& response)
{
    if (!response) {
        return {id, tl::unexpected(response.error()), {}};
    }
    const Json json = Json::parse(response->body, nullptr, false);
    if (response->status < 300) {
        return {id, api::Applied{textOf(json, "hash")}, {}};
    }
    api::CommandDone done{id, fail(codeOf(response->status), textOf(json, "message")), {}};
    if (response->status == 412) { // As an engine in this process tells it.
        const auto code = std::string(toText(ErrorCode::Conflict));
        done.problems.push_back({"", 0, 0, code, textOf(json, "hash")});
    }
    for (const Json& problem : listOf(json, "errors")) {
        done.problems.push_back(
            {textOf(problem, "path"),
             static_cast<int>(integerOf(problem, "line")),
             static_cast<int>(integerOf(problem, "column")),
             textOf(problem, "code"),
             textOf(problem, "message")}
        );
    }
    return done;
}

class RemoteEngine final : public api::Engine
{
public:
    RemoteEngine(const Clock& clock, RemoteOptions options)
        : m_clock(clock)
        , m_options(std::move(options))
        , m_random(m_options.seed)
    {
        m_state.node = m_options.node;
    }
    ~RemoteEngine() override { stop(Duration{}); }

    void begin();
    [[nodiscard]] Result<CommandId> submit(api::Command command) override;
    void subscribe(api::EventSink& sink) override;
    void stop(Duration grace) override;

private:
    void open();
    void openAt(const net::SocketAddress& address);
    [[nodiscard]] std::string eventsPath() const;
    void onHead(int status);
    void onRefusalEnd();
    void retap(CommandId id, const std::vector<std::string>& names);
    void onBytes(std::string_view bytes);
    void onLine(std::string_view line);
    void lose(const Error& error);
    void perform(CommandId id, const api::Command& command);
    void finish(api::CommandDone done);
    void emit(const api::Event& event);
    [[nodiscard]] http::Request addressed(http::Request request) const;

    const Clock& m_clock;
    const RemoteOptions m_options;
    Random m_random;
    std::atomic<std::uint64_t> m_lastId{0};
    std::atomic<std::size_t> m_waiting{0};
    std::atomic<bool> m_isStopped{false};
    std::unique_ptr<net::EventLoop> m_loop;
    std::unique_ptr<net::Resolver> m_resolver;
    std::unique_ptr<http::Client> m_client;
    std::unique_ptr<net::FunctionTimer> m_retry;
    std::unique_ptr<net::FunctionTimer> m_silence;
    std::optional<http::CallId> m_stream;
    ReconnectPause m_pause{kRetryFirst, kRetryLongest};
    std::string m_line; // The part of a line that has arrived.
    int m_refusedStatus = 0; // Of an answer that is no event stream; 0: it is one.
    std::vector<std::string> m_tapHeaders;
    api::StateEvent m_state;
    std::vector<api::EventSink*> m_sinks;
    std::map<CommandId, bool> m_open; // Commands without an answer yet.
    Thread m_thread;
};

void RemoteEngine::begin()
{
    auto loop = net::EventLoop::make(m_clock);
    auto resolver = loop ? net::Resolver::make(**loop)
                         : Result<std::unique_ptr<net::Resolver>>(tl::unexpected(loop.error()));
    if (!resolver) {
        MESH_LOG(Error, "remote.failed", kv("error", resolver.error()));
        m_isStopped = true;
        return;
    }
    m_loop = *std::move(loop);
    m_resolver = *std::move(resolver);
    http::ClientOptions clientOptions;
    clientOptions.protocols = http::ClientProtocols::Http1And2;
    if (m_options.address.isTls) {
        clientOptions.makeChannel = clientChannels(m_options.credentials, m_options.address);
    }
    m_client = std::make_unique<http::Client>(*m_loop, clientOptions);
    m_retry = std::make_unique<net::FunctionTimer>(m_loop->timers(), [this] { open(); });
    m_silence = std::make_unique<net::FunctionTimer>(m_loop->timers(), [this] {
        lose({ErrorCode::Timeout, "the node fell silent", {}, 0, SourcePlace::here()});
    });
    m_thread = Thread("remote", [this] {
        m_loop->moveHere();
        m_loop->run();
    });
    static_cast<void>(m_loop->post([this] { open(); })); // The mailbox is empty.
}

Result<CommandId> RemoteEngine::submit(api::Command command)
{
    if (m_isStopped) {
        return fail(ErrorCode::Cancelled, "the engine was stopped");
    }
    if (m_waiting.fetch_add(1) >= kEngineCommandsMax) {
        m_waiting.fetch_sub(1);
        return fail(ErrorCode::Overloaded, "too many commands wait for the node");
    }
    const CommandId id(m_lastId.fetch_add(1) + 1);
    auto posted = m_loop->post([this, id, command = std::move(command)] { perform(id, command); });
    if (!posted) {
        m_waiting.fetch_sub(1);
        return tl::unexpected(std::move(posted).error());
    }
    return id;
}

void RemoteEngine::subscribe(api::EventSink& sink)
{
    if (m_loop == nullptr || m_isStopped) {
        return;
    }
    auto posted = m_loop->post([this, &sink] {
        m_sinks.push_back(&sink);
        sink.onEvent(m_state);
    });
    if (!posted) {
        MESH_LOG(Error, "remote.failed", kv("error", posted.error()));
    }
}

void RemoteEngine::stop(Duration /*grace*/)
{
    m_isStopped = true;
    if (!m_thread.isRunning()) {
        return;
    }
    m_loop->stop();
    m_thread.join();
    m_loop->moveHere();
    while (!m_open.empty()) {
        finish({m_open.begin()->first, fail(ErrorCode::Cancelled, "the engine was stopped"), {}});
    }
    m_state.state = api::EngineState::Stopped;
    emit(m_state);
    m_sinks.clear();
    m_retry.reset();
    m_silence.reset();
    m_client.reset();
    m_resolver.reset();
}

http::Request RemoteEngine::addressed(http::Request request) const
{
    const AdminAddress& address = m_options.address;
    request.headers.push_back(
        {"Host", address.isUnix() ? std::string("localhost") : address.hostPort}
    );
    return request;
}

void RemoteEngine::open()
{
    findNode(*m_resolver, m_options.address, [this](Result<net::SocketAddress> found) {
        if (found) {
            openAt(*found);
        } else {
            lose(found.error());
        }
    });
}

void RemoteEngine::openAt(const net::SocketAddress& address)
{
    http::StreamFunctions functions;
    functions.onHead = [this](int status, const http::Headers&) { onHead(status); };
    functions.onBytes = [this](std::string_view bytes) { onBytes(bytes); };
    functions.onEnd = [this](Result<void> result) {
        m_stream.reset();
        if (result && m_refusedStatus != 0) {
            onRefusalEnd();
            return;
        }
        lose(
            result
                ? Error{ErrorCode::Reset, "the node ended the stream", {}, 0, SourcePlace::here()}
                : std::move(result).error()
        );
    };
    m_line.clear();
    m_refusedStatus = 0;
    m_silence->arm(m_loop->now() + kSilenceMax);
    m_stream = m_client->stream(
        {address, addressed(RequestOf::request("GET", eventsPath())), kSilenceMax},
        std::move(functions)
    );
}

std::string RemoteEngine::eventsPath() const
{
    std::string path = "/v1/events";
    std::string_view joint = "?headers=";
    for (const std::string& name : m_tapHeaders) {
        path += joint;
        path += percentEncoded(name);
        joint = ",";
    }
    return path;
}

// What the node answers instead of events says why; it is lost when its body has come.
void RemoteEngine::onHead(int status) { m_refusedStatus = status == 200 ? 0 : status; }

void RemoteEngine::onRefusalEnd()
{
    const Json json = Json::parse(m_line, nullptr, false);
    const std::string message = textOf(json, "message");
    lose(
        {m_refusedStatus == 401 ? ErrorCode::Tls : ErrorCode::Protocol,
         fmt::format(
             "node {}: {}",
             toText(m_options.address),
             message.empty() ? fmt::format("no event stream there: status {}", m_refusedStatus)
                             : message
         ),
         {},
         0,
         SourcePlace::here()}
    );
}

void RemoteEngine::onBytes(std::string_view bytes)
{
    if (m_refusedStatus != 0) {
        m_line.append(bytes.substr(0, kRefusalBytesMax - std::min(kRefusalBytesMax, m_line.size()))
        );
        return;
    }
    m_silence->arm(m_loop->now() + kSilenceMax);
    while (!bytes.empty() && m_stream) {
        const std::size_t end = bytes.find('\n');
        m_line.append(bytes.substr(0, end));
        if (m_line.size() > kAdminBodyBytesMax) {
            lose({ErrorCode::LimitExceeded, "an event is too long", {}, 0, SourcePlace::here()});
            return;
        }
        if (end == std::string_view::npos) {
            return;
        }
        bytes.remove_prefix(end + 1);
        onLine(std::exchange(m_line, {}));
    }
}

void RemoteEngine::onLine(std::string_view line)
{
    auto event = fromJsonLine(line);
    if (!event) {
        if (event.error().code != ErrorCode::Unsupported) { // A newer node knows more kinds.
            MESH_LOG(Warn, "remote.misread", kv("error", event.error()));
        }
        return;
    }
    if (const auto* state = std::get_if<api::StateEvent>(&*event)) {
        m_state = *state;
        m_pause.reset();
    }
    emit(*event);
}

void RemoteEngine::lose(const Error& error)
{
    if (m_stream) {
        m_client->cancel(*m_stream);
        m_stream.reset();
    }
    m_client->closeIdle(); // Whatever was wrong may be wrong with the connection.
    m_silence->cancel();
    if (m_state.state != api::EngineState::Unreachable || m_state.problem != error.message) {
        MESH_LOG(Warn, "remote.lost", kv("node", toText(m_options.address)), kv("error", error));
        m_state.state = api::EngineState::Unreachable;
        m_state.problem = error.message;
        emit(m_state);
    }
    m_retry->arm(m_loop->now() + m_pause.next(m_random));
}

void RemoteEngine::perform(CommandId id, const api::Command& command)
{
    m_open.emplace(id, true);
    if (const auto* tap = std::get_if<api::SetTapHeaders>(&command)) {
        retap(id, tap->names);
        return;
    }
    auto request = std::visit(RequestOf{}, command);
    if (!request) {
        finish({id, tl::unexpected(std::move(request).error()), {}});
        return;
    }
    findNode(
        *m_resolver,
        m_options.address,
        [this, id, request = addressed(*std::move(request))](Result<net::SocketAddress> found) {
            if (!found) {
                finish({id, tl::unexpected(std::move(found).error()), {}});
                return;
            }
            m_client->call(
                {*found, request, kCommandTimeout},
                [this, id](const Result<http::Response>& response) { finish(doneOf(id, response)); }
            );
        }
    );
}

// The headers are asked for with the stream of events, so it begins anew.
void RemoteEngine::retap(CommandId id, const std::vector<std::string>& names)
{
    if (names.size() > kTapHeadersMax) {
        finish(
            {id,
             fail(
                 ErrorCode::LimitExceeded,
                 fmt::format("at most {} headers can be captured", kTapHeadersMax)
             ),
             {}}
        );
        return;
    }
    const bool isSame = m_tapHeaders == names;
    m_tapHeaders = names;
    if (m_stream && !isSame) {
        m_client->cancel(*m_stream);
        m_stream.reset();
        open();
    }
    finish({id, api::Applied{m_state.hash}, {}});
}

void RemoteEngine::finish(api::CommandDone done)
{
    if (m_open.erase(done.id) == 1) {
        m_waiting.fetch_sub(1);
        emit(std::move(done));
    }
}

void RemoteEngine::emit(const api::Event& event)
{
    for (api::EventSink* sink : m_sinks) {
        sink->onEvent(event);
    }
}

} // namespace

std::unique_ptr<api::Engine> makeRemoteEngine(const Clock& clock, RemoteOptions options)
{
    auto engine = std::make_unique<RemoteEngine>(clock, std::move(options));
    engine->begin();
    return engine;
}

} // namespace mesh::control
