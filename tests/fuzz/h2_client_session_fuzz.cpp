#include "proxyengine/proxy/h2_client_session.h"

#include "proxyengine/base/clock.h"
#include "proxyengine/proxy/h2_client_stream.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

// What an upstream may say to a session with three requests under way: any bytes, in pieces whose
// size is the first byte. Nothing may break; what a driver would read is bounded.
namespace {

using namespace mesh;

struct Owner final : proxy::H2ClientOwner
{
    void onWantsWrite() override {}
    void makeRoom() override
    {
        if (session != nullptr) {
            session->sent(session->ready().size());
        }
    }
    proxy::H2ClientSession* session = nullptr;
};

struct Driver final : net::FdHandler
{
    explicit Driver(proxy::H2ClientStream& from)
        : stream(from)
    {
        stream.setHandler(this);
    }
    void onReady(net::Ready) override
    {
        std::array<char, 512> buffer;
        for (;;) {
            const net::IoStep step = stream.read(buffer);
            if (step.status != net::IoStatus::Done) {
                break;
            }
            if (step.count == 0 || step.count > buffer.size()) {
                std::abort();
            }
        }
        if (stream.end() != proxy::H2End::None && stream.failure().empty()) {
            std::abort();
        }
    }
    proxy::H2ClientStream& stream;
};

void say(proxy::H2ClientStream& stream, std::string_view text)
{
    const std::array<iovec, 1> parts = {net::partOf(text)};
    static_cast<void>(stream.write(parts));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const SystemClock kClock;
    static const std::unique_ptr<net::EventLoop> kLoop = *net::EventLoop::make(kClock);
    static http::H1HeadRoom room;
    if (size < 1) {
        return 0;
    }
    Owner owner;
    auto session = *proxy::H2ClientSession::make(*kLoop, owner, "http");
    owner.session = session.get();
    std::array<proxy::H2ClientStream, 3> streams = {
        proxy::H2ClientStream(room), proxy::H2ClientStream(room), proxy::H2ClientStream(room)};
    [[maybe_unused]] const std::array<Driver, 3> drivers = {
        Driver(streams[0]), Driver(streams[1]), Driver(streams[2])};
    for (proxy::H2ClientStream& stream : streams) {
        session->attach(stream);
    }
    say(streams[0], "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    say(streams[1], "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n");
    say(streams[2], "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::size_t piece = std::size_t{data[0]} + 1;
    while (!bytes.empty() && !session->hasEnded()) {
        session->receive(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
        session->wake();
        session->sent(session->unsent().size());
    }
    say(streams[2], "0\r\nx-late: 1\r\n\r\n");
    streams[0].close();
    session->fail(proxy::H2End::Lost);
    session->wake();
    return 0;
}
