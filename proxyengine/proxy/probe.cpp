#include "proxyengine/proxy/probe.h"

#include "proxyengine/net/sockets.h"
#include "proxyengine/proxy/probe_talk.h"
#include "proxyengine/proxy/transport.h"

#include <algorithm>
#include <utility>

namespace mesh::proxy {
namespace {

using Kind = policy::Observation::Kind;

constexpr std::size_t kReadBytes = 4096; // Answers of probes are short.

ProbeOutcome outcomeOf(Kind kind, int status, std::string failure)
{
    return {{policy::Check::Active, kind, status}, std::move(failure)};
}

bool speaksTls(model::ProbeType type)
{
    return type == model::ProbeType::Https || type == model::ProbeType::Grpcs;
}

bool isGrpc(model::ProbeType type)
{
    return type == model::ProbeType::Grpc || type == model::ProbeType::Grpcs;
}

} // namespace

// One probe from its connect to its outcome.
class Prober::Run final : private net::FdHandler
{
public:
    Run(Prober& owner, DoneFunction onDone)
        : m_owner(owner)
        , m_loop(owner.m_loop)
        , m_onDone(std::move(onDone))
        , m_timer(owner.m_loop.timers(), [this] {
            m_owner.end(*this, outcomeOf(Kind::Timeout, 0, "no answer in time"));
        })
    {}
    ~Run() { retire(); }

    // The outcome when it is known at once.
    [[nodiscard]] std::optional<ProbeOutcome> begin(
        const ProbeCall& call, std::shared_ptr<const tls::ClientContext> context
    );
    [[nodiscard]] DoneFunction takeDone() { return std::move(m_onDone); }
    // Nothing happens any more; the owner may go.
    void retire()
    {
        m_timer.cancel();
        if (m_transport.isOpen()) {
            m_loop.forget(*this);
            m_transport.close();
        }
    }

private:
    using Outcome = std::optional<ProbeOutcome>;

    void onReady(net::Ready ready) override
    {
        m_transport.noteReady(ready);
        if (const Outcome outcome = advance()) {
            m_owner.end(*this, *outcome);
        }
    }
    [[nodiscard]] Outcome advance();
    [[nodiscard]] Outcome onConnected();
    [[nodiscard]] Outcome shakeHands();
    [[nodiscard]] Outcome converse();
    [[nodiscard]] Outcome receive();
    [[nodiscard]] bool send(); // False when the connection is dead.

