#include "simulator/scenario/fault_reader.h"

#include "simulator/scenario/fault_table.h"
#include "simulator/scenario/field_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace mesh::simulator {
namespace {

constexpr double kFactorMax = 1'000.0; // More is a typing error.
constexpr double kBytesPerSecondMax = 1e12; // 8 Tbit/s.
constexpr int kStormAttemptsMax = 100; // Callers that repeat more often are another program.

// The kinds of targets a row can hit, for messages: "service, instance, zone or version".
std::string formsOf(const FaultKindRow& row)
{
    std::vector<std::string_view> names;
    for (int at = 0; at < kTargetFormCount; ++at) {
        const auto form = static_cast<TargetForm>(1U << static_cast<unsigned>(at));
        if (row.canHit(form)) {
            names.push_back(toText(form));
        }
    }
    if (names.size() == 1) {
        return std::string(names.front());
    }
    const std::string_view last = names.back();
    names.pop_back();
    return fmt::format("{} or {}", fmt::join(names, ", "), last);
}

std::string kindNames()
{
    std::vector<std::string_view> names;
    for (const FaultKindRow& row : faultKinds()) {
        names.push_back(row.name);
    }
    return fmt::format("{}", fmt::join(names, ", "));
}

std::optional<int> percentOf(std::string_view text)
{
    if (!text.ends_with('%')) {
        return std::nullopt;
    }
    text.remove_suffix(1);
    int percent = 0;
    const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), percent);
    const bool isWhole = status == std::errc{} && rest == text.data() + text.size();
    return isWhole && percent > 0 && percent <= 100 ? std::optional(percent) : std::nullopt;
}

void readInstances(FieldReader& fields, FaultTarget& target)
{
    const model::Value* instances = fields.any("instances");
    if (instances == nullptr || (instances->isString() && instances->text() == "all")) {
        return;
    }
    if (instances->isList() && !instances->list().empty()) {
        target.names = fields.texts("instances");
        return;
    }
    if (instances->isInt() && instances->toInt() > 0
        && instances->toInt() <= std::numeric_limits<int>::max()) {
        target.count = static_cast<int>(instances->toInt());
        return;
    }
    if (instances->isString()) {
        target.percent = percentOf(instances->text());
    }
    if (!target.percent) {
        fields.report(
            *instances,
            "instances",
            ErrorCode::InvalidArgument,
            "expected a share as \"30%\", a count above 0, a list of names, or all"
        );
    }
}

void readEdge(FieldReader& fields, FaultTarget& target)
{
    const auto text = fields.text("edge");
    if (!text) {
        return;
    }
    target.edge = splitEdge(*text);
    if (!target.edge) {
        fields.report(
            fields.at("edge"),
            "edge",
            ErrorCode::InvalidArgument,
            "expected a caller and a callee, as in \"checkout->payment\""
        );
    }
}

void readBetween(FieldReader& fields, FaultTarget& target)
{
    if (fields.at("between").isList()) {
        const std::vector<std::string> zones = fields.texts("between");
        if (zones.size() == 2) {
            target.between = std::pair(zones[0], zones[1]);
            return;
        }
    }
    if (fields.any("between") != nullptr) {
        fields.report(
            fields.at("between"),
            "between",
            ErrorCode::InvalidArgument,
            "expected two zones, as in [a, b]"
        );
    }
}

FaultTarget readTarget(
    const model::Value& value,
    std::string path,
    const FaultKindRow* row,
    std::vector<config::Problem>& problems
)
{
    FieldReader fields(value, std::move(path), problems);
    FaultTarget target;
    std::vector<TargetForm> given;
    for (int at = 0; at < kTargetFormCount; ++at) {
        const auto form = static_cast<TargetForm>(1U << static_cast<unsigned>(at));
        if (value.find(toText(form)) != nullptr) {
            given.push_back(form);
        }
    }
    target.service = fields.text("service").value_or("");
    target.instance = fields.text("instance").value_or("");
    target.zone = fields.text("zone").value_or("");
    target.version = fields.text("version").value_or("");
    target.node = fields.text("node").value_or("");
    readEdge(fields, target);
    readBetween(fields, target);
    target.services = fields.texts("services");
    readInstances(fields, target);
    if (row != nullptr && row->kind == FaultKind::Surge && given.empty()) {
        if (const auto entry = fields.text("entry")) {
            target.service = *entry;
            given.push_back(TargetForm::Service);
        }
    }
    if (value.isMap() && given.size() != 1) {
        fields.report(
            value,
            {},
            given.empty() ? ErrorCode::MissingField : ErrorCode::Conflict,
            fmt::format(
                "name exactly one of {}",
                row == nullptr ? "service, instance, zone, version, node, edge, between or services"
                               : formsOf(*row)
            )
        );
    } else if (row != nullptr && value.isMap() && !row->canHit(given.front())) {
        fields.report(
            fields.at(toText(given.front())),
            toText(given.front()),
            ErrorCode::InvalidArgument,
            fmt::format("{} cannot hit that; name its {}", row->name, formsOf(*row))
        );
    }
    fields.finish();
    return target;
}

const FaultKindRow* readKind(FieldReader& fields)
{
    fields.require("fault");
    const auto name = fields.text("fault");
    if (!name) {
        return nullptr;
    }
    const FaultKindRow* row = faultKindOf(*name);
    if (row == nullptr) {
        fields.report(
            fields.at("fault"),
            "fault",
            ErrorCode::InvalidArgument,
            fmt::format("there is no fault \"{}\"; expected one of {}", *name, kindNames())
        );
    }
    return row;
}

