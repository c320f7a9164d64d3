#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace mesh::http {

enum class Flush : std::uint8_t {
    None, // More comes at once.
    Sync, // Everything so far can be read from what was written.
    End, // Nothing more comes.
};

// One body on its way through a compressor, in pieces of any size.
//
// Limits: about 256 KiB of gzip's state, and at most 1 MiB of brotli's (a window of 256 KiB).
class Compressor
{
public:
    Compressor() = default;
    Compressor(const Compressor&) = delete;
    Compressor& operator=(const Compressor&) = delete;
    virtual ~Compressor() = default;

    struct Step
    {
        std::size_t consumed = 0;
        std::size_t written = 0;
        bool isDone = false; // All was consumed and nothing is left to be written for this flush.
        bool isFailed = false; // Out of memory.
    };
    // Call again with what is left, and the same flush, until it is done. An empty input without
    // a flush is done at once.
    [[nodiscard]] virtual Step write(std::string_view input, std::span<char> room, Flush flush) = 0;
};

// Null when there is no memory for it. `level`: 1 (fast) to 9 (small).
[[nodiscard]] std::unique_ptr<Compressor> makeGzipCompressor(int level);
// `quality`: 0 (fast) to 11 (small).
[[nodiscard]] std::unique_ptr<Compressor> makeBrotliCompressor(int quality);

} // namespace mesh::http
