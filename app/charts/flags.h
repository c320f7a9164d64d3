#pragma once

#include "app/bridge/topology.h"
#include "app/charts/time_chart.h"

#include <QRectF>
#include <QStringList>

#include <cstdint>
#include <functional>
#include <vector>

class QPainter;

// Flags of marked events above a time axis. Private to app/charts.
namespace mesh::charts {

enum class FlagShape : std::uint8_t { Text, Triangle, Diamond, Icon };

struct Flag
{
    const bridge::Marker* marker = nullptr;
    double x = 0; // Where the event's line stands.
    FlagShape shape = FlagShape::Text;
    bool isHidden = false; // Another icon stands there already; its line remains.
    QRectF box;
};

// Places the flags of the events inside `lane` so that none covers another: right of its line, left
// of it, or as an icon alone. Revisions, pushes and faults carry words; changes of health a
// triangle, ejections a diamond, policies their own sign. Several events of one name at one place
// share a flag. The markers must outlive the result.
// Source: the visual design, section 6.
[[nodiscard]] std::vector<Flag> placeFlags(
    const std::vector<bridge::Marker>& markers,
    const std::function<double(std::int64_t)>& xOf,
    const QRectF& lane,
    const QFont& font
);

// Draws one flag with the painter's font.
void drawFlag(QPainter& painter, const Flag& flag);

// What a tool tip says of the events whose line stands within a few pixels of x; empty: none.
[[nodiscard]] QStringList wordsAt(
    const std::vector<bridge::Marker>& markers,
    const std::function<double(std::int64_t)>& xOf,
    double x
);

// The colour of the event's line.
[[nodiscard]] QColor colorOf(const bridge::Marker& marker);

} // namespace mesh::charts
