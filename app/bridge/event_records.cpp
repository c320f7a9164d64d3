#include "app/bridge/event_records.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace mesh::bridge {
namespace {

struct KindName
{
    Marker::Kind kind;
    const char* name; // In the document.
};

constexpr std::array<KindName, 7> kKindNames = {{
    {Marker::Kind::Revision, "revision"},
    {Marker::Kind::Push, "push"},
    {Marker::Kind::Fault, "fault"},
    {Marker::Kind::HealthChange, "health"},
    {Marker::Kind::Ejection, "ejection"},
    {Marker::Kind::Node, "node"},
    {Marker::Kind::Alert, "alert"},
}};

// "policy:breaker_opened"
constexpr std::string_view kPolicyPrefix = "policy:";
// "fault:kill"; documents of before say "fault".
constexpr std::string_view kFaultPrefix = "fault:";
// "push:fleet"; "push" is one node that applied something.
constexpr std::string_view kPushPrefix = "push:";

Marker::Kind kindOf(const std::string& name)
{
    const auto found =
        std::ranges::find_if(kKindNames, [&](const KindName& row) { return name == row.name; });
    return found == kKindNames.end() ? Marker::Kind::Alert : found->kind;
}

} // namespace

store::EventRecord toRecord(const Marker& marker)
{
    store::EventRecord record;
    record.begin_us = marker.begin_us;
    record.end_us = marker.end_us;
    record.label = marker.label.toStdString();
    record.detail = marker.detail.toStdString();
    record.subject = marker.subject.toStdString();
    if (marker.kind != Marker::Kind::Policy) {
        record.kind = std::ranges::find(kKindNames, marker.kind, &KindName::kind)->name;
        const bool isMore = marker.kind == Marker::Kind::Fault || marker.kind == Marker::Kind::Push;
        if (isMore && !marker.policy.isEmpty()) {
            record.kind += ":" + marker.policy.toStdString();
        }
        return record;
    }
    record.kind = std::string(kPolicyPrefix) + marker.policy.toStdString();
    // The engine's subject and the node have no column of their own; names hold no spaces.
    record.subject += " " + marker.target.toStdString() + " " + marker.node.toStdString();
    return record;
}

Marker toMarker(const store::EventRecord& record)
{
    Marker marker;
    marker.begin_us = record.begin_us;
    marker.end_us = record.end_us == 0 ? record.begin_us : record.end_us;
    marker.label = QString::fromStdString(record.label);
    marker.detail = QString::fromStdString(record.detail);
    marker.subject = QString::fromStdString(record.subject);
    if (record.kind.starts_with(kFaultPrefix)) {
        marker.kind = Marker::Kind::Fault;
        marker.policy = QString::fromStdString(record.kind.substr(kFaultPrefix.size()));
        return marker;
    }
    if (record.kind.starts_with(kPushPrefix)) {
        marker.kind = Marker::Kind::Push;
        marker.policy = QString::fromStdString(record.kind.substr(kPushPrefix.size()));
        return marker;
    }
    if (!record.kind.starts_with(kPolicyPrefix)) {
        marker.kind = kindOf(record.kind);
        return marker;
    }
    marker.kind = Marker::Kind::Policy;
    marker.policy = QString::fromStdString(record.kind.substr(kPolicyPrefix.size()));
    const QStringList parts = marker.subject.split(u' ');
    marker.subject = parts.value(0);
    marker.target = parts.value(1);
    marker.node = parts.value(2);
    return marker;
}

} // namespace mesh::bridge
