#pragma once

#include "app/bridge/rehearsal_rows.h"

#include <QWidget>

class QComboBox;
class QLabel;

namespace mesh::bridge {
class RehearsalSession;
}

namespace mesh::pages {

// First minus second over time and by window; a positive difference of success is up.
class DifferenceView : public QWidget
{
    Q_OBJECT

public:
    explicit DifferenceView(QWidget* parent);

    void setComparison(const std::optional<bridge::ComparisonRow>& comparison);
    void setPlayhead(double second);
    [[nodiscard]] QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void paintCurve(QPainter& painter, const QRectF& area, bool isSuccess) const;

    std::optional<bridge::ComparisonRow> m_comparison;
    double m_playhead = 0;
};

// Two variants, of one run or of two, side by side.
class ComparePane : public QWidget
{
    Q_OBJECT

public:
    ComparePane(bridge::RehearsalSession& session, QWidget* parent);

    void refresh();
    void setPlayhead(double second);
    [[nodiscard]] QComboBox& first() { return *m_first; }
    [[nodiscard]] QComboBox& second() { return *m_second; }

private:
    void show();

    bridge::RehearsalSession& m_session;
    QComboBox* m_first;
    QComboBox* m_second;
    QLabel* m_luck;
    DifferenceView* m_view;
};

} // namespace mesh::pages
