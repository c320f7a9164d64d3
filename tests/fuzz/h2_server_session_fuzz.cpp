#include "proxyengine/proxy/h2_server_session.h"

#include "proxyengine/base/clock.h"
#include "proxyengine/net/event_loop.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What a client may say to a session: any bytes behind the preface, in pieces whose size is the
// first byte. The second says how drivers behave and whether the connection began as HTTP/1.1.
// Nothing may break, and what is kept is bounded, whatever comes.
namespace {

using namespace mesh;

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::uint8_t kUpgrades = 1;
constexpr std::uint8_t kAnswersAtOnce = 2;
constexpr std::uint8_t kClosesEarly = 4;
constexpr std::uint8_t kReadsLittle = 8;
constexpr std::uint8_t kChunks = 16;
constexpr std::uint8_t kFramesAreStuck = 32;
constexpr std::uint8_t kLeaves = 64;

// Reads requests and answers them, as a ClientConnection would from outside.
struct Driver final : net::FdHandler
{
    Driver(std::unique_ptr<proxy::ByteStream> from, std::uint8_t how)
        : stream(std::move(from))
        , behaviour(how)
    {
        stream->setHandler(this);
    }
    void onReady(net::Ready ready) override
    {
        if (stream == nullptr) {
            return;
        }
        if (ready.isBroken()) {
            stream.reset();
            return;
        }
        std::array<char, 4096> buffer;
        const std::size_t room = (behaviour & kReadsLittle) != 0 ? 7 : buffer.size();
        for (;;) {
            const net::IoStep step = stream->read(std::span(buffer).first(room));
            if (step.status != net::IoStatus::Done) {
                break;
            }
            if (step.count == 0 || step.count > room) {
                std::abort();
            }
            heard = true;
            last = buffer[step.count - 1];
        }
        if (heard && ((behaviour & kAnswersAtOnce) != 0 || last == '\n')) {
            answer();
        }
    }
    void answer()
    {
        heard = false;
        static constexpr std::string_view kPlain =
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nX-A: b\r\n\r\nhello";
        static constexpr std::string_view kChunked =
            "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
            "3\r\nabc\r\n0\r\nx-late: 1\r\n\r\n";
        const std::array<iovec, 1> parts = {
            net::partOf((behaviour & kChunks) != 0 ? kChunked : kPlain)};
        if (stream->write(parts).status == net::IoStatus::Failed
            || (behaviour & kClosesEarly) != 0) {
            stream.reset();
        }
    }
    std::unique_ptr<proxy::ByteStream> stream;
    std::uint8_t behaviour;
    bool heard = false;
    char last = 0;
};

struct Owner final : proxy::H2SessionOwner
{
    explicit Owner(std::uint8_t how)
        : behaviour(how)
    {}
    void openDriver(std::unique_ptr<proxy::ByteStream> stream) override
    {
        drivers.push_back(std::make_unique<Driver>(std::move(stream), behaviour));
    }
    bool send(net::Buffer& frames) override
    {
        if ((behaviour & kFramesAreStuck) != 0 && !isEnding) {
            return false;
        }
        frames.consume(frames.size());
        return true;
    }
    void askTurnEnd() override {}
    void onLimit(http::H2Limit) override {}
    void onProtocolError(std::string_view reason) override
    {
        if (reason.empty()) {
            std::abort();
        }
    }
    void onPingAcknowledged() override {}
    [[nodiscard]] const tls::TlsStream* tls() const override { return nullptr; }

    std::uint8_t behaviour;
    bool isEnding = false;
    std::vector<std::unique_ptr<Driver>> drivers;
};

void turn(proxy::H2ServerSession& session, Owner& owner)
{
    session.deliver();
    session.pump();
    static_cast<void>(owner.send(session.frames()));
    session.frames().releaseIfEmpty();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static net::BufferPool buffers;
    if (size < 2) {
        return 0;
    }
    const std::size_t piece = std::size_t{data[0]} * 4 + 1;
    {
        Owner owner(data[1]);
        const std::unique_ptr<proxy::H2ServerSession> session =
            *proxy::H2ServerSession::make(owner, buffers);
        TimePoint now{};
        bool goesOn = true;
        if ((data[1] & kUpgrades) != 0) {
            goesOn = session->upgrade(
                "AAMAAABk", http::Method::Get, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
            );
        }
        goesOn = goesOn && session->receive(kPreface, now);
        std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
        while (goesOn && !bytes.empty()) {
            now += std::chrono::milliseconds(1);
            goesOn = session->receive(bytes.substr(0, piece), now);
            bytes.remove_prefix(std::min(piece, bytes.size()));
            turn(*session, owner);
        }
        if ((data[1] & kLeaves) != 0) {
            session->announceShutdown();
            session->goAway();
        }
        owner.isEnding = true;
        turn(*session, owner);
        if (session->openStreams() > kH2StreamsMax + 1) {
            std::abort();
        }
        session->letGoAll();
    }
    if (buffers.inUse() != 0) {
        std::abort(); // Of no session: leaked.
    }
    return 0;
}
