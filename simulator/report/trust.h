#pragma once

#include "proxyengine/model/document.h"
#include "simulator/report/rehearsal.h"

namespace mesh::simulator {

// What a virtual run of this document leaves out, in words for the report.
[[nodiscard]] Trust trustOf(const model::Document& document);

} // namespace mesh::simulator
