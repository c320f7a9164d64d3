#include "simulator/scenario/fault_table.h"

#include "proxyengine/base/assert.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

namespace mesh::simulator {
namespace {

constexpr std::uint16_t bits() { return 0; }

template <typename First, typename... Rest>
constexpr std::uint16_t bits(First first, Rest... rest)
{
    return static_cast<std::uint16_t>(static_cast<std::uint16_t>(first) | bits(rest...));
}

using Form = TargetForm;
using Field = FaultField;

constexpr std::uint16_t kOfInstances = bits(Form::Service, Form::Instance, Form::Version);
constexpr std::uint16_t kOfInstancesOrZone = bits(Form::Zone) | kOfInstances;
constexpr std::uint16_t kOfWays = bits(Form::Edge) | kOfInstancesOrZone;

constexpr std::array<FaultKindRow, kFaultKindCount> kFaultKinds = {{
    {FaultKind::Kill, "kill", "connections are refused", kOfInstancesOrZone, 0, 0, false},
    {FaultKind::Freeze, "freeze", "accepts but never answers", kOfInstancesOrZone, 0, 0, false},
    {FaultKind::Latency,
     "latency",
     "answers come later",
     kOfWays,
     bits(Field::Add),
     bits(Field::Jitter),
     true},
    {FaultKind::Error, "error", "answered without work", kOfWays, 0, bits(Field::Status), true},
    {FaultKind::ZoneOutage,
     "zone_outage",
     "every instance and proxy of the zone is gone",
     bits(Form::Zone),
     0,
     0,
     false},
    {FaultKind::Partition,
     "partition",
     "packets vanish",
     bits(Form::Edge, Form::Between),
     0,
     bits(Field::OneWay),
     false},
    {FaultKind::Bandwidth,
     "bandwidth",
     "bytes come slowly",
     kOfWays,
     bits(Field::BytesPerSecond),
     0,
     true},
    {FaultKind::Reset, "reset", "connections are reset", kOfWays, 0, 0, true},
    {FaultKind::BlackHole, "black_hole", "requests are never answered", kOfWays, 0, 0, true},
    {FaultKind::Slow,
     "slow",
     "service time is longer",
     kOfInstancesOrZone,
     bits(Field::Factor),
     0,
     true},
    {FaultKind::Grey,
     "grey",
     "traffic suffers, health checks pass",
     kOfInstancesOrZone,
     0,
     bits(Field::Status, Field::Factor),
     true},
    {FaultKind::Surge, "surge", "more load", bits(Form::Service), bits(Field::Factor), 0, false},
    {FaultKind::RetryStorm,
     "retry_storm",
     "callers retry without budget",
     bits(Form::Service),
     bits(Field::Attempts),
     0,
     false},
    {FaultKind::BadDeploy,
     "bad_deploy",
     "a share of the instances becomes a bad version",
     bits(Form::Service),
     bits(Field::Version),
     bits(Field::Share, Field::ErrorRate, Field::Factor),
     false},
    {FaultKind::CertExpiry,
     "cert_expiry",
     "new TLS connections fail",
     bits(Form::Service, Form::Instance),
     0,
     0,
     false},
    {FaultKind::StaleEndpoints,
     "stale_endpoints",
     "changes of instances are seen late",
     bits(Form::Service),
     bits(Field::By),
     0,
     false},
    {FaultKind::ConfigDelay,
     "config_delay",
     "changes of configuration arrive late",
     bits(Form::Node),
     bits(Field::By),
     0,
     false},
    {FaultKind::CacheWipe,
     "cache_wipe",
     "cached calls go through until refilled",
     bits(Form::Service),
     0,
     0,
     false},
    {FaultKind::Flap,
     "flap",
     "up and down",
     kOfInstancesOrZone,
     bits(Field::Period),
     bits(Field::Duty),
     false},
    {FaultKind::Swizzle,
     "swizzle",
     "stopped one by one, restored in random order",
     bits(Form::Service, Form::Services),
     0,
     0,
     false},
}};

constexpr std::array<std::string_view, kTargetFormCount> kFormNames = {
    "service", "instance", "zone", "version", "node", "edge", "between", "services"};

std::string nameOf(const FaultTarget& target)
{
    switch (formOf(target)) {
    case Form::Service:
        return target.service;
    case Form::Instance:
        return target.instance;
    case Form::Zone:
        return fmt::format("zone {}", target.zone);
    case Form::Version:
        return fmt::format("version {}", target.version);
    case Form::Node:
        return fmt::format("node {}", target.node);
    case Form::Edge:
        return fmt::format("{}->{}", target.edge->first, target.edge->second);
    case Form::Between:
        return fmt::format("zones {} and {}", target.between->first, target.between->second);
    case Form::Services:
        return fmt::format("{}", fmt::join(target.services, ", "));
    }
    return {};
}

} // namespace

std::string_view toText(TargetForm form)
{
    const int at = std::countr_zero(static_cast<std::uint16_t>(form));
    return kFormNames.at(static_cast<std::size_t>(at));
}

std::string_view toText(FaultKind kind) { return faultKindRow(kind).name; }

std::span<const FaultKindRow> faultKinds() { return kFaultKinds; }

const FaultKindRow& faultKindRow(FaultKind kind)
{
    const FaultKindRow& row = kFaultKinds.at(static_cast<std::size_t>(kind));
    MESH_ASSERT(row.kind == kind);
    return row;
}

const FaultKindRow* faultKindOf(std::string_view name)
{
    const auto row = std::ranges::find(kFaultKinds, name, &FaultKindRow::name);
    return row == kFaultKinds.end() ? nullptr : &*row;
}

TargetForm formOf(const FaultTarget& target)
{
    if (!target.instance.empty()) {
        return Form::Instance;
    }
    if (!target.zone.empty()) {
        return Form::Zone;
    }
    if (!target.version.empty()) {
        return Form::Version;
    }
    if (!target.node.empty()) {
        return Form::Node;
    }
    if (target.edge) {
        return Form::Edge;
    }
    if (target.between) {
        return Form::Between;
    }
    return target.services.empty() ? Form::Service : Form::Services;
}

std::string toText(const FaultTarget& target)
{
    std::string text = nameOf(target);
    if (target.percent) {
        text += fmt::format(", {}% of instances", *target.percent);
    } else if (target.count) {
        text +=
            fmt::format(", {} {}", *target.count, *target.count == 1 ? "instance" : "instances");
    } else if (!target.names.empty()) {
        text += fmt::format(", {}", fmt::join(target.names, ", "));
    }
    return text;
}

std::string toText(const Fault& fault)
{
    return fmt::format("{} {}", toText(fault.kind), toText(fault.target));
}

} // namespace mesh::simulator
