#pragma once

#include <QColor>

#include <array>
#include <cstdint>

// The colours of the product, one table per theme. No other file holds a colour value.
// Source: the visual design, section 1; tests/gui/theme_contrast_test computes the contrasts.
namespace mesh::theme {

// What a picture of something says about it. The order is that of bridge::HealthState, so that a
// view converts one into the other by value; the rest is for instances.
enum class State : std::uint8_t { Healthy, Degraded, Failure, Idle, NoData, Stale };
inline constexpr int kStateCount = 6;

enum class EnvironmentKind : std::uint8_t { Production, Staging, Development, Local };

struct StateColors
{
    QColor text; // Also glyphs, rings and lines; >= 4.5:1 on every surface it stands on.
    QColor soft; // Fill behind notes and rows.
    QColor line; // Thick graphics that may shine more than text (edges, discs).
};

struct Tokens
{
    QColor chrome;
    QColor canvas;
    QColor panel;
    QColor raised;
    QColor hover;
    QColor pressed;
    QColor border;
    QColor borderInput;
    QColor borderStrong;
    QColor text1;
    QColor text2;
    QColor text3;
    QColor textDisabled;
    QColor accent;
    QColor accentSoft;
    QColor accentFill; // Under onFill text.
    QColor onFill; // Text and glyphs on accentFill and on state discs in light.
    QColor grid;
    QColor dot;
    QColor input; // Ground of input fields.
    QColor selection; // Equals accent but in the colour-blind palette.
    QColor attention; // Counters of findings.
    std::array<StateColors, kStateCount> states; // Indexed by State.
    std::array<QColor, 5> statusCodes; // 1xx to 5xx; never health colours.
    std::array<QColor, 3> percentiles; // p50, p95, p99.
    std::array<QColor, 6> series;
    QColor edge;
    QColor edgePath; // On the selected path.
    QColor edgeTcp;
    QColor diffAddedRow;
    QColor diffAddedText;
    QColor diffRemovedRow;
    QColor diffRemovedText;
    QColor simulationRow;
    QColor simulationLine;
    QColor replay;
    std::array<QColor, 4> environments; // Indexed by EnvironmentKind.
    int shadowAlpha = 0; // Of black, under menus and dragged things, 0..255.
    int focusRingAlpha = 0; // Of accent, around the accent border, 0..255.

