#include "proxyengine/base/duration_text.h"
#include "proxyengine/model/schema.h"
#include "proxyengine/model/unsupported.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <string>

// Validation of single fields, from their Schema alone.
namespace mesh::model {
namespace {

// Where we are in a record: a chain on the stack, turned into text only when something is wrong.
struct Where
{
    const Where* parent = nullptr;
    std::string_view key; // Of a record or map; empty: an element of a list.
    std::size_t index = 0;

    [[nodiscard]] std::string toText(const std::string& root) const
    {
        std::string path = parent == nullptr ? root : parent->toText(root);
        if (key.data() == nullptr) {
            return path + fmt::format("[{}]", index);
        }
        return path.empty() ? std::string(key) : path + "." + std::string(key);
    }
};

class Validator
{
public:
    Validator(const std::string& root, FieldProblems& problems)
        : m_root(root)
        , m_problems(problems)
    {}

    void record(const Schema& schema, const Value& value, const Where* where);
    void field(const Field& field, const Value& value, const Where& where);

private:
    void element(const Field& field, Kind kind, const Value& value, const Where& where);
    void integer(const Field& field, const Value& value, const Where& where);
    void number(const Field& field, const Value& value, const Where& where);
    void text(const Field& field, const Value& value, const Where& where);
    void choice(const Field& field, const Value& value, const Where& where);
    void list(const Field& field, const Value& value, const Where& where);
    void headers(const Value& value, const Where& where);
    void points(const Value& value, const Where& where);
    void script(const Field& field, const Value& value, const Where& where);
    void duration(const Value& value, const Where& where);
    void durationWithin(const Field& field, const Value& value, const Where& where);
    void bounds(const Field& field, double number, Mark mark, const Where& where);
    void add(const Where* where, ErrorCode code, std::string message, Mark mark)
    {
        std::string path = where == nullptr ? m_root : where->toText(m_root);
        m_problems.push_back(FieldProblem{std::move(path), code, std::move(message), mark});
    }
    void wrongType(const Where& where, std::string_view expected, const Value& value)
    {
        add(&where, ErrorCode::InvalidArgument, fmt::format("expected {}", expected), value.mark());
    }

