#include "simulator/scenario/traffic_reader.h"

#include "proxyengine/base/duration_text.h"
#include "proxyengine/model/schema.h"
#include "simulator/scenario/field_reader.h"

#include <fmt/format.h>

namespace mesh::simulator {
namespace {

using config::Problem;
using model::Value;

constexpr double kRateMax = 1e6; // Requests per second; more is a typing error.

void readRate(FieldReader& fields, Load& load)
{
    fields.require("rate");
    const Value::List& points = fields.list("rate");
    if (points.empty() && fields.at("rate").isList()) {
        fields.report(
            fields.at("rate"), "rate", ErrorCode::MissingField, "expected at least [[0s, RATE]]"
        );
    }
    for (const Value& point : points) {
        const bool isPair = point.isList() && point.list().size() == 2;
        const auto time = isPair && point.list()[0].isString()
                              ? parseDuration(point.list()[0].text())
                              : Result<Duration>(fail(ErrorCode::InvalidArgument, ""));
        if (!time || !point.list()[1].isNumber()) {
            fields.report(
                point,
                "rate",
                ErrorCode::InvalidArgument,
                "expected pairs of a time and a rate, as in [30s, 300]"
            );
            continue;
        }
        const double rate = point.list()[1].toNumber();
        if (rate < 0.0 || rate > kRateMax) {
            fields.report(
                point.list()[1],
                "rate",
                ErrorCode::OutOfRange,
                fmt::format("a rate is between 0 and {} requests per second", kRateMax)
            );
            continue;
        }
        const bool isInOrder =
            load.rate.empty() ? *time == Duration::zero() : *time > load.rate.back().first;
        if (!isInOrder) {
            fields.report(point, "rate", ErrorCode::Conflict, "times begin at 0s and grow");
            continue;
        }
        load.rate.emplace_back(*time, rate);
    }
}

// A law of a duration, by the schema that reads those of models.
std::optional<model::DurationLaw> readLaw(
    FieldReader& fields, std::string_view key, std::vector<Problem>& problems
)
{
    const Value* value = fields.any(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->isMap()) {
        fields.report(
            *value, key, ErrorCode::InvalidArgument, "expected a law, as in {dist: exp, mean: 1ms}"
        );
        return std::nullopt;
    }
    const model::FieldProblems found =
        model::validate(model::schemaOf<model::DurationLaw>(), *value);
    for (const model::FieldProblem& each : found) {
        const std::string own = fields.pathOf(key);
        problems.push_back(Problem{
            each.path.empty() ? own : fmt::format("{}.{}", own, each.path),
            each.mark.isKnown() ? each.mark.place() : value->mark().place(),
            each.code,
            config::Severity::Error,
            each.message});
    }
    return found.empty() ? std::optional(model::fromValue<model::DurationLaw>(*value))
                         : std::nullopt;
}

} // namespace

Load readLoad(const Value& value, std::string path, std::vector<Problem>& problems)
{
    FieldReader fields(value, std::move(path), problems);
    Load load;
    fields.require("entry");
    load.entry = fields.text("entry").value_or("");
    if (const auto arrivals = fields.text("arrivals")) {
        if (*arrivals == "uniform") {
            load.arrivals = Arrivals::Uniform;
        } else if (*arrivals != "poisson") {
            fields.report(
                fields.at("arrivals"),
                "arrivals",
                ErrorCode::InvalidArgument,
                "expected poisson or uniform"
            );
        }
    }
    readRate(fields, load);
    fields.finish();
    return load;
}

NetworkLaws readNetwork(const Value& value, std::string path, std::vector<Problem>& problems)
{
    FieldReader fields(value, std::move(path), problems);
    NetworkLaws laws;
    laws.sameZone = readLaw(fields, "same_zone", problems);
    laws.crossZone = readLaw(fields, "cross_zone", problems);
    laws.connect = readLaw(fields, "connect", problems);
    laws.proxy = readLaw(fields, "proxy", problems);
    fields.finish();
    return laws;
}

} // namespace mesh::simulator
