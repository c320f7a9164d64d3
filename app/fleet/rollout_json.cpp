// A rollout as JSON and back, by one description of each struct that serves both ways.

#include "app/fleet/limits.h"
#include "app/fleet/rollout.h"
#include "proxyengine/config/tree.h"
#include "proxyengine/model/value.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

namespace mesh::fleet {
namespace {

using model::Value;

constexpr std::array<std::string_view, 3> kWaveKinds = {"canary", "share", "named"};
constexpr std::array<std::string_view, 5> kQuantityWords = {
    "error_ratio", "p95", "ejections", "rejections", "node_loss"};
constexpr std::array<std::string_view, 2> kBasisWords = {"absolute", "against_before"};
constexpr std::array<std::string_view, 2> kFailureWords = {"stop", "roll_back"};
constexpr std::array<std::string_view, 2> kAdvanceWords = {"automatic", "manual"};
constexpr std::array<std::string_view, 3> kAbsentWords = {
    "failure", "set_aside", "apply_on_return"};

// The words of an enumeration in its order; one function per enumeration serves both ways.
constexpr int kWordsMax = 14;
std::string_view wordAt(WaveSpec::Kind /*which*/, std::size_t at)
{
    return at < kWaveKinds.size() ? kWaveKinds.at(at) : std::string_view();
}
std::string_view wordAt(GateQuantity /*which*/, std::size_t at)
{
    return at < kQuantityWords.size() ? kQuantityWords.at(at) : std::string_view();
}
std::string_view wordAt(GateBasis /*which*/, std::size_t at)
{
    return at < kBasisWords.size() ? kBasisWords.at(at) : std::string_view();
}
std::string_view wordAt(OnGateFailure /*which*/, std::size_t at)
{
    return at < kFailureWords.size() ? kFailureWords.at(at) : std::string_view();
}
std::string_view wordAt(WaveAdvance /*which*/, std::size_t at)
{
    return at < kAdvanceWords.size() ? kAdvanceWords.at(at) : std::string_view();
}
std::string_view wordAt(AbsentNode /*which*/, std::size_t at)
{
    return at < kAbsentWords.size() ? kAbsentWords.at(at) : std::string_view();
}
std::string_view wordAt(NodePhase /*which*/, std::size_t at)
{
    return at <= static_cast<std::size_t>(NodePhase::NotTouched)
               ? toText(static_cast<NodePhase>(at))
               : std::string_view();
}
std::string_view wordAt(WaveState /*which*/, std::size_t at)
{
    return at <= static_cast<std::size_t>(WaveState::Failed) ? toText(static_cast<WaveState>(at))
                                                             : std::string_view();
}
std::string_view wordAt(GateState /*which*/, std::size_t at)
{
    return at <= static_cast<std::size_t>(GateState::Fails) ? toText(static_cast<GateState>(at))
                                                            : std::string_view();
}
std::string_view wordAt(RolloutState /*which*/, std::size_t at)
{
    return at <= static_cast<std::size_t>(RolloutState::Failed)
               ? toText(static_cast<RolloutState>(at))
               : std::string_view();
}

template <typename Codec>
void describe(Codec& codec, WaveSpec& wave)
{
    codec.field("kind", wave.kind);
    codec.field("share", wave.share);
    codec.field("nodes", wave.nodes);
}

template <typename Codec>
void describe(Codec& codec, GateRule& rule)
{
    codec.field("quantity", rule.quantity);
    codec.field("basis", rule.basis);
    codec.field("limit", rule.limit);
}

template <typename Codec>
void describe(Codec& codec, RolloutPlan& plan)
{
    codec.field("waves", plan.waves);
    codec.field("advance", plan.advance);
    codec.field("gates", plan.gates);
    codec.field("bake_ns", plan.bake);
    codec.field("on_failure", plan.onFailure);
    codec.field("absent", plan.absent);
    codec.field("answer_max_ns", plan.answerMax);
}

template <typename Codec>
void describe(Codec& codec, NodeFigures& figures)
{
    codec.field("rps", figures.rps);
    codec.field("requests", figures.requests);
    codec.field("errors", figures.errors);
    codec.field("p95_ms", figures.p95_ms);
    codec.field("ejections", figures.ejections);
}

template <typename Codec>
void describe(Codec& codec, NodeProblem& problem)
{
    codec.field("path", problem.path);
    codec.field("line", problem.line);
    codec.field("column", problem.column);
    codec.field("code", problem.code);
    codec.field("message", problem.message);
}

template <typename Codec>
void describe(Codec& codec, NodeProgress& node)
{
    codec.field("name", node.name);
    codec.field("role", node.role);
    codec.field("zone", node.zone);
    codec.field("wave", node.wave);
    codec.field("phase", node.phase);
    codec.field("text", node.text);
    codec.field("problems", node.problems);
    codec.field("hash_before", node.hashBefore);
    codec.field("hash_now", node.hashNow);
    codec.field("sent_at_us", node.sentAt);
    codec.field("applied_at_us", node.appliedAt);
    codec.field("seen_at_us", node.seenAt);
    codec.field("before", node.before);
    codec.field("now", node.now);
}

template <typename Codec>
void describe(Codec& codec, WaveProgress& wave)
{
    codec.field("label", wave.label);
    codec.field("state", wave.state);
    codec.field("nodes", wave.nodes);
    codec.field("baking_since_us", wave.bakingSince);
    codec.field("baked_ns", wave.baked);
}

template <typename Codec>
void describe(Codec& codec, GateProgress& gate)
{
    codec.field("rule", gate.rule);
    codec.field("state", gate.state);
    codec.field("before", gate.before);
    codec.field("now", gate.now);
    codec.field("measured", gate.measured);
}

template <typename Codec>
void describe(Codec& codec, RolloutNote& note)
{
    codec.field("time_us", note.time);
    codec.field("text", note.text);
    codec.field("bad", note.isBad);
}

template <typename Codec>
void describe(Codec& codec, Rollout& rollout)
{
    codec.field("revision", rollout.revision);
    codec.field("revision_before", rollout.revisionBefore);
    codec.field("hash", rollout.hash);
    codec.field("message", rollout.message);
    codec.field("plan", rollout.plan);
    codec.field("state", rollout.state);
    codec.field("wave", rollout.wave);
    codec.field("waves", rollout.waves);
    codec.field("nodes", rollout.nodes);
    codec.field("gates", rollout.gates);
    codec.field("notes", rollout.notes);
    codec.field("started_at_us", rollout.startedAt);
    codec.field("ended_at_us", rollout.endedAt);
}

template <typename T>
constexpr bool kIsCount = std::is_same_v<T, std::uint64_t> || std::is_same_v<T, std::size_t>;

template <typename T, typename... Others>
constexpr bool kIsOneOf = (std::is_same_v<T, Others> || ...);

// Is a Value as it is.
template <typename T>
constexpr bool kIsPlain = kIsOneOf<T, std::string, bool, int, std::int64_t>;

class Writer
{
public:
    template <typename T>
    void field(std::string_view key, T& member)
    {
        m_record.set(key, valueOf(member));
    }

