#pragma once

namespace mesh::telemetry {

// Stands between the names that make a key: no name of the model may contain a control byte.
inline constexpr char kKeyJoint = '\x1f';

} // namespace mesh::telemetry
