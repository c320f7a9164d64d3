#include "app/theme/numbers.h"

#include <cmath>

namespace mesh::theme {

namespace {

constexpr QChar kThinSpace(0x2009);
constexpr QChar kNarrowNoBreakSpace(0x202F);
constexpr QChar kMinus(0x2212);

QString grouped(double value, int decimals)
{
    QString text = QString::number(std::abs(value), 'f', decimals);
    const qsizetype dot = text.indexOf(u'.');
    for (qsizetype at = (dot < 0 ? text.size() : dot) - 3; at > 0; at -= 3) {
        text.insert(at, kThinSpace);
    }
    return value < 0 ? kMinus + text : text;
}

int decimalsOf(double value)
{
    const double size = std::abs(value);
    if (size < 0.995) {
        return 2;
    }
    return size < 99.95 ? 1 : 0;
}

} // namespace

QString noValue() { return QString(QChar(0x2013)); }

QString rateText(double perSecond)
{
    return std::isfinite(perSecond) ? grouped(perSecond, decimalsOf(perSecond)) : noValue();
}

QString millisecondsText(std::optional<double> value_ms)
{
    if (!value_ms || !std::isfinite(*value_ms)) {
        return noValue();
    }
    if (*value_ms >= 999.5) {
        return grouped(*value_ms / 1000, 1) + kNarrowNoBreakSpace + QStringLiteral("s");
    }
    const int decimals = *value_ms < 9.95 ? 1 : 0;
    return grouped(*value_ms, decimals) + kNarrowNoBreakSpace + QStringLiteral("ms");
}

QString shareText(std::optional<double> share)
{
    if (!share || !std::isfinite(*share)) {
        return noValue();
    }
    const double percent = *share * 100;
    const int decimals = percent > 0 && percent < 0.095 ? 2 : 1;
    return grouped(percent, decimals) + kNarrowNoBreakSpace + QStringLiteral("%");
}

} // namespace mesh::theme
