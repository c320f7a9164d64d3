#include "proxyengine/base/limits.h"
#include "proxyengine/http/h2_client_codec.h"
#include "proxyengine/http/octets.h"
#include "proxyengine/http/server_streams.h"

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

// What a client may say to the small server, and a server to the small client, by HTTP/2: any
// bytes, in pieces whose size is the first byte. The second says which side hears them and how the
// other behaves. Nothing may break, every stream has one end, and what is kept is bounded.
namespace {

using namespace mesh;
using namespace mesh::http;

constexpr std::uint8_t kIsClient = 1;
constexpr std::uint8_t kAnswersLater = 2;
constexpr std::uint8_t kStreams = 4;
constexpr std::uint8_t kIsRefused = 8;
constexpr std::uint8_t kLeaves = 16;
constexpr std::uint8_t kCancels = 32;
constexpr std::size_t kBodyMax = 4096;

struct Owner final : ServerStreamsOwner
{
    explicit Owner(std::uint8_t how)
        : behaviour(how)
    {}
    void onRequest(Request request, Responder responder) override
    {
        if (request.body.size() > kBodyMax || (behaviour & kIsRefused) != 0) {
            std::abort();
        }
        responder.onGone([this] { ++gone; });
        if ((behaviour & kStreams) != 0) {
            responder.begin(200, {{"X-A", "b"}});
            static_cast<void>(responder.write(request.body + "."));
        }
        if ((behaviour & kAnswersLater) != 0) {
            held.push_back(std::move(responder));
        } else if ((behaviour & kStreams) != 0) {
            responder.end();
        } else {
            responder.send({200, {{"X-A", "b"}}, request.body});
        }
    }
    void onWantsWrite() override {}

    std::uint8_t behaviour;
    std::vector<Responder> held;
    int gone = 0;
};

void exchange(ServerStreams& streams, TimePoint now)
{
    std::string room(64U << 10U, '\0');
    do {
        streams.deliver();
        while (streams.fill(room, now) != 0) {
        }
    } while (streams.hasNews());
}

void hearAsServer(std::string_view bytes, std::size_t piece, std::uint8_t behaviour)
{
    Owner owner(behaviour);
    std::optional<Response> refusal;
    if ((behaviour & kIsRefused) != 0) {
        refusal = Response{401, {}, "no"};
    }
    TimePoint now{};
    const auto streams = *ServerStreams::make(owner, kBodyMax, now, std::move(refusal));
    bool goesOn = streams->receive(kH2Preface, now);
    while (goesOn && !bytes.empty()) {
        now += std::chrono::milliseconds(1);
        goesOn = streams->receive(bytes.substr(0, piece), now);
        bytes.remove_prefix(std::min(piece, bytes.size()));
        exchange(*streams, now);
    }
    for (Responder& responder : owner.held) {
        if ((behaviour & kStreams) != 0) {
            responder.end();
        } else {
            responder.send({});
        }
    }
    if ((behaviour & kLeaves) != 0) {
        streams->leave();
    }
    exchange(*streams, now);
    streams->lose();
}

struct Asker final : H2ClientHandler
{
    struct Asked
    {
        bool hasHead = false;
        bool hasEnded = false;
    };
    void onHead(void* user, const H2HeadReader& head) override
    {
        Asked& asked = *static_cast<Asked*>(user);
        if (asked.hasHead || asked.hasEnded || head.status() < 200) {
            std::abort();
        }
        asked.hasHead = true;
    }
    void onData(void* user, std::string_view) override
    {
        const Asked& asked = *static_cast<const Asked*>(user);
        if (!asked.hasHead || asked.hasEnded) {
            std::abort();
        }
    }
    void onClosed(void* user, H2Outcome outcome) override
    {
        Asked& asked = *static_cast<Asked*>(user);
        if (asked.hasEnded || (outcome == H2Outcome::Whole && !asked.hasHead)) {
            std::abort();
        }
        asked.hasEnded = true;
    }
};

void hearAsClient(std::string_view bytes, std::size_t piece, std::uint8_t behaviour)
{
    Asker asker;
    const auto codec = *H2ClientCodec::make(asker);
    const std::vector<H2Field> fields = {
        {":method", "POST"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/"}};
    std::array<Asker::Asked, 4> asked;
    std::int32_t last = 0;
    for (Asker::Asked& each : asked) {
        last = *codec->submit(fields, Method::Post, "a body of some length", &each);
    }
    TimePoint now{};
    std::string out;
    codec->fill(out, 1U << 20U);
    bool goesOn = true;
    while (goesOn && !bytes.empty()) {
        now += std::chrono::milliseconds(1);
        goesOn = codec->receive(bytes.substr(0, piece), now);
        bytes.remove_prefix(std::min(piece, bytes.size()));
        if ((behaviour & kCancels) != 0) {
            codec->cancel(last);
            asked.back().hasEnded = true; // Nothing more of it.
        }
        out.clear();
        codec->fill(out, 1U << 20U);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2) {
        return 0;
    }
    const std::size_t piece = std::size_t{data[0]} * 4 + 1;
    const std::string_view bytes = textOf(data + 2, size - 2);
    if ((data[1] & kIsClient) != 0) {
        hearAsClient(bytes, piece, data[1]);
    } else {
        hearAsServer(bytes, piece, data[1]);
    }
    return 0;
}
