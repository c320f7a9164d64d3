#include "simulator/live/proxy_cost.h"

#include "simulator/live/call_book.h"
#include "simulator/live/live_configuration.h"
#include "simulator/live/mesh_layout.h"
#include "simulator/models/duration_law.h"

#include <algorithm>
#include <array>
#include <semaphore>
#include <utility>

namespace mesh::simulator {
namespace {

constexpr Duration kCostWarmup = std::chrono::seconds(1); // Connections are made, caches filled.
constexpr Duration kCostLookAfter = std::chrono::milliseconds(50);
// Where the law has its corners: its tail decides the percentiles of what is made of many calls.
constexpr std::array kCostShares = {0.0,  0.01,  0.05,  0.1,   0.2,   0.3,    0.4,  0.5,  0.6,
                                    0.7,  0.8,   0.85,  0.9,   0.93,  0.95,   0.97, 0.98, 0.985,
                                    0.99, 0.993, 0.995, 0.997, 0.999, 0.9995, 1.0};

constexpr int kCostParts = 1000; // Of the calls of one edge.
constexpr int kUnlimited = 1'000'000; // Nobody waits for a worker.

// Services that always take the same time: what a call takes beyond it is not theirs.
model::Document withoutLuck(model::Document document)
{
    for (model::ServiceModel& model : document.models) {
        model.serviceTime = {model::DurationLaw::Kind::Const, meanOf(model.serviceTime), 1.0, {}};
        model.errorRate = 0.0;
        model.concurrency = kUnlimited;
    }
    return document;
}

struct Cost
{
    Duration value{};
    double weight = 0.0; // Calls.
};

// What calls of this edge took beyond the service's own time.
void addCosts(std::vector<Cost>& costs, const LatencyTally& durations, Duration own)
{
    const double weight = static_cast<double>(durations.total()) / kCostParts;
    for (int part = 0; part < kCostParts; ++part) {
        const Duration took = durations.quantile((part + 0.5) / kCostParts);
        costs.push_back({std::max(took - own, Duration::zero()), weight});
    }
}

model::DurationLaw lawOf(std::vector<Cost> costs)
{
    std::ranges::sort(costs, {}, &Cost::value);
    double all = 0.0;
    double mean_s = 0.0;
    for (const Cost& cost : costs) {
        all += cost.weight;
        mean_s += cost.weight * toSeconds(cost.value);
    }
    model::DurationLaw law;
    law.kind = model::DurationLaw::Kind::Quantiles;
    law.mean = fromSeconds(mean_s / all);
    double below = 0.0;
    std::size_t at = 0;
    for (const double share : kCostShares) {
        while (at + 1 < costs.size() && below + costs[at].weight < share * all) {
            below += costs[at].weight;
            ++at;
        }
        law.quantiles.emplace_back(share, share < 1.0 ? costs[at].value : costs.back().value);
    }
    return law;
}

} // namespace

Result<model::DurationLaw> measureProxyCost(const LiveRehearsalRequest& request, Duration length)
{
    const Duration end = kCostWarmup + length;
    const std::vector<MeasureWindow> windows{
        {"measured", {{TimePoint(kCostWarmup), TimePoint(end)}}}};
    LiveBooks books{CallBook(windows), CallBook(windows)};
    LiveMeshOptions options;
    std::vector<std::string> notes;
    MESH_TRY(
        options.document,
        LiveConfiguration(request.document, request.scenario.timeline)
            .begin(
                withOwnSidecars(withoutLuck(*request.document), request.scenario.load, notes),
                request.clock->wallNow()
            )
    );
    options.load = request.scenario.load;
    options.checks = LiveChecks::OfCalled;
    options.loadLength = end;
    // The relays and certificates that faults need are there from the start; the faults are not.
    for (Fault fault : request.scenario.timeline) {
        fault.at += end + kCostLookAfter;
        fault.length = fault.length.value_or(kCostLookAfter);
        options.timeline.push_back(std::move(fault));
    }
    options.seed = deriveSeed(request.scenario.seed, 1); // Not the luck that is to be predicted.
    options.engineFactory = request.engineFactory;
    options.clock = request.clock;
    options.books = &books;
    MESH_TRY(const auto mesh, LiveMesh::start(std::move(options)));
    std::binary_semaphore never{0};
    while (request.clock->now() < mesh->begin() + end) {
        if (request.cancelled != nullptr && request.cancelled->load()) {
            return fail(ErrorCode::Cancelled, "the measurement of the proxies was cancelled");
        }
        static_cast<void>(never.try_acquire_for(kCostLookAfter));
    }
    mesh->stop();

    std::vector<Cost> costs;
    for (const CallBook* book : {&books.clients, &books.instances}) {
        for (const auto& line : book->lines()) {
            const auto model = modelOf(*request.document, line->callee);
            const LatencyTally& durations = line->row.figures(0).durations;
            if (model != nullptr && model->script.empty() && durations.total() > 0) {
                addCosts(costs, durations, meanOf(model->serviceTime));
            }
        }
    }
    if (costs.empty()) {
        return fail(ErrorCode::NotFound, "nobody called a service that calls nobody");
    }
    return lawOf(std::move(costs));
}

} // namespace mesh::simulator
