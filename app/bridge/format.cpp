#include "app/bridge/format.h"

#include <QDateTime>

#include <array>
#include <cmath>

namespace mesh::bridge {

namespace {

constexpr QChar kThinSpace(0x2009);
constexpr QChar kNarrowSpace(0x202F);
constexpr QChar kMinus(0x2212);
constexpr double kMillisecondsPerSecond = 1000.0;
constexpr double kMillisecondsPerMinute = 60'000.0;
constexpr double kMillisecondsPerHour = 3'600'000.0;

bool isShown(const std::optional<double>& value) { return value && std::isfinite(*value); }

// Digits with this many decimals, thousands apart.
QString toDigits(double value, int decimals)
{
    QString text = QString::number(std::abs(value), 'f', decimals);
    const qsizetype point = text.indexOf(QLatin1Char('.'));
    for (qsizetype at = (point < 0 ? text.size() : point) - 3; at > 0; at -= 3) {
        text.insert(at, kThinSpace);
    }
    const bool isZero = std::abs(value) < std::pow(10.0, -decimals) / 2;
    return value < 0 && !isZero ? kMinus + text : text;
}

QString withUnit(const QString& digits, QLatin1String unit) { return digits + kNarrowSpace + unit; }

} // namespace

QString noValueText() { return QString(QChar(0x2013)); }

QString formatCount(std::uint64_t count)
{
    QString text = QString::number(count);
    for (qsizetype at = text.size() - 3; at > 0; at -= 3) {
        text.insert(at, kThinSpace);
    }
    return text;
}

QString formatRate(std::optional<double> perSecond)
{
    if (!isShown(perSecond)) {
        return noValueText();
    }
    // The decimals are chosen by what would be printed: 0.999 is "1.0", not "1.00".
    const double size = std::abs(*perSecond);
    const int decimals = size < 0.995 ? 2 : size < 99.95 ? 1 : 0;
    return toDigits(*perSecond, decimals);
}

QString formatRatio(std::optional<double> ratio)
{
    if (!isShown(ratio)) {
        return noValueText();
    }
    const double percent = *ratio * 100;
    const double size = std::abs(percent);
    const int decimals = size < 0.0005 ? 0 : size < 0.095 ? 2 : size < 9.95 ? 1 : 0;
    return withUnit(toDigits(percent, decimals), QLatin1String("%"));
}

QString formatDuration(std::optional<double> milliseconds)
{
    if (!isShown(milliseconds)) {
        return noValueText();
    }
    const double value = *milliseconds;
    if (value < 9.95) {
        return withUnit(toDigits(value, 1), QLatin1String("ms"));
    }
    if (value < 999.5) {
        return withUnit(toDigits(value, 0), QLatin1String("ms"));
    }
    if (value < kMillisecondsPerMinute - 50) {
        return withUnit(toDigits(value / kMillisecondsPerSecond, 1), QLatin1String("s"));
    }
    const bool isHours = value >= kMillisecondsPerHour;
    const double large = isHours ? kMillisecondsPerHour : kMillisecondsPerMinute;
    const double small = isHours ? kMillisecondsPerMinute : kMillisecondsPerSecond;
    const double units = std::round(value / small);
    const double perLarge = large / small;
    const double whole = std::floor(units / perLarge);
    return withUnit(toDigits(whole, 0), QLatin1String(isHours ? "h" : "min")) + QLatin1Char(' ')
           + withUnit(toDigits(units - whole * perLarge, 0), QLatin1String(isHours ? "min" : "s"));
}

QString formatBytes(std::optional<double> bytes)
{
    if (!isShown(bytes)) {
        return noValueText();
    }
    constexpr std::array<const char*, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
    double value = *bytes;
    std::size_t unit = 0;
    while (std::abs(value) >= 999.5 && unit + 1 < kUnits.size()) {
        value /= 1000;
        ++unit;
    }
    const int decimals = unit > 0 && std::abs(value) < 9.95 ? 1 : 0;
    return withUnit(toDigits(value, decimals), QLatin1String(kUnits[unit]));
}

QString formatTime(std::int64_t time_us)
{
    return QDateTime::fromMSecsSinceEpoch(time_us / 1000).toString(QStringLiteral("HH:mm:ss"));
}

} // namespace mesh::bridge
