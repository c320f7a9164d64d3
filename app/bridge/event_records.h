#pragma once

#include "app/bridge/topology.h"
#include "app/store/mesh_document.h"

// Events as they are kept in the document. Internal to app/bridge.
namespace mesh::bridge {

[[nodiscard]] store::EventRecord toRecord(const Marker& marker);

// What was still going on when it was written ended with that run at the latest: a moment.
[[nodiscard]] Marker toMarker(const store::EventRecord& record);

} // namespace mesh::bridge
