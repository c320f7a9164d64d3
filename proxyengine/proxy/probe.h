#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/model/gateway.h"
#include "proxyengine/net/event_loop.h"
#include "proxyengine/net/socket_address.h"
#include "proxyengine/policy/health.h"
#include "proxyengine/tls/context.h"

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mesh::proxy {

// One active check of one target.
struct ProbeCall
{
    model::ProbeType type = model::ProbeType::Http;
    net::SocketAddress address;
    std::string authority; // Host, or :authority of gRPC.
    std::string path = "/"; // Only HTTP.
    std::vector<model::HeaderMatch> headers; // Only HTTP; a Host replaces `authority`.
    std::string
        serverName; // Only TLS: SNI, and what the certificate must name when it is verified.
    tls::VerifyPeer verify = tls::VerifyPeer::Yes;
    std::shared_ptr<const tls::ClientContext> context; // Of a mesh: TLS whatever the type says.
    Duration timeout = std::chrono::seconds(1); // From the connect to the outcome.
};

// How it ended.
struct ProbeOutcome
{
    policy::Observation observation;
    std::string failure; // What people want to know: "certificate has expired"; empty on success.
};

// Runs active checks on one loop, each on a connection of its own that is closed afterwards.
//
// HTTP(S) waits for the head of the answer and reads no body; TCP connects; gRPC(S) calls
// grpc.health.v1.Health/Check for the whole server ("") over HTTP/2 with prior knowledge or ALPN.
// Threads: the loop's. Lifetime: the loop outlives it; destroying it ends all without a word.
class Prober
{
public:
    using DoneFunction = std::function<void(const ProbeOutcome&)>;

    explicit Prober(net::EventLoop& loop);
    Prober(const Prober&) = delete;
    Prober& operator=(const Prober&) = delete;
    ~Prober();

    // `onDone` is called exactly once, perhaps before this returns.
    void start(const ProbeCall& call, DoneFunction onDone);
    // The system's trusted certificates are read again by the next probe that verifies.
    void forgetTrust() { m_contexts = {}; }

    [[nodiscard]] std::size_t running() const { return m_runs.size(); }

private:
    class Run;

    [[nodiscard]] Result<std::shared_ptr<const tls::ClientContext>> contextFor(const ProbeCall& call
    );
    void end(Run& run, const ProbeOutcome& outcome);

    net::EventLoop& m_loop;
    std::vector<std::unique_ptr<Run>> m_runs;
    // By whether it verifies and whether it offers HTTP/2; null until it is needed.
    std::array<std::shared_ptr<const tls::ClientContext>, 4> m_contexts;
};

} // namespace mesh::proxy