    template <typename Struct>
    static Value written(Struct& object)
    {
        Writer writer;
        writer.m_record = Value(Value::Map());
        describe(writer, object);
        return std::move(writer.m_record);
    }

private:
    template <typename T>
    static Value valueOf(T& member)
    {
        if constexpr (kIsPlain<T>) {
            return Value(member);
        } else if constexpr (std::is_same_v<T, double>) {
            return Value(std::isfinite(member) ? member : 0.0);
        } else if constexpr (kIsCount<T>) {
            constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
            return Value(static_cast<std::int64_t>(std::min<std::uint64_t>(member, kMax)));
        } else if constexpr (std::is_same_v<T, Duration>) {
            return Value(static_cast<std::int64_t>(member.count()));
        } else if constexpr (std::is_same_v<T, WallTime>) {
            return Value(static_cast<std::int64_t>(member.time_since_epoch().count()));
        } else if constexpr (std::is_enum_v<T>) {
            return Value(wordAt(member, static_cast<std::size_t>(member)));
        } else {
            return structured(member);
        }
    }

    template <typename T>
    static Value structured(std::vector<T>& members)
    {
        Value::List list;
        for (T& member : members) {
            list.push_back(valueOf(member));
        }
        return Value(std::move(list));
    }

    template <typename T>
    static Value structured(std::optional<T>& member)
    {
        return member ? written(*member) : Value();
    }

    template <typename T>
    static Value structured(T& member)
    {
        return written(member);
    }

    Value m_record;
};

// Reads what Writer wrote; remembers the first thing that is not so.
class Reader
{
public:
    template <typename T>
    void field(std::string_view key, T& member)
    {
        const Value* const value = m_record.find(key);
        m_path.push_back(key);
        if (value == nullptr) {
            refuse("is missing");
        } else {
            ++m_known;
            read(*value, member);
        }
        m_path.pop_back();
    }

    template <typename Struct>
    static Result<Struct> readAll(const Value& record)
    {
        Struct object;
        std::string problem;
        std::vector<std::string_view> path;
        Reader reader(record, problem, path);
        reader.readRecord(object);
        if (!problem.empty()) {
            return fail(ErrorCode::Syntax, "not a kept rollout: " + problem);
        }
        return object;
    }

private:
    Reader(const Value& record, std::string& problem, std::vector<std::string_view>& path)
        : m_record(record)
        , m_problem(problem)
        , m_path(path)
    {}

