#include "app/pages/texts.h"

#include "app/bridge/format.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QLocale>

#include <algorithm>
#include <cmath>

namespace mesh::pages {
namespace {

constexpr qsizetype kFlagMax = 20;
const QString kNothing = QStringLiteral("–");

QString words(const char* text) { return QCoreApplication::translate("Words", text); }

} // namespace

theme::State stateOf(bridge::HealthState state) { return static_cast<theme::State>(state); }

theme::Pip pipOf(bridge::InstanceState state) { return static_cast<theme::Pip>(state); }

QString wordOf(bridge::HealthState state)
{
    switch (state) {
    case bridge::HealthState::Healthy:
        return words("Healthy");
    case bridge::HealthState::Degraded:
        return words("Degraded");
    case bridge::HealthState::Failure:
        return words("Failing");
    case bridge::HealthState::Idle:
        return words("Idle");
    case bridge::HealthState::NoData:
        return words("No data");
    case bridge::HealthState::Stale:
        return words("Stale");
    }
    return {};
}

QString wordOf(bridge::InstanceState state)
{
    switch (state) {
    case bridge::InstanceState::Up:
        return words("up");
    case bridge::InstanceState::Ejected:
        return words("ejected");
    case bridge::InstanceState::Draining:
        return words("draining");
    case bridge::InstanceState::Starting:
        return words("starting");
    case bridge::InstanceState::Stale:
        return words("stale");
    case bridge::InstanceState::Down:
        return words("down");
    case bridge::InstanceState::Frozen:
        return words("frozen");
    }
    return {};
}

QString wordOf(bridge::EntityKind kind)
{
    switch (kind) {
    case bridge::EntityKind::Service:
        return words("service");
    case bridge::EntityKind::Gateway:
        return words("gateway");
    case bridge::EntityKind::External:
        return words("external");
    case bridge::EntityKind::Unknown:
        break;
    }
    return words("unknown");
}

QString rateText(double perSecond)
{
    return perSecond > 0 ? bridge::formatRate(perSecond) : bridge::noValueText();
}

QString percentText(std::optional<double> ratio)
{
    if (!ratio) {
        return kNothing;
    }
    return QLocale::c().toString(*ratio * 100.0, 'f', 1);
}

QString millisecondsText(std::optional<double> milliseconds)
{
    if (!milliseconds) {
        return kNothing;
    }
    if (*milliseconds < 9.95) {
        return QLocale::c().toString(*milliseconds, 'f', 1);
    }
    return bridge::formatCount(static_cast<std::uint64_t>(std::max(0.0, std::round(*milliseconds)))
    );
}

QString countText(std::uint64_t count) { return bridge::formatCount(count); }

QString clockText(std::int64_t time_us)
{
    return time_us > 0 ? bridge::formatTime(time_us) : bridge::noValueText();
}

QString dateTimeText(std::int64_t time_us)
{
    if (time_us <= 0) {
        return kNothing;
    }
    return QLocale().toString(
        QDateTime::fromMSecsSinceEpoch(time_us / 1000), QStringLiteral("d MMM HH:mm:ss")
    );
}

QString nameOf(const QString& id)
{
    const qsizetype colon = id.indexOf(u':');
    return colon < 0 ? id : id.mid(colon + 1);
}

EdgeEnds edgeEnds(const QString& id)
{
    const QStringList parts = id.split(QStringLiteral(" -> "));
    return parts.size() == 2 ? EdgeEnds{parts[0], parts[1]} : EdgeEnds{};
}

void shortenLabels(std::vector<bridge::Marker>& markers)
{
    for (bridge::Marker& marker : markers) {
        if (marker.label.size() > kFlagMax) {
            marker.detail = marker.label + u' ' + marker.detail;
            marker.label = marker.label.left(kFlagMax - 1).trimmed() + u'…';
        }
    }
}

const bridge::EntityRow* findEntity(const bridge::Topology& topology, const QString& id)
{
    const auto found =
        std::find_if(topology.entities.begin(), topology.entities.end(), [&id](const auto& entity) {
            return entity.id == id;
        });
    return found != topology.entities.end() ? &*found : nullptr;
}

const bridge::EdgeRow* findEdge(const bridge::Topology& topology, const QString& id)
{
    const EdgeEnds ends = edgeEnds(id);
    const auto found =
        std::find_if(topology.edges.begin(), topology.edges.end(), [&ends](const auto& edge) {
            return edge.source == ends.source && edge.target == ends.target;
        });
    return !ends.source.isEmpty() && found != topology.edges.end() ? &*found : nullptr;
}

} // namespace mesh::pages
