#include "app/forms/split_shares.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace mesh::forms {
namespace {

// `total` dealt in proportion to the weights, which are not negative and not all zero.
std::vector<int> dealt(int total, const std::vector<std::int64_t>& weights)
{
    const std::int64_t sum = std::accumulate(weights.begin(), weights.end(), std::int64_t{0});
    std::vector<int> shares(weights.size());
    std::vector<std::pair<std::int64_t, std::size_t>> remainders;
    int left = total;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const std::int64_t exact = weights[i] * total;
        shares[i] = static_cast<int>(exact / sum);
        left -= shares[i];
        remainders.emplace_back(exact % sum, i);
    }
    std::stable_sort(remainders.begin(), remainders.end(), [](const auto& a, const auto& b) {
        return a.first > b.first;
    });
    for (std::size_t i = 0; left > 0; ++i, --left) {
        ++shares[remainders[i].second];
    }
    return shares;
}

// Deals `total` to the chosen parts in proportion to what they have; equally when that is nothing.
void dealTo(std::vector<SplitShare>& parts, const std::vector<std::size_t>& chosen, int total)
{
    std::vector<std::int64_t> weights;
    for (const std::size_t i : chosen) {
        weights.push_back(parts[i].share);
    }
    if (std::all_of(weights.begin(), weights.end(), [](std::int64_t w) { return w == 0; })) {
        std::fill(weights.begin(), weights.end(), 1);
    }
    const std::vector<int> shares = dealt(total, weights);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        parts[chosen[i]].share = shares[i];
    }
}

} // namespace

std::vector<int> sharesOf(const std::vector<std::int64_t>& weights)
{
    if (weights.empty()) {
        return {};
    }
    constexpr std::int64_t kWeightMax = 1'000'000'000; // Far above any bound, far below overflow.
    std::vector<std::int64_t> sane;
    for (const std::int64_t weight : weights) {
        sane.push_back(std::clamp<std::int64_t>(weight, 0, kWeightMax));
    }
    if (std::all_of(sane.begin(), sane.end(), [](std::int64_t w) { return w == 0; })) {
        std::fill(sane.begin(), sane.end(), 1);
    }
    return dealt(kSharesTotal, sane);
}

std::vector<SplitShare> withShare(std::vector<SplitShare> parts, std::size_t index, int share)
{
    std::vector<std::size_t> others;
    int locked = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i != index && parts[i].isLocked) {
            locked += parts[i].share;
        } else if (i != index) {
            others.push_back(i);
        }
    }
    if (others.empty()) {
        return parts;
    }
    parts[index].share = std::clamp(share, 0, kSharesTotal - locked);
    dealTo(parts, others, kSharesTotal - locked - parts[index].share);
    return parts;
}

std::vector<SplitShare> withPart(std::vector<SplitShare> parts, QString service)
{
    const int share = parts.empty() ? kSharesTotal : 0;
    parts.push_back({std::move(service), share, false});
    return parts;
}

std::vector<SplitShare> withoutPart(std::vector<SplitShare> parts, std::size_t index)
{
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(index));
    std::vector<std::size_t> chosen;
    int kept = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (!parts[i].isLocked) {
            chosen.push_back(i);
        } else {
            kept += parts[i].share;
        }
    }
    if (chosen.empty()) {
        kept = 0;
        chosen.resize(parts.size());
        std::iota(chosen.begin(), chosen.end(), 0U);
    }
    if (!chosen.empty()) {
        dealTo(parts, chosen, kSharesTotal - kept);
    }
    return parts;
}

} // namespace mesh::forms
