#pragma once

#include "app/bridge/rehearsal_rows.h"

#include <QWidget>

#include <optional>

namespace mesh::pages {

// A finished run in words and figures: verdict, assertions, windows, what policies are worth, and
// how far all of it can be trusted. As high as it needs to be; stands in a scroll area.
class VerdictView : public QWidget
{
    Q_OBJECT

public:
    explicit VerdictView(QWidget* parent = nullptr);

    void setRun(const std::optional<bridge::RunRow>& run);
    // While it runs, or when there is nothing yet: what to say instead.
    void setNote(const QString& title, const QString& text);

    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    class Painter;
    [[nodiscard]] double heightFor(double width) const;

    std::optional<bridge::RunRow> m_run;
    QString m_title;
    QString m_text;
};

// The before, during, after table alone; also for differences.
[[nodiscard]] double paintWindowTable(
    QPainter& painter,
    const QRectF& area,
    const QString& title,
    const std::vector<bridge::WindowLine>& lines
);

} // namespace mesh::pages
