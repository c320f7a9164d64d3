#pragma once

#include "proxyengine/model/document.h"

#include <vector>

namespace mesh::fleet {

// The documents a push goes through so that nothing is switched to what is not there yet: first
// all that is new is added beside what is used (upstreams, targets, services, certificates), then
// routes switch, then what is unused goes. One stage when adding and removing do not meet; every
// stage validates. The last stage is `after`.
[[nodiscard]] std::vector<model::Document> stagesOf(
    const model::Document& before, const model::Document& after
);

} // namespace mesh::fleet
