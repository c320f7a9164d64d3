#include "proxyengine/control/node_tls.h"

#include "proxyengine/base/file.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/base/log.h"
#include "proxyengine/control/admin_message.h"
#include "proxyengine/control/json_reader.h"
#include "proxyengine/net/socket_address.h"
#include "proxyengine/net/sockets.h"
#include "proxyengine/telemetry/access_log.h"
#include "proxyengine/tls/stream.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace mesh::control {
namespace {

constexpr int kRefusedStatus = 401; // Of nothing else that a node answers.

struct Files
{
    std::string cert;
    std::string key;
    std::string ca;
};

Result<std::string> readCredential(const std::string& path, std::string_view what)
{
    if (path.empty()) {
        return fail(
            ErrorCode::InvalidArgument,
            fmt::format("mutual TLS needs three files, and the {} is not named", what)
        );
    }
    return readFile(path, kCredentialFileBytesMax).map_error([what](Error error) {
        error.message = fmt::format("the {} cannot be read: {}", what, error.message);
        return error;
    });
}

Result<Files> readFiles(const NodeCredentials& named)
{
    Files files;
    MESH_TRY(files.cert, readCredential(named.certFile, "certificate"));
    MESH_TRY(files.key, readCredential(named.keyFile, "key"));
    MESH_TRY(files.ca, readCredential(named.caFile, "authority's certificate"));
    return files;
}

Result<tls::CertificateFacts> checkOwn(const Files& files, const NodeCredentials& named)
{
    return tls::checkCertificate({files.cert, files.key, {}, {}, {}}).map_error([&](Error error) {
        error.message = fmt::format("{} with {}: {}", named.certFile, named.keyFile, error.message);
        return error;
    });
}

Result<std::string> authoritiesOf(const Files& files, const NodeCredentials& named)
{
    const auto found = tls::readAuthorities(files.ca);
    if (!found) {
        return fail(ErrorCode::Tls, fmt::format("{}: {}", named.caFile, found.error().message));
    }
    std::vector<std::string> subjects;
    for (const tls::CertificateFacts& facts : *found) {
        subjects.push_back(facts.subject);
    }
    return fmt::format("{}", fmt::join(subjects, "; "));
}

// The words of tls are about upstreams.
std::string sentenceAbout(tls::Failure failure, std::string_view who)
{
    constexpr std::string_view kUpstream = "the upstream";
    std::string sentence(tls::sentenceOf(failure));
    if (const std::size_t at = sentence.find(kUpstream); at != std::string::npos) {
        sentence.replace(at, kUpstream.size(), who);
    }
    return sentence;
}

net::IoStatus toIoStatus(tls::StreamStatus status)
{
    switch (status) {
    case tls::StreamStatus::Done:
        return net::IoStatus::Done;
    case tls::StreamStatus::WantRead:
    case tls::StreamStatus::WantWrite:
        return net::IoStatus::WouldBlock;
    case tls::StreamStatus::Closed:
        return net::IoStatus::Closed;
    case tls::StreamStatus::Failed:
        break;
    }
    return net::IoStatus::Failed;
}

class TlsChannel : public http::Channel
{
public:
    explicit TlsChannel(std::unique_ptr<tls::TlsStream> stream)
        : m_stream(std::move(stream))
    {}

    [[nodiscard]] Handshake handshake() override
    {
        switch (m_stream->handshake().status) {
        case tls::StreamStatus::Done:
            return onShaken();
        case tls::StreamStatus::WantRead:
        case tls::StreamStatus::WantWrite:
            return Handshake::Waiting;
        case tls::StreamStatus::Closed:
        case tls::StreamStatus::Failed:
            break;
        }
        onFailed();
        return Handshake::Failed;
    }

    [[nodiscard]] Step read(std::span<char> buffer) override
    {
        const tls::StreamStep step = m_stream->read(buffer);
        const bool mayHaveMore =
            step.status == tls::StreamStatus::Done && (m_stream->mayHaveMore() || m_hasPeerEnded);
        return {toIoStatus(step.status), step.count, mayHaveMore};
    }

