#pragma once

#include "proxyengine/base/duration_text.h"
#include "proxyengine/base/time.h"
#include "proxyengine/model/gateway.h"
#include "proxyengine/model/schema.h"

#include <cmath>
#include <concepts>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// How the schema tables of this folder name a member and its form in the file. Only for them.
//
// A codec turns a member into a Value and back. read() never fails: what has the wrong type leaves
// the member alone, because validation has reported it already.
namespace mesh::model::build {

// The words of an enumeration, in its order. Specialised beside the schemas.
template <typename Enum>
std::span<const std::string_view> wordsOf();

template <>
std::span<const std::string_view> wordsOf<Protocol>();

template <typename T>
struct Plain;

template <>
struct Plain<bool>
{
    static constexpr Kind kKind = Kind::Bool;
    static Value write(bool value) { return value; }
    static void read(const Value& from, bool& to)
    {
        if (from.isBool()) {
            to = from.toBool();
        }
    }
};

template <std::integral T>
struct Plain<T>
{
    static constexpr Kind kKind = Kind::Int;
    static Value write(T value) { return static_cast<std::int64_t>(value); }
    static void read(const Value& from, T& to)
    {
        if (from.isInt() && std::in_range<T>(from.toInt())) {
            to = static_cast<T>(from.toInt());
        }
    }
};

// Whole numbers are written without a fraction, so that 1 and 1.0 have one canonical form.
inline Value writeNumber(double value)
{
    constexpr double kExactMax = 9'007'199'254'740'992.0; // 2^53
    if (std::nearbyint(value) == value && std::abs(value) <= kExactMax) {
        return static_cast<std::int64_t>(value);
    }
    return value;
}

template <>
struct Plain<double>
{
    static constexpr Kind kKind = Kind::Number;
    static Value write(double value) { return writeNumber(value); }
    static void read(const Value& from, double& to)
    {
        if (from.isNumber()) {
            to = from.toNumber();
        }
    }
};

template <>
struct Plain<std::string>
{
    static constexpr Kind kKind = Kind::Text;
    static Value write(const std::string& value) { return value; }
    static void read(const Value& from, std::string& to)
    {
        if (from.isString()) {
            to = from.text();
        }
    }
};

struct InMilliseconds
{
    static constexpr Kind kKind = Kind::Milliseconds;
    static Value write(Duration value) { return toMilliseconds(value); }
    static void read(const Value& from, Duration& to)
    {
        constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
        if (from.isInt() && from.toInt() >= 0 && from.toInt() <= kMax) {
            to = std::chrono::milliseconds(from.toInt());
        }
    }
};

struct InSeconds
{
    static constexpr Kind kKind = Kind::Seconds;
    static Value write(Duration value) { return writeNumber(toSeconds(value)); }
    static void read(const Value& from, Duration& to)
    {
        constexpr double kMax = 1e9;
        if (from.isNumber() && from.toNumber() >= 0 && from.toNumber() <= kMax) {
            to = Duration(std::llround(from.toNumber() * 1e9));
        }
    }
};

struct AsDurationText
{
    static constexpr Kind kKind = Kind::DurationText;
    static Value write(Duration value) { return toDurationText(value); }
    static void read(const Value& from, Duration& to)
    {
        if (from.isString()) {
            to = parseDuration(from.text()).value_or(to);
        }
    }
};

template <typename Enum>
struct Words
{
    static constexpr Kind kKind = Kind::Choice;
    static Value write(Enum value) { return wordsOf<Enum>()[static_cast<std::size_t>(value)]; }
    static void read(const Value& from, Enum& to)
    {
        if (!from.isString()) {
            return;
        }
        const std::span<const std::string_view> words = wordsOf<Enum>();
        for (std::size_t at = 0; at < words.size(); ++at) {
            if (words[at] == from.text()) {
                to = static_cast<Enum>(at);
            }
        }
    }
};

template <typename Struct>
struct RecordOf
{
    static constexpr Kind kKind = Kind::Record;
    static Value write(const Struct& value) { return toValue(value, Defaults::Omitted); }
    static void read(const Value& from, Struct& to)
    {
        if (from.isMap()) {
            schemaOf<Struct>().assign(&to, from);
        }
    }
};

template <typename ElementCodec>
struct ListOf
{
    static constexpr Kind kKind = Kind::List;
    template <typename T>
    static Value write(const std::vector<T>& values)
    {
        Value::List list;
        list.reserve(values.size());
        for (const T& value : values) {
            list.push_back(ElementCodec::write(value));
        }
        return list;
    }
    template <typename T>
    static void read(const Value& from, std::vector<T>& to)
    {
        if (!from.isList()) {
            return;
        }
        to.clear();
        to.reserve(from.list().size());
        for (const Value& element : from.list()) {
            ElementCodec::read(element, to.emplace_back());
        }
    }
};

template <typename T>
struct IsOptional : std::false_type
{};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type
{};

template <typename Member>
struct MemberParts;
template <typename Class, typename Type>
struct MemberParts<Type Class::*>
{
    using Owner = Class;
    using Member = Type;
};

// Describes the codec's element, words and record in the field.
template <typename T>
void describe(Field& /*field*/, const Plain<T>* /*codec*/)
{}
inline void describe(Field& /*field*/, const void* /*codec*/) {}
template <typename Enum>
void describe(Field& field, const Words<Enum>* /*codec*/)
{
    const std::span<const std::string_view> words = wordsOf<Enum>();
    field.choices.assign(words.begin(), words.end());
}
template <typename Struct>
void describe(Field& field, const RecordOf<Struct>* /*codec*/)
{
    field.record = &schemaOf<Struct>();
}
template <typename ElementCodec>
void describe(Field& field, const ListOf<ElementCodec>* /*codec*/)
{
    field.element = ElementCodec::kKind;
    describe(field, static_cast<const ElementCodec*>(nullptr));
}

template <auto kMember, typename Codec>
struct Access
{
    using Owner = typename MemberParts<decltype(kMember)>::Owner;
    using Member = typename MemberParts<decltype(kMember)>::Member;

