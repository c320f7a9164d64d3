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
        report(*value, key, ErrorCode::InvalidArgument, "expected a string");
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
