#include "app/shell/fuzzy.h"

#include <algorithm>

namespace mesh::shell {
namespace {

constexpr int kLetter = 16;
constexpr int kInRow = 12;
constexpr int kAtWord = 10;
constexpr int kAtBegin = 14;
constexpr int kGap = 3; // For the first letter of a gap.
constexpr int kGapMore = 1; // For each further one.
constexpr int kWhole = 64;

bool isWordBegin(QStringView text, qsizetype at)
{
    return at == 0 || !text[at - 1].isLetterOrNumber();
}

} // namespace

std::optional<int> fuzzyScore(QStringView pattern, QStringView text)
{
    if (pattern.isEmpty()) {
        return 0;
    }
    // Forward to the first place where all letters have been seen, then back to the shortest run.
    qsizetype found = 0;
    qsizetype end = 0;
    while (end < text.size() && found < pattern.size()) {
        found += text[end] == pattern[found] ? 1 : 0;
        ++end;
    }
    if (found < pattern.size()) {
        return std::nullopt;
    }
    // An unbroken occurrence is better than the first letters by chance.
    const qsizetype whole = text.indexOf(pattern);
    qsizetype begin = whole;
    if (whole >= 0) {
        end = whole + pattern.size();
    } else {
        begin = end;
        for (qsizetype left = pattern.size(); left > 0;) {
            --begin;
            left -= text[begin] == pattern[left - 1] ? 1 : 0;
        }
    }
    int score = 0;
    qsizetype next = 0;
    qsizetype gap = 0;
    for (qsizetype at = begin; at < end && next < pattern.size(); ++at) {
        if (text[at] != pattern[next]) {
            score -= gap == 0 ? kGap : kGapMore;
            ++gap;
            continue;
        }
        score += kLetter + (gap == 0 && next > 0 ? kInRow : 0);
        score += at == 0 ? kAtBegin : isWordBegin(text, at) ? kAtWord : 0;
        gap = 0;
        ++next;
    }
    score += text.size() == pattern.size() ? kWhole : 0;
    // Of equals the shorter first.
    return score * 4 - static_cast<int>(std::min<qsizetype>(text.size(), 200)) / 8;
}

} // namespace mesh::shell
