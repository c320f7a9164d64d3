#include "app/theme/theme.h"

#include <QFontDatabase>
#include <QStringList>

#include <cmath>

namespace mesh::theme {

namespace {

struct RoleFont
{
    double pixels = 13;
    QFont::Weight weight = QFont::Normal;
    bool isCode = false;
};

RoleFont roleFont(Role role)
{
    switch (role) {
    case Role::Display:
        return {24, QFont::DemiBold};
    case Role::Title:
        return {16, QFont::DemiBold};
    case Role::Figure:
        return {15, QFont::DemiBold};
    case Role::FigureLarge:
        return {18, QFont::DemiBold};
    case Role::Body:
        return {13, QFont::Normal};
    case Role::BodyMedium:
        return {13, QFont::Medium};
    case Role::BodyStrong:
        return {13, QFont::DemiBold};
    case Role::Control:
        return {12.5, QFont::Medium};
    case Role::ControlStrong:
        return {12.5, QFont::DemiBold};
    case Role::Small:
        return {12, QFont::Normal};
    case Role::SmallMedium:
        return {12, QFont::Medium};
    case Role::SmallStrong:
        return {12, QFont::DemiBold};
    case Role::Caption:
        return {11, QFont::Normal};
    case Role::CaptionMedium:
        return {11, QFont::Medium};
    case Role::CaptionStrong:
        return {11, QFont::DemiBold};
    case Role::Axis:
        return {10.5, QFont::Normal};
    case Role::Capitals:
        return {10.5, QFont::Bold};
    case Role::Code:
        return {12, QFont::Normal, true};
    case Role::CodeSmall:
        return {11, QFont::Normal, true};
    }
    return {};
}

} // namespace

QFont font(Role role)
{
    const RoleFont wanted = roleFont(role);
    QFont result;
    const QStringList code{QStringLiteral("JetBrains Mono"), QStringLiteral("DejaVu Sans Mono")};
    const QStringList words{
        QStringLiteral("Inter"), QStringLiteral("Noto Sans"), QStringLiteral("DejaVu Sans")};
    result.setFamilies(wanted.isCode ? code : words);
    // Points keep the half pixels that setPixelSize() would round away.
    result.setPointSizeF(wanted.pixels * 72.0 / 96.0);
    result.setWeight(wanted.weight);
    result.setHintingPreference(QFont::PreferNoHinting);
    if (role == Role::Capitals) {
        result.setLetterSpacing(QFont::PercentageSpacing, 105);
    }
    if (wanted.isCode) {
        result.setFixedPitch(true);
        result.setStyleHint(QFont::Monospace);
        result.setKerning(false);
    }
    return result;
}

} // namespace mesh::theme
