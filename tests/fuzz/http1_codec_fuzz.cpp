// Whatever arrives, and however it is cut, the codec gives one answer; what it accepts it reads
// again as the same after writing it out.
#include "proxyengine/http/chunked.h"
#include "proxyengine/http/head_writer.h"
#include "proxyengine/http/parser.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::http {
namespace {

constexpr std::size_t kEveryCutMax = 600; // Above it, cuts are sampled.

void require(bool condition, const char* what)
{
    if (!condition) {
        fmt::print(stderr, "violated: {}\n", what);
        std::abort();
    }
}

std::string fieldsText(const FieldTable& fields)
{
    std::string text;
    for (const FieldPlace& field : fields) {
        text += fmt::format(
            "{}={};{}{}\n",
            fields.name(field),
            fields.value(field),
            static_cast<int>(field.id),
            field.isHopByHop
        );
    }
    return text;
}

std::string bodyText(const BodyFraming& body)
{
    return fmt::format("{}:{}", static_cast<int>(body.kind), body.length);
}

std::string refusalText(const Refusal& refusal)
{
    return fmt::format("refused {} {}", refusal.status, refusal.reason);
}

// The part given first, then everything; "" while more is needed.
std::string parseRequest(std::string_view first, std::string_view all, RequestHead& head)
{
    RequestParser parser;
    const std::string copy(first); // Elsewhere in memory, so that stale views are found.
    ParseStatus status = parser.parse(copy, head);
    if (status == ParseStatus::NeedMore) {
        status = parser.parse(all, head);
    } else if (status == ParseStatus::Done) {
        head.rebase(all.data());
    }
    if (status != ParseStatus::Done) {
        return status == ParseStatus::Refused ? refusalText(parser.refusal()) : std::string();
    }
    return fmt::format(
        "{} {} {} {} {} {} {}{}{}{} {}\n{}",
        head.methodText(),
        head.target(),
        head.path(),
        head.host(),
        head.minorVersion,
        bodyText(head.body),
        head.keepsAlive,
        head.expectsContinue,
        head.upgradesToWebSocket,
        head.acceptsTrailers,
        head.size,
        fieldsText(head.fields)
    );
}

std::string parseResponse(
    std::string_view first, std::string_view all, Method method, ResponseHead& head
)
{
    ResponseParser parser;
    const std::string copy(first);
    ParseStatus status = parser.parse(copy, method, head);
    if (status == ParseStatus::NeedMore) {
        status = parser.parse(all, method, head);
    } else if (status == ParseStatus::Done) {
        head.rebase(all.data());
    }
    if (status != ParseStatus::Done) {
        return status == ParseStatus::Refused ? refusalText(parser.refusal()) : std::string();
    }
    return fmt::format(
        "{} {} {} {} {} {}\n{}",
        head.status,
        head.reason(),
        head.minorVersion,
        bodyText(head.body),
        head.keepsAlive,
        head.size,
        fieldsText(head.fields)
    );
}

struct Decoded
{
    std::string content;
    std::string end; // How it ended; "more" when it did not.
    std::size_t consumed = 0;
    friend bool operator==(const Decoded&, const Decoded&) = default;
};

Decoded decode(std::string_view all, std::size_t cut, ChunkedDecoder::Mode mode)
{
    ChunkedDecoder decoder(mode);
    Decoded result;
    std::size_t end = cut;
    for (;;) {
        const auto step = decoder.next(all.substr(result.consumed, end - result.consumed));
        require(step.consumed <= end - result.consumed, "consumes only what it was given");
        result.consumed += step.consumed;
        result.content += step.piece;
        if (step.status == ChunkStatus::Refused) {
            return {{}, refusalText(decoder.refusal()), 0};
        }
        if (step.status == ChunkStatus::Done) {
            result.end = "done";
            return result;
        }
        if (step.status == ChunkStatus::NeedMore) {
            if (end == all.size()) {
                result.end = "more";
                return result;
            }
            end = all.size();
        }
    }
}

// Written out again, an accepted request means the same.
void checkRoundTrip(const RequestHead& head)
{
    std::vector<char> memory(kHeadBytesMax + 64);
    HeadWriter writer(memory);
    writer.requestLine(head.methodText(), head.target());
    for (const FieldPlace& field : head.fields) {
        writer.field(head.fields.name(field), head.fields.value(field));
    }
    writer.end();
    if (writer.hasOverflowed() || writer.written().size() > kHeadBytesMax
        || head.minorVersion == 0) {
        return; // HTTP/1.0 is written as 1.1, which asks for a Host.
    }
    RequestParser parser;
    RequestHead again;
    require(parser.parse(writer.written(), again) == ParseStatus::Done, "reads what it wrote");
    require(again.host() == head.host() && again.path() == head.path(), "routes the same");
    require(bodyText(again.body) == bodyText(head.body), "frames the same");
    require(fieldsText(again.fields) == fieldsText(head.fields), "keeps the fields");
    require(again.size == writer.written().size(), "ends where it was ended");
}

// What Keep forwards must be a body with the same content, and nothing behind it.
void checkKept(const Decoded& kept, const Decoded& stripped)
{
    require(kept.end == stripped.end, "both modes end alike");
    if (kept.end == "done") {
        require(kept.consumed == stripped.consumed, "both modes consume alike");
        const Decoded again =
            decode(kept.content, kept.content.size(), ChunkedDecoder::Mode::Strip);
        require(again.end == "done", "what is forwarded ends");
        require(again.content == stripped.content, "what is forwarded has the same content");
        require(again.consumed == kept.content.size(), "nothing follows what is forwarded");
    }
}

void run(std::string_view all)
{
    RequestHead request;
    ResponseHead response;
    const std::string wholeRequest = parseRequest(all, all, request);
    if (!wholeRequest.empty() && !wholeRequest.starts_with("refused")) {
        checkRoundTrip(request);
    }
    const std::string wholeResponse = parseResponse(all, all, Method::Get, response);
    const Decoded stripped = decode(all, all.size(), ChunkedDecoder::Mode::Strip);
    const Decoded kept = decode(all, all.size(), ChunkedDecoder::Mode::Keep);
    checkKept(kept, stripped);

    const std::size_t step = all.size() / kEveryCutMax + 1;
    for (std::size_t cut = 0; cut <= all.size(); cut += step) {
        const std::string_view first = all.substr(0, cut);
        require(parseRequest(first, all, request) == wholeRequest, "request independent of cuts");
        require(
            parseResponse(first, all, Method::Get, response) == wholeResponse,
            "response independent of cuts"
        );
        require(
            decode(all, cut, ChunkedDecoder::Mode::Strip) == stripped, "content independent of cuts"
        );
        require(decode(all, cut, ChunkedDecoder::Mode::Keep) == kept, "kept independent of cuts");
    }
}

} // namespace
} // namespace mesh::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count)
{
    // A heap copy of exactly this size, so that reading past its end is found.
    const std::vector<char> copy(bytes, bytes + count);
    mesh::http::run({copy.data(), copy.size()});
    return 0;
}
