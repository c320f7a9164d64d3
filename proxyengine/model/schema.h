#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/model/document.h"
#include "proxyengine/model/gateway.h"
#include "proxyengine/model/value.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// One Schema per configuration struct. It drives decoding, encoding, validation, forms and --help:
//
//     const Schema& schema = schemaOf<Service>();
//     for (const Field& field : schema.fields()) {         // A form: one widget per field.
//         if (field.isChild) continue;                      // Routes of a service: own objects.
//         addWidget(field.section, field.label, field.kind, field.defaultValue);
//     }
//     Service service = ...;
//     Value port = schema.field("port")->get(&service);     // Read and write one member,
//     schema.field("port")->set(&service, Value(8080));     // the value's type checked before.
//     Value record = schema.toValue(&service, Defaults::Left);
//     for (const FieldProblem& problem : validate(schema, record)) {
//         markField(problem.path, problem.message);         // path: "paths[0]", "active.timeout"
//     }
//     if (noProblem) schema.assign(&service, record);       // All fields; absent ones get
//     defaults.
//
// Which objects a Document holds, and how to read, add, replace and remove them as records:
// model/objects.h.
namespace mesh::model {

enum class Kind : std::uint8_t {
    Bool,
    Int, // min..max
    Number, // min..max
    Text,
    Milliseconds, // A whole number of milliseconds in the file, a Duration in the struct.
    Seconds, // A number of seconds in the file, a Duration in the struct.
    DurationText, // "250ms" in the file, a Duration in the struct; min..max are seconds.
    Choice, // One of `choices`, an enumeration in the struct.
    List, // Of `element`, which is a simple kind, or Record of `record`.
    Map, // Name -> list of texts (headers).
    Record, // `record`
    Points, // [[share, "4ms"], ...] (quantiles of a duration law).
    Script, // [{call: a}, [{call: b}, {call: c}]] (steps of a service model).
};

// What a text must look like; checked by checkFormat(). Every format has a limit of 8 KiB.
enum class Format : std::uint8_t {
    Any,
    Name, // Letters, digits, . - _ ~ and non-ASCII.
    Tag, // Printable, no ',' or '/'.
    Uuid,
    Host, // Host name or address, no port.
    HostPort, // Host name or address with an optional port.
    Address, // Host name or address with a port.
    WildcardHost, // With at most one leftmost or rightmost *, and an optional port.
    WildcardSni, // The same without a port.
    UpstreamName, // A host name: no address, no port.
    Path, // "/a/b"
    RouterPath, // "/a/b" or "~/regex"
    Method, // Upper-case letters.
    HeaderName,
    IpOrCidr,
    Url, // With scheme and host.
    Pem,
    HedgeDelay, // A duration, or a percentile as in "p95".
};

class Schema;

// One key of a record. Accessors take a pointer to the struct the schema is of.
struct Field
{
    std::string_view key; // As in the file: "connect_timeout".
    Kind kind = Kind::Text;
    Kind element = Kind::Text; // Of a List.
    Format format = Format::Any; // Of a Text, or of the texts in a List.
    std::string_view label; // "Connect timeout"; English, the console translates it.
    std::string_view help; // One sentence.
    std::string_view section; // "General", "Timeouts"; sections stand in order of appearance.
    std::string_view unit; // "ms", "s", "%"; empty: none.
    std::string_view reference; // Plural of the kind of object this names: "services".
    std::vector<std::string_view> choices; // Of a Choice, or of the choices in a List.
    std::vector<std::int64_t> allowed; // Of an Int: only these; empty: min..max.
    std::optional<double> min;
    std::optional<double> max;
    const Schema* record = nullptr; // Of a Record or a List of records.
    Value defaultValue; // Null: absent.
    bool isRequired = false;
    bool isSecret = false; // Masked in every output unless asked for.
    bool isSet = false; // A List whose elements are unique.
    bool isChild = false; // A List of objects that have forms of their own (routes, targets, snis).
    bool isAutomatic = false; // Written by tools, not by people: id, created_at, updated_at.
    std::size_t lengthMin = 0; // Of a List.

    Value (*get)(const void* object) = nullptr; // Null when the optional member is absent.
    void (*set)(void* object, const Value& value) = nullptr; // Null restores the default.
    bool (*isDefault)(const void* object) = nullptr;
};

// One thing wrong inside a record.
struct FieldProblem
{
    std::string path; // "paths[0]", "healthchecks.active.timeout"; empty: the record as a whole.
    ErrorCode code = ErrorCode::InvalidArgument;
    std::string message;
    Mark mark; // Of the value, or of its key when the key is unknown.
    friend bool operator==(const FieldProblem& a, const FieldProblem& b)
    {
        return a.path == b.path && a.code == b.code && a.message == b.message;
    }
};

enum class Defaults : std::uint8_t {
    Omitted, // Fields that hold their default are left out: files.
    Left, // Every field is written: forms.
};

enum class Children : std::uint8_t { Left, Omitted };

// Collects what is wrong with one record: path relative to the record, code, message.
using FieldProblems = std::vector<FieldProblem>;

// The fields of one struct, in canonical order. Immutable; lives as long as the program.
// Threads: any.
class Schema
{
public:
    // Rules over several fields of one object; they run only when every field by itself is right.
    // Each exists for the struct and for the record, which is turned into a struct first.
    struct Rules
    {
        void (*ofObject)(const void* object, FieldProblems& problems) = nullptr;
        void (*ofRecord)(const Value& record, FieldProblems& problems) = nullptr;
    };

