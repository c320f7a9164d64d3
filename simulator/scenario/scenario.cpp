#include "simulator/scenario/scenario.h"

#include "proxyengine/base/duration_text.h"
#include "proxyengine/config/tree.h"
#include "simulator/scenario/field_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace mesh::simulator {
namespace {

using config::Problem;
using model::Value;

constexpr double kRateMax = 1e6; // Requests per second; more is a typing error.

struct FaultRow
{
    std::string_view name;
    FaultKind kind;
};

constexpr std::array kFaults = {
    FaultRow{"kill", FaultKind::Kill},
    FaultRow{"freeze", FaultKind::Freeze},
    FaultRow{"latency", FaultKind::Latency},
    FaultRow{"error", FaultKind::Error},
};

std::string indexed(std::string_view list, std::size_t at)
{
    return fmt::format("{}[{}]", list, at);
}

void readRate(FieldReader& fields, Load& load)
{
    fields.require("rate");
    for (const Value& point : fields.list("rate")) {
        const bool isPair = point.isList() && point.list().size() == 2;
        const auto time = isPair && point.list()[0].isString()
                              ? parseDuration(point.list()[0].text())
                              : Result<Duration>(fail(ErrorCode::InvalidArgument, ""));
        const bool isRate = isPair && point.list()[1].isNumber()
                            && point.list()[1].toNumber() >= 0.0
                            && point.list()[1].toNumber() <= kRateMax;
        if (!time || !isRate) {
            fields.report(
                point,
                "rate",
                ErrorCode::InvalidArgument,
                "expected pairs of a time and a rate, as in [30s, 300]"
            );
            continue;
        }
        const bool isInOrder =
            load.rate.empty() ? *time == Duration::zero() : *time > load.rate.back().first;
        if (!isInOrder) {
            fields.report(point, "rate", ErrorCode::Conflict, "times begin at 0s and grow");
            continue;
        }
        load.rate.emplace_back(*time, point.list()[1].toNumber());
    }
}

Load readLoad(const Value& value, std::string path, std::vector<Problem>& problems)
{
    FieldReader fields(value, std::move(path), problems);
    Load load;
    fields.require("entry");
    load.entry = fields.text("entry").value_or("");
    if (const auto arrivals = fields.text("arrivals")) {
        if (*arrivals == "uniform") {
            load.arrivals = Arrivals::Uniform;
        } else if (*arrivals != "poisson") {
            fields.report(
                *value.find("arrivals"),
                "arrivals",
                ErrorCode::InvalidArgument,
                "expected poisson or uniform"
            );
        }
    }
    readRate(fields, load);
    fields.finish();
    return load;
}

void readInstances(FieldReader& fields, FaultTarget& target)
{
    const Value* instances = fields.any("instances");
    if (instances == nullptr || (instances->isString() && instances->text() == "all")) {
        return;
    }
    if (instances->isInt() && instances->toInt() > 0
        && instances->toInt() <= std::numeric_limits<int>::max()) {
        target.count = static_cast<int>(instances->toInt());
        return;
    }
    if (instances->isString() && instances->text().ends_with('%')) {
        const std::string& text = instances->text();
        int percent = 0;
        const char* end = text.data() + text.size() - 1;
        const auto [rest, status] = std::from_chars(text.data(), end, percent);
        if (status == std::errc{} && rest == end && percent > 0 && percent <= 100) {
            target.percent = percent;
            return;
        }
    }
    fields.report(
        *instances,
        "instances",
        ErrorCode::InvalidArgument,
        "expected a share as \"30%\", a count above 0, or all"
    );
}

FaultTarget readTarget(const Value& value, std::string path, std::vector<Problem>& problems)
{
    FieldReader fields(value, std::move(path), problems);
    FaultTarget target;
    target.service = fields.text("service").value_or("");
    target.instance = fields.text("instance").value_or("");
    readInstances(fields, target);
    if (value.isMap() && target.service.empty() == target.instance.empty()) {
        fields.report(value, {}, ErrorCode::Conflict, "name either a service or an instance");
    }
    fields.finish();
    return target;
}

void readKind(FieldReader& fields, const Value& value, Fault& fault)
{
    fields.require("fault");
    const auto kind = fields.text("fault");
    if (!kind) {
        return;
    }
    const auto row = std::ranges::find(kFaults, *kind, &FaultRow::name);
    if (row == kFaults.end()) {
        fields.report(
            *value.find("fault"),
            "fault",
            ErrorCode::Unsupported,
            fmt::format(
                "fault {} is not supported by this version; it knows kill, freeze, latency and "
                "error",
                *kind
            )
        );
        return;
    }
    fault.kind = row->kind;
}

Fault readFault(const Value& value, const std::string& path, std::vector<Problem>& problems)
{
    FieldReader fields(value, path, problems);
    Fault fault;
    fields.require("at");
    fault.at = fields.duration("at").value_or(Duration::zero());
    fault.length = fields.duration("for");
    readKind(fields, value, fault);
    fields.require("target");
    if (const Value* target = fields.any("target")) {
        fault.target = readTarget(*target, fields.pathOf("target"), problems);
    }
    if (fault.kind == FaultKind::Latency || fault.kind == FaultKind::Error) {
        fault.probability = fields.number("probability", 0.0, 1.0).value_or(1.0);
    }
    if (fault.kind == FaultKind::Error) {
        fault.status = static_cast<int>(fields.whole("status", 400, 599).value_or(503));
    }
    if (fault.kind == FaultKind::Latency) {
        fields.require("add");
        fault.add = fields.duration("add").value_or(Duration::zero());
        fault.jitter = fields.duration("jitter").value_or(Duration::zero());
    }
    fields.finish();
    return fault;
}

} // namespace

double rateAt(const Load& load, Duration since)
{
    double rate = 0.0;
    for (const auto& [from, value] : load.rate) {
        if (since >= from) {
            rate = value;
        }
    }
    return rate;
}

ScenarioResult parseScenario(std::string_view text)
{
    ScenarioResult result;
    const model::Value tree = config::parseTree(text, result.problems);
    if (!result.problems.empty()) {
        return result;
    }

    FieldReader fields(tree, {}, result.problems);
    Scenario& scenario = result.scenario;
    fields.require("scenario");
    scenario.name = fields.text("scenario").value_or("");
    scenario.mesh = fields.text("mesh").value_or("");
    scenario.seed = Seed{static_cast<std::uint64_t>(
        fields.whole("seed", 0, std::numeric_limits<std::int64_t>::max()).value_or(42)
    )};
    scenario.duration = fields.duration("duration");
    scenario.warmup = fields.duration("warmup").value_or(Duration::zero());
    const Value::List& loads = fields.list("load");
    for (std::size_t at = 0; at < loads.size(); ++at) {
        scenario.load.push_back(readLoad(loads[at], indexed("load", at), result.problems));
    }
    const Value::List& faults = fields.list("timeline");
    for (std::size_t at = 0; at < faults.size(); ++at) {
        scenario.timeline.push_back(readFault(faults[at], indexed("timeline", at), result.problems)
        );
    }
    fields.finish();
    return result;
}

} // namespace mesh::simulator
