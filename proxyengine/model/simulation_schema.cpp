#include "proxyengine/model/document.h"
#include "proxyengine/model/field_build.h"
#include "proxyengine/model/schema.h"

#include <fmt/format.h>

#include <array>

// How services behave when simulated: laws of durations, scripts of calls.
namespace mesh::model {
namespace build {

template <>
std::span<const std::string_view> wordsOf<DurationLaw::Kind>()
{
    static constexpr std::array<std::string_view, 3> kWords = {"const", "exp", "lognormal"};
    return kWords;
}

namespace {

using LawKind = DurationLaw::Kind;

const DurationLaw& lawOf(const void* object) { return *static_cast<const DurationLaw*>(object); }
DurationLaw& lawOf(void* object) { return *static_cast<DurationLaw*>(object); }

// A law by quantiles names no distribution; all others always do, so that a file reads by itself.
FieldChain distField()
{
    FieldChain chain = as<&DurationLaw::kind, Words<LawKind>>("dist");
    chain.field.get = [](const void* object) {
        const LawKind kind = lawOf(object).kind;
        return kind == LawKind::Quantiles ? Value() : Words<LawKind>::write(kind);
    };
    chain.field.set = [](void* object, const Value& value) {
        lawOf(object).kind = LawKind::Const;
        Words<LawKind>::read(value, lawOf(object).kind);
    };
    chain.field.isDefault = [](const void* object) {
        return lawOf(object).kind == LawKind::Quantiles;
    };
    return chain;
}

// [[0, "1ms"], [1, "40ms"]]
struct Points
{
    static constexpr Kind kKind = Kind::Points;
    using Quantiles = std::vector<std::pair<double, Duration>>;

    static Value write(const Quantiles& quantiles)
    {
        Value::List list;
        for (const auto& [share, duration] : quantiles) {
            Value::List pair;
            pair.push_back(writeNumber(share));
            pair.push_back(Value(toDurationText(duration)));
            list.push_back(std::move(pair));
        }
        return list;
    }
    static void read(const Value& from, Quantiles& to)
    {
        to.clear();
        if (!from.isList()) {
            return;
        }
        for (const Value& pair : from.list()) {
            auto& [share, duration] = to.emplace_back();
            if (pair.isList() && pair.list().size() == 2) {
                Plain<double>::read(pair.list().front(), share);
                AsDurationText::read(pair.list().back(), duration);
            }
        }
    }
};

FieldChain quantilesField()
{
    FieldChain chain = as<&DurationLaw::quantiles, Points>("quantiles");
    // Stands last in the schema, so that it has the last word on the kind.
    chain.field.set = [](void* object, const Value& value) {
        DurationLaw& law = lawOf(object);
        Points::read(value, law.quantiles);
        if (!law.quantiles.empty()) {
            law.kind = LawKind::Quantiles;
        }
    };
    return chain;
}

// Steps: a record is one call, a list of records is a step whose calls run in parallel.
struct Script
{
    static constexpr Kind kKind = Kind::Script;