    const std::string& m_root;
    FieldProblems& m_problems;
};

void Validator::record(const Schema& schema, const Value& value, const Where* where)
{
    if (!value.isMap()) {
        add(where, ErrorCode::InvalidArgument, "expected a record", value.mark());
        return;
    }
    for (const Value::Member& member : value.map()) {
        const Where at{where, member.key};
        if (const Field* const field = schema.field(member.key); field != nullptr) {
            this->field(*field, member.value, at);
        } else if (std::string text = unsupportedField(schema.name(), member.key); !text.empty()) {
            add(&at, ErrorCode::Unsupported, std::move(text), member.keyMark);
        } else {
            add(&at, ErrorCode::UnknownField, "unknown field", member.keyMark);
        }
    }
    for (const Field& field : schema.fields()) {
        if (field.isRequired && value.find(field.key) == nullptr) {
            const Where at{where, field.key};
            add(&at, ErrorCode::MissingField, "required field missing", value.mark());
        }
    }
}

void Validator::field(const Field& field, const Value& value, const Where& where)
{
    if (value.isNull()) {
        if (field.isRequired) {
            add(&where, ErrorCode::MissingField, "required field missing", value.mark());
        }
        return;
    }
    element(field, field.kind, value, where);
}

void Validator::element(const Field& field, Kind kind, const Value& value, const Where& where)
{
    switch (kind) {
    case Kind::Bool:
        if (!value.isBool()) {
            wrongType(where, "a boolean", value);
        }
        return;
    case Kind::Int:
    case Kind::Milliseconds:
        return integer(field, value, where);
    case Kind::Number:
    case Kind::Seconds:
        return number(field, value, where);
    case Kind::Text:
        return text(field, value, where);
    case Kind::DurationText:
        return durationWithin(field, value, where);
    case Kind::Choice:
        return choice(field, value, where);
    case Kind::List:
        return list(field, value, where);
    case Kind::Map:
        return headers(value, where);
    case Kind::Record:
        return record(*field.record, value, &where);
    case Kind::Points:
        return points(value, where);
    case Kind::Script:
        return script(field, value, where);
    }
}

void Validator::bounds(const Field& field, double number, Mark mark, const Where& where)
{
    if ((field.min && number < *field.min) || (field.max && number > *field.max)) {
        const std::string message = fmt::format(
            "value should be between {:.15g} and {:.15g}",
            field.min.value_or(0),
            field.max.value_or(0)
        );
        add(&where, ErrorCode::OutOfRange, message, mark);
    }
}

void Validator::integer(const Field& field, const Value& value, const Where& where)
{
    if (!value.isInt()) {
        return wrongType(where, "an integer", value);
    }
    if (!field.allowed.empty()) {
        if (std::ranges::find(field.allowed, value.toInt()) == field.allowed.end()) {
            const std::string message =
                fmt::format("expected one of: {}", fmt::join(field.allowed, ", "));
            add(&where, ErrorCode::InvalidArgument, message, value.mark());
        }
        return;
    }
    bounds(field, static_cast<double>(value.toInt()), value.mark(), where);
}

void Validator::number(const Field& field, const Value& value, const Where& where)
{
    if (!value.isNumber()) {
        return wrongType(where, "a number", value);
    }
    bounds(field, value.toNumber(), value.mark(), where);
}

void Validator::text(const Field& field, const Value& value, const Where& where)
{
    if (!value.isString()) {
        return wrongType(
            where,
            value.isNumber() || value.isBool() ? "a string; put it in quotes" : "a string",
            value
        );
    }
    if (value.text().empty()) {
        add(&where, ErrorCode::InvalidArgument, "length must be at least 1", value.mark());
        return;
    }
    if (std::string message = checkFormat(field.format, value.text()); !message.empty()) {
        add(&where, ErrorCode::InvalidArgument, std::move(message), value.mark());
    }
}

void Validator::choice(const Field& field, const Value& value, const Where& where)
{
    if (!value.isString()) {
        return wrongType(where, "a string", value);
    }
    if (std::ranges::find(field.choices, value.text()) == field.choices.end()) {
        const std::string message =
            fmt::format("expected one of: {}", fmt::join(field.choices, ", "));
        add(&where, ErrorCode::InvalidArgument, message, value.mark());
    }
}

void Validator::list(const Field& field, const Value& value, const Where& where)
{
    if (!value.isList()) {
        return wrongType(where, field.isSet ? "a set" : "an array", value);
    }
    const Value::List& elements = value.list();
    if (elements.size() < field.lengthMin) {
        const std::string message = fmt::format("length must be at least {}", field.lengthMin);
        add(&where, ErrorCode::InvalidArgument, message, value.mark());
    }
    for (std::size_t index = 0; index < elements.size(); ++index) {
        const Where at{&where, {}, index};
        if (field.element == Kind::Record) {
            record(*field.record, elements[index], &at);
            continue;
        }
        element(field, field.element, elements[index], at);
    }
    if (!field.isSet || elements.size() < 2) {
        return;
    }
    std::vector<const Value*> sorted;
    for (const Value& each : elements) {
        if (each.isString()) {
            sorted.push_back(&each);
        }
    }
    const auto textOf = [](const Value* each) -> const std::string& { return each->text(); };
    std::ranges::stable_sort(sorted, std::less<>(), textOf);
    for (std::size_t at = 1; at < sorted.size(); ++at) {
        if (textOf(sorted[at]) == textOf(sorted[at - 1])) {
            const Where place{&where, {}, static_cast<std::size_t>(sorted[at] - elements.data())};
            add(&place, ErrorCode::Duplicate, "stands twice in this set", sorted[at]->mark());
        }
    }
}

void Validator::headers(const Value& value, const Where& where)
{
    if (!value.isMap()) {
        return wrongType(where, "a map of header names to arrays of strings", value);
    }
    for (const Value::Member& member : value.map()) {
        const Where at{&where, member.key};
        if (std::string text = checkFormat(Format::HeaderName, member.key); !text.empty()) {
            add(&at, ErrorCode::InvalidArgument, std::move(text), member.keyMark);
        }
        const bool hasValues = member.value.isList() && !member.value.list().empty()
                               && std::ranges::all_of(member.value.list(), &Value::isString);
        if (!hasValues) {
            wrongType(at, "an array of strings, at least one", member.value);
        }
    }
}

void Validator::duration(const Value& value, const Where& where)
{
    if (!value.isString()) {
        return wrongType(where, "a duration with a unit, as in 250ms", value);
    }
    if (const Result<Duration> parsed = parseDuration(value.text()); !parsed) {
        add(&where, parsed.error().code, parsed.error().message, value.mark());
    }
}

void Validator::durationWithin(const Field& field, const Value& value, const Where& where)
{
    const Result<Duration> parsed =
        value.isString() ? parseDuration(value.text()) : fail(ErrorCode::InvalidArgument, "");
    if (!parsed || !field.min || !field.max) {
        return duration(value, where);
    }
    const Duration min = fromSeconds(*field.min);
    const Duration max = fromSeconds(*field.max);
    if (*parsed < min || *parsed > max) {
        const std::string message = fmt::format(
            "value should be between {} and {}", toDurationText(min), toDurationText(max)
        );
        add(&where, ErrorCode::OutOfRange, message, value.mark());
    }
}

void Validator::points(const Value& value, const Where& where)
{
    if (!value.isList() || value.list().size() == 1) { // None at all: not given.
        return wrongType(where, "at least two pairs of a share and a duration", value);
    }
    for (std::size_t index = 0; index < value.list().size(); ++index) {
        const Value& pair = value.list()[index];
        const Where at{&where, {}, index};
        if (!pair.isList() || pair.list().size() != 2 || !pair.list().front().isNumber()) {
            wrongType(at, "a pair of a share and a duration, as in [0.5, 3ms]", pair);
            continue;
        }
        duration(pair.list().back(), at);
    }
}

void Validator::script(const Field& field, const Value& value, const Where& where)
{
    if (!value.isList()) {
        return wrongType(where, "an array", value);
    }
    for (std::size_t index = 0; index < value.list().size(); ++index) {
        const Value& step = value.list()[index];
        const Where at{&where, {}, index};
        if (!step.isList()) {
            record(*field.record, step, &at);
            continue;
        }
        if (step.list().empty()) {
            add(&at, ErrorCode::InvalidArgument, "length must be at least 1", step.mark());
        }
        for (std::size_t call = 0; call < step.list().size(); ++call) {
            const Where callAt{&at, {}, call};
            record(*field.record, step.list()[call], &callAt);
        }
    }
}

} // namespace

void validateFields(
    const Schema& schema, const Value& record, const std::string& path, FieldProblems& problems
)
{
    Validator(path, problems).record(schema, record, nullptr);
}

void validateRules(
    const Schema& schema, const Value& record, const std::string& path, FieldProblems& problems
)
{
    FieldProblems own;
    schema.check(record, own);
    for (FieldProblem& problem : own) {
        const std::string dot = path.empty() || problem.path.empty() ? "" : ".";
        problem.path = path + dot + problem.path;
        problems.push_back(std::move(problem));
    }
    const auto goInto = [&](const Field& field, const Value& value, const std::string& at) {
        if (field.record != nullptr && value.isMap()) {
            validateRules(*field.record, value, at, problems);
        }
    };
    for (const Field& field : schema.fields()) {
        const Value* const value = record.find(field.key);
        if (value == nullptr) {
            continue;
        }
        const std::string at = (path.empty() ? "" : path + ".") + std::string(field.key);
        goInto(field, *value, at);
        for (std::size_t index = 0; value->isList() && index < value->list().size(); ++index) {
            goInto(field, value->list()[index], fmt::format("{}[{}]", at, index));
        }
    }
}

FieldProblems validate(const Field& field, const Value& value)
{
    FieldProblems problems;
    const std::string root;
    Validator(root, problems).field(field, value, Where{nullptr, field.key});
    return problems;
}

FieldProblems validate(const Schema& schema, const Value& record)
{
    FieldProblems problems;
    validateFields(schema, record, {}, problems);
    if (problems.empty()) {
        validateRules(schema, record, {}, problems);
    }
    return problems;
}

} // namespace mesh::model
