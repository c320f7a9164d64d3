#include "app/theme/tokens.h"

#include <algorithm>
#include <cmath>

namespace mesh::theme {

namespace {

double linear(double channel)
{
    return channel <= 0.04045 ? channel / 12.92 : std::pow((channel + 0.055) / 1.055, 2.4);
}

double luminance(const QColor& color)
{
    return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF())
           + 0.0722 * linear(color.blueF());
}

} // namespace

QColor mixed(const QColor& under, const QColor& over, double share)
{
    const auto channel = [share](int below, int above) {
        return static_cast<int>(std::lround(below * (1 - share) + above * share));
    };
    return QColor(
        channel(under.red(), over.red()),
        channel(under.green(), over.green()),
        channel(under.blue(), over.blue())
    );
}

QColor faded(const QColor& color, double opacity)
{
    QColor result = color;
    result.setAlphaF(static_cast<float>(opacity));
    return result;
}

double contrast(const QColor& first, const QColor& second)
{
    const double one = luminance(first);
    const double other = luminance(second);
    return (std::max(one, other) + 0.05) / (std::min(one, other) + 0.05);
}

} // namespace mesh::theme
