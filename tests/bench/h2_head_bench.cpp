// Question: what does a head cost that comes as HTTP/2 and is told as HTTP/1.1, and the way back?
// Budget: 1 us for a service's request with everything that HPACK takes.
#include "proxyengine/http/h2_bridge.h"
#include "proxyengine/http/parser.h"

#include <benchmark/benchmark.h>
#include <nghttp2/nghttp2.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::http {
namespace {

constexpr std::array<H2Field, 7> kRequest = {{
    {":method", "GET"},
    {":scheme", "https"},
    {":authority", "shop.example"},
    {":path", "/api/v1/cart?item=31337"},
    {"user-agent", "h2load nghttp2/1.52.0"},
    {"accept", "*/*"},
    {"x-trace", "5c1a9e6e-93f2-4a5c-9c2e"},
}};

constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\n"
                                     "Server: nginx/1.22.1\r\n"
                                     "Date: Sat, 14 Mar 2026 09:14:03 GMT\r\n"
                                     "Content-Type: application/json\r\n"
                                     "Content-Length: 128\r\n"
                                     "Via: 1.1 meshwright/0.4\r\n\r\n";

struct FreeDeflater
{
    void operator()(nghttp2_hd_deflater* deflater) const { nghttp2_hd_deflate_del(deflater); }
};
struct FreeInflater
{
    void operator()(nghttp2_hd_inflater* inflater) const { nghttp2_hd_inflate_del(inflater); }
};
using Deflater = std::unique_ptr<nghttp2_hd_deflater, FreeDeflater>;
using Inflater = std::unique_ptr<nghttp2_hd_inflater, FreeInflater>;

std::uint8_t* bytesOf(std::string_view text)
{
    return static_cast<std::uint8_t*>(static_cast<void*>(const_cast<char*>(text.data())));
}

std::vector<std::uint8_t> deflate(nghttp2_hd_deflater* deflater, std::span<const H2Field> fields)
{
    std::vector<nghttp2_nv> pairs;
    for (const H2Field& field : fields) {
        pairs.push_back(
            {bytesOf(field.name),
             bytesOf(field.value),
             field.name.size(),
             field.value.size(),
             NGHTTP2_NV_FLAG_NONE}
        );
    }
    std::vector<std::uint8_t> block(nghttp2_hd_deflate_bound(deflater, pairs.data(), pairs.size()));
    const ssize_t size =
        nghttp2_hd_deflate_hd(deflater, block.data(), block.size(), pairs.data(), pairs.size());
    block.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return block;
}

// False: malformed.
bool inflate(
    nghttp2_hd_inflater* inflater, std::span<const std::uint8_t> block, H2HeadReader& reader
)
{
    while (!block.empty()) {
        nghttp2_nv pair;
        int flags = 0;
        const ssize_t used =
            nghttp2_hd_inflate_hd2(inflater, &pair, &flags, block.data(), block.size(), 1);
        if (used < 0) {
            return false;
        }
        block = block.subspan(static_cast<std::size_t>(used));
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
            const auto text = [](const std::uint8_t* bytes, std::size_t size) {
                const void* const raw = bytes;
                return std::string_view(static_cast<const char*>(raw), size);
            };
            if (!reader.add(text(pair.name, pair.namelen), text(pair.value, pair.valuelen))) {
                return false;
            }
        }
        if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
            nghttp2_hd_inflate_end_headers(inflater);
            break;
        }
    }
    return reader.finish(StreamEnds::Yes);
}

// HPACK off, told as text, and that text parsed: what a request of HTTP/2 costs until it is routed.
void readRequest(benchmark::State& state)
{
    nghttp2_hd_deflater* deflater = nullptr;
    nghttp2_hd_inflater* inflater = nullptr;
    static_cast<void>(nghttp2_hd_deflate_new(&deflater, 4096));
    static_cast<void>(nghttp2_hd_inflate_new(&inflater));
    const Deflater ownedDeflater(deflater);
    const Inflater ownedInflater(inflater);
    H2HeadReader reader;
    reader.beginRequest();
    const auto first = deflate(deflater, kRequest);
    if (!inflate(inflater, first, reader)) {
        state.SkipWithError("the first block is malformed");
        return;
    }
    const auto block = deflate(deflater, kRequest); // All of it from the table, from now on.
    RequestParser parser;
    RequestHead head;
    for (auto _ : state) {
        reader.beginRequest();
        if (!inflate(inflater, block, reader)
            || parser.parse(reader.text(), head) != ParseStatus::Done) {
            state.SkipWithError("malformed");
            return;
        }
        benchmark::DoNotOptimize(head.size);
    }
}
BENCHMARK(readRequest);

// The way back: an answer's text read, its fields lowered and put into HPACK.
void writeAnswer(benchmark::State& state)
{
    nghttp2_hd_deflater* deflater = nullptr;
    static_cast<void>(nghttp2_hd_deflate_new(&deflater, 4096));
    const Deflater owned(deflater);
    H1HeadRoom room;
    H1MessageReader reader(MessageRole::Response, room);
    for (auto _ : state) {
        reader.reset();
        reader.expect(Method::Get);
        if (reader.next(kAnswer).event != H1MessageReader::Event::Head) {
            state.SkipWithError("no head");
            return;
        }
        benchmark::DoNotOptimize(deflate(deflater, reader.fields()));
    }
}
BENCHMARK(writeAnswer);

} // namespace
} // namespace mesh::http
