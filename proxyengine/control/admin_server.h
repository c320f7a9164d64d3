#pragma once

#include "proxyengine/api/engine.h"
#include "proxyengine/base/clock.h"
#include "proxyengine/base/error.h"
#include "proxyengine/control/listen_text.h"
#include "proxyengine/control/node_credentials.h"
#include "proxyengine/model/document.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace mesh::control {

struct AdminOptions
{
    AdminAddress address; // Port 0: any free one.
    NodeCredentials credentials = {}; // Of an address with TLS; clients must show a certificate.
    int workers = 0; // Of the engine, for GET /v1/node.
    Duration drainGrace = std::chrono::seconds(30); // Of POST /v1/drain.
    // Keeps a configuration that was applied: canonical JSON with its secrets. Called on the
    // server's thread, which may block in it. Absent: nothing is kept.
    std::function<Result<void>(std::string_view json)> keep;
    // Told after POST /v1/drain was accepted, so that the program can end when it is done.
    std::function<void(Duration grace)> onDrain;
};

// The admin API of one node: an api::Engine over HTTP/1.1 and HTTP/2, for people, scripts and
// other nodes.
//
// Threads: has one of its own; its functions may be called from any thread but its own.
// Lifetime: the engine, and the clock, outlive it; it subscribes to the engine when it is made and
//           forwards nothing after stop(). Stop the engine first, so that no event arrives late.
class AdminServer
{
public:
    // Binds and starts. Errors: Io or PermissionDenied from the socket; Tls, NotFound and the like
    // of credentials that cannot be used.
    [[nodiscard]] static Result<std::unique_ptr<AdminServer>> start(
        api::Engine& engine, const Clock& clock, AdminOptions options
    );

    AdminServer(const AdminServer&) = delete;
    AdminServer& operator=(const AdminServer&) = delete;
    virtual ~AdminServer() = default;

    // As bound, with the real port.
    [[nodiscard]] virtual std::string address() const = 0;

    // Applies a document exactly as POST /config does after decoding, keeps it included.
    // `onDone` is called once, on the server's thread, with the engine's answer.
    virtual void apply(
        std::shared_ptr<const model::Document> document,
        std::function<void(const api::CommandDone&)> onDone
    ) = 0;

    // Reads the files of AdminOptions::credentials again, for connections that begin from now on;
    // after another authority all others end. Files that cannot be used are logged and change
    // nothing. No effect without TLS.
    virtual void reloadCredentials() = 0;

    // Ends streams and connections; returns when the thread has ended. May be called twice.
    virtual void stop() = 0;

protected:
    AdminServer() = default;
};

} // namespace mesh::control
