#include "simulator/scenario/scenario_text.h"

#include "proxyengine/base/duration_text.h"
#include "proxyengine/config/tree.h"
#include "proxyengine/model/schema.h"
#include "simulator/scenario/fault_table.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string_view>

namespace mesh::simulator {
namespace {

using model::Value;

// By Relation.
constexpr std::array<std::string_view, 4> kRelationSigns = {"<", "<=", ">", ">="};

Value::Map& emptyMap(Value& value)
{
    value = Value(Value::Map{});
    return value.map();
}

Value textList(const std::vector<std::string>& texts)
{
    Value::List list;
    for (const std::string& text : texts) {
        list.emplace_back(text);
    }
    return Value(std::move(list));
}

Value pairOf(const std::pair<std::string, std::string>& names)
{
    return textList({names.first, names.second});
}

Value numberOf(double number)
{
    const auto whole = static_cast<std::int64_t>(number);
    const bool isWhole = number > -1e15 && number < 1e15 && static_cast<double>(whole) == number;
    return isWhole ? Value(whole) : Value(number);
}

Value valueOf(const Load& load)
{
    Value value;
    emptyMap(value);
    value.set("entry", load.entry);
    if (load.arrivals == Arrivals::Uniform) {
        value.set("arrivals", "uniform");
    }
    Value::List points;
    for (const auto& [at, rate] : load.rate) {
        points.emplace_back(Value::List{Value(toDurationText(at)), numberOf(rate)});
    }
    value.set("rate", std::move(points));
    return value;
}

Value valueOf(const FaultTarget& target)
{
    Value value;
    emptyMap(value);
    switch (formOf(target)) {
    case TargetForm::Service:
        value.set("service", target.service);
        break;
    case TargetForm::Instance:
        value.set("instance", target.instance);
        break;
    case TargetForm::Zone:
        value.set("zone", target.zone);
        break;
    case TargetForm::Version:
        value.set("version", target.version);
        break;
    case TargetForm::Node:
        value.set("node", target.node);
        break;
    case TargetForm::Edge:
        value.set("edge", target.edge->first + "->" + target.edge->second);
        break;
    case TargetForm::Between:
        value.set("between", pairOf(*target.between));
        break;
    case TargetForm::Services:
        value.set("services", textList(target.services));
        break;
    }
    if (target.percent) {
        value.set("instances", fmt::format("{}%", *target.percent));
    } else if (target.count) {
        value.set("instances", *target.count);
    } else if (!target.names.empty()) {
        value.set("instances", textList(target.names));
    }
    return value;
}

void setDuration(Value& value, std::string_view key, Duration duration)
{
    value.set(key, toDurationText(duration));
}

// What the kind must say, or may say and says otherwise than by default.
void setFields(Value& value, const Fault& fault)
{
    const Fault plain;
    const FaultKindRow& row = faultKindRow(fault.kind);
    const auto isWritten = [&row](FaultField field, bool isDefault) {
        return row.mustHave(field) || (row.mayHave(field) && !isDefault);
    };
    if (isWritten(FaultField::Status, fault.status == plain.status)) {
        value.set("status", fault.status);
    }
    if (isWritten(FaultField::Add, fault.add == plain.add)) {
        setDuration(value, "add", fault.add);
    }
    if (isWritten(FaultField::Jitter, fault.jitter == plain.jitter)) {
        setDuration(value, "jitter", fault.jitter);
    }
    if (isWritten(FaultField::BytesPerSecond, fault.bytesPerSecond == plain.bytesPerSecond)) {
        value.set("bytes_per_second", numberOf(fault.bytesPerSecond));
    }
    if (isWritten(FaultField::Factor, fault.factor == plain.factor)) {
        value.set("factor", numberOf(fault.factor));
    }
    if (isWritten(FaultField::Attempts, fault.attempts == plain.attempts)) {
        value.set("attempts", fault.attempts);
    }
    if (isWritten(FaultField::Version, fault.version == plain.version)) {
        value.set("version", fault.version);
    }
    if (isWritten(FaultField::Share, fault.share == plain.share)) {
        value.set("share", numberOf(fault.share));
    }
    if (isWritten(FaultField::ErrorRate, fault.errorRate == plain.errorRate)) {
        value.set("error_rate", numberOf(fault.errorRate));
    }
    if (isWritten(FaultField::By, fault.by == plain.by)) {
        setDuration(value, "by", fault.by);
    }
    if (isWritten(FaultField::Period, fault.period == plain.period)) {
        setDuration(value, "period", fault.period);
    }
    if (isWritten(FaultField::Duty, fault.duty == plain.duty)) {
        value.set("duty", numberOf(fault.duty));
    }
    if (isWritten(FaultField::OneWay, fault.isOneWay == plain.isOneWay)) {
        value.set("one_way", fault.isOneWay);
    }
}

void setLaw(Value& value, std::string_view key, const std::optional<model::DurationLaw>& law)
{
    if (law) {
        value.set(key, model::toValue(*law, model::Defaults::Omitted));
    }
}

Value valueOf(const NetworkLaws& network)
{
    Value value;
    emptyMap(value);
    setLaw(value, "same_zone", network.sameZone);
    setLaw(value, "cross_zone", network.crossZone);
    setLaw(value, "connect", network.connect);
    setLaw(value, "proxy", network.proxy);
    return value;
}

Value policiesOf(const std::vector<PolicyVariant>& policies)
{
    Value value;
    emptyMap(value);
    for (const PolicyVariant& policy : policies) {
        Value variant;
        emptyMap(variant);
        if (!policy.patch.isNull()) {
            variant.set("patch", policy.patch);
        }
        value.set(policy.name, std::move(variant));
    }
    return value;
}

Value valueOf(const Guard& guard)
{
    Value value;
    emptyMap(value);
    value.set(
        "abort_if",
        guard.text.empty() ? fmt::format(
            "{} for {}", toConditionText(guard.condition), toDurationText(guard.length)
        )
                           : guard.text
    );
    return value;
}

Value valueOf(const Assertion& assertion)
{
    Value value;
    emptyMap(value);
    if (assertion.window.empty()) {
        value.set("compare", assertion.candidate + " vs " + assertion.reference);
    } else {
        value.set("window", assertion.window);
    }
    std::string text = assertion.text;
    if (text.empty()) {
        text = toConditionText(assertion.condition);
        if (assertion.within) {
            text += " within " + toDurationText(*assertion.within);
        }
    }
    value.set("that", std::move(text));
    return value;
}

template <typename Item, typename Convert>
void setList(Value& value, std::string_view key, const std::vector<Item>& items, Convert convert)
{
    if (items.empty()) {
        return;
    }
    Value::List list;
    for (const Item& item : items) {
        list.push_back(convert(item));
    }
    value.set(key, std::move(list));
}

} // namespace

std::string toConditionText(const Condition& condition)
{
    const auto relation = static_cast<std::size_t>(condition.relation);
    return fmt::format(
        "{}({}) {} {}",
        toText(condition.quantity),
        condition.subject,
        kRelationSigns.at(relation),
        condition.value
    );
}

model::Value toValue(const Fault& fault)
{
    Value value;
    emptyMap(value);
    setDuration(value, "at", fault.at);
    if (fault.length) {
        setDuration(value, "for", *fault.length);
    }
    value.set("fault", toText(fault.kind));
    value.set("target", valueOf(fault.target));
    setFields(value, fault);
    if (fault.probability != 1.0) {
        value.set("probability", numberOf(fault.probability));
    }
    return value;
}

std::string toScenarioText(const Scenario& scenario)
{
    Value value;
    emptyMap(value);
    value.set("scenario", scenario.name);
    if (!scenario.mesh.empty()) {
        value.set("mesh", scenario.mesh);
    }
    value.set("seed", static_cast<std::int64_t>(scenario.seed.value));
    if (scenario.replications != 1) {
        value.set("replications", scenario.replications);
    }
    if (scenario.duration) {
        setDuration(value, "duration", *scenario.duration);
    }
    if (scenario.warmup > Duration::zero()) {
        setDuration(value, "warmup", scenario.warmup);
    }
    setList(value, "load", scenario.load, [](const Load& load) { return valueOf(load); });
    if (!(scenario.network == NetworkLaws{})) {
        value.set("network", valueOf(scenario.network));
    }
    if (!scenario.policies.empty()) {
        value.set("policies", policiesOf(scenario.policies));
    }
    setList(value, "ablate", scenario.ablate, [](AblatedPolicy policy) {
        return Value(toText(policy));
    });
    setList(value, "timeline", scenario.timeline, [](const Fault& fault) {
        return toValue(fault);
    });
    setList(value, "guards", scenario.guards, [](const Guard& guard) { return valueOf(guard); });
    setList(value, "assert", scenario.asserts, [](const Assertion& assertion) {
        return valueOf(assertion);
    });
    return config::toYaml(value);
}

} // namespace mesh::simulator
