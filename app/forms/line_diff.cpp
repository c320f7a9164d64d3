#include "app/forms/line_diff.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mesh::forms {
namespace {

constexpr qsizetype kPairsMax = 4'000'000; // 8 MiB of table, a few milliseconds.

} // namespace

QSet<int> changedLines(const QStringList& before, const QStringList& after)
{
    qsizetype head = 0;
    const qsizetype shorter = std::min(before.size(), after.size());
    while (head < shorter && before[head] == after[head]) {
        ++head;
    }
    qsizetype tail = 0;
    while (tail < shorter - head
           && before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) {
        ++tail;
    }
    const qsizetype rows = before.size() - head - tail;
    const qsizetype columns = after.size() - head - tail;
    QSet<int> changed;
    if (rows == 0 && columns == 0) {
        return changed;
    }
    if (columns == 0 || rows * columns > kPairsMax) {
        const qsizetype last = columns == 0 ? std::min(head + 1, after.size()) : head + columns;
        for (qsizetype line = head; line < last; ++line) {
            changed.insert(static_cast<int>(line + 1));
        }
        return changed;
    }
    // Longest common subsequence of the middle, from the end, so that the walk goes forward.
    const auto width = static_cast<std::size_t>(columns + 1);
    std::vector<std::uint16_t> common(static_cast<std::size_t>(rows + 1) * width, 0);
    const auto at = [width](qsizetype row, qsizetype column) {
        return static_cast<std::size_t>(row) * width + static_cast<std::size_t>(column);
    };
    for (qsizetype row = rows - 1; row >= 0; --row) {
        for (qsizetype column = columns - 1; column >= 0; --column) {
            const bool same = before[head + row] == after[head + column];
            common[at(row, column)] =
                same ? static_cast<std::uint16_t>(common[at(row + 1, column + 1)] + 1)
                     : std::max(common[at(row + 1, column)], common[at(row, column + 1)]);
        }
    }
    qsizetype row = 0;
    for (qsizetype column = 0; column < columns;) {
        if (row < rows && before[head + row] == after[head + column]) {
            ++row;
            ++column;
        } else if (row < rows && common[at(row + 1, column)] >= common[at(row, column + 1)]) {
            ++row;
        } else {
            changed.insert(static_cast<int>(head + column + 1));
            ++column;
        }
    }
    return changed;
}

} // namespace mesh::forms
