#pragma once

#include "app/bridge/rehearsal_rows.h"
#include "app/bridge/scenario_text.h"
#include "simulator/scenario/scenario.h"

#include <QString>

namespace mesh::bridge {

// The entry of a timeline that this offer makes on this target, beginning at that time; empty when
// the offer does not support it. `at` and lengths are rounded to whole seconds.
[[nodiscard]] EntryMembers entryOf(const FaultOffer& offer, const QString& target, double at_s);

// How a fault of a scenario is drawn and told.
[[nodiscard]] ClipRow clipOf(const simulator::Fault& fault, int index);

// "48 s", "1 min 30 s", "200 ms".
[[nodiscard]] QString spanText(double seconds);

} // namespace mesh::bridge
