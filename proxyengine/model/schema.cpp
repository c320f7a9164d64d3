#include "proxyengine/model/schema.h"

#include "proxyengine/base/duration_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace mesh::model {
namespace {

// Puts the defaults of absent fields into a record, in the schema's order.
Value withDefaults(const Schema& schema, const Value& record)
{
    Value::Map full;
    for (const Field& field : schema.fields()) {
        const Value* const present = record.find(field.key);
        Value value = present != nullptr ? *present : field.defaultValue;
        if (field.kind == Kind::Record && field.record != nullptr && value.isMap()) {
            value = withDefaults(*field.record, value);
        }
        if (!value.isNull()) {
            full.push_back(Value::Member{std::string(field.key), std::move(value), Mark()});
        }
    }
    return full;
}

} // namespace

Schema::Schema(std::string_view name, std::vector<Field> fields, Rules rules)
    : m_name(name)
    , m_fields(std::move(fields))
    , m_rules(rules)
{}

const Field* Schema::field(std::string_view key) const
{
    const auto found = std::ranges::find(m_fields, key, &Field::key);
    return found == m_fields.end() ? nullptr : &*found;
}

Value Schema::toValue(const void* object, Defaults defaults, Children children) const
{
    Value::Map record;
    for (const Field& field : m_fields) {
        const bool isSkipped = field.isChild && children == Children::Omitted;
        // A required field is written even when it holds what the struct begins with: a weight
        // of 0 in a split. A text that is required is never empty.
        const bool mayMiss = !field.isRequired || field.kind == Kind::Text;
        if (isSkipped || (defaults == Defaults::Omitted && mayMiss && field.isDefault(object))) {
            continue;
        }
        Value value = field.get(object);
        if (value.isNull()) {
            continue;
        }
        if (defaults == Defaults::Left && field.kind == Kind::Record) {
            value = withDefaults(*field.record, value);
        }
        record.push_back(Value::Member{std::string(field.key), std::move(value), Mark()});
    }
    return record;
}

void Schema::assign(void* object, const Value& record) const
{
    for (const Field& field : m_fields) {
        const Value* const value = record.find(field.key);
        if (value != nullptr && !value->isNull()) {
            field.set(object, *value);
        } else if (!field.isDefault(object)) {
            field.set(object, Value());
        }
    }
}

void Schema::check(const void* object, FieldProblems& problems) const
{
    if (m_rules.ofObject != nullptr) {
        m_rules.ofObject(object, problems);
    }
}

void Schema::check(const Value& record, FieldProblems& problems) const
{
    if (m_rules.ofRecord != nullptr) {
        m_rules.ofRecord(record, problems);
    }
}

namespace {

std::string describeNumber(std::string_view what, const Field& field)
{
    std::string text(what);
    if (!field.allowed.empty()) {
        return fmt::format("{}: {}", what, fmt::join(field.allowed, ", "));
    }
    if (field.min && field.max) {
        text += fmt::format(", {} to {}", *field.min, *field.max);
    }
    return field.unit.empty() ? text : fmt::format("{} ({})", text, field.unit);
}

std::string describeDuration(const Field& field)
{
    if (!field.min || !field.max) {
        return "duration, as in 250ms";
    }
    return fmt::format(
        "duration, as in 250ms; {} to {}",
        toDurationText(fromSeconds(*field.min)),
        toDurationText(fromSeconds(*field.max))
    );
}

std::string describeKind(const Field& field, Kind kind)
{
    switch (kind) {
    case Kind::Bool:
        return "true or false";
    case Kind::Int:
    case Kind::Milliseconds:
        return describeNumber("whole number", field);
    case Kind::Number:
    case Kind::Seconds:
        return describeNumber("number", field);
    case Kind::Text:
        return field.format == Format::HedgeDelay ? "duration or percentile, as in 250ms or p95"
                                                  : "text";
    case Kind::DurationText:
        return describeDuration(field);
    case Kind::Choice:
        return fmt::format("one of: {}", fmt::join(field.choices, ", "));
    case Kind::List:
        return fmt::format("list of: {}", describeKind(field, field.element));
    case Kind::Map:
        return "map of names to lists of texts";
    case Kind::Record:
        return "record";
    case Kind::Points:
        return "list of [share, duration]";
    case Kind::Script:
        return "list of calls; a nested list runs in parallel";
    }
    return {};
}

} // namespace

std::string describeType(const Field& field) { return describeKind(field, field.kind); }

} // namespace mesh::model
