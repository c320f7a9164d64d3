#include "proxyengine/control/admin_server.h"

#include "proxyengine/base/limits.h"
#include "proxyengine/base/log.h"
#include "proxyengine/base/mailbox.h"
#include "proxyengine/base/thread.h"
#include "proxyengine/base/version.h"
#include "proxyengine/control/admin_api.h"
#include "proxyengine/control/event_queue.h"
#include "proxyengine/control/node_tls.h"
#include "proxyengine/http/server.h"
#include "proxyengine/net/event_loop.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

namespace mesh::control {
namespace {

constexpr std::size_t kStreamBytesMax = 64U << 10U; // In a socket's queue; the rest waits as lines.
constexpr std::size_t kEventsPerTaskMax = 256; // Then the loop looks at its sockets.

AdminRequest toAdminRequest(http::Request request)
{
    const auto header = [&](std::string_view name) {
        return std::string(http::findHeader(request.headers, name).value_or(std::string_view()));
    };
    AdminRequest admin;
    admin.host = header("Host");
    admin.origin = header("Origin");
    admin.fetchSite = header("Sec-Fetch-Site");
    admin.contentType = header("Content-Type");
    admin.ifMatch = header("If-Match");
    admin.method = std::move(request.method);
    admin.target = std::move(request.target);
    admin.body = std::move(request.body);
    return admin;
}

http::Headers commonHeaders()
{
    return {
        {"Server", "meshwright/" + std::string(version())},
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"}};
}

http::Response toHttpResponse(AdminResponse admin)
{
    http::Response response;
    response.status = admin.status;
    response.headers = commonHeaders();
    for (auto& [name, value] : admin.headers) {
        response.headers.push_back({std::move(name), std::move(value)});
    }
    if (admin.status != 204) {
        response.headers.push_back({"Content-Type", std::move(admin.contentType)});
        response.body = std::move(admin.body);
    }
    return response;
}

struct EventStream
{
    http::Responder responder;
    EventKinds kinds;
    EventQueue queue{kEventsPerSubscriberMax};
};

class RunningServer final
    : public AdminServer
    , private api::EventSink
{
public:
    RunningServer(api::Engine& engine, const Clock& clock, AdminOptions options);
    ~RunningServer() override { stop(); }

    [[nodiscard]] Result<void> begin();
    [[nodiscard]] std::string address() const override { return m_address; }
    void apply(
        std::shared_ptr<const model::Document> document,
        std::function<void(const api::CommandDone&)> onDone
    ) override;
    void reloadCredentials() override;
    void stop() override;

private:
    void onEvent(const api::Event& event) override;
    void takeCredentials();
    void wake();
    void takeEvents();
    void takeEvent(const api::Event& event);
    void onRequest(http::Request request, http::Responder responder);
    void openStream(http::Responder responder, const EventKinds& kinds);
    void pump(EventStream& stream);
    using Line = std::shared_ptr<const std::string>;
    [[nodiscard]] Line lineFor(api::AccessEvent event, const std::vector<std::string>& wanted)
        const;
    void capture();

    api::Engine& m_engine;
    AdminOptions m_options;
    AdminApi m_api;
    const Clock& m_clock;
    std::shared_ptr<const NodeTls> m_tls; // The server's thread; null: plain.
    std::string m_address;
    std::atomic<bool> m_isAwake{false}; // takeEvents() is posted.
    std::atomic<bool> m_wantsAccess{false}; // Somebody listens to requests.
    Mailbox<api::Event> m_answers; // What must not be lost: CommandDone and StateEvent.
    Mailbox<api::Event> m_details; // What may be: a reader that lags is told so.
    std::unique_ptr<net::EventLoop> m_loop;
    std::vector<std::unique_ptr<EventStream>> m_streams;
    std::vector<std::string> m_captured; // Headers that the engine was asked for.
    std::unique_ptr<http::Server> m_server;
    Thread m_thread;
};

RunningServer::RunningServer(api::Engine& engine, const Clock& clock, AdminOptions options)
    : m_engine(engine)
    , m_options(options)
    , m_api(engine, clock, std::move(options))
    , m_clock(clock)
    , m_answers(kMailboxMessagesMax, [this] { wake(); })
    , m_details(kMailboxMessagesMax, [this] { wake(); })
{}

Result<void> RunningServer::begin()
{
    MESH_TRY(m_loop, net::EventLoop::make(m_clock));
    const AdminAddress& where = m_options.address;
    MESH_TRY(
        const auto address,
        net::SocketAddress::parse(where.isUnix() ? toText(where) : where.hostPort)
    );
    http::ServerOptions serverOptions;
    serverOptions.protocols = http::ServerProtocols::Http1And2;
    if (where.isTls) {
        MESH_TRY(m_tls, loadNodeTls(m_options.credentials));
        m_api.setAdminCertificate(m_tls->own);
        serverOptions.makeChannel = [this](int socket) {
            return makeServerChannel(m_tls, socket, m_clock);
        };
    }
    MESH_TRY(
        m_server,
        http::Server::listen(
            *m_loop,
            address,
            serverOptions,
            [this](http::Request request, http::Responder responder) {
                onRequest(std::move(request), std::move(responder));
            }
        )
    );
    m_address = m_server->address().toText();
    if (m_options.address.isUnix() && ::chmod(m_options.address.unixPath.c_str(), 0600) != 0) {
        return failErrno(m_options.address.unixPath, errno);
    }
    m_thread = Thread("admin", [this] {
        m_loop->moveHere();
        m_loop->run();
    });
    m_engine.subscribe(*this);
    return {};
}

void RunningServer::onEvent(const api::Event& event)
{
    const bool isAnswer = std::holds_alternative<api::CommandDone>(event)
                          || std::holds_alternative<api::StateEvent>(event);
    if (isAnswer) {
        if (auto pushed = m_answers.push(event); !pushed) {
            MESH_LOG(Error, "admin.overrun", kv("error", pushed.error()));
        }
        return;
    }
    const bool isUnheard = std::holds_alternative<api::AccessEvent>(event)
                           && !m_wantsAccess.load(std::memory_order_relaxed);
    if (!isUnheard) {
        static_cast<void>(m_details.push(event)); // Full: the server lags; the newest gives way.
    }
}

// At most one task of ours waits in the loop, so posting it cannot fail for want of room.
void RunningServer::wake()
{
    if (!m_isAwake.exchange(true)) {
        if (auto posted = m_loop->post([this] { takeEvents(); }); !posted) {
            m_isAwake.store(false);
        }
    }
}

void RunningServer::takeEvents()
{
    m_isAwake.store(false);
    for (std::size_t i = 0; i < kEventsPerTaskMax; ++i) {
        auto event = m_answers.pop();
        if (!event) {
            event = m_details.pop();
        }
        if (!event) {
            return;
        }
        takeEvent(*event);
    }
    wake();
}

void RunningServer::takeEvent(const api::Event& event)
{
    m_api.onEvent(event);
    std::shared_ptr<const std::string> line;
    std::erase_if(m_streams, [](const std::unique_ptr<EventStream>& stream) {
        return stream->responder.isGone();
    });
    bool wantsAccess = false;
    for (const std::unique_ptr<EventStream>& stream : m_streams) {
        wantsAccess = wantsAccess || stream->kinds.access;
        if (!stream->kinds.includes(event)) {
            continue;
        }
        const auto* access = std::get_if<api::AccessEvent>(&event);
        if (access != nullptr && !access->requestHeaders.empty()) {
            stream->queue.push(lineFor(*access, stream->kinds.headers));
        } else {
            if (line == nullptr) {
                line = std::make_shared<const std::string>(toJsonLine(event, m_loop->wallNow()));
            }
            stream->queue.push(line);
        }
        pump(*stream);
    }
    m_wantsAccess.store(wantsAccess, std::memory_order_relaxed);
    capture();
}

// The engine captures what anybody asked for; each reader gets what it asked for itself.
RunningServer::Line RunningServer::lineFor(
    api::AccessEvent event, const std::vector<std::string>& wanted
) const
{
    std::erase_if(event.requestHeaders, [&wanted](const api::AccessHeader& header) {
        return std::ranges::find(wanted, header.name) == wanted.end();
    });
    return std::make_shared<const std::string>(toJsonLine(std::move(event), m_loop->wallNow()));
}

// Tells the engine which headers the present readers want; all that there is room for.
void RunningServer::capture()
{
    std::vector<std::string> wanted;
    for (const std::unique_ptr<EventStream>& stream : m_streams) {
        for (const std::string& name : stream->kinds.headers) {
            const bool isNew = std::ranges::find(wanted, name) == wanted.end();
            if (isNew && stream->kinds.access && wanted.size() < kTapHeadersMax) {
                wanted.push_back(name);
            }
        }
    }
    if (wanted != m_captured && m_engine.submit(api::SetTapHeaders{wanted})) {
        m_captured = std::move(wanted);
    }
}

void RunningServer::onRequest(http::Request request, http::Responder responder)
{
    // One responder, two ways to answer: whichever is taken empties it.
    const auto shared = std::make_shared<http::Responder>(std::move(responder));
    AdminAnswer answer;
    answer.respond = [shared](AdminResponse response) {
        shared->send(toHttpResponse(std::move(response)));
    };
    answer.stream = [this, shared](const EventKinds& kinds) {
        openStream(std::move(*shared), kinds);
    };
    m_api.handle(toAdminRequest(std::move(request)), std::move(answer));
}

void RunningServer::openStream(http::Responder responder, const EventKinds& kinds)
{
    auto stream = std::make_unique<EventStream>();
    stream->responder = std::move(responder);
    stream->kinds = kinds;
    http::Headers headers = commonHeaders();
    headers.push_back({"Content-Type", "application/x-ndjson; charset=utf-8"});
    stream->responder.begin(200, headers);
    EventStream& opened = *stream;
    m_streams.push_back(std::move(stream));
    opened.responder.onDrained([this, &opened] { pump(opened); });
    capture();
    if (kinds.access) {
        m_wantsAccess.store(true, std::memory_order_relaxed);
    }
    if (kinds.state) {
        opened.queue.push(
            std::make_shared<const std::string>(toJsonLine(m_api.state(), m_loop->wallNow()))
        );
    }
    pump(opened);
}

void RunningServer::pump(EventStream& stream)
{
    while (!stream.responder.isGone() && stream.responder.pendingBytes() < kStreamBytesMax) {
        const auto line = stream.queue.pop(m_loop->wallNow(), m_api.state().node);
        if (!line || !stream.responder.write(*line)) {
            return;
        }
    }
}

void RunningServer::apply(
    std::shared_ptr<const model::Document> document,
    std::function<void(const api::CommandDone&)> onDone
)
{
    auto posted = m_loop->post([this, document = std::move(document), onDone] {
        m_api.applyAndKeep(document, onDone);
    });
    if (!posted) {
        onDone({CommandId(0), tl::unexpected(std::move(posted).error()), {}});
    }
}

void RunningServer::reloadCredentials()
{
    if (!m_options.address.isTls) {
        return;
    }
    auto posted = m_loop->post([this] { takeCredentials(); });
    if (!posted) {
        MESH_LOG(Error, "admin.credentials_kept", kv("error", posted.error()));
    }
}

void RunningServer::takeCredentials()
{
    auto loaded = loadNodeTls(m_options.credentials);
    if (!loaded) {
        MESH_LOG(Error, "admin.credentials_kept", kv("error", loaded.error()));
        return;
    }
    const bool isOtherTrust = (*loaded)->caPem != m_tls->caPem;
    m_tls = *std::move(loaded);
    m_api.setAdminCertificate(m_tls->own);
    MESH_LOG(
        Info,
        "admin.credentials_taken",
        kv("certificate", describe(m_tls->own)),
        kv("authorities", m_tls->authorities)
    );
    if (isOtherTrust) { // Whoever is no longer believed must not stay; all others come back.
        m_server->closeAll();
    }
}

void RunningServer::stop()
{
    if (!m_thread.isRunning()) {
        return;
    }
    m_loop->stop();
    m_thread.join();
    m_loop->moveHere();
    m_streams.clear();
    m_server.reset();
    if (m_options.address.isUnix()) {
        static_cast<void>(::unlink(m_options.address.unixPath.c_str()));
    }
}

} // namespace

Result<std::unique_ptr<AdminServer>> AdminServer::start(
    api::Engine& engine, const Clock& clock, AdminOptions options
)
{
    auto server = std::make_unique<RunningServer>(engine, clock, std::move(options));
    MESH_TRY_VOID(server->begin());
    return std::unique_ptr<AdminServer>(std::move(server));
}

} // namespace mesh::control
