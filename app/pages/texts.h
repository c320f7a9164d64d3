#pragma once

#include "app/bridge/topology.h"
#include "app/theme/glyphs.h"
#include "app/theme/tokens.h"

#include <QString>

#include <cstdint>
#include <optional>
#include <vector>

// Words and figures as pages show them; the numbers follow the visual design, section 2.
namespace mesh::pages {

[[nodiscard]] theme::State stateOf(bridge::HealthState state);
[[nodiscard]] theme::Pip pipOf(bridge::InstanceState state);
[[nodiscard]] QString wordOf(bridge::HealthState state); // "Degraded"
[[nodiscard]] QString wordOf(bridge::InstanceState state); // "ejected"
[[nodiscard]] QString wordOf(bridge::EntityKind kind); // "service"

// Two decimals below 1, one below 100, none above, thin spaces between thousands; "–" for none.
[[nodiscard]] QString rateText(double perSecond);
[[nodiscard]] QString percentText(std::optional<double> ratio); // "4.5", without the sign.
[[nodiscard]] QString millisecondsText(std::optional<double> milliseconds); // "486"
[[nodiscard]] QString countText(std::uint64_t count); // "1 977"
[[nodiscard]] QString clockText(std::int64_t time_us); // "14:07:38"; "–" for 0.
[[nodiscard]] QString dateTimeText(std::int64_t time_us); // "21 Nov 14:07:38"

// "service:cart" -> "cart".
[[nodiscard]] QString nameOf(const QString& id);
// The two ends of "a -> b"; both empty when it is no edge.
struct EdgeEnds
{
    QString source;
    QString target;
};
[[nodiscard]] EdgeEnds edgeEnds(const QString& id);

// Labels as short as a flag on a time axis can show; the whole stays in the detail.
void shortenLabels(std::vector<bridge::Marker>& markers);

[[nodiscard]] const bridge::EntityRow* findEntity(
    const bridge::Topology& topology, const QString& id
);
[[nodiscard]] const bridge::EdgeRow* findEdge(const bridge::Topology& topology, const QString& id);

} // namespace mesh::pages
