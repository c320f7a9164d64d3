#pragma once

#include "app/bridge/topology.h"

#include <QWidget>

#include <cstdint>
#include <vector>

class QLabel;
class QVBoxLayout;

namespace mesh::pages {

// The traffic policies that act on one object: sign, name, since when, why and who says so.
class PolicyNotes : public QWidget
{
    Q_OBJECT

public:
    enum class Style : std::uint8_t {
        Brief, // One line each, only what asks for attention, at most three.
        Full, // Everything, also what is only configured.
    };

    PolicyNotes(Style style, QWidget* parent);

    void setPolicies(const std::vector<bridge::PolicyRow>& policies);
    [[nodiscard]] int count() const { return m_shown; }

private:
    class Line;
    Style m_style;
    QVBoxLayout* m_column;
    QLabel* m_none;
    std::vector<Line*> m_lines;
    int m_shown = 0;
};

} // namespace mesh::pages