    static Value write(const std::vector<ModelStep>& steps)
    {
        Value::List script;
        for (const ModelStep& step : steps) {
            Value calls = ListOf<RecordOf<ModelCall>>::write(step.calls);
            const bool isPlain = !step.isParallel && step.calls.size() == 1;
            script.push_back(isPlain ? std::move(calls.list().front()) : std::move(calls));
        }
        return script;
    }
    static void read(const Value& from, std::vector<ModelStep>& to)
    {
        to.clear();
        if (!from.isList()) {
            return;
        }
        for (const Value& element : from.list()) {
            ModelStep& step = to.emplace_back();
            step.isParallel = element.isList();
            if (element.isList()) {
                ListOf<RecordOf<ModelCall>>::read(element, step.calls);
            } else {
                RecordOf<ModelCall>::read(element, step.calls.emplace_back());
            }
        }
    }
};

FieldChain scriptField()
{
    FieldChain chain = as<&ServiceModel::script, Script>("script");
    chain.field.record = &schemaOf<ModelCall>();
    return chain;
}

void checkQuantiles(const DurationLaw& law, FieldProblems& problems)
{
    if (law.quantiles.front().first != 0.0 || law.quantiles.back().first != 1.0) {
        report(problems, "quantiles", "the first share must be 0 and the last 1");
    }
    for (std::size_t at = 1; at < law.quantiles.size(); ++at) {
        const auto& [share, duration] = law.quantiles[at];
        const auto& [shareBefore, durationBefore] = law.quantiles[at - 1];
        if (share <= shareBefore || duration < durationBefore) {
            report(
                problems,
                fmt::format("quantiles[{}]", at),
                "shares must grow and durations must not shrink"
            );
        }
    }
}

void checkLaw(const DurationLaw& law, FieldProblems& problems)
{
    if (law.kind == LawKind::Quantiles) {
        checkQuantiles(law, problems);
        if (law.mean != Duration::zero()) {
            report(problems, "mean", "cannot set 'mean' together with 'quantiles'");
        }
    } else if (law.mean == Duration::zero() && law.kind != LawKind::Const) {
        report(problems, "mean", "must be longer than 0", ErrorCode::OutOfRange);
    }
    if (law.kind != LawKind::Lognormal && law.cv != DurationLaw().cv) {
        report(problems, "cv", "can only be set when 'dist' is 'lognormal'");
    }
}

} // namespace
} // namespace build

using build::as;
using build::AsDurationText;
using build::checkLaw;
using build::distField;
using build::plain;
using build::quantilesField;
using build::RecordOf;
using build::rules;
using build::scriptField;
using build::texts;

template <>
const Schema& schemaOf<DurationLaw>()
{
    static const Schema kSchema(
        "law",
        {
            distField().named("Distribution", "Constant, exponential or lognormal."),
            as<&DurationLaw::mean, AsDurationText>("mean").named(
                "Mean", "Mean duration, as in 4ms."
            ),
            plain<&DurationLaw::cv>("cv")
                .named("Coefficient of variation", "Standard deviation over mean; only lognormal.")
                .between(0, 100),
            quantilesField().named(
                "Quantiles", "Pairs of a share and a duration, joined linearly."
            ),
        },
        rules<DurationLaw, checkLaw>()
    );
    return kSchema;
}

template <>
const Schema& schemaOf<ModelCall>()
{
    static const Schema kSchema(
        "call",
        {
            plain<&ModelCall::call>("call")
                .named("Call", "Service that is called.")
                .formed(Format::Name)
                .naming("services")
                .required(),
            plain<&ModelCall::probability>("probability")
                .named("Probability", "Chance of the call, drawn for each repeat.")
                .between(0, 1),
            plain<&ModelCall::count>("count").named("Count", "Repeats.").between(1, 1000),
            plain<&ModelCall::cached>("cached")
                .named("Cached", "Share of the calls that a cache answers.")
                .between(0, 1),
        },
        {}
    );
    return kSchema;
}

template <>
const Schema& schemaOf<ServiceModel>()
{
    using Model = ServiceModel;
    static const Schema kSchema(
        "model",
        {
            plain<&Model::service>("service")
                .named("Service", "Service that behaves like this.")
                .in("General")
                .formed(Format::Name)
                .naming("services")
                .required(),
            plain<&Model::instances>("instances")
                .named("Instances", "Simulated copies.")
                .in("General")
                .between(1, 10000),
            texts<&Model::zones>("zones")
                .named("Zones", "Copies are dealt to these in turn.")
                .in("General")
                .formed(Format::Name)
                .unique(),
            plain<&Model::concurrency>("concurrency")
                .named("Concurrency", "Requests a copy works on at once.")
                .in("Capacity")
                .between(1, 1'000'000),
            plain<&Model::queue>("queue")
                .named("Queue", "Requests that may wait at a copy; 0: none.")
                .in("Capacity")
                .between(0, 1'000'000),
            as<&Model::serviceTime, RecordOf<DurationLaw>>("service_time")
                .named("Service time", "How long the work of one request takes.")
                .in("Behaviour"),
            plain<&Model::errorRate>("error_rate")
                .named("Error rate", "Share of requests answered with 500.")
                .in("Behaviour")
                .between(0, 1),
            scriptField().named("Script", "Calls to other services, in order.").in("Behaviour"),
            plain<&Model::holdWorkerDuringCalls>("hold_worker_during_calls")
                .named("Hold worker during calls", "Whether a call keeps its worker busy.")
                .in("Capacity"),
            as<&Model::rejectTime, AsDurationText>("reject_time")
                .named("Reject time", "Time until a full queue answers 503.")
                .in("Capacity"),
        },
        {}
    );
    return kSchema;
}

} // namespace mesh::model
