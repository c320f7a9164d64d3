#include "proxyengine/daemon/node.h"

#include "proxyengine/base/file.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/base/log.h"
#include "proxyengine/base/version.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/config/decode_stored.h"
#include "proxyengine/proxy/local_engine.h"

#include <fmt/format.h>

#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <utility>

namespace mesh::daemon {
namespace {

constexpr int kBadConfiguration = 2;

// A file that cannot be read counts as unreachable, whatever the reason.
Result<std::string> readConfig(const std::string& path)
{
    return readFile(path, kConfigBytesMax).map_error([](Error error) {
        if (error.code != ErrorCode::LimitExceeded) {
            error.code = ErrorCode::Unavailable;
        }
        return error;
    });
}

Result<std::shared_ptr<const model::Document>> decodeFile(
    config::DecodeResult decoded, const std::string& name
)
{
    for (const config::Problem& problem : decoded.problems) {
        fmt::print(stderr, "{}\n", config::toText(problem, name));
    }
    if (config::hasErrors(decoded.problems)) {
        return fail(ErrorCode::InvalidArgument, name + ": the configuration has errors");
    }
    return std::make_shared<const model::Document>(std::move(decoded.document));
}

sigset_t caughtSignals()
{
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
        sigaddset(&set, number);
    }
    return set;
}

} // namespace

Node::Node(RunOptions options, const Clock& clock)
    : m_options(std::move(options))
    , m_clock(clock)
{
    const sigset_t set = caughtSignals();
    static_cast<void>(::sigprocmask(SIG_BLOCK, &set, nullptr)); // Fails for a wrong `how` only.
    static_cast<void>(::signal(SIGPIPE, SIG_IGN));
}

// The engine goes before the sinks that listen to it.
Node::~Node()
{
    if (m_admin != nullptr) {
        m_admin->stop();
    }
    m_engine.reset();
    m_admin.reset();
    if (m_loop != nullptr) {
        m_loop->unwatch(m_signals.get(), *this);
    }
}

Result<int> Node::run()
{
    MESH_TRY_VOID(openSignals());
    if (!m_options.stateDirectory.empty()) {
        MESH_TRY(
            control::StateDirectory directory,
            control::StateDirectory::open(m_options.stateDirectory)
        );
        m_stateDirectory.emplace(std::move(directory));
    }
    MESH_TRY(const DocumentPtr document, firstDocument());
    MESH_TRY_VOID(start());
    applyFirst(document);
    m_loop->run();

    m_engine->stop(m_grace);
    m_admin->stop();
    MESH_LOG(Info, "node.stopped", kv("node", m_state.node));
    return m_exitCode;
}

Result<void> Node::openSignals()
{
    const sigset_t set = caughtSignals();
    m_signals.reset(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!m_signals.isOpen()) {
        return failErrno("signalfd", errno);
    }
    return {};
}

Result<Node::DocumentPtr> Node::firstDocument()
{
    if (!m_options.config.empty()) {
        MESH_TRY(const std::string text, readConfig(m_options.config));
        return decodeFile(config::decode(text), m_options.config);
    }
    return storedDocument();
}

Result<Node::DocumentPtr> Node::storedDocument()
{
    const auto stored = m_stateDirectory->load();
    if (!stored && stored.error().code == ErrorCode::NotFound) {
        MESH_LOG(Info, "config.absent", kv("directory", m_options.stateDirectory));
        return std::make_shared<const model::Document>(); // Waits for the first push.
    }
    if (!stored) {
        return tl::unexpected(stored.error());
    }
    for (const std::string& warning : stored->warnings) {
        MESH_LOG(Warn, "config.damaged", kv("reason", warning), kv("using", stored->file));
    }
    return decodeFile(config::decodeStored(stored->json), stored->file);
}

Result<void> Node::start()
{
    MESH_TRY(m_loop, net::EventLoop::make(m_clock));
    MESH_TRY_VOID(m_loop->watchLevel(m_signals.get(), *this, net::LevelInterest::Read));
    MESH_TRY(m_engine, proxy::makeLocalEngine(m_options.engine));
    m_engine->subscribe(*this);

    control::AdminOptions admin;
    admin.address = m_options.admin;
    admin.credentials = m_options.adminCredentials;
    admin.workers = m_options.engine.workers > 0
                        ? m_options.engine.workers
                        : static_cast<int>(std::max(::sysconf(_SC_NPROCESSORS_ONLN), 1L));
    admin.drainGrace = m_options.drainGrace;
    if (m_stateDirectory) {
        admin.keep = [this](std::string_view json) { return m_stateDirectory->store(json); };
    }
    admin.onDrain = [this](Duration grace) {
        static_cast<void>(m_loop->post([this, grace] { end(grace, 0); }));
    };
    MESH_TRY(m_admin, control::AdminServer::start(*m_engine, m_clock, std::move(admin)));
    return {};
}

