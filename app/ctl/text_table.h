#pragma once

#include "app/ctl/surroundings.h"

#include <string>
#include <string_view>
#include <vector>

namespace mesh::ctl {

inline constexpr std::size_t kHashDigitsShown = 12; // Enough to tell revisions apart.

// Columns for people: as wide as their widest cell, two spaces between them, nothing behind the
// last. Control characters of cells are replaced, because names come from outside.
class TextTable
{
public:
    struct Cell
    {
        std::string text;
        Mood mood = Mood::Plain;
    };

    explicit TextTable(std::vector<std::string_view> heads);

    void add(std::vector<Cell> cells); // As many as there are heads.
    [[nodiscard]] bool isEmpty() const { return m_rows.empty(); }
    [[nodiscard]] std::string toText(Colour colour) const;

private:
    std::vector<std::string_view> m_heads;
    std::vector<std::vector<Cell>> m_rows;
};

// Code points of a UTF-8 text: what a terminal shows, but for wide and combining characters.
[[nodiscard]] std::size_t widthOf(std::string_view text);

// Without control characters, so that a name cannot write on a terminal.
[[nodiscard]] std::string printable(std::string_view text);

} // namespace mesh::ctl