// Reads one field into the fault. What the kind does not have stays unread, and so is unknown.
void readField(FieldReader& fields, FaultField field, Fault& fault)
{
    switch (field) {
    case FaultField::Status:
        fault.status = static_cast<int>(fields.whole("status", 400, 599).value_or(503));
        return;
    case FaultField::Add:
        fault.add = fields.duration("add").value_or(Duration::zero());
        return;
    case FaultField::Jitter:
        fault.jitter = fields.duration("jitter").value_or(Duration::zero());
        return;
    case FaultField::BytesPerSecond:
        fault.bytesPerSecond =
            fields.number("bytes_per_second", 1.0, kBytesPerSecondMax).value_or(0.0);
        return;
    case FaultField::Factor:
        fault.factor = fields.number("factor", 0.0, kFactorMax).value_or(1.0);
        return;
    case FaultField::Attempts:
        fault.attempts =
            static_cast<int>(fields.whole("attempts", 1, kStormAttemptsMax).value_or(0));
        return;
    case FaultField::Version:
        fault.version = fields.text("version").value_or("");
        return;
    case FaultField::Share:
        fault.share = fields.number("share", 0.0, 1.0).value_or(1.0);
        return;
    case FaultField::ErrorRate:
        fault.errorRate = fields.number("error_rate", 0.0, 1.0).value_or(0.0);
        return;
    case FaultField::By:
        fault.by = fields.positiveDuration("by").value_or(Duration::zero());
        return;
    case FaultField::Period:
        fault.period = fields.positiveDuration("period").value_or(Duration::zero());
        return;
    case FaultField::Duty:
        fault.duty = fields.number("duty", 0.0, 1.0).value_or(0.5);
        return;
    case FaultField::OneWay:
        fault.isOneWay = fields.flag("one_way").value_or(false);
        return;
    }
}

struct FaultFieldRow
{
    FaultField field;
    std::string_view key;
};

constexpr std::array<FaultFieldRow, 13> kFaultFields = {{
    {FaultField::Status, "status"},
    {FaultField::Add, "add"},
    {FaultField::Jitter, "jitter"},
    {FaultField::BytesPerSecond, "bytes_per_second"},
    {FaultField::Factor, "factor"},
    {FaultField::Attempts, "attempts"},
    {FaultField::Version, "version"},
    {FaultField::Share, "share"},
    {FaultField::ErrorRate, "error_rate"},
    {FaultField::By, "by"},
    {FaultField::Period, "period"},
    {FaultField::Duty, "duty"},
    {FaultField::OneWay, "one_way"},
}};

void readFields(
    FieldReader& fields, const FaultKindRow& row, const model::Value& value, Fault& fault
)
{
    for (const FaultFieldRow& each : kFaultFields) {
        if (row.mustHave(each.field)) {
            fields.require(each.key);
        }
        if (row.mayHave(each.field)) {
            readField(fields, each.field, fault);
        } else if (fields.any(each.key) != nullptr) {
            fields.report(
                fields.at(each.key),
                each.key,
                ErrorCode::UnknownField,
                fmt::format("{} has no such field", row.name)
            );
        }
    }
    if (fault.kind == FaultKind::Grey && value.find("status") != nullptr
        && value.find("factor") != nullptr) {
        fields.report(
            fields.at("factor"),
            "factor",
            ErrorCode::Conflict,
            "grey either fails with a status or is slow by a factor; use two faults for both"
        );
    }
    fault.probability = fields.number("probability", 0.0, 1.0).value_or(1.0);
    if (!row.hasProbability && fault.probability != 1.0) {
        fields.report(
            fields.at("probability"),
            "probability",
            ErrorCode::Unsupported,
            fmt::format("{} hits all of its target or nothing: probability can only be 1", row.name)
        );
    }
}

} // namespace

std::optional<std::pair<std::string, std::string>> splitEdge(std::string_view text)
{
    const std::size_t arrow = text.find("->");
    if (arrow == std::string_view::npos) {
        return std::nullopt;
    }
    const auto trimmed = [](std::string_view part) {
        while (part.starts_with(' ')) {
            part.remove_prefix(1);
        }
        while (part.ends_with(' ')) {
            part.remove_suffix(1);
        }
        return std::string(part);
    };
    std::pair<std::string, std::string> edge(
        trimmed(text.substr(0, arrow)), trimmed(text.substr(arrow + 2))
    );
    const bool isWhole =
        !edge.first.empty() && !edge.second.empty() && edge.second.find("->") == std::string::npos;
    return isWhole ? std::optional(std::move(edge)) : std::nullopt;
}

Fault readFault(
    const model::Value& value, const std::string& path, std::vector<config::Problem>& problems
)
{
    FieldReader fields(value, path, problems);
    Fault fault;
    fields.require("at");
    fault.at = fields.duration("at").value_or(Duration::zero());
    fault.length = fields.positiveDuration("for");
    const FaultKindRow* row = readKind(fields);
    if (row != nullptr) {
        fault.kind = row->kind;
    }
    fields.require("target");
    if (const model::Value* target = fields.any("target")) {
        fault.target = readTarget(*target, fields.pathOf("target"), row, problems);
    }
    if (row == nullptr) {
        return fault; // Which fields it may have nobody knows.
    }
    readFields(fields, *row, value, fault);
    fields.finish();
    return fault;
}

} // namespace mesh::simulator
