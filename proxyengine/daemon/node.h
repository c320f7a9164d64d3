#pragma once

#include "proxyengine/api/engine.h"
#include "proxyengine/base/clock.h"
#include "proxyengine/base/handles.h"
#include "proxyengine/control/admin_server.h"
#include "proxyengine/control/state_directory.h"
#include "proxyengine/daemon/options.h"
#include "proxyengine/net/event_loop.h"

#include <memory>
#include <optional>
#include <string>

namespace mesh::daemon {

// The wiring of meshwrightd: engine, admin API, state directory, signals.
//
//   SIGTERM, SIGINT, POST /v1/drain   drain for the grace, then end; a second signal ends at once
//   SIGHUP                            read --config and --admin-tls again; bad files are logged and
//                                     change nothing
//
// Threads: the main thread, whose loop waits for signals.
class Node final
    : private net::FdHandler
    , private api::EventSink
{
public:
    // Holds SIGTERM, SIGINT and SIGHUP back; threads made from here on inherit that.
    Node(RunOptions options, const Clock& clock);
    ~Node();

    // Returns the exit code after the drain. Errors: what keeps it from starting; problems of the
    // configuration were printed to standard error by then.
    [[nodiscard]] Result<int> run();

private:
    using DocumentPtr = std::shared_ptr<const model::Document>;

    [[nodiscard]] Result<DocumentPtr> firstDocument();
    [[nodiscard]] Result<DocumentPtr> storedDocument();
    [[nodiscard]] Result<void> start();
    [[nodiscard]] Result<void> openSignals();
    void applyFirst(DocumentPtr document);
    void onFirstApplied(const api::CommandDone& done);
    void onReady(net::Ready ready) override;
    void onEvent(const api::Event& event) override;
    void onState(const api::StateEvent& state);
    void reload();
    void end(Duration grace, int exitCode);
    void announceOnce();

    const RunOptions m_options;
    const Clock& m_clock;
    std::optional<control::StateDirectory> m_stateDirectory;
    std::unique_ptr<net::EventLoop> m_loop;
    FileDescriptor m_signals;
    std::unique_ptr<api::Engine> m_engine;
    std::unique_ptr<control::AdminServer> m_admin;
    api::StateEvent m_state;
    std::string m_firstHash; // Of the configuration it started with; empty until it runs.
    bool m_isAnnounced = false;
    Duration m_grace{};
    int m_exitCode = 0;
};

} // namespace mesh::daemon
