#include "app/bridge/event_records.h"
#include "app/bridge/format.h"
#include "app/bridge/session_private.h"
#include "proxyengine/base/limits.h"

#include <algorithm>
#include <array>

namespace mesh::bridge {

namespace {

// The rows of one instance, by kind.
std::vector<FaultRow> rowsOf(const QString& instance, const simulator::InstanceFaults& faults)
{
    std::vector<FaultRow> rows;
    const auto add = [&](FaultKind kind, const QString& text) {
        rows.push_back({kind, instance, {}, text, 0});
    };
    if (faults.isKilled) {
        add(FaultKind::Kill, MeshSession::tr("killed"));
    }
    if (faults.isFrozen) {
        add(FaultKind::Freeze, MeshSession::tr("frozen"));
    }
    if (faults.latencyAdd > Duration{}) {
        const double added_ms = toSeconds(faults.latencyAdd) * 1000;
        add(FaultKind::Latency, QStringLiteral("+%1").arg(formatDuration(added_ms)));
    }
    if (faults.errorShare > 0) {
        add(FaultKind::Errors,
            QStringLiteral("%1 %2").arg(faults.errorStatus).arg(formatRatio(faults.errorShare)));
    }
    return rows;
}

// As the document keeps it; indexed by FaultKind.
constexpr std::array<const char*, 4> kFaultWords = {"kill", "freeze", "latency", "errors"};

} // namespace

std::vector<FaultRow> MeshSession::Private::faultsAt(std::int64_t time_us) const
{
    std::vector<FaultRow> rows;
    for (const Marker& event : events) {
        const bool isOn = event.kind == Marker::Kind::Fault && event.begin_us <= time_us
                          && (event.end_us == 0 || event.end_us > time_us);
        const auto word = std::ranges::find_if(kFaultWords, [&](const char* each) {
            return event.policy == QLatin1String(each);
        });
        if (isOn && word != kFaultWords.end()) {
            rows.push_back(
                {static_cast<FaultKind>(word - kFaultWords.begin()),
                 event.detail.section(u' ', 0, 0),
                 event.subject,
                 event.detail.section(u' ', 1),
                 event.begin_us}
            );
        }
    }
    return rows;
}

void MeshSession::Private::readEvents(const std::vector<store::EventRecord>& stored)
{
    for (const store::EventRecord& record : stored) {
        events.push_back(toMarker(record));
    }
}

void MeshSession::Private::addEvent(Marker marker)
{
    if (file && file->access().isWritable()) {
        file->addEvent(toRecord(marker));
    }
    events.push_back(std::move(marker));
    trimEvents();
    isEventNew = true;
}

void MeshSession::Private::trimEvents()
{
    if (events.size() > kEventRowsMax + kEventRowsMax / 4) {
        events.erase(events.begin(), events.end() - static_cast<std::ptrdiff_t>(kEventRowsMax));
    }
}

void MeshSession::Private::beginFaultEvent(const FaultRow& fault)
{
    Marker marker;
    marker.kind = Marker::Kind::Fault;
    marker.begin_us = fault.since_us;
    marker.label = MeshSession::tr("fault");
    marker.detail = QStringLiteral("%1 %2").arg(fault.instance, fault.text);
    marker.subject = fault.service;
    marker.policy = QLatin1String(kFaultWords[static_cast<std::size_t>(fault.kind)]);
    records->addAudit(QStringLiteral("fault.started"), fault.instance, fault.text);
    if (file && file->access().isWritable()) {
        faultEvents[{fault.instance, fault.kind}] = file->beginEvent(toRecord(marker));
    }
    events.push_back(std::move(marker));
    isEventNew = true;
}

void MeshSession::Private::endFaultEvent(const FaultRow& fault)
{
    const QString detail = QStringLiteral("%1 %2").arg(fault.instance, fault.text);
    records->addAudit(QStringLiteral("fault.ended"), fault.instance, fault.text);
    for (Marker& marker : events) {
        const bool isThis = marker.kind == Marker::Kind::Fault && marker.end_us == 0
                            && marker.begin_us == fault.since_us && marker.detail == detail;
        if (isThis) {
            marker.end_us = now_us();
        }
    }
    const auto stored = faultEvents.find({fault.instance, fault.kind});
    if (stored != faultEvents.end()) {
        if (file) {
            file->endEvent(stored->second, now_us());
        }
        faultEvents.erase(stored);
    }
    isEventNew = true;
}

void MeshSession::Private::readFaults()
{
    std::vector<FaultRow> rows;
    if (live) {
        for (const std::string& name : live->instances()) {
            const auto found = std::ranges::find(document->workloads, name, &model::Workload::name);
            for (FaultRow& row : rowsOf(QString::fromStdString(name), live->faults(name))) {
                if (found != document->workloads.end()) {
                    row.service = serviceId(found->service);
                }
                rows.push_back(std::move(row));
            }
        }
    }
    const auto isSame = [](const FaultRow& a, const FaultRow& b) {
        return a.instance == b.instance && a.kind == b.kind && a.text == b.text;
    };
    for (FaultRow& row : rows) {
        const auto before =
            std::ranges::find_if(faults, [&](const FaultRow& fault) { return isSame(fault, row); });
        row.since_us = before == faults.end() ? now_us() : before->since_us;
    }
    if (rows == faults) {
        return;
    }
    const auto isIn = [&](const std::vector<FaultRow>& list, const FaultRow& fault) {
        return std::ranges::any_of(list, [&](const FaultRow& row) { return isSame(row, fault); });
    };
    for (const FaultRow& fault : faults) {
        if (!isIn(rows, fault)) {
            endFaultEvent(fault);
        }
    }
    for (const FaultRow& row : rows) {
        if (!isIn(faults, row)) {
            beginFaultEvent(row);
        }
    }
    faults = std::move(rows);
    Q_EMIT q.faultsChanged();
}

void MeshSession::Private::changeFaults(
    const QString& instance, const std::function<void(simulator::InstanceFaults&)>& change
)
{
    if (!live) {
        return;
    }
    simulator::InstanceFaults wanted = live->faults(instance.toStdString());
    change(wanted);
    // Taking faults back is always allowed.
    if (gate.isRefused(WriteAction::InjectFault) && wanted != simulator::InstanceFaults{}) {
        return;
    }
    if (live->setFaults(instance.toStdString(), wanted)) {
        evaluate();
    }
}

std::vector<Marker> MeshSession::markers(std::int64_t begin_us, std::int64_t end_us) const
{
    std::vector<Marker> found;
    for (const Marker& marker : m_private->events) {
        const bool isActive = marker.end_us == 0;
        if (marker.begin_us <= end_us && (isActive || marker.end_us >= begin_us)) {
            found.push_back(marker);
        }
    }
    std::ranges::stable_sort(found, {}, &Marker::begin_us);
    return found;
}

void MeshSession::addMarker(const Marker& marker)
{
    m_private->addEvent(marker);
    m_private->isEventNew = false;
    Q_EMIT eventsChanged();
    Q_EMIT markersChanged();
}

const std::vector<Marker>& MeshSession::events() const { return m_private->events; }

const std::vector<FaultRow>& MeshSession::faults() const { return m_private->faults; }

void MeshSession::killInstance(const QString& instance)
{
    m_private->changeFaults(instance, [](simulator::InstanceFaults& faults) {
        faults.isKilled = true;
    });
}

void MeshSession::freezeInstance(const QString& instance)
{
    m_private->changeFaults(instance, [](simulator::InstanceFaults& faults) {
        faults.isFrozen = true;
    });
}

void MeshSession::addLatency(const QString& instance, int milliseconds)
{
    m_private->changeFaults(instance, [milliseconds](simulator::InstanceFaults& faults) {
        faults.latencyAdd = std::chrono::milliseconds(std::max(0, milliseconds));
    });
}

void MeshSession::setErrorRate(const QString& instance, double ratio)
{
    m_private->changeFaults(instance, [ratio](simulator::InstanceFaults& faults) {
        faults.errorShare = std::clamp(ratio, 0.0, 1.0);
    });
}

void MeshSession::restoreInstance(const QString& instance)
{
    m_private->changeFaults(instance, [](simulator::InstanceFaults& faults) { faults = {}; });
}

void MeshSession::stopAllFaults()
{
    if (!m_private->live) {
        return;
    }
    for (const std::string& instance : m_private->live->instances()) {
        static_cast<void>(m_private->live->setFaults(instance, {}));
    }
    m_private->evaluate();
}

} // namespace mesh::bridge
