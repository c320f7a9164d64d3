#pragma once

#include "app/forms/split_shares.h"

#include <QColor>
#include <QSlider>

#include <vector>

namespace mesh::forms {

// A slider for a share: a 4 px track filled up to the knob.
class ShareSlider : public QSlider
{
    Q_OBJECT

public:
    explicit ShareSlider(QWidget* parent);
    void setColor(const QColor& color);
    [[nodiscard]] QSize sizeHint() const override { return {120, 24}; }

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;

private:
    QColor m_color;
};

// The shares side by side, each as wide as it is large.
class SplitBar : public QWidget
{
    Q_OBJECT

public:
    explicit SplitBar(QWidget* parent);
    void setParts(const std::vector<SplitShare>& parts);
    [[nodiscard]] QSize sizeHint() const override { return {200, 20}; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    std::vector<SplitShare> m_parts;
};

} // namespace mesh::forms
