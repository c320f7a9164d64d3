#pragma once

#include "proxyengine/base/error.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace mesh::model {

// Where something stood in a text: 1-based line and column; 0 and 0 when it came from no text.
struct Mark
{
    std::uint32_t line = 0;
    std::uint32_t column = 0;

    [[nodiscard]] bool isKnown() const { return line != 0; }
    [[nodiscard]] std::optional<LineColumn> place() const;
};

// A piece of configuration of any shape: what a file, a form or a patch holds before a Schema gives
// it a type. Maps keep the order of their members; keys are unique (parsers see to that).
// Marks say where a value stood; they take no part in comparisons.
class Value
{
public:
    struct Member;
    using List = std::vector<Value>;
    using Map = std::vector<Member>;
    enum class Type : std::uint8_t { Null, Bool, Int, Double, String, List, Map };

    Value() = default;
    Value(bool value);
    Value(int value);
    Value(std::int64_t value);
    Value(double value);
    Value(std::string value);
    Value(std::string_view value);
    Value(const char* value);
    Value(List value);
    Value(Map value);

    [[nodiscard]] Type type() const { return static_cast<Type>(m_value.index()); }
    [[nodiscard]] bool isNull() const { return type() == Type::Null; }
    [[nodiscard]] bool isBool() const { return type() == Type::Bool; }
    [[nodiscard]] bool isInt() const { return type() == Type::Int; }
    // True for Double and for Int, which converts.
    [[nodiscard]] bool isNumber() const { return isInt() || type() == Type::Double; }
    [[nodiscard]] bool isString() const { return type() == Type::String; }
    [[nodiscard]] bool isList() const { return type() == Type::List; }
    [[nodiscard]] bool isMap() const { return type() == Type::Map; }

    // Each owes the type: check before. toNumber() takes Int and Double.
    [[nodiscard]] bool toBool() const;
    [[nodiscard]] std::int64_t toInt() const;
    [[nodiscard]] double toNumber() const;
    [[nodiscard]] const std::string& text() const;
    [[nodiscard]] const List& list() const;
    [[nodiscard]] List& list();
    [[nodiscard]] const Map& map() const;
    [[nodiscard]] Map& map();

    // The member of a map; null when there is none or when this is not a map.
    [[nodiscard]] const Value* find(std::string_view key) const;
    [[nodiscard]] Value* find(std::string_view key);
    // Replaces the member in place or appends it. This must be a map or null (becomes a map).
    void set(std::string_view key, Value value);
    // True when there was one.
    bool remove(std::string_view key);

    [[nodiscard]] Mark mark() const { return m_mark; }
    void setMark(Mark mark) { m_mark = mark; }

    friend bool operator==(const Value& a, const Value& b);

private:
    std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map> m_value;
    Mark m_mark;
};

struct Value::Member
{
    std::string key;
    Value value;
    Mark keyMark;
    friend bool operator==(const Member& a, const Member& b)
    {
        return a.key == b.key && a.value == b.value;
    }
};

// "boolean", "string", "list" and so on, for messages.
std::string_view toText(Value::Type type);

} // namespace mesh::model
