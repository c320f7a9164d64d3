#pragma once

#include <cstdint>
#include <string_view>

namespace mesh::policy {

inline constexpr std::uint32_t kBasisPoints = 10'000; // Hundredths of a percent in a whole.

// Nearest hundredth of a percent, within 0 and 10 000.
[[nodiscard]] std::uint32_t toBasisPoints(double percent);

// A number that depends on the text and the purpose alone: the same on every machine and in every
// run. Different purposes are independent of each other.
enum class HashPurpose : std::uint64_t {
    FaultDelay = 0x6661756c'64656c61,
    FaultAbort = 0x6661756c'61626f72,
    Mirror = 0x6d697272'6f720000,
    Split = 0x73706c69'74000000,
};
[[nodiscard]] std::uint64_t hashFor(HashPurpose purpose, std::string_view text);

// Which of `parts` equal parts of all hashes this one lies in. parts > 0.
[[nodiscard]] std::uint64_t partOf(std::uint64_t hash, std::uint64_t parts);

// True for that share of all request ids, and always the same answer for the same id. A larger
// share contains every smaller one.
[[nodiscard]] bool isInShare(
    HashPurpose purpose, std::string_view requestId, std::uint32_t basisPoints
);

} // namespace mesh::policy
