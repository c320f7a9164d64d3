#pragma once

#include "app/theme/theme.h"

#include <QAbstractButton>
#include <QFrame>
#include <QLabel>

#include <cstdint>
#include <optional>
#include <vector>

class QHBoxLayout;
class QVBoxLayout;

namespace mesh::theme {

enum class ButtonRole : std::uint8_t { Normal, Primary, Destructive, Ghost };

// How the style draws a push or tool button.
void setButtonRole(QAbstractButton& button, ButtonRole role);
[[nodiscard]] ButtonRole buttonRole(const QWidget& button);

// Marks an input (line edit, combo box, spin box). Error: failure border and ring. The last three
// tint the ground as well, for fields that judge what is typed: green, amber, red.
enum class FieldState : std::uint8_t { Normal, Error, Valid, Doubtful, Invalid };
void setFieldState(QWidget& input, FieldState state);

// The type role of a label or of any other text widget, kept when the theme changes.
enum class TextColor : std::uint8_t { Text1, Text2, Text3, Accent, Degraded, Failure, Healthy };
void setText(QWidget& widget, Role role, TextColor color = TextColor::Text1);

// On or off, 30x17.
class Switch : public QAbstractButton
{
    Q_OBJECT

public:
    explicit Switch(QWidget* parent = nullptr);

    [[nodiscard]] QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;
};

// A short label on a quiet ground: a filter, a tag, a state. Clickable when it has a menu or slot.
class Chip : public QAbstractButton
{
    Q_OBJECT

public:
    enum class Arrow : std::uint8_t { None, Down };

    explicit Chip(const QString& text, QWidget* parent = nullptr);

    // Colours of a state with its glyph; nothing: hover fill and text2.
    void setState(std::optional<State> state);
    void setArrow(Arrow arrow);
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    std::optional<State> m_state;
    Arrow m_arrow = Arrow::None;
};

// Two or more exclusive buttons in one frame (Graph | Table).
class SegmentedControl : public QWidget
{
    Q_OBJECT

public:
    explicit SegmentedControl(QWidget* parent = nullptr);

    // Returns the index. The icon name may be empty.
    int addSegment(const QString& text, const QString& iconName = {});
    void setCurrent(int index);
    [[nodiscard]] int current() const { return m_current; }
    [[nodiscard]] int count() const { return static_cast<int>(m_segments.size()); }

    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

Q_SIGNALS:
    void currentChanged(int index);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    struct Segment
    {
        QString text;
        QString icon;
    };
    [[nodiscard]] double widthOf(const Segment& segment) const;
    [[nodiscard]] int segmentAt(double x) const;

    std::vector<Segment> m_segments;
    int m_current = 0;
    int m_hovered = -1;
};

// A panel with a hairline and radius 8: floating panels of the canvas, first-run doors.
class Card : public QFrame
{
    Q_OBJECT

public:
    explicit Card(QWidget* parent = nullptr, int radius = 8);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    int m_radius;
};

// A coloured note: 3 px bar at the left, soft fill, room for what the owner lays out inside.
class Note : public QFrame
{
    Q_OBJECT

public:
    explicit Note(State state, QWidget* parent = nullptr);
    void setState(State state);
    [[nodiscard]] State state() const { return m_state; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    State m_state;
};

// A key or a chord as a small frame: "Ctrl K".
class KeyCap : public QWidget
{
    Q_OBJECT

public:
    explicit KeyCap(const QString& text, QWidget* parent = nullptr);
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QString m_text;
};

// One line of text, elided in the middle with the whole in a tool tip.
class ElidedLabel : public QWidget
{
    Q_OBJECT

public:
    explicit ElidedLabel(Role role = Role::Body, QWidget* parent = nullptr);
    void setText(const QString& text);
    [[nodiscard]] const QString& text() const { return m_text; }
    void setColor(TextColor color);
    void setElideMode(Qt::TextElideMode mode);
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    Role m_role;
    TextColor m_color = TextColor::Text1;
    Qt::TextElideMode m_mode = Qt::ElideMiddle;
    QString m_text;
};

// A horizontal or vertical hairline of the theme.
class Hairline : public QWidget
{
    Q_OBJECT

public:
    explicit Hairline(Qt::Orientation orientation, QWidget* parent = nullptr);

protected:
    void paintEvent(QPaintEvent* event) override;
};

// The colour behind a TextColor in the theme in use.
[[nodiscard]] const QColor& textColor(TextColor color);

} // namespace mesh::theme