    Schema(std::string_view name, std::vector<Field> fields, Rules rules);

    [[nodiscard]] std::string_view name() const { return m_name; } // "service"
    [[nodiscard]] const std::vector<Field>& fields() const { return m_fields; }
    // Null when there is none.
    [[nodiscard]] const Field* field(std::string_view key) const;

    // The object as a map in the schema's order. Null members are left out in both modes.
    [[nodiscard]] Value toValue(
        const void* object, Defaults defaults, Children children = Children::Left
    ) const;
    // Writes every field; those absent from the map, null or of a wrong type get their defaults.
    void assign(void* object, const Value& record) const;
    // Only the rules over several fields; nothing about children.
    void check(const void* object, FieldProblems& problems) const;
    void check(const Value& record, FieldProblems& problems) const;

private:
    std::string_view m_name;
    std::vector<Field> m_fields;
    Rules m_rules;
};

// Specialised for every struct of gateway.h, resilience.h and document.h but Document, HeaderMatch,
// HedgeAfter and ModelStep.
template <typename Struct>
const Schema& schemaOf();

template <>
const Schema& schemaOf<Service>();
template <>
const Schema& schemaOf<Route>();
template <>
const Schema& schemaOf<AddressMatch>();
template <>
const Schema& schemaOf<Upstream>();
template <>
const Schema& schemaOf<Healthchecks>();
template <>
const Schema& schemaOf<ActiveHealthcheck>();
template <>
const Schema& schemaOf<ActiveHealthcheck::Healthy>();
template <>
const Schema& schemaOf<ActiveHealthcheck::Unhealthy>();
template <>
const Schema& schemaOf<PassiveHealthcheck>();
template <>
const Schema& schemaOf<PassiveHealthcheck::Healthy>();
template <>
const Schema& schemaOf<PassiveHealthcheck::Unhealthy>();
template <>
const Schema& schemaOf<RetryBackoff>();
template <>
const Schema& schemaOf<RetryBudget>();
template <>
const Schema& schemaOf<Retry>();
template <>
const Schema& schemaOf<Hedge>();
template <>
const Schema& schemaOf<BreakerFallback>();
template <>
const Schema& schemaOf<Breaker>();
template <>
const Schema& schemaOf<Mirror>();
template <>
const Schema& schemaOf<FaultDelay>();
template <>
const Schema& schemaOf<FaultAbort>();
template <>
const Schema& schemaOf<Fault>();
template <>
const Schema& schemaOf<RateLimit>();
template <>
const Schema& schemaOf<AdaptiveConcurrency>();
template <>
const Schema& schemaOf<Resilience>();
template <>
const Schema& schemaOf<SplitPart>();
template <>
const Schema& schemaOf<SplitSticky>();
template <>
const Schema& schemaOf<OutlierDetection::SuccessRate>();
template <>
const Schema& schemaOf<OutlierDetection::FailurePercentage>();
template <>
const Schema& schemaOf<OutlierDetection>();
template <>
const Schema& schemaOf<LimitSet>();
template <>
const Schema& schemaOf<Limits>();
template <>
const Schema& schemaOf<Locality>();
template <>
const Schema& schemaOf<Compression>();
template <>
const Schema& schemaOf<Overload>();
template <>
const Schema& schemaOf<Target>();
template <>
const Schema& schemaOf<Certificate>();
template <>
const Schema& schemaOf<Sni>();
template <>
const Schema& schemaOf<CaCertificate>();
template <>
const Schema& schemaOf<MtlsAuth>();
template <>
const Schema& schemaOf<Plugin>();
template <>
const Schema& schemaOf<MeshSettings>();
template <>
const Schema& schemaOf<Node>();
template <>
const Schema& schemaOf<Workload>();
template <>
const Schema& schemaOf<DurationLaw>();
template <>
const Schema& schemaOf<ModelCall>();
template <>
const Schema& schemaOf<ServiceModel>();

template <typename Struct>
Value toValue(const Struct& object, Defaults defaults)
{
    return schemaOf<Struct>().toValue(&object, defaults);
}

// What is missing or of a wrong type gets its default; validate() first.
template <typename Struct>
Struct fromValue(const Value& record)
{
    Struct object;
    schemaOf<Struct>().assign(&object, record);
    return object;
}

// Everything wrong with one record: unknown and missing fields, types, bounds, formats; children
// included. When all that is right, the rules over several fields too.
[[nodiscard]] FieldProblems validate(const Schema& schema, const Value& record);

// The same for one field; null is right unless the field is required.
[[nodiscard]] FieldProblems validate(const Field& field, const Value& value);

// Only what concerns single fields; appends, with `path` put before every path.
void validateFields(
    const Schema& schema, const Value& record, const std::string& path, FieldProblems& problems
);

// Only the rules over several fields, of this record and of those inside it; appends, with `path`
// put before every path. Fields by themselves are right, or reported before.
void validateRules(
    const Schema& schema, const Value& record, const std::string& path, FieldProblems& problems
);

// What is wrong with the text, in the gateway's words; empty when nothing is.
[[nodiscard]] std::string checkFormat(Format format, std::string_view text);

// "whole number, 0 to 65535", "list of texts": for --help and tool tips.
[[nodiscard]] std::string describeType(const Field& field);

} // namespace mesh::model
