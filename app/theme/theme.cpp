#include "app/theme/theme.h"

#include "app/theme/style.h"

#include <QApplication>
#include <QPalette>
#include <QWidget>

namespace mesh::theme {

namespace {

constexpr char kThemeProperty[] = "meshTheme";

bool isSystemDark(const QPalette& palette)
{
    return palette.color(QPalette::Window).lightness() < 128;
}

} // namespace

Theme::Theme(QObject* parent)
    : QObject(parent)
    , m_tokens(kDark)
    , m_isSystemDark(isSystemDark(QApplication::palette()))
{
    refresh();
}

void Theme::setTheme(Choice choice)
{
    if (choice != m_choice) {
        m_choice = choice;
        refresh();
    }
}

void Theme::setVision(Vision vision)
{
    if (vision != m_vision) {
        m_vision = vision;
        refresh();
    }
}

void Theme::setDensity(Density density)
{
    if (density != m_density) {
        m_density = density;
        refresh();
    }
}

void Theme::setMotion(Motion motion)
{
    if (motion != m_motion) {
        m_motion = motion;
        refresh();
    }
}

int Theme::duration_ms(int full_ms) const { return m_motion == Motion::Reduced ? 0 : full_ms; }

QPalette Theme::palette() const
{
    const Tokens& t = m_tokens;
    QPalette palette;
    palette.setColor(QPalette::Window, t.chrome);
    palette.setColor(QPalette::WindowText, t.text1);
    palette.setColor(QPalette::Base, t.panel);
    palette.setColor(QPalette::AlternateBase, t.raised);
    palette.setColor(QPalette::Text, t.text1);
    palette.setColor(QPalette::PlaceholderText, t.text3);
    palette.setColor(QPalette::Button, t.raised);
    palette.setColor(QPalette::ButtonText, t.text1);
    palette.setColor(QPalette::BrightText, t.onFill);
    palette.setColor(QPalette::Highlight, t.accentSoft);
    palette.setColor(QPalette::HighlightedText, t.text1);
    palette.setColor(QPalette::Link, t.accent);
    palette.setColor(QPalette::LinkVisited, t.accent);
    palette.setColor(QPalette::ToolTipBase, t.raised);
    palette.setColor(QPalette::ToolTipText, t.text1);
    palette.setColor(QPalette::Light, t.hover);
    palette.setColor(QPalette::Midlight, t.hover);
    palette.setColor(QPalette::Mid, t.border);
    palette.setColor(QPalette::Dark, t.borderInput);
    palette.setColor(QPalette::Shadow, t.borderStrong);
    for (const QPalette::ColorRole role :
         {QPalette::WindowText, QPalette::Text, QPalette::ButtonText, QPalette::HighlightedText}) {
        palette.setColor(QPalette::Disabled, role, t.textDisabled);
    }
    palette.setColor(QPalette::Disabled, QPalette::Highlight, t.hover);
    return palette;
}

void Theme::refresh()
{
    m_isDark = m_choice == Choice::Dark || (m_choice == Choice::System && m_isSystemDark);
    m_tokens = m_isDark ? kDark : kLight;
    if (m_vision == Vision::ColorBlind) {
        m_tokens = colorBlind(m_tokens, m_isDark);
    }
    QApplication::setPalette(palette());
    Q_EMIT changed();
    for (QWidget* const widget : QApplication::allWidgets()) {
        widget->updateGeometry();
        widget->update();
    }
}

void apply(QApplication& application, Choice choice)
{
    Theme& theme = current();
    QApplication::setStyle(new Style);
    application.setFont(font(Role::Body));
    theme.setTheme(choice);
    QApplication::setPalette(theme.palette());
}

Theme& current()
{
    const QVariant found = qApp->property(kThemeProperty);
    if (found.isValid()) {
        return *static_cast<Theme*>(found.value<QObject*>());
    }
    auto* const made = new Theme(qApp);
    qApp->setProperty(kThemeProperty, QVariant::fromValue<QObject*>(made));
    return *made;
}

const Tokens& tokens() { return current().tokens(); }

Metrics metrics()
{
    switch (current().density()) {
    case Density::Comfortable:
        return {32, 34, 28, 32, 30};
    case Density::Compact:
        return {22, 26, 20, 24, 26};
    case Density::Default:
        break;
    }
    return {28, 32, 24, 28, 28};
}

} // namespace mesh::theme
