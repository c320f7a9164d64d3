#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mesh {

// XXH64 with this seed. Source: xxHash 0.8; used where other products' vectors must match (rings).
[[nodiscard]] std::uint64_t xxh64(std::string_view bytes, std::uint64_t seed = 0);

// XXH3, 64 bits, with an explicit seed; for everything stored, sent or deciding.
[[nodiscard]] std::uint64_t xxh3(std::string_view bytes, std::uint64_t seed);

using Sha256Digest = std::array<std::byte, 32>;

// Source: FIPS 180-4, by OpenSSL's libcrypto.
[[nodiscard]] Sha256Digest sha256(std::string_view bytes);

// 64 lower-case hexadecimal digits of sha256().
[[nodiscard]] std::string sha256Hex(std::string_view bytes);

// SHA-1 in base64, as the handshake of WebSocket wants it and nothing else should.
[[nodiscard]] std::string sha1Base64(std::string_view bytes);

} // namespace mesh
