#include "simulator/report/margins.h"

#include "simulator/models/instance.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>

namespace mesh::simulator {
namespace {

constexpr std::size_t kPeakSeconds = 10;
constexpr std::uint64_t kPeakCallsMin = 20; // Fewer say more about luck than about the policy.

const RehearsalFigures* figuresOf(
    const VariantResult& variant, Window window, const std::string& service
)
{
    const auto byName = variant.services.find(window);
    if (byName == variant.services.end()) {
        return nullptr;
    }
    const auto found = byName->second.find(service);
    return found == byName->second.end() ? nullptr : &found->second;
}

bool isMeasured(const RehearsalFigures* figures)
{
    return figures != nullptr && figures->calls > 0 && figures->utilization.value_or(0.0) > 0.0;
}

void addLosses(ServiceMargin& margin, const model::Document& document)
{
    const auto model =
        std::ranges::find(document.models, margin.service, &model::ServiceModel::service);
    if (model == document.models.end()) {
        return;
    }
    std::map<std::string, std::size_t> zones;
    const std::vector<Instance> instances = instancesOf(*model, document.workloads);
    for (const Instance& instance : instances) {
        ++zones[instance.zone];
    }
    const auto all = static_cast<double>(instances.size());
    const auto without = [&](double gone) -> std::optional<double> {
        return gone < all ? std::optional(margin.utilization * all / (all - gone)) : std::nullopt;
    };
    margin.utilizationWithoutInstance = without(1.0);
    if (zones.size() > 1) {
        const auto largest =
            std::ranges::max_element(zones, {}, [](const auto& zone) { return zone.second; });
        margin.zone = largest->first;
        margin.utilizationWithoutZone = without(static_cast<double>(largest->second));
    }
}

} // namespace

double peakAttemptsOf(const RunSeries& series)
{
    double most = 1.0;
    for (std::size_t from = 0; from < series.seconds.size(); from += kPeakSeconds) {
        const std::size_t to = std::min(series.seconds.size(), from + kPeakSeconds);
        std::uint64_t ended = 0;
        std::uint64_t attempts = 0;
        for (std::size_t at = from; at < to; ++at) {
            const RunSecond& second = series.seconds[at];
            ended += std::uint64_t{second.succeeded} + second.failed;
            attempts += second.attempts;
        }
        if (ended >= kPeakCallsMin) {
            most = std::max(most, static_cast<double>(attempts) / static_cast<double>(ended));
        }
    }
    return most;
}

std::vector<ServiceMargin> marginsOf(const VariantResult& variant, const model::Document* document)
{
    std::vector<ServiceMargin> margins;
    const auto always = variant.services.find(Window::Always);
    if (always == variant.services.end()) {
        return margins;
    }
    for (const auto& [service, whole] : always->second) {
        const RehearsalFigures* before = figuresOf(variant, Window::Before, service);
        const RehearsalFigures* calm = isMeasured(before) ? before : &whole;
        if (!isMeasured(calm)) {
            continue;
        }
        ServiceMargin margin;
        margin.service = service;
        margin.utilization = *calm->utilization;
        margin.load = calm->rps;
        margin.capacity = calm->rps * calm->amplification / margin.utilization;
        for (int at = 0; at < kWindowCount; ++at) {
            const auto* figures = figuresOf(variant, static_cast<Window>(at), service);
            if (figures != nullptr && figures->calls > 0) {
                margin.attempts = std::max(margin.attempts, figures->amplification);
            }
        }
        margin.hidden = margin.capacity / margin.attempts;
        margin.peakAttempts = margin.attempts;
        const auto series = std::ranges::find(variant.series, service, &RunSeries::name);
        if (series != variant.series.end()) {
            margin.peakAttempts = std::max(margin.attempts, peakAttemptsOf(*series));
        }
        margin.collapseFactor = margin.capacity / margin.peakAttempts / margin.load;
        if (document != nullptr) {
            addLosses(margin, *document);
        }
        margins.push_back(std::move(margin));
    }
    std::ranges::stable_sort(margins, {}, &ServiceMargin::collapseFactor);
    return margins;
}

} // namespace mesh::simulator