    [[nodiscard]] net::IoStep write(std::string_view bytes) override
    {
        const tls::StreamStep step = m_stream->write(bytes);
        return {toIoStatus(step.status), step.count, 0};
    }

    void expectEnd() override
    {
        m_hasPeerEnded = true;
        m_stream->expectEnd();
    }

    void shutdown() override { m_stream->shutdown(); }

    [[nodiscard]] std::string_view protocol() const override { return m_stream->protocol(); }

    [[nodiscard]] Error failure() const override
    {
        return {ErrorCode::Tls, m_stream->failure(), {}, 0, SourcePlace::here()};
    }

protected:
    virtual Handshake onShaken() = 0;
    virtual void onFailed() = 0;
    [[nodiscard]] tls::TlsStream& stream() const { return *m_stream; }

private:
    std::unique_ptr<tls::TlsStream> m_stream;
    bool m_hasPeerEnded = false;
};

class ServerChannel final : public TlsChannel
{
public:
    ServerChannel(
        std::unique_ptr<tls::TlsStream> stream,
        std::shared_ptr<const NodeTls> ours,
        std::string peer,
        const Clock& clock
    )
        : TlsChannel(std::move(stream))
        , m_ours(std::move(ours))
        , m_peer(std::move(peer))
        , m_clock(clock)
    {}

    [[nodiscard]] std::optional<http::Response> refusal() const override { return m_refusal; }

private:
    Handshake onShaken() override
    {
        const tls::Failure verdict = stream().verifyPeer(m_ours->verifier, m_clock.wallNow());
        if (verdict == tls::Failure::None) {
            return Handshake::Done;
        }
        const auto facts = stream().peerFacts();
        const std::string reason = fmt::format(
            "{}{}; expected a certificate of {}",
            sentenceAbout(verdict, "the client"),
            facts ? fmt::format(" ({})", describe(*facts)) : "",
            m_ours->authorities
        );
        logRefused(reason);
        const std::string body =
            messageResponse(kRefusedStatus, "this node refuses you: " + reason).body;
        if (protocol() == "h2") { // Only a stream of the client's can be answered.
            m_refusal = http::Response{
                kRefusedStatus, {{"Content-Type", "application/json; charset=utf-8"}}, body};
            return Handshake::Refused;
        }
        // What the socket does not take at once is not worth waiting for.
        static_cast<void>(write(fmt::format(
            "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json; charset=utf-8\r\n"
            "Content-Length: {}\r\nConnection: close\r\n\r\n{}",
            body.size(),
            body
        )));
        return Handshake::Refused;
    }

    void onFailed() override
    {
        logRefused(fmt::format(
            "{}: {}", sentenceAbout(stream().failureKind(), "the client"), stream().failure()
        ));
    }

    void logRefused(const std::string& reason) const
    {
        MESH_LOG(Warn, "admin.refused", kv("client", m_peer), kv("reason", reason));
    }

    std::shared_ptr<const NodeTls> m_ours;
    std::string m_peer;
    const Clock& m_clock;
    std::optional<http::Response> m_refusal;
};

class ClientChannel final : public TlsChannel
{
public:
    // `expected`: "a certificate of CN=shop for 10.0.0.2".
    ClientChannel(
        std::unique_ptr<tls::TlsStream> stream,
        std::shared_ptr<const tls::ClientContext> context,
        std::string node,
        std::string own,
        std::string expected
    )
        : TlsChannel(std::move(stream))
        , m_context(std::move(context))
        , m_node(std::move(node))
        , m_own(std::move(own))
        , m_expected(std::move(expected))
    {}

    [[nodiscard]] Error failure() const override
    {
        Error error = TlsChannel::failure();
        const tls::CertificateFacts* refused = stream().refusedPeer();
        const tls::Failure kind = stream().failureKind();
        if (refused != nullptr) {
            error.message = fmt::format(
                "node {}: {} ({}); expected {}",
                m_node,
                sentenceAbout(kind, "the node"),
                describe(*refused),
                m_expected
            );
            return error;
        }
        error.message =
            fmt::format("node {}: {}: {}", m_node, sentenceAbout(kind, "the node"), error.message);
        if (kind == tls::Failure::Closed) {
            error.code = ErrorCode::Reset;
        } else if (kind == tls::Failure::PeerRefused) {
            error.message += fmt::format("; we showed {}", m_own);
        } else if (kind == tls::Failure::NotTls) {
            error.message += "; if it listens without TLS, write http://";
        }
        return error;
    }

private:
    Handshake onShaken() override { return Handshake::Done; }
    void onFailed() override {}

