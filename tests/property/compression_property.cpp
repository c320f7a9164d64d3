// Standing property: what a compressor wrote, whatever the pieces, flushes and rooms, reads as what
// it was given; and after a flush everything given so far can be read.
#include "proxyengine/http/compressor.h"

#include <QTest>

#include <rapidcheck.h>

#include <brotli/decode.h>
#include <memory>
#include <string>
#include <vector>
#include <zlib.h>

using namespace mesh::http;

namespace {

// Everything that can be read from these bytes; `isEnded` says whether they are whole.
std::string gunzipped(const std::string& bytes, bool& isEnded)
{
    z_stream stream{};
    inflateInit2(&stream, 15 + 16);
    std::string in = bytes;
    std::string out;
    std::vector<char> room(4096);
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(in.size());
    int result = Z_OK;
    do {
        stream.next_out = reinterpret_cast<Bytef*>(room.data());
        stream.avail_out = static_cast<uInt>(room.size());
        result = inflate(&stream, Z_NO_FLUSH);
        out.append(room.data(), room.size() - stream.avail_out);
    } while (result == Z_OK && (stream.avail_in > 0 || stream.avail_out == 0));
    isEnded = result == Z_STREAM_END && stream.avail_in == 0;
    inflateEnd(&stream);
    return out;
}

std::string unbrotlied(const std::string& bytes, bool& isEnded)
{
    BrotliDecoderState* decoder = BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
    std::size_t left = bytes.size();
    const auto* from = reinterpret_cast<const std::uint8_t*>(bytes.data());
    std::string out;
    BrotliDecoderResult result = BROTLI_DECODER_RESULT_SUCCESS;
    do {
        std::vector<std::uint8_t> room(4096);
        std::size_t roomLeft = room.size();
        std::uint8_t* to = room.data();
        result = BrotliDecoderDecompressStream(decoder, &left, &from, &roomLeft, &to, nullptr);
        out.append(reinterpret_cast<const char*>(room.data()), room.size() - roomLeft);
    } while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT
             || BrotliDecoderHasMoreOutput(decoder) != BROTLI_FALSE);
    isEnded = result == BROTLI_DECODER_RESULT_SUCCESS && left == 0;
    BrotliDecoderDestroyInstance(decoder);
    return out;
}

std::string written(Compressor& compressor, std::string_view input, std::size_t room, Flush flush)
{
    std::string out;
    std::vector<char> memory(room);
    for (;;) {
        const Compressor::Step step = compressor.write(input, memory, flush);
        RC_ASSERT(!step.isFailed);
        out.append(memory.data(), step.written);
        input.remove_prefix(step.consumed);
        if (step.isDone) {
            return out;
        }
    }
}

std::string anyText()
{
    // Words repeat, so that there is something to compress.
    const auto words = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
        "mesh", "wright", "\n", std::string(1, '\0'), "0123456789", "x"
    ));
    const int repeats = *rc::gen::inRange(1, 200);
    std::string text;
    for (int at = 0; at < repeats; ++at) {
        for (const std::string& word : words) {
            text += word;
        }
    }
    return text + *rc::gen::arbitrary<std::string>();
}

template <typename Decode>
void checkSplits(std::unique_ptr<Compressor> compressor, const Decode& decode)
{
    const std::string text = anyText();
    std::string out;
    std::size_t at = 0;
    bool isEnded = false;
    while (at < text.size()) {
        const auto count = *rc::gen::inRange<std::size_t>(1, text.size() - at + 1);
        const auto room = *rc::gen::inRange<std::size_t>(7, 5000);
        const bool flushes = *rc::gen::arbitrary<bool>();
        out += written(
            *compressor,
            std::string_view(text).substr(at, count),
            room,
            flushes ? Flush::Sync : Flush::None
        );
        at += count;
        if (flushes) {
            RC_ASSERT(decode(out, isEnded) == text.substr(0, at));
            RC_ASSERT(!isEnded);
        }
    }
    out += written(*compressor, {}, 64, Flush::End);

    RC_ASSERT(decode(out, isEnded) == text);
    RC_ASSERT(isEnded);
}

} // namespace

class CompressionProperty final : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void gzipReadsBack()
    {
        QVERIFY(rc::check("gzip reads back", [] {
            checkSplits(makeGzipCompressor(*rc::gen::inRange(1, 10)), gunzipped);
        }));
    }

    void brotliReadsBack()
    {
        QVERIFY(rc::check("brotli reads back", [] {
            checkSplits(makeBrotliCompressor(*rc::gen::inRange(0, 6)), unbrotlied);
        }));
    }
};

QTEST_APPLESS_MAIN(CompressionProperty)
#include "compression_property.moc"
