#include "simulator/scenario/field_reader.h"

#include "proxyengine/base/duration_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mesh::simulator {
namespace {

const model::Value::List& noElements()
{
    static const model::Value::List empty;
    return empty;
}

} // namespace

FieldReader::FieldReader(
    const model::Value& value, std::string path, std::vector<config::Problem>& problems
)
    : m_value(value)
    , m_path(std::move(path))
    , m_problems(problems)
{
    if (!value.isMap()) {
        report(value, {}, ErrorCode::InvalidArgument, "expected fields, as in {key: value}");
    }
}

std::string FieldReader::pathOf(std::string_view key) const
{
    if (key.empty()) {
        return m_path;
    }
    return m_path.empty() ? std::string(key) : fmt::format("{}.{}", m_path, key);
}

void FieldReader::report(
    const model::Value& at, std::string_view key, ErrorCode code, std::string message
)
{
    config::Problem problem;
    problem.path = pathOf(key);
    problem.place = at.mark().place();
    problem.code = code;
    problem.message = std::move(message);
    m_problems.push_back(std::move(problem));
}

const model::Value* FieldReader::any(std::string_view key)
{
    m_taken.emplace_back(key);
    return m_value.find(key);
}

std::optional<std::string> FieldReader::text(std::string_view key)
{
    const model::Value* value = any(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->isString()) {
        report(
            *value,
            key,
            ErrorCode::InvalidArgument,
            value->isNumber() || value->isBool() ? "expected a string; put it in quotes"
                                                 : "expected a string"
        );
        return std::nullopt;
    }
    if (value->text().empty()) {
        report(*value, key, ErrorCode::InvalidArgument, "must not be empty");
        return std::nullopt;
    }
    return value->text();
}

std::optional<double> FieldReader::number(std::string_view key, double min, double max)
{
    const model::Value* value = any(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->isNumber() || value->toNumber() < min || value->toNumber() > max) {
        report(
            *value,
            key,
            ErrorCode::OutOfRange,
            fmt::format("expected a number from {} to {}", min, max)
        );
        return std::nullopt;
    }
    return value->toNumber();
}

std::optional<std::int64_t> FieldReader::whole(
    std::string_view key, std::int64_t min, std::int64_t max
)
{
    const model::Value* value = any(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->isInt() || value->toInt() < min || value->toInt() > max) {
        report(
            *value,
            key,
            ErrorCode::OutOfRange,
            fmt::format("expected a whole number from {} to {}", min, max)
        );
        return std::nullopt;
    }
    return value->toInt();
}

std::optional<Duration> FieldReader::duration(std::string_view key)
{
    const model::Value* value = any(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->isString()) {
        report(*value, key, ErrorCode::InvalidArgument, "needs a unit, as in 30s or 250ms");
        return std::nullopt;
    }
    const auto parsed = parseDuration(value->text());
    if (!parsed) {
        report(*value, key, parsed.error().code, parsed.error().message);
        return std::nullopt;
    }
    return *parsed;
}

std::optional<Duration> FieldReader::positiveDuration(std::string_view key)
{
    const auto value = duration(key);
    if (value && *value == Duration::zero()) {
        report(at(key), key, ErrorCode::OutOfRange, "must be longer than 0s");
        return std::nullopt;
    }
    return value;
}

std::optional<bool> FieldReader::flag(std::string_view key)
{
    const model::Value* value = any(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->isBool()) {
        report(*value, key, ErrorCode::InvalidArgument, "expected true or false");
        return std::nullopt;
    }
    return value->toBool();
}

std::vector<std::string> FieldReader::texts(std::string_view key)
{
    std::vector<std::string> texts;
    const model::Value::List& elements = list(key);
    for (std::size_t place = 0; place < elements.size(); ++place) {
        const model::Value& element = elements[place];
        const std::string path = fmt::format("{}[{}]", key, place);
        if (!element.isString() || element.text().empty()) {
            report(element, path, ErrorCode::InvalidArgument, "expected a string");
        } else if (std::ranges::find(texts, element.text()) != texts.end()) {
            report(element, path, ErrorCode::Duplicate, "stands twice");
        } else {
            texts.push_back(element.text());
        }
    }
    return texts;
}

const model::Value& FieldReader::at(std::string_view key) const
{
    const model::Value* value = m_value.find(key);
    return value == nullptr ? m_value : *value;
}

const model::Value::List& FieldReader::list(std::string_view key)
{
    const model::Value* value = any(key);
    if (value == nullptr) {
        return noElements();
    }
    if (!value->isList()) {
        report(*value, key, ErrorCode::InvalidArgument, "expected a list");
        return noElements();
    }
    return value->list();
}

void FieldReader::require(std::string_view key)
{
    if (m_value.isMap() && m_value.find(key) == nullptr) {
        report(m_value, key, ErrorCode::MissingField, "required field missing");
    }
}

void FieldReader::finish()
{
    if (!m_value.isMap()) {
        return;
    }
    for (const model::Value::Member& member : m_value.map()) {
        if (std::ranges::find(m_taken, member.key) == m_taken.end()) {
            config::Problem problem;
            problem.path = pathOf(member.key);
            problem.place = member.keyMark.place();
            problem.code = ErrorCode::UnknownField;
            problem.message = "unknown field";
            m_problems.push_back(std::move(problem));
        }
    }
}

} // namespace mesh::simulator
