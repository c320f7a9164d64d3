#include "proxyengine/model/value.h"

#include "proxyengine/base/assert.h"

#include <algorithm>
#include <array>

namespace mesh::model {

std::optional<LineColumn> Mark::place() const
{
    if (!isKnown()) {
        return std::nullopt;
    }
    return LineColumn{static_cast<int>(line), static_cast<int>(column)};
}

Value::Value(bool value)
    : m_value(value)
{}
Value::Value(int value)
    : m_value(static_cast<std::int64_t>(value))
{}
Value::Value(std::int64_t value)
    : m_value(value)
{}
Value::Value(double value)
    : m_value(value)
{}
Value::Value(std::string value)
    : m_value(std::move(value))
{}
Value::Value(std::string_view value)
    : m_value(std::string(value))
{}
Value::Value(const char* value)
    : m_value(std::string(value))
{}
Value::Value(List value)
    : m_value(std::move(value))
{}
Value::Value(Map value)
    : m_value(std::move(value))
{}

bool Value::toBool() const
{
    MESH_ASSERT(isBool());
    return *std::get_if<bool>(&m_value);
}

std::int64_t Value::toInt() const
{
    MESH_ASSERT(isInt());
    return *std::get_if<std::int64_t>(&m_value);
}

double Value::toNumber() const
{
    MESH_ASSERT(isNumber());
    return isInt() ? static_cast<double>(toInt()) : *std::get_if<double>(&m_value);
}

const std::string& Value::text() const
{
    MESH_ASSERT(isString());
    return *std::get_if<std::string>(&m_value);
}

const Value::List& Value::list() const
{
    MESH_ASSERT(isList());
    return *std::get_if<List>(&m_value);
}

Value::List& Value::list()
{
    MESH_ASSERT(isList());
    return *std::get_if<List>(&m_value);
}

const Value::Map& Value::map() const
{
    MESH_ASSERT(isMap());
    return *std::get_if<Map>(&m_value);
}

Value::Map& Value::map()
{
    MESH_ASSERT(isMap());
    return *std::get_if<Map>(&m_value);
}

const Value* Value::find(std::string_view key) const
{
    if (!isMap()) {
        return nullptr;
    }
    const auto found = std::ranges::find(map(), key, &Member::key);
    return found == map().end() ? nullptr : &found->value;
}

Value* Value::find(std::string_view key)
{
    return const_cast<Value*>(static_cast<const Value*>(this)->find(key));
}

void Value::set(std::string_view key, Value value)
{
    if (isNull()) {
        m_value = Map();
    }
    if (Value* const found = find(key); found != nullptr) {
        *found = std::move(value);
        return;
    }
    map().push_back(Member{std::string(key), std::move(value), Mark()});
}

bool Value::remove(std::string_view key)
{
    return isMap() && std::erase_if(map(), [&](const Member& m) { return m.key == key; }) != 0;
}

bool operator==(const Value& a, const Value& b) { return a.m_value == b.m_value; }

std::string_view toText(Value::Type type)
{
    static constexpr std::array<std::string_view, 7> kTexts = {
        "null", "boolean", "integer", "number", "string", "list", "map"};
    return kTexts[static_cast<std::size_t>(type)];
}

} // namespace mesh::model
