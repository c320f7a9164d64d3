#include "simulator/models/instance.h"

#include <fmt/format.h>

namespace mesh::simulator {

std::vector<Instance> instancesOf(
    const model::ServiceModel& model, const std::vector<model::Workload>& workloads
)
{
    std::vector<Instance> instances;
    for (const model::Workload& workload : workloads) {
        if (workload.service == model.service) {
            instances.push_back({workload.name, workload.service, workload.zone.value_or("")});
        }
    }
    if (!instances.empty()) {
        return instances;
    }

    for (int number = 0; number < model.instances; ++number) {
        const auto at = static_cast<std::size_t>(number);
        instances.push_back({
            fmt::format("{}-{}", model.service, number + 1),
            model.service,
            model.zones.empty() ? std::string() : model.zones[at % model.zones.size()],
        });
    }
    return instances;
}

} // namespace mesh::simulator