    static const Owner& defaults()
    {
        static const Owner kDefaults{};
        return kDefaults;
    }

    static Value get(const void* object)
    {
        const Member& member = static_cast<const Owner*>(object)->*kMember;
        if constexpr (IsOptional<Member>::value) {
            return member ? Codec::write(*member) : Value();
        } else {
            return Codec::write(member);
        }
    }

    static void set(void* object, const Value& value)
    {
        Member& member = static_cast<Owner*>(object)->*kMember;
        member = defaults().*kMember;
        if (value.isNull()) {
            return;
        }
        if constexpr (IsOptional<Member>::value) {
            Codec::read(value, member.emplace());
        } else {
            Codec::read(value, member);
        }
    }

    static bool isDefault(const void* object)
    {
        return static_cast<const Owner*>(object)->*kMember == defaults().*kMember;
    }
};

// A Field that is written as a chain: as<...>("port").named("Port", "...").between(0, 65535).
struct FieldChain
{
    Field field;

    // NOLINTNEXTLINE(google-explicit-constructor): a table of chains is a table of fields.
    operator Field() const { return field; }

    FieldChain named(std::string_view label, std::string_view help)
    {
        field.label = label;
        field.help = help;
        return *this;
    }
    FieldChain in(std::string_view section)
    {
        field.section = section;
        return *this;
    }
    FieldChain formed(Format format)
    {
        field.format = format;
        return *this;
    }
    FieldChain between(double min, double max)
    {
        field.min = min;
        field.max = max;
        return *this;
    }
    // The bounds of a duration.
    FieldChain lasting(Duration min, Duration max)
    {
        return between(toSeconds(min), toSeconds(max));
    }
    FieldChain oneOf(std::vector<std::int64_t> allowed)
    {
        field.allowed = std::move(allowed);
        return *this;
    }
    FieldChain measuredIn(std::string_view unit)
    {
        field.unit = unit;
        return *this;
    }
    FieldChain naming(std::string_view kind)
    {
        field.reference = kind;
        return *this;
    }
    FieldChain required()
    {
        field.isRequired = true;
        return *this;
    }
    FieldChain secret()
    {
        field.isSecret = true;
        return *this;
    }
    FieldChain unique()
    {
        field.isSet = true;
        return *this;
    }
    FieldChain children()
    {
        field.isChild = true;
        return *this;
    }
    FieldChain automatic()
    {
        field.isAutomatic = true;
        return *this;
    }
    FieldChain atLeast(std::size_t count)
    {
        field.lengthMin = count;
        return *this;
    }
};

template <auto kMember, typename Codec>
FieldChain as(std::string_view key)
{
    using Accessor = Access<kMember, Codec>;
    FieldChain chain;
    chain.field.key = key;
    chain.field.kind = Codec::kKind;
    describe(chain.field, static_cast<const Codec*>(nullptr));
    chain.field.get = &Accessor::get;
    chain.field.set = &Accessor::set;
    chain.field.isDefault = &Accessor::isDefault;
    chain.field.defaultValue = Accessor::get(&Accessor::defaults());
    return chain;
}

template <typename T>
struct BareType
{
    using Type = T;
};
template <typename T>
struct BareType<std::optional<T>>
{
    using Type = T;
};

// The plain codec of the member's own type: booleans, numbers and texts.
template <auto kMember>
FieldChain plain(std::string_view key)
{
    using Member = typename MemberParts<decltype(kMember)>::Member;
    return as<kMember, Plain<typename BareType<Member>::Type>>(key);
}

template <auto kMember>
FieldChain texts(std::string_view key)
{
    return as<kMember, ListOf<Plain<std::string>>>(key);
}

// Fields that most entities share.
template <typename Struct>
FieldChain idField()
{
    return plain<&Struct::id>("id")
        .named("Id", "UUID by which tools know the object across renames.")
        .in("Other")
        .formed(Format::Uuid)
        .automatic();
}
template <typename Struct>
FieldChain tagsField()
{
    return texts<&Struct::tags>("tags")
        .named("Tags", "Words to find and group objects by.")
        .in("Other")
        .formed(Format::Tag)
        .unique();
}
template <typename Struct>
FieldChain createdField()
{
    return plain<&Struct::createdAt>("created_at")
        .named("Created at", "Seconds since 1970; the older of two equal routes wins.")
        .in("Other")
        .between(0, 9e15)
        .measuredIn("s")
        .automatic();
}
template <typename Struct>
FieldChain updatedField()
{
    return plain<&Struct::updatedAt>("updated_at")
        .named("Updated at", "Seconds since 1970; written by tools.")
        .in("Other")
        .between(0, 9e15)
        .measuredIn("s")
        .automatic();
}

// The rules of a schema from one typed function.
template <typename Struct, void (*kRule)(const Struct&, FieldProblems&)>
Schema::Rules rules()
{
    return Schema::Rules{
        [](const void* object, FieldProblems& problems) {
            kRule(*static_cast<const Struct*>(object), problems);
        },
        [](const Value& record, FieldProblems& problems) {
            kRule(fromValue<Struct>(record), problems);
        }};
}

inline void report(
    FieldProblems& problems,
    std::string path,
    std::string message,
    ErrorCode code = ErrorCode::Conflict
)
{
    problems.push_back(FieldProblem{std::move(path), code, std::move(message), Mark()});
}

} // namespace mesh::model::build
