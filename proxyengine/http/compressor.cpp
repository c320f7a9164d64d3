#include "proxyengine/http/compressor.h"

#include <algorithm>
#include <brotli/encode.h>
#include <limits>
#include <zlib.h>

namespace mesh::http {
namespace {

constexpr int kGzipWindowBits = 15 + 16; // 32 KiB, in gzip's frame.
constexpr int kGzipMemoryLevel = 8; // zlib's default: 128 KiB of hash and pending bytes.
constexpr std::uint32_t kBrotliWindowBits = 18; // 256 KiB; the default of 4 MiB is for files.

class GzipCompressor final : public Compressor
{
public:
    explicit GzipCompressor(int level)
        : m_isReady(
            deflateInit2(
                &m_stream, level, Z_DEFLATED, kGzipWindowBits, kGzipMemoryLevel, Z_DEFAULT_STRATEGY
            )
            == Z_OK
        )
    {}
    ~GzipCompressor() override
    {
        if (m_isReady) {
            static_cast<void>(deflateEnd(&m_stream));
        }
    }
    [[nodiscard]] bool isReady() const { return m_isReady; }

    Step write(std::string_view input, std::span<char> room, Flush flush) override
    {
        constexpr std::size_t kPieceMax = std::numeric_limits<uInt>::max();
        const std::size_t given = std::min(input.size(), kPieceMax);
        const std::size_t roomGiven = std::min(room.size(), kPieceMax);
        m_stream.next_in = reinterpret_cast<z_const Bytef*>(const_cast<char*>(input.data()));
        m_stream.avail_in = static_cast<uInt>(given);
        m_stream.next_out = reinterpret_cast<Bytef*>(room.data());
        m_stream.avail_out = static_cast<uInt>(roomGiven);
        const int mode = flush == Flush::None   ? Z_NO_FLUSH
                         : flush == Flush::Sync ? Z_SYNC_FLUSH
                                                : Z_FINISH;
        const int result = deflate(&m_stream, mode);
        Step step;
        step.consumed = given - m_stream.avail_in;
        step.written = roomGiven - m_stream.avail_out;
        // Z_BUF_ERROR only says that nothing was left to do.
        step.isFailed = result == Z_STREAM_ERROR;
        step.isDone = step.consumed == input.size()
                      && (flush == Flush::End ? result == Z_STREAM_END : m_stream.avail_out > 0);
        return step;
    }

private:
    z_stream m_stream{};
    bool m_isReady;
};

class BrotliCompressor final : public Compressor
{
public:
    explicit BrotliCompressor(int quality)
        : m_encoder(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr))
    {
        if (m_encoder != nullptr) {
            BrotliEncoderSetParameter(
                m_encoder, BROTLI_PARAM_QUALITY, static_cast<std::uint32_t>(quality)
            );
            BrotliEncoderSetParameter(m_encoder, BROTLI_PARAM_LGWIN, kBrotliWindowBits);
        }
    }
    ~BrotliCompressor() override
    {
        if (m_encoder != nullptr) {
            BrotliEncoderDestroyInstance(m_encoder);
        }
    }
    [[nodiscard]] bool isReady() const { return m_encoder != nullptr; }

    Step write(std::string_view input, std::span<char> room, Flush flush) override
    {
        const BrotliEncoderOperation operation = flush == Flush::None   ? BROTLI_OPERATION_PROCESS
                                                 : flush == Flush::Sync ? BROTLI_OPERATION_FLUSH
                                                                        : BROTLI_OPERATION_FINISH;
        std::size_t left = input.size();
        std::size_t roomLeft = room.size();
        const auto* from = reinterpret_cast<const std::uint8_t*>(input.data());
        auto* to = reinterpret_cast<std::uint8_t*>(room.data());
        Step step;
        step.isFailed =
            BrotliEncoderCompressStream(m_encoder, operation, &left, &from, &roomLeft, &to, nullptr)
            == BROTLI_FALSE;
        step.consumed = input.size() - left;
        step.written = room.size() - roomLeft;
        const bool hasOutput = BrotliEncoderHasMoreOutput(m_encoder) != BROTLI_FALSE;
        const bool isEnded =
            flush != Flush::End || BrotliEncoderIsFinished(m_encoder) != BROTLI_FALSE;
        step.isDone = left == 0 && !hasOutput && isEnded;
        return step;
    }

private:
    BrotliEncoderState* m_encoder;
};

template <typename Kind>
std::unique_ptr<Compressor> ready(std::unique_ptr<Kind> made)
{
    return made->isReady() ? std::move(made) : nullptr;
}

} // namespace

std::unique_ptr<Compressor> makeGzipCompressor(int level)
{
    return ready(std::make_unique<GzipCompressor>(level));
}

std::unique_ptr<Compressor> makeBrotliCompressor(int quality)
{
    return ready(std::make_unique<BrotliCompressor>(quality));
}

} // namespace mesh::http