    void refuse(std::string_view what)
    {
        if (m_problem.empty()) {
            m_problem = fmt::format("{} {}", fmt::join(m_path, "."), what);
        }
    }

    template <typename Struct>
    void readRecord(Struct& object)
    {
        if (!m_record.isMap()) {
            refuse("is no object");
            return;
        }
        describe(*this, object);
        if (m_known != m_record.map().size()) {
            refuse("has a member this version does not know");
        }
    }

    template <typename T>
    void read(const Value& value, T& member)
    {
        if constexpr (std::is_same_v<T, std::string>) {
            value.isString() ? void(member = value.text()) : refuse("is no text");
        } else if constexpr (std::is_same_v<T, bool>) {
            value.isBool() ? void(member = value.toBool()) : refuse("is neither true nor false");
        } else if constexpr (std::is_same_v<T, double>) {
            value.isNumber() ? void(member = value.toNumber()) : refuse("is no number");
        } else if constexpr (std::is_same_v<T, int>) {
            member = static_cast<int>(
                whole(value, std::numeric_limits<int>::min(), std::numeric_limits<int>::max())
            );
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
            member = whole(value, std::numeric_limits<std::int64_t>::min());
        } else if constexpr (kIsCount<T>) {
            member = static_cast<T>(whole(value, 0));
        } else if constexpr (std::is_same_v<T, Duration>) {
            member = Duration(whole(value, 0));
        } else if constexpr (std::is_same_v<T, WallTime>) {
            member = WallTime(WallTime::duration(whole(value, 0)));
        } else if constexpr (std::is_enum_v<T>) {
            readWord(value, member);
        } else {
            readStructured(value, member);
        }
    }

    std::int64_t whole(
        const Value& value,
        std::int64_t min,
        std::int64_t max = std::numeric_limits<std::int64_t>::max()
    )
    {
        if (!value.isInt() || value.toInt() < min || value.toInt() > max) {
            refuse("is no whole number in its bounds");
            return 0;
        }
        return value.toInt();
    }

    template <typename Enum>
    void readWord(const Value& value, Enum& member)
    {
        for (int at = 0; value.isString() && at < kWordsMax; ++at) {
            const std::string_view word = wordAt(Enum{}, static_cast<std::size_t>(at));
            if (!word.empty() && value.text() == word) {
                member = static_cast<Enum>(at);
                return;
            }
        }
        refuse("is a word this version does not know");
    }

    template <typename T>
    void readStructured(const Value& value, std::vector<T>& members)
    {
        members.clear();
        if (!value.isList()) {
            refuse("is no list");
            return;
        }
        if (value.list().size() > kRolloutNodesMax) {
            refuse("is too long");
            return;
        }
        for (const Value& each : value.list()) {
            T member{};
            read(each, member);
            members.push_back(std::move(member));
        }
    }

    template <typename T>
    void readStructured(const Value& value, std::optional<T>& member)
    {
        member.reset();
        if (!value.isNull()) {
            member.emplace();
            readStructured(value, *member);
        }
    }

    template <typename T>
    void readStructured(const Value& value, T& member)
    {
        Reader(value, m_problem, m_path).readRecord(member);
    }

    const Value& m_record;
    std::string& m_problem;
    std::vector<std::string_view>& m_path;
    std::size_t m_known = 0;
};

// What fits together by itself; the rest of the program counts on it.
Result<void> checkWhole(const Rollout& rollout)
{
    if (!rollout.waves.empty() && rollout.wave >= rollout.waves.size()) {
        return fail(ErrorCode::Syntax, "not a kept rollout: there is no such wave");
    }
    for (const NodeProgress& node : rollout.nodes) {
        if (node.wave >= rollout.waves.size()) {
            return fail(ErrorCode::Syntax, "not a kept rollout: a node is in no wave");
        }
    }
    return {};
}

} // namespace

std::string toJson(const Rollout& rollout)
{
    Rollout copy = rollout;
    return config::toJson(Writer::written(copy));
}

Result<Rollout> rolloutFromJson(std::string_view text)
{
    const auto tree = config::parseTree(text);
    if (!tree) {
        return fail(ErrorCode::Syntax, tree.error().message, tree.error().place);
    }
    MESH_TRY(Rollout rollout, Reader::readAll<Rollout>(*tree));
    MESH_TRY_VOID(checkWhole(rollout));
    return rollout;
}

} // namespace mesh::fleet
