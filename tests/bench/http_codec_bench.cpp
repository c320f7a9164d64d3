// Question: what does the codec cost per request, of a browser's and of a service's size?
// Budget: 150 ns for a service's request head, 500 ns for a browser's; chunked bodies 1 ns per byte
// at chunks of 1 KiB or more.
#include "proxyengine/http/chunked.h"
#include "proxyengine/http/head_writer.h"
#include "proxyengine/http/parser.h"

#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace mesh::http {
namespace {

constexpr std::string_view kSmallRequest = "GET /index.html HTTP/1.1\r\n"
                                           "Host: 127.0.0.1:8080\r\n"
                                           "User-Agent: wrk/4.1\r\n"
                                           "Accept: */*\r\n\r\n";

constexpr std::string_view kBrowserRequest =
    "GET /shop/cart?item=31337&colour=blue HTTP/1.1\r\n"
    "Host: www.example.org\r\n"
    "Connection: keep-alive\r\n"
    "Cache-Control: max-age=0\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
    "\r\n"
    "Referer: https://www.example.org/shop\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=1; basket=31337\r\n"
    "X-Request-Id: 5c1a9e6e-93f2-4a5c-9c2e-7b7c8e1d2f3a\r\n\r\n";

constexpr std::string_view kResponse = "HTTP/1.1 200 OK\r\n"
                                       "Server: nginx/1.22.1\r\n"
                                       "Date: Sat, 14 Mar 2026 09:14:03 GMT\r\n"
                                       "Content-Type: text/html\r\n"
                                       "Content-Length: 128\r\n"
                                       "Connection: keep-alive\r\n"
                                       "ETag: \"6414ab-80\"\r\n\r\n";

void parseRequestHead(benchmark::State& state, std::string_view bytes)
{
    RequestParser parser;
    RequestHead head;
    for (auto _ : state) {
        benchmark::DoNotOptimize(parser.parse(bytes, head));
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}
BENCHMARK_CAPTURE(parseRequestHead, small, kSmallRequest);
BENCHMARK_CAPTURE(parseRequestHead, browser, kBrowserRequest);

void parseResponseHead(benchmark::State& state)
{
    ResponseParser parser;
    ResponseHead head;
    for (auto _ : state) {
        benchmark::DoNotOptimize(parser.parse(kResponse, Method::Get, head));
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kResponse.size()));
}
BENCHMARK(parseResponseHead);

void writeRequestHead(benchmark::State& state)
{
    RequestParser parser;
    RequestHead head;
    benchmark::DoNotOptimize(parser.parse(kSmallRequest, head));
    std::array<char, 4096> memory;
    for (auto _ : state) {
        HeadWriter writer(memory);
        writer.requestLine(head.methodText(), head.path());
        for (const FieldPlace& field : head.fields) {
            writer.field(head.fields.name(field), head.fields.value(field));
        }
        writer.end();
        benchmark::DoNotOptimize(writer.written().data());
    }
}
BENCHMARK(writeRequestHead);

// One buffer of 64 KiB made of chunks of this size, as it is forwarded.
void passChunks(benchmark::State& state)
{
    const auto size = static_cast<std::size_t>(state.range(0));
    std::string body;
    while (body.size() + size < 60'000) {
        std::array<char, kChunkHeadMax> head{};
        body.append(head.data(), writeChunkHead(size, head.data()));
        body.append(size, 'x');
        body += kChunkEnd;
    }
    body += kLastChunk;
    for (auto _ : state) {
        ChunkedDecoder decoder(ChunkedDecoder::Mode::Keep);
        benchmark::DoNotOptimize(decoder.next(body));
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(passChunks)->ArgName("size")->Arg(64)->Arg(1024)->Arg(16384);

} // namespace
} // namespace mesh::http