    [[nodiscard]] constexpr const StateColors& of(State state) const
    {
        return states[static_cast<std::size_t>(state)];
    }
    [[nodiscard]] constexpr const QColor& of(EnvironmentKind kind) const
    {
        return environments[static_cast<std::size_t>(kind)];
    }
};

// 0xRRGGBB as a colour.
constexpr QColor rgb(std::uint32_t value)
{
    return QColor(
        static_cast<int>((value >> 16U) & 0xFFU),
        static_cast<int>((value >> 8U) & 0xFFU),
        static_cast<int>(value & 0xFFU)
    );
}

inline constexpr Tokens kDark = {
    .chrome = rgb(0x0F1115),
    .canvas = rgb(0x13161B),
    .panel = rgb(0x181B21),
    .raised = rgb(0x1F232A),
    .hover = rgb(0x262B34),
    .pressed = rgb(0x2E3540),
    .border = rgb(0x272C35),
    .borderInput = rgb(0x384050),
    .borderStrong = rgb(0x6B7688),
    .text1 = rgb(0xE6E9EF),
    .text2 = rgb(0xAEB6C4),
    .text3 = rgb(0x8A94A5),
    .textDisabled = rgb(0x5B6473),
    .accent = rgb(0x6FA3FF),
    .accentSoft = rgb(0x202D45),
    .accentFill = rgb(0x2F6DE0),
    .onFill = rgb(0xFFFFFF),
    .grid = rgb(0x232831),
    .dot = rgb(0x1B1F26),
    .input = rgb(0x13161B),
    .selection = rgb(0x6FA3FF),
    .attention = rgb(0xE8AC45),
    .states = {{
        {rgb(0x43B584), rgb(0x172A26), rgb(0x43B584)},
        {rgb(0xE8AC45), rgb(0x30281A), rgb(0xE8AC45)},
        {rgb(0xF4716D), rgb(0x351F22), rgb(0xF4716D)},
        {rgb(0x8A94A5), rgb(0x1F232A), rgb(0x8A94A5)},
        {rgb(0x8A94A5), rgb(0x1F232A), rgb(0x8A94A5)},
        {rgb(0xA3A9BD), rgb(0x1F232A), rgb(0xA3A9BD)},
    }},
    .statusCodes = {rgb(0x5F7A9A), rgb(0x5B97D3), rgb(0x7288EE), rgb(0x9D7DF2), rgb(0xD06FDA)},
    .percentiles = {rgb(0x2F8F86), rgb(0x48C4B6), rgb(0xB4EBE4)},
    .series =
        {rgb(0x5B97D3), rgb(0x48C4B6), rgb(0x9D7DF2), rgb(0xE08FB0), rgb(0xB5BE63), rgb(0x8A94A5)},
    .edge = rgb(0x616C7F),
    .edgePath = rgb(0xA3AEC1),
    .edgeTcp = rgb(0x5F86B8),
    .diffAddedRow = rgb(0x16291F),
    .diffAddedText = rgb(0x6CCB9C),
    .diffRemovedRow = rgb(0x331E20),
    .diffRemovedText = rgb(0xFF908C),
    .simulationRow = rgb(0x251F3A),
    .simulationLine = rgb(0xA78BFA),
    .replay = rgb(0x48C4B6),
    .environments = {rgb(0xE67BA8), rgb(0x7288EE), rgb(0x48C4B6), rgb(0x8A94A5)},
    .shadowAlpha = 115,
    .focusRingAlpha = 77,
};

inline constexpr Tokens kLight = {
    .chrome = rgb(0xF0F1F4),
    .canvas = rgb(0xFAFBFC),
    .panel = rgb(0xFFFFFF),
    .raised = rgb(0xF5F6F8),
    .hover = rgb(0xECEEF2),
    .pressed = rgb(0xE1E5EB),
    .border = rgb(0xE2E5EA),
    .borderInput = rgb(0xC6CDD7),
    .borderStrong = rgb(0x8690A0),
    .text1 = rgb(0x14171C),
    .text2 = rgb(0x474F5D),
    .text3 = rgb(0x626B7A),
    .textDisabled = rgb(0x9EA6B3),
    .accent = rgb(0x1D62D8),
    .accentSoft = rgb(0xE4EDFC),
    .accentFill = rgb(0x1D62D8),
    .onFill = rgb(0xFFFFFF),
    .grid = rgb(0xECEEF2),
    .dot = rgb(0xE6E9EE),
    .input = rgb(0xFFFFFF),
    .selection = rgb(0x1D62D8),
    .attention = rgb(0x9A5D00),
    .states = {{
        {rgb(0x127A54), rgb(0xE6F4EE), rgb(0x127A54)},
        {rgb(0x9A5D00), rgb(0xFCF2DF), rgb(0xBF7A00)},
        {rgb(0xC62F2B), rgb(0xFCE9E8), rgb(0xC62F2B)},
        {rgb(0x6E7787), rgb(0xF5F6F8), rgb(0x6E7787)},
        {rgb(0x6E7787), rgb(0xF5F6F8), rgb(0x6E7787)},
        {rgb(0x5C647E), rgb(0xF5F6F8), rgb(0x5C647E)},
    }},
    .statusCodes = {rgb(0x7C93AE), rgb(0x3E7FC0), rgb(0x4F63D2), rgb(0x7A55D6), rgb(0xA83BB4)},
    .percentiles = {rgb(0x459C92), rgb(0x0E6E63), rgb(0x08352F)},
    .series =
        {rgb(0x3E7FC0), rgb(0x0E6E63), rgb(0x7A55D6), rgb(0xB0507F), rgb(0x75801F), rgb(0x626B7A)},
    .edge = rgb(0x8792A2),
    .edgePath = rgb(0x4A5361),
    .edgeTcp = rgb(0x5B86BD),
    .diffAddedRow = rgb(0xE6F5EC),
    .diffAddedText = rgb(0x116B43),
    .diffRemovedRow = rgb(0xFCEBEA),
    .diffRemovedText = rgb(0xB02420),
    .simulationRow = rgb(0xEFEAFC),
    .simulationLine = rgb(0x6D47D9),
    .replay = rgb(0x0E6E63),
    .environments = {rgb(0xB23A6C), rgb(0x4F63D2), rgb(0x0E6E63), rgb(0x626B7A)},
    .shadowAlpha = 36,
    .focusRingAlpha = 48,
};

// The same table with the four state colours that people with a colour vision deficiency tell
// apart. ok becomes blue, so the selection is drawn in text1.
// Source: Okabe and Ito, "Color Universal Design" (2008), darkened until text reaches 4.5:1.
constexpr Tokens colorBlind(Tokens tokens, bool isDark)
{
    tokens.states[0].text = isDark ? rgb(0x56B4E9) : rgb(0x0069A6);
    tokens.states[0].line = isDark ? rgb(0x56B4E9) : rgb(0x0072B2);
    tokens.states[1].text = isDark ? rgb(0xE69F00) : rgb(0x8A6100);
    tokens.states[1].line = rgb(0xE69F00);
    tokens.states[2].text = isDark ? rgb(0xF0813F) : rgb(0xB64500);
    tokens.states[2].line = isDark ? rgb(0xF0813F) : rgb(0xD55E00);
    tokens.attention = isDark ? rgb(0xCC79A7) : rgb(0xA0507F);
    tokens.selection = tokens.text1;
    return tokens;
}

// `share` of `over` on top of `under`, 0..1, opaque.
[[nodiscard]] QColor mixed(const QColor& under, const QColor& over, double share);
// The colour with another opacity, 0..1.
[[nodiscard]] QColor faded(const QColor& color, double opacity);
// WCAG 2.1 contrast of two opaque colours, 1..21.
[[nodiscard]] double contrast(const QColor& first, const QColor& second);

} // namespace mesh::theme
