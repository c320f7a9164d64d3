#include "proxyengine/base/hash.h"

#include "proxyengine/base/assert.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <xxhash.h>

namespace mesh {

std::uint64_t xxh64(std::string_view bytes, std::uint64_t seed)
{
    return XXH64(bytes.data(), bytes.size(), seed);
}

std::uint64_t xxh3(std::string_view bytes, std::uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

Sha256Digest sha256(std::string_view bytes)
{
    std::array<unsigned char, 32> raw{};
    unsigned int length = 0;
    const int done =
        EVP_Digest(bytes.data(), bytes.size(), raw.data(), &length, EVP_sha256(), nullptr);
    MESH_ASSERT(done == 1 && length == raw.size());

    Sha256Digest digest{};
    for (std::size_t at = 0; at < raw.size(); ++at) {
        digest[at] = static_cast<std::byte>(raw[at]);
    }
    return digest;
}

std::string sha256Hex(std::string_view bytes)
{
    std::string text;
    text.reserve(64);
    for (const std::byte byte : sha256(bytes)) {
        text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
    }
    return text;
}

std::string sha1Base64(std::string_view bytes)
{
    constexpr int kDigestBytes = 20;
    constexpr std::size_t kTextBytes = 28;
    std::array<unsigned char, kDigestBytes> raw{};
    unsigned int length = 0;
    const int done =
        EVP_Digest(bytes.data(), bytes.size(), raw.data(), &length, EVP_sha1(), nullptr);
    MESH_ASSERT(done == 1 && length == raw.size());

    std::array<unsigned char, kTextBytes + 1> text{}; // With the zero that is written behind it.
    EVP_EncodeBlock(text.data(), raw.data(), kDigestBytes);
    return {text.begin(), text.begin() + kTextBytes};
}

} // namespace mesh