void Node::applyFirst(DocumentPtr document)
{
    m_admin->apply(std::move(document), [this](const api::CommandDone& done) {
        static_cast<void>(m_loop->post([this, done] { onFirstApplied(done); }));
    });
}

void Node::onFirstApplied(const api::CommandDone& done)
{
    if (done.result) {
        m_firstHash = done.result->hash;
        announceOnce();
        return;
    }
    for (const api::CommandDone::Problem& problem : done.problems) {
        fmt::print(
            stderr,
            "{}:{}:{}: {}: {}\n",
            m_options.config,
            problem.line,
            problem.column,
            problem.path,
            problem.message
        );
    }
    fmt::print(stderr, "meshwrightd: {}\n", done.result.error().message);
    end(Duration{}, kBadConfiguration);
}

void Node::onEvent(const api::Event& event)
{
    if (const auto* state = std::get_if<api::StateEvent>(&event)) {
        static_cast<void>(m_loop->post([this, state = *state] { onState(state); }));
    }
}

void Node::onState(const api::StateEvent& state)
{
    m_state = state;
    announceOnce();
}

// One line with all bound addresses, once the first configuration runs.
void Node::announceOnce()
{
    if (m_isAnnounced || m_firstHash.empty() || m_state.hash != m_firstHash) {
        return;
    }
    m_isAnnounced = true;
    std::string listeners;
    for (const api::ListenerState& listener : m_state.listeners) {
        listeners +=
            fmt::format("{}{}={}", listeners.empty() ? "" : ", ", listener.name, listener.address);
    }
    MESH_LOG(
        Info,
        "node.ready",
        kv("version", version()),
        kv("node", m_state.node),
        kv("admin", m_admin->address()),
        kv("listeners", listeners),
        kv("hash", m_firstHash)
    );
}

void Node::onReady(net::Ready /*ready*/)
{
    signalfd_siginfo received{};
    while (::read(m_signals.get(), &received, sizeof received) == sizeof received) {
        if (received.ssi_signo == SIGHUP) {
            reload();
        } else {
            MESH_LOG(Info, "node.draining", kv("signal", received.ssi_signo));
            end(m_options.drainGrace, 0);
        }
    }
}

void Node::reload()
{
    m_admin->reloadCredentials();
    if (m_options.config.empty()) {
        MESH_LOG(Warn, "config.unchanged", kv("reason", "no --config to read again"));
        return;
    }
    const auto text = readConfig(m_options.config);
    if (!text) {
        MESH_LOG(Error, "config.refused", kv("error", text.error()));
        return;
    }
    config::DecodeResult decoded = config::decode(*text);
    for (const config::Problem& problem : decoded.problems) {
        MESH_LOG(Error, "config.refused", kv("problem", toText(problem, m_options.config)));
    }
    if (config::hasErrors(decoded.problems)) {
        return;
    }
    m_admin->apply(
        std::make_shared<const model::Document>(std::move(decoded.document)),
        [](const api::CommandDone& done) {
            if (done.result) {
                MESH_LOG(Info, "config.reloaded", kv("hash", done.result->hash));
                return;
            }
            MESH_LOG(Error, "config.refused", kv("error", done.result.error()));
            for (const api::CommandDone::Problem& problem : done.problems) {
                MESH_LOG(
                    Error,
                    "config.refused",
                    kv("path", problem.path),
                    kv("message", problem.message)
                );
            }
        }
    );
}

// From here on a second signal has its usual effect and ends the process at once.
void Node::end(Duration grace, int exitCode)
{
    m_grace = grace;
    m_exitCode = exitCode;
    const sigset_t set = caughtSignals();
    static_cast<void>(::sigprocmask(SIG_UNBLOCK, &set, nullptr));
    m_loop->stop();
}

} // namespace mesh::daemon
