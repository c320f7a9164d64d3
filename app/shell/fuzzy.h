#pragma once

#include <QString>
#include <QStringView>

#include <optional>

namespace mesh::shell {

// How well a pattern finds a text, larger is better; nothing: its letters do not occur in order.
//
// Letters at the beginning of the text or of a word, and letters in a row, count more; gaps and a
// long rest count less. The whole text is the best, its beginning the next. Both are lower case.
// Cost: one pass over the text and one back; nothing is allocated.
// Source: the scoring of fzf (github.com/junegunn/fzf, src/algo), its first version.
[[nodiscard]] std::optional<int> fuzzyScore(QStringView pattern, QStringView text);

} // namespace mesh::shell
