#pragma once

#include "proxyengine/model/value.h"
#include "simulator/scenario/scenario.h"

#include <string>

namespace mesh::simulator {

// A scenario as YAML that parseScenario() reads back as the same scenario. Defaults are not
// written, texts of conditions are kept as they were; one without a text gets that of its
// condition.
[[nodiscard]] std::string toScenarioText(const Scenario& scenario);

// One fault as it stands in a timeline.
[[nodiscard]] model::Value toValue(const Fault& fault);

// "p99(frontend) < 300ms" of a condition; read back as the same condition.
[[nodiscard]] std::string toConditionText(const Condition& condition);

} // namespace mesh::simulator
