#pragma once

#include "app/bridge/review_rows.h"

#include <QAbstractScrollArea>
#include <QString>

#include <cstdint>
#include <set>
#include <vector>

namespace mesh::pages {

// A diff of configurations, object by object: heads that fold, lines with their numbers before and
// after, what differs in a line on stronger ground and weighty values bold.
//
// Keys: Up, Down, Page keys scroll; F8 and Shift+F8 go to the next and previous change.
class ReviewDiffView : public QAbstractScrollArea
{
    Q_OBJECT

public:
    enum class Form : std::uint8_t { Inline, SideBySide };
    enum class Numbers : std::uint8_t { Shown, Hidden };

    explicit ReviewDiffView(QWidget* parent, Numbers numbers = Numbers::Shown);

    void setDiffs(std::vector<bridge::ObjectDiff> diffs);
    void setForm(Form form);
    [[nodiscard]] Form form() const { return m_form; }
    void goTo(const QString& key);
    void stepChange(int direction); // To the next (1) or previous (-1) changed line.
    [[nodiscard]] int rowCount() const { return static_cast<int>(m_rows.size()); }
    [[nodiscard]] int currentRow() const { return m_current; }
    // What a row says, for tests and screen readers: "- consecutive_5xx: 5".
    [[nodiscard]] QString rowText(int row) const;
    [[nodiscard]] int contentHeight() const;
    [[nodiscard]] QSize sizeHint() const override;

Q_SIGNALS:
    void objectChosen(const QString& key); // A head was clicked.

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    bool event(QEvent* event) override;

private:
    struct Row
    {
        const bridge::ObjectDiff* head = nullptr; // Of a head row.
        const bridge::DiffLine* left = nullptr; // Inline: the line; side by side: before.
        const bridge::DiffLine* right = nullptr; // Side by side: after.
    };
    void rebuild();
    void updateScroll();
    [[nodiscard]] int heightOf(const Row& row) const;
    [[nodiscard]] int rowAt(int y) const;
    [[nodiscard]] int topOf(int row) const;
    void paintHead(QPainter& painter, const QRectF& rect, const bridge::ObjectDiff& diff) const;
    void paintLine(QPainter& painter, const QRectF& rect, const bridge::DiffLine& line, int side)
        const;
    [[nodiscard]] static bool isChange(const Row& row);

    Numbers m_numbers;
    Form m_form = Form::Inline;
    std::vector<bridge::ObjectDiff> m_diffs;
    std::vector<Row> m_rows;
    std::set<QString> m_folded;
    int m_current = -1; // Row of the change that F8 went to.
};

} // namespace mesh::pages
