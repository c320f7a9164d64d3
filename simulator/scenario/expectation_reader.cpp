#include "simulator/scenario/expectation_reader.h"

#include "simulator/scenario/field_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mesh::simulator {
namespace {

using config::Problem;
using model::Value;

constexpr std::array<std::string_view, 4> kWindowNames = {"before", "during", "after", "always"};
constexpr std::string_view kVersus = " vs ";

// Reads the condition in a field; what it may not have there is reported.
std::optional<ConditionText> readCondition(
    FieldReader& fields, std::string_view key, std::string& text
)
{
    fields.require(key);
    const auto given = fields.text(key);
    if (!given) {
        return std::nullopt;
    }
    text = *given;
    auto parsed = parseCondition(*given);
    if (!parsed) {
        fields.report(fields.at(key), key, parsed.error().code, parsed.error().message);
        return std::nullopt;
    }
    return *parsed;
}

void checkGuard(FieldReader& fields, const ConditionText& parsed)
{
    const auto report = [&](std::string_view message) {
        fields.report(
            fields.at("abort_if"), "abort_if", ErrorCode::InvalidArgument, std::string(message)
        );
    };
    if (parsed.within) {
        report("\"within\" belongs to assertions; a guard says \"for 60s\"");
    }
    if (parsed.condition.quantity == Quantity::Utilization) {
        report("utilization is known at the end of a run only; guard inflight or success");
    }
    if (parsed.length
        && (*parsed.length < std::chrono::seconds(1)
            || *parsed.length % std::chrono::seconds(1) != Duration::zero())) {
        report("guards look at whole seconds, as in \"for 60s\"");
    }
}

// "candidate vs baseline"
void readComparison(
    FieldReader& fields, Assertion& assertion, const std::vector<PolicyVariant>& variants
)
{
    const auto text = fields.text("compare");
    const std::size_t versus = text ? text->find(kVersus) : std::string::npos;
    if (!text) {
        return;
    }
    const auto report = [&](std::string message) {
        fields.report(
            fields.at("compare"), "compare", ErrorCode::InvalidArgument, std::move(message)
        );
    };
    if (versus == std::string::npos) {
        return report("expected two variants, as in \"candidate vs baseline\"");
    }
    assertion.candidate = text->substr(0, versus);
    assertion.reference = text->substr(versus + kVersus.size());
    for (const std::string& name : {assertion.candidate, assertion.reference}) {
        if (std::ranges::find(variants, name, &PolicyVariant::name) == variants.end()) {
            fields.report(
                fields.at("compare"),
                "compare",
                ErrorCode::DanglingReference,
                fmt::format("there is no variant \"{}\" under policies", name)
            );
        }
    }
}

} // namespace

Guard readGuard(const Value& value, std::string path, std::vector<Problem>& problems)
{
    FieldReader fields(value, std::move(path), problems);
    Guard guard;
    if (const auto parsed = readCondition(fields, "abort_if", guard.text)) {
        checkGuard(fields, *parsed);
        guard.condition = parsed->condition;
        guard.length = parsed->length.value_or(std::chrono::seconds(1));
    }
    fields.finish();
    return guard;
}

Assertion readAssertion(
    const Value& value,
    std::string path,
    const std::vector<PolicyVariant>& variants,
    std::vector<Problem>& problems
)
{
    FieldReader fields(value, std::move(path), problems);
    Assertion assertion;
    if (const auto window = fields.text("window")) {
        assertion.window = *window;
        if (std::ranges::find(kWindowNames, *window) == kWindowNames.end()) {
            fields.report(
                fields.at("window"),
                "window",
                ErrorCode::InvalidArgument,
                fmt::format("expected one of {}", fmt::join(kWindowNames, ", "))
            );
        }
    }
    readComparison(fields, assertion, variants);
    const bool isWindow = value.find("window") != nullptr;
    if (value.isMap() && isWindow == (value.find("compare") != nullptr)) {
        fields.report(
            value,
            {},
            isWindow ? ErrorCode::Conflict : ErrorCode::MissingField,
            "say either the window or which variants to compare"
        );
    }
    if (const auto parsed = readCondition(fields, "that", assertion.text)) {
        assertion.condition = parsed->condition;
        assertion.within = parsed->within;
        const std::string_view extra = parsed->length                ? "for"
                                       : parsed->within && !isWindow ? "within"
                                                                     : "";
        if (!extra.empty()) {
            fields.report(
                fields.at("that"),
                "that",
                ErrorCode::InvalidArgument,
                fmt::format(
                    "\"{}\" {}",
                    extra,
                    extra == "for" ? "belongs to guards"
                                   : "has no meaning for comparisons, which are over the whole run"
                )
            );
        }
    }
    fields.finish();
    return assertion;
}

} // namespace mesh::simulator
