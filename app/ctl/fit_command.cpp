#include "app/ctl/fit_command.h"

#include "app/ctl/store_answer.h"
#include "app/store/mesh_document.h"
#include "proxyengine/base/file.h"
#include "proxyengine/base/hash.h"
#include "proxyengine/config/codec.h"
#include "simulator/models/calibration.h"
#include "simulator/models/duration_law.h"
#include "simulator/report/calibration_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace mesh::ctl {
namespace {

using simulator::EdgeSample;
using simulator::FittedService;
using simulator::TelemetryBin;

constexpr unsigned kFileMode = 0644;
constexpr Seed kBackTestSeed{42};

std::set<std::string> serviceNames(const model::Document& document)
{
    std::set<std::string> names;
    for (const model::Service& service : document.services) {
        if (service.name) {
            names.insert(*service.name);
        }
    }
    for (const model::ServiceModel& model : document.models) {
        names.insert(model.service);
    }
    return names;
}

// Requests of one bin by edge; sources that are no services are gateways.
TelemetryBin binOf(
    const store::WindowTotals& totals, std::int64_t length_s, const std::set<std::string>& services
)
{
    std::map<std::pair<std::string, std::string>, EdgeSample> edges;
    for (const store::SeriesTotal& total : totals.series) {
        if (total.key.kind != store::SeriesKind::Request || total.key.service.empty()) {
            continue;
        }
        const std::string caller =
            services.contains(total.key.source) ? total.key.source : "gateway";
        EdgeSample& edge = edges[{caller, total.key.service}];
        edge.caller = caller;
        edge.callee = total.key.service;
        edge.calls += total.value.total();
        edge.failed += total.value.serverErrors();
        edge.attempts += total.value.total() + total.value.retries;
        edge.inFlight += static_cast<double>(total.value.active) / static_cast<double>(length_s);
        edge.latency.merge(total.value.latency);
    }
    TelemetryBin bin;
    bin.length = std::chrono::seconds(length_s);
    for (auto& [names, edge] : edges) {
        bin.edges.push_back(std::move(edge));
    }
    return bin;
}

struct Telemetry
{
    model::Document document;
    std::vector<TelemetryBin> bins;
};

Result<Telemetry> readTelemetry(const FitOptions& options)
{
    store::OpenOptions how;
    how.mode = store::OpenMode::ReadOnly;
    MESH_TRY(const auto file, store::MeshDocument::open(options.document, how));
    MESH_TRY(const store::Opening opening, answered<store::Opening>([&](auto answer) {
                 file->opening(answer);
             }));
    const config::DecodeResult decoded = config::decode(opening.text);
    Telemetry telemetry;
    telemetry.document = decoded.document;
    const std::set<std::string> services = serviceNames(telemetry.document);
    const std::int64_t end = opening.recorded.end_s;
    std::int64_t from = std::max(opening.recorded.begin_s, end - options.last_s);
    from += (options.bin_s - from % options.bin_s) % options.bin_s; // Thinned rows fit whole bins.
    for (; from + options.bin_s <= end; from += options.bin_s) {
        const store::TimeRange range{from, from + options.bin_s};
        MESH_TRY(const store::WindowTotals totals, answered<store::WindowTotals>([&](auto answer) {
                     file->window(range, answer);
                 }));
        TelemetryBin bin = binOf(totals, options.bin_s, services);
        if (!bin.edges.empty()) {
            telemetry.bins.push_back(std::move(bin));
        }
    }
    return telemetry;
}

std::string tableOf(const std::vector<FittedService>& services)
{
    std::string table = fmt::format(
        "{:<20} {:<24} {:>9} {:>10} {:>8} {:>8} {:>9}  {}\n",
        "service",
        "model",
        "calls",
        "mean, ms",
        "workers",
        "errors",
        "used to",
        "calls/s"
    );
    for (const FittedService& each : services) {
        table += fmt::format(
            "{:<20} {:<24} {:>9} {:>10.3f} {:>8} {:>6.2f} % {:>7.1f} %  {:.1f} to {:.1f}{}\n",
            each.model.service,
            simulator::toText(each.origin),
            each.calls,
            toSeconds(simulator::meanOf(each.model.serviceTime)) * 1e3,
            fmt::format("{}{}", each.model.concurrency, each.isConcurrencyFitted ? "" : "?"),
            each.model.errorRate * 100.0,
            each.utilization * 100.0,
            each.calls > 0 ? each.rateFrom : 0.0,
            each.rateTo,
            each.isOrderAssumed ? "; order of its calls assumed" : ""
        );
    }
    return table + "?: the load did not tell how many workers there are.\n";
}

std::string residualsOf(const std::vector<simulator::ServiceResidual>& residuals)
{
    std::string table = "\nBack-test: the last third predicted from the first two.\n";
    for (const simulator::ServiceResidual& each : residuals) {
        table += fmt::format(
            "{:<20} success {:+.2f} pp, p50 {:+.1f} %, p99 {:+.1f} %\n",
            each.service,
            each.success * 100.0,
            each.p50 * 100.0,
            each.p99 * 100.0
        );
    }
    return table;
}

} // namespace

int runFit(const FitOptions& options, const Surroundings& around)
{
    CtlOutput& output = around.output;
    const auto refuse = [&around](const std::string& path, const Error& error) {
        Error named = error;
        named.message = fmt::format("{}: {}", path, error.message);
        return failed(around, named, exitCodeOf(error.code));
    };
    const auto telemetry = readTelemetry(options);
    if (!telemetry) {
        return refuse(options.document, telemetry.error());
    }
    const auto cut =
        static_cast<std::ptrdiff_t>(telemetry->bins.size() - telemetry->bins.size() / 3);
    const auto middle = telemetry->bins.begin() + cut;
    std::vector<simulator::ServiceResidual> residuals;
    if (middle != telemetry->bins.end()) {
        const auto early = simulator::calibrate(
            telemetry->document, std::vector<TelemetryBin>(telemetry->bins.begin(), middle)
        );
        auto tested = simulator::backTest(
            simulator::withModels(telemetry->document, early),
            std::vector<TelemetryBin>(middle, telemetry->bins.end()),
            kBackTestSeed
        );
        if (tested) {
            residuals = *std::move(tested);
        } else {
            output.err += fmt::format("no back-test: {}\n", tested.error().message);
        }
    }
    const auto services = simulator::calibrate(telemetry->document, telemetry->bins);
    if (!around.isJson()) {
        output.out += tableOf(services);
        output.out += residuals.empty() ? std::string() : residualsOf(residuals);
    }
    const bool isAnyFitted = std::ranges::any_of(services, [](const FittedService& each) {
        return each.origin == simulator::ModelOrigin::Fitted;
    });
    if (!isAnyFitted) {
        return failed(
            around,
            ErrorCode::NotFound,
            options.document + ": no service has enough calls to fit",
            kNo
        );
    }
    const std::string text = config::toYaml(simulator::withModels(telemetry->document, services));
    const std::string record =
        simulator::toJson(simulator::recordOf(services, std::move(residuals), sha256Hex(text)));
    if (around.isJson()) {
        output.out += record;
    }
    if (options.into.empty()) {
        return kDone;
    }
    const std::string beside = options.into + ".fit.json";
    if (const auto written = writeFileAtomically(options.into, text, kFileMode); !written) {
        return refuse(options.into, written.error());
    }
    if (const auto written = writeFileAtomically(beside, record, kFileMode); !written) {
        return refuse(beside, written.error());
    }
    if (!around.isJson()) {
        output.out += fmt::format("\n{}\n{}\n", options.into, beside);
    }
    return kDone;
}

} // namespace mesh::ctl