    Prober& m_owner;
    net::EventLoop& m_loop;
    DoneFunction m_onDone;
    net::FunctionTimer m_timer;
    Transport m_transport;
    std::shared_ptr<const tls::ClientContext> m_context; // Null: no TLS.
    std::string m_serverName;
    std::unique_ptr<ProbeTalk> m_talk; // Null: connecting is all.
    bool m_isConnected = false;
};

std::optional<ProbeOutcome> Prober::Run::begin(
    const ProbeCall& call, std::shared_ptr<const tls::ClientContext> context
)
{
    m_context = std::move(context);
    m_serverName = call.serverName;
    if (call.type != model::ProbeType::Tcp) {
        m_talk = isGrpc(call.type) ? makeGrpcTalk(call) : makeHttpTalk(call);
    }
    auto socket = net::connectTo(call.address);
    if (!socket) {
        return outcomeOf(Kind::ConnectFailure, 0, std::move(socket).error().message);
    }
    m_transport = Transport(*std::move(socket));
    if (auto watched = m_loop.watch(m_transport.descriptor(), *this); !watched) {
        return outcomeOf(Kind::ConnectFailure, 0, std::move(watched).error().message);
    }
    m_timer.arm(m_loop.now() + call.timeout);
    return std::nullopt;
}

std::optional<ProbeOutcome> Prober::Run::advance()
{
    if (!m_isConnected) {
        if (auto outcome = onConnected()) {
            return outcome;
        }
    }
    if (m_transport.isHandshaking()) {
        if (auto outcome = shakeHands()) {
            return outcome;
        }
        if (m_transport.isHandshaking()) {
            return std::nullopt;
        }
    }
    return converse();
}

std::optional<ProbeOutcome> Prober::Run::onConnected()
{
    if (auto outcome = net::connectOutcome(m_transport.descriptor()); !outcome) {
        return outcomeOf(Kind::ConnectFailure, 0, std::move(outcome).error().message);
    }
    m_isConnected = true;
    if (m_talk == nullptr) {
        return outcomeOf(Kind::Success, 0, {});
    }
    if (m_context != nullptr) {
        auto stream = tls::TlsStream::client(*m_context, m_transport.descriptor(), m_serverName);
        if (!stream) {
            return outcomeOf(Kind::ConnectFailure, 0, std::move(stream).error().message);
        }
        m_transport.setTls(*std::move(stream));
    }
    return std::nullopt;
}

std::optional<ProbeOutcome> Prober::Run::shakeHands()
{
    if (m_transport.handshake() == Transport::Handshake::Failed) {
        return outcomeOf(Kind::ConnectFailure, 0, "TLS: " + m_transport.tls()->failure());
    }
    return std::nullopt;
}

// Sends what there is to say and hears the answer, which may ask for more to be said.
std::optional<ProbeOutcome> Prober::Run::converse()
{
    if (!send()) {
        return outcomeOf(Kind::ConnectFailure, 0, "the connection was reset");
    }
    if (auto outcome = receive()) {
        return outcome;
    }
    if (!send()) {
        return outcomeOf(Kind::ConnectFailure, 0, "the connection was reset");
    }
    return m_talk->outcome();
}

std::optional<ProbeOutcome> Prober::Run::receive()
{
    std::array<char, kReadBytes> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init)
    for (;;) {
        const Transport::Step step = m_transport.read(buffer);
        if (step.status == net::IoStatus::WouldBlock) {
            return std::nullopt;
        }
        if (step.status != net::IoStatus::Done) {
            return outcomeOf(
                Kind::ConnectFailure, 0, "the connection ended before the answer's head"
            );
        }
        m_talk->onBytes({buffer.data(), step.count});
        if (auto outcome = m_talk->outcome()) {
            return outcome;
        }
        if (!step.mayHaveMore) {
            return std::nullopt;
        }
    }
}

bool Prober::Run::send()
{
    for (;;) {
        const std::string_view bytes = m_talk->toSend();
        if (bytes.empty()) {
            return true;
        }
        const std::array<iovec, 1> parts = {net::partOf(bytes)};
        const Transport::Step step = m_transport.write(parts);
        if (step.status == net::IoStatus::WouldBlock) {
            return true;
        }
        if (step.status != net::IoStatus::Done) {
            return false;
        }
        m_talk->onSent(step.count);
    }
}

Prober::Prober(net::EventLoop& loop)
    : m_loop(loop)
{}

Prober::~Prober() = default;

void Prober::start(const ProbeCall& call, DoneFunction onDone)
{
    std::shared_ptr<const tls::ClientContext> context = call.context;
    if (context == nullptr && speaksTls(call.type)) {
        auto made = contextFor(call);
        if (!made) {
            onDone(outcomeOf(Kind::ConnectFailure, 0, std::move(made).error().message));
            return;
        }
        context = *std::move(made);
    }
    auto run = std::make_unique<Run>(*this, std::move(onDone));
    Run& started = *run;
    m_runs.push_back(std::move(run));
    if (const auto outcome = started.begin(call, std::move(context))) {
        end(started, *outcome);
    }
}

Result<std::shared_ptr<const tls::ClientContext>> Prober::contextFor(const ProbeCall& call)
{
    const bool verifies = call.verify == tls::VerifyPeer::Yes;
    const bool offersHttp2 = call.type == model::ProbeType::Grpcs;
    auto& context = m_contexts.at((verifies ? 2U : 0U) + (offersHttp2 ? 1U : 0U));
    if (context == nullptr) {
        tls::ClientOptions options;
        options.verify = call.verify;
        options.http2 = offersHttp2 ? tls::Http2Offer::Yes : tls::Http2Offer::No;
        MESH_TRY(context, tls::ClientContext::make(options));
    }
    return context;
}

void Prober::end(Run& run, const ProbeOutcome& outcome)
{
    const auto found = std::ranges::find(m_runs, &run, &std::unique_ptr<Run>::get);
    std::unique_ptr<Run> ended = std::move(*found);
    m_runs.erase(found);
    const DoneFunction onDone = ended->takeDone();
    ended->retire();
    m_loop.destroyLater(std::move(ended)); // It may be calling.
    onDone(outcome);
}

} // namespace mesh::proxy