    std::shared_ptr<const tls::ClientContext> m_context; // Outlives the stream's handshake.
    std::string m_node;
    std::string m_own;
    std::string m_expected;
};

Result<std::unique_ptr<http::Channel>> makeClientChannel(
    const NodeCredentials& named, const AdminAddress& address, int socket
)
{
    MESH_TRY(const Files files, readFiles(named));
    MESH_TRY(const tls::CertificateFacts own, checkOwn(files, named));
    MESH_TRY(const std::string authorities, authoritiesOf(files, named));
    MESH_TRY(const auto parts, net::splitHostPort(address.hostPort));
    tls::ClientOptions options;
    options.http2 = tls::Http2Offer::Yes;
    options.caPem = files.ca;
    options.certPem = files.cert;
    options.keyPem = files.key;
    MESH_TRY(auto context, tls::ClientContext::make(options));
    MESH_TRY(auto stream, tls::TlsStream::client(*context, socket, parts.host));
    return std::unique_ptr<http::Channel>(std::make_unique<ClientChannel>(
        std::move(stream),
        std::move(context),
        toText(address),
        describe(own),
        fmt::format("a certificate of {} for {}", authorities, parts.host)
    ));
}

} // namespace

std::string describe(const tls::CertificateFacts& facts)
{
    std::vector<std::string> names = facts.names;
    names.insert(names.end(), facts.addresses.begin(), facts.addresses.end());
    return fmt::format(
        "subject {}, issuer {}, names {}, valid from {} until {}",
        facts.subject.empty() ? "-" : facts.subject,
        facts.issuer.empty() ? "-" : facts.issuer,
        names.empty() ? std::string("-") : fmt::format("{}", fmt::join(names, ", ")),
        telemetry::timeText(facts.notBefore),
        telemetry::timeText(facts.notAfter)
    );
}

std::optional<Error> refusalOf(const AdminAddress& address, const http::Response& response)
{
    if (!address.isTls || response.status != kRefusedStatus) {
        return std::nullopt;
    }
    const auto json = nlohmann::ordered_json::parse(response.body, nullptr, false);
    return Error{
        ErrorCode::Tls,
        fmt::format("node {}: {}", toText(address), textOf(json, "message")),
        {},
        0,
        SourcePlace::here()};
}

Result<std::shared_ptr<const NodeTls>> loadNodeTls(const NodeCredentials& named)
{
    MESH_TRY(const Files files, readFiles(named));
    auto made = std::make_shared<NodeTls>();
    MESH_TRY(made->own, checkOwn(files, named));
    MESH_TRY(made->authorities, authoritiesOf(files, named));
    made->caPem = files.ca;
    tls::ServerOptions options;
    options.http2 = tls::Http2Offer::Yes;
    options.wishes.push_back({{}, files.ca});
    MESH_TRY(
        made->context,
        tls::ServerContext::make({tls::CertificateText{files.cert, files.key, {}, {}, {}}}, options)
    );
    tls::VerifierOptions judged;
    judged.caPem = files.ca;
    MESH_TRY(made->verifier, tls::PeerVerifier::make(judged));
    return std::shared_ptr<const NodeTls>(std::move(made));
}

Result<std::unique_ptr<http::Channel>> makeServerChannel(
    std::shared_ptr<const NodeTls> ours, int socket, const Clock& clock
)
{
    MESH_TRY(auto stream, tls::TlsStream::server(*ours->context, socket));
    return std::unique_ptr<http::Channel>(std::make_unique<ServerChannel>(
        std::move(stream), std::move(ours), net::peerAddress(socket).toText(), clock
    ));
}

http::ChannelFunction clientChannels(NodeCredentials files, const AdminAddress& address)
{
    return [files = std::move(files), address](int socket) {
        return makeClientChannel(files, address, socket);
    };
}

} // namespace mesh::control
