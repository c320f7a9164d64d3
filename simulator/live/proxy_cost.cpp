#include "simulator/live/proxy_cost.h"

#include "simulator/live/call_book.h"
#include "simulator/live/mesh_layout.h"

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

model::Document withoutWork(model::Document document)
{
    for (model::ServiceModel& model : document.models) {
        model.serviceTime = {};
        model.errorRate = 0.0;
    }
    return document;
}

bool callsNobody(const model::Document& document, const std::string& service)
{
    const auto model = modelOf(document, service);
    return model != nullptr && model->script.empty();
}

model::DurationLaw lawOf(const LatencyTally& durations)
{
    model::DurationLaw law;
    law.kind = model::DurationLaw::Kind::Quantiles;
    law.mean = durations.mean();
    for (const double share : kCostShares) {
        law.quantiles.emplace_back(share, durations.quantile(share));
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
    options.document =
        withOwnSidecars(withoutWork(*request.document), request.scenario.load, notes);
    options.load = request.scenario.load;
    options.loadLength = end;
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

    LatencyTally durations;
    for (const CallBook* book : {&books.clients, &books.instances}) {
        for (const auto& line : book->lines()) {
            if (callsNobody(*request.document, line->callee)) {
                durations.merge(line->row.figures(0).durations);
            }
        }
    }
    if (durations.total() == 0) {
        return fail(ErrorCode::NotFound, "nobody called a service that calls nobody");
    }
    return lawOf(durations);
}

} // namespace mesh::simulator
