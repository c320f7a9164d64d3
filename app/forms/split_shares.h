#pragma once

#include <QString>

#include <cstddef>
#include <cstdint>
#include <vector>

// The arithmetic of a traffic split in whole percent. Every function leaves shares that add up to
// exactly 100, as long as there is a part at all.
namespace mesh::forms {

struct SplitShare
{
    QString service;
    int share = 0; // Percent, 0..100.
    bool isLocked = false; // Keeps its share when another one moves.
    friend bool operator==(const SplitShare&, const SplitShare&) = default;
};

inline constexpr int kSharesTotal = 100;

// Weights of any size as percent: the largest remainders get what rounding leaves. All zero (or
// negative): equal shares.
[[nodiscard]] std::vector<int> sharesOf(const std::vector<std::int64_t>& weights);

// Part `index` wants `share`: the others that are not locked give or take in proportion to what
// they have in `parts`, which is the state before the movement began. Clamped to what the locked
// ones leave; nothing happens when all others are locked.
[[nodiscard]] std::vector<SplitShare> withShare(
    std::vector<SplitShare> parts, std::size_t index, int share
);

// A new part starts with nothing, the first with everything.
[[nodiscard]] std::vector<SplitShare> withPart(std::vector<SplitShare> parts, QString service);

// The others get its share in proportion, locked ones only when there is no other.
[[nodiscard]] std::vector<SplitShare> withoutPart(std::vector<SplitShare> parts, std::size_t index);

} // namespace mesh::forms
