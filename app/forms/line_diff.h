#pragma once

#include <QSet>
#include <QStringList>

namespace mesh::forms {

// The 1-based numbers of the lines of `after` that are new or different from `before`; the bars
// beside the text. A removed line marks the line that took its place.
//
// Cost: lines that differ in the middle, squared; above 4 million pairs the whole middle counts as
// changed.
[[nodiscard]] QSet<int> changedLines(const QStringList& before, const QStringList& after);

} // namespace mesh::forms
