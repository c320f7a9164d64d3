#pragma once

#include "app/theme/tokens.h"

#include <QFont>
#include <QObject>

#include <cstdint>

class QApplication;
class QPalette;

namespace mesh::theme {

enum class Choice : std::uint8_t { System, Dark, Light };
enum class Vision : std::uint8_t { Normal, ColorBlind }; // Which four state colours.
enum class Density : std::uint8_t { Comfortable, Default, Compact };
enum class Motion : std::uint8_t { Full, Reduced }; // Reduced: every duration is 0.

// Type roles of the visual design, section 2. Sizes are pixels at 96 dpi times the user's scale.
enum class Role : std::uint8_t {
    Display, // 24 semi-bold, first run only.
    Title, // 16 semi-bold.
    Figure, // 15 semi-bold, key figures.
    FigureLarge, // 18 semi-bold.
    Body, // 13.
    BodyMedium,
    BodyStrong, // 13 semi-bold.
    Control, // 12.5 medium.
    ControlStrong, // 12.5 semi-bold.
    Small, // 12.
    SmallMedium,
    SmallStrong, // 12 semi-bold.
    Caption, // 11.
    CaptionMedium, // 11 medium.
    CaptionStrong, // 11 semi-bold.
    Axis, // 10.5.
    Capitals, // 10.5 bold, +0.05 em: LIVE, PAUSED, environment tags.
    Code, // JetBrains Mono 12, ligatures off.
    CodeSmall, // JetBrains Mono 11.
};

// The appearance in use: tokens, density, motion. One exists per application, made by apply() as a
// child of qApp; widgets ask current() while painting and repaint on changed().
class Theme : public QObject
{
    Q_OBJECT

public:
    explicit Theme(QObject* parent = nullptr);

    [[nodiscard]] const Tokens& tokens() const { return m_tokens; }
    [[nodiscard]] bool isDark() const { return m_isDark; }
    [[nodiscard]] Choice choice() const { return m_choice; }
    [[nodiscard]] Vision vision() const { return m_vision; }
    [[nodiscard]] Density density() const { return m_density; }
    [[nodiscard]] Motion motion() const { return m_motion; }

    void setTheme(Choice choice);
    void setVision(Vision vision);
    void setDensity(Density density);
    void setMotion(Motion motion);

    // The theme's colours as Qt's roles.
    [[nodiscard]] QPalette palette() const;
    // A duration of the motion table, or 0 under reduced motion.
    [[nodiscard]] int duration_ms(int full_ms) const;

Q_SIGNALS:
    // Tokens, density or motion are others now; palette and style are already in place.
    void changed();

private:
    void refresh();

    Tokens m_tokens;
    Choice m_choice = Choice::System;
    Vision m_vision = Vision::Normal;
    Density m_density = Density::Default;
    Motion m_motion = Motion::Full;
    bool m_isDark = true;
    bool m_isSystemDark = true;
};

// Fusion, our proxy style, palette and fonts. Call once, after the QApplication was made.
void apply(QApplication& application, Choice choice = Choice::System);

// The application's theme; made on first use when apply() was not called (tests).
[[nodiscard]] Theme& current();

// Short for current().tokens().
[[nodiscard]] const Tokens& tokens();

// The font of a role, at the user's scale.
[[nodiscard]] QFont font(Role role);

// Heights of the density in use, pixels.
struct Metrics
{
    int tableRow = 28;
    int fleetRow = 32;
    int treeRow = 24;
    int control = 28;
    int header = 28;
};
[[nodiscard]] Metrics metrics();

} // namespace mesh::theme
