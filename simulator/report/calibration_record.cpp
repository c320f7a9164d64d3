#include "simulator/report/calibration_record.h"

#include "simulator/mesh/mesh_run.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

namespace mesh::simulator {
namespace {

constexpr double kRangeSlack = 0.1; // Luck alone moves the rate of a window by this.

struct Measured
{
    std::uint64_t calls = 0;
    std::uint64_t failed = 0;
    HistogramCounts latency;
};

std::map<std::string, Measured> measuredIn(const std::vector<TelemetryBin>& bins)
{
    std::map<std::string, Measured> services;
    for (const TelemetryBin& bin : bins) {
        for (const EdgeSample& edge : bin.edges) {
            Measured& service = services[edge.callee];
            service.calls += edge.calls;
            service.failed += edge.failed;
            service.latency.merge(edge.latency);
        }
    }
    return services;
}

// What came from outside, bin by bin.
std::vector<Load> loadsOf(const std::vector<TelemetryBin>& bins)
{
    std::set<std::string> entries;
    for (const TelemetryBin& bin : bins) {
        for (const EdgeSample& edge : bin.edges) {
            if (edge.caller == "gateway" && edge.calls > 0) {
                entries.insert(edge.callee);
            }
        }
    }
    std::vector<Load> loads;
    for (const std::string& entry : entries) {
        Load load{entry, Arrivals::Poisson, {}};
        Duration at{};
        for (const TelemetryBin& bin : bins) {
            double calls = 0.0;
            for (const EdgeSample& edge : bin.edges) {
                const bool isMine = edge.caller == "gateway" && edge.callee == entry;
                calls += isMine ? static_cast<double>(edge.calls) : 0.0;
            }
            load.rate.emplace_back(at, calls / toSeconds(bin.length));
            at += bin.length;
        }
        loads.push_back(std::move(load));
    }
    return loads;
}

double ratio(double part, double whole) { return whole > 0.0 ? part / whole : 0.0; }

double medianOf(std::vector<double> values)
{
    for (double& value : values) {
        value = std::abs(value);
    }
    std::ranges::sort(values);
    return values.empty() ? 0.0 : values[values.size() / 2];
}

std::vector<double> column(
    const std::vector<ServiceResidual>& residuals, double ServiceResidual::*field
)
{
    std::vector<double> values;
    for (const ServiceResidual& each : residuals) {
        values.push_back(each.*field);
    }
    return values;
}

// The calls per second that the service had in each of the windows, least and most.
std::pair<double, double> ratesIn(const VariantResult& variant, const std::string& service)
{
    std::pair<double, double> range{1e300, 0.0};
    for (const auto& [window, services] : variant.services) {
        const auto found = services.find(service);
        if (found != services.end() && found->second.calls > 0) {
            range.first = std::min(range.first, found->second.rps);
            range.second = std::max(range.second, found->second.rps);
        }
    }
    return range;
}

} // namespace

Result<std::vector<ServiceResidual>> backTest(
    const model::Document& document, const std::vector<TelemetryBin>& bins, Seed seed
)
{
    MeshRunSettings settings;
    settings.seed = seed;
    settings.loads = loadsOf(bins);
    if (settings.loads.empty()) {
        return fail(ErrorCode::InvalidArgument, "no calls came from the gateway in this window");
    }
    for (const TelemetryBin& bin : bins) {
        settings.duration += bin.length;
    }
    settings.windows = {{"always", {{TimePoint(), TimePoint(settings.duration)}}}};
    MESH_TRY(const MeshPlan plan, MeshPlan::make(document));
    for (const Load& load : settings.loads) {
        if (!plan.find(load.entry)) {
            return fail(ErrorCode::DanglingReference, load.entry + " has no model");
        }
    }
    MeshRun run(plan, settings);
    run.run();
    std::vector<ServiceResidual> residuals;
    for (const auto& service : measuredIn(bins)) {
        const std::string& name = service.first; // Clang 14 captures no structured bindings.
        const Measured& measured = service.second;
        const MeasureRow* row = run.service(name);
        if (row == nullptr || measured.calls < kCallsToFitMin) {
            continue;
        }
        const CallFigures& figures = row->figures(0);
        const auto apart = [&](double share) {
            const double said_us = toSeconds(figures.durations.quantile(share)) * 1e6;
            return ratio(
                said_us - measured.latency.quantile(share), measured.latency.quantile(share)
            );
        };
        const double failed =
            ratio(static_cast<double>(measured.failed), static_cast<double>(measured.calls));
        const double succeeded =
            ratio(static_cast<double>(figures.succeeded), static_cast<double>(figures.calls));
        residuals.push_back(
            {name, measured.calls, succeeded - (1.0 - failed), apart(0.5), apart(0.99)}
        );
    }
    return residuals;
}

CalibrationRecord recordOf(
    const std::vector<FittedService>& services,
    std::vector<ServiceResidual> residuals,
    std::string meshHash
)
{
    CalibrationRecord record;
    record.meshHash = std::move(meshHash);
    record.residuals = std::move(residuals);
    for (const FittedService& each : services) {
        const bool isFitted = each.origin == ModelOrigin::Fitted;
        record.services.push_back({each.model.service, isFitted, each.rateFrom, each.rateTo});
    }
    return record;
}

std::string toJson(const CalibrationRecord& record)
{
    nlohmann::ordered_json json;
    json["mesh_hash"] = record.meshHash;
    json["services"] = nlohmann::ordered_json::array();
    for (const CalibratedService& each : record.services) {
        json["services"].push_back(
            {{"service", each.service},
             {"is_fitted", each.isFitted},
             {"rps_from", each.rateFrom},
             {"rps_to", each.rateTo}}
        );
    }
    json["residuals"] = nlohmann::ordered_json::array();
    for (const ServiceResidual& each : record.residuals) {
        json["residuals"].push_back(
            {{"service", each.service},
             {"calls", each.calls},
             {"success", each.success},
             {"p50", each.p50},
             {"p99", each.p99}}
        );
    }
    return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

Result<CalibrationRecord> parseCalibration(std::string_view text)
{
    const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
    const auto numberAt = [](const nlohmann::json& object, const char* key) {
        const auto found = object.find(key);
        return found != object.end() && found->is_number() ? found->get<double>() : 0.0;
    };
    const auto textAt = [](const nlohmann::json& object, const char* key) {
        const auto found = object.find(key);
        return found != object.end() && found->is_string() ? found->get<std::string>()
                                                           : std::string();
    };
    const auto listAt = [&json](const char* key) {
        const auto found = json.is_object() ? json.find(key) : json.end();
        return found != json.end() && found->is_array() ? *found : nlohmann::json::array();
    };
    CalibrationRecord record;
    if (json.is_object()) {
        record.meshHash = textAt(json, "mesh_hash");
    }
    for (const nlohmann::json& each : listAt("services")) {
        if (each.is_object()) {
            const auto fitted = each.find("is_fitted");
            record.services.push_back(
                {textAt(each, "service"),
                 fitted != each.end() && fitted->is_boolean() && fitted->get<bool>(),
                 numberAt(each, "rps_from"),
                 numberAt(each, "rps_to")}
            );
        }
    }
    for (const nlohmann::json& each : listAt("residuals")) {
        if (each.is_object()) {
            record.residuals.push_back(
                {textAt(each, "service"),
                 static_cast<std::uint64_t>(std::max(0.0, numberAt(each, "calls"))),
                 numberAt(each, "success"),
                 numberAt(each, "p50"),
                 numberAt(each, "p99")}
            );
        }
    }
    if (record.meshHash.empty() || record.services.empty()) {
        return fail(ErrorCode::Syntax, "not what meshwrightctl fit writes");
    }
    return record;
}

std::string summaryOf(const CalibrationRecord& record)
{
    const auto fitted = std::ranges::count(record.services, true, &CalibratedService::isFitted);
    std::string text = fmt::format("{} of {} services fitted", fitted, record.services.size());
    if (!record.residuals.empty()) {
        text += fmt::format(
            "; back-test of {}: success {:.2f} pp, p50 {:.0f} %, p99 {:.0f} % off (medians)",
            record.residuals.size(),
            medianOf(column(record.residuals, &ServiceResidual::success)) * 100.0,
            medianOf(column(record.residuals, &ServiceResidual::p50)) * 100.0,
            medianOf(column(record.residuals, &ServiceResidual::p99)) * 100.0
        );
    }
    return text;
}

void applyCalibration(const CalibrationRecord& record, Rehearsal& rehearsal)
{
    rehearsal.trust.isCalibrated = true;
    if (rehearsal.variants.empty()) {
        return;
    }
    const VariantResult& variant = rehearsal.variants.front();
    std::set<std::string> names;
    for (const auto& [window, services] : variant.services) {
        for (const auto& [name, figures] : services) {
            if (figures.calls > 0) {
                names.insert(name);
            }
        }
    }
    for (const std::string& name : names) {
        const auto known = std::ranges::find(record.services, name, &CalibratedService::service);
        const auto [least, most] = ratesIn(variant, name);
        const bool isInside = known != record.services.end() && known->isFitted
                              && most <= known->rateTo * (1.0 + kRangeSlack)
                              && least >= known->rateFrom * (1.0 - kRangeSlack);
        if (!isInside) {
            rehearsal.trust.beyond.push_back(name);
        }
    }
    if (!rehearsal.trust.beyond.empty() && rehearsal.verdict == Verdict::Holds) {
        rehearsal.verdict = Verdict::NotCalibrated;
    }
}

} // namespace mesh::simulator
