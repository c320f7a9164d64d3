#include "app/ctl/text_table.h"

#include <algorithm>

namespace mesh::ctl {

std::size_t widthOf(std::string_view text)
{
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }));
}

std::string printable(std::string_view text)
{
    std::string safe(text);
    for (char& c : safe) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20U || byte == 0x7FU) {
            c = '?';
        }
    }
    return safe;
}

TextTable::TextTable(std::vector<std::string_view> heads)
    : m_heads(std::move(heads))
{}

void TextTable::add(std::vector<Cell> cells)
{
    cells.resize(m_heads.size());
    for (Cell& cell : cells) {
        cell.text = cell.text.empty() ? "-" : printable(cell.text);
    }
    m_rows.push_back(std::move(cells));
}

std::string TextTable::toText(Colour colour) const
{
    std::vector<std::size_t> widths;
    for (const std::string_view head : m_heads) {
        widths.push_back(widthOf(head));
    }
    for (const std::vector<Cell>& row : m_rows) {
        for (std::size_t at = 0; at < row.size(); ++at) {
            widths[at] = std::max(widths[at], widthOf(row[at].text));
        }
    }
    std::string text;
    const auto addCell = [&](std::size_t at, std::string_view shown, Mood mood) {
        text += coloured(shown, mood, colour);
        if (at + 1 == m_heads.size()) {
            text += '\n';
        } else {
            text.append(widths[at] - widthOf(shown) + 2, ' ');
        }
    };
    for (std::size_t at = 0; at < m_heads.size(); ++at) {
        addCell(at, m_heads[at], Mood::Plain);
    }
    for (const std::vector<Cell>& row : m_rows) {
        for (std::size_t at = 0; at < row.size(); ++at) {
            addCell(at, row[at].text, row[at].mood);
        }
    }
    return text;
}

} // namespace mesh::ctl
