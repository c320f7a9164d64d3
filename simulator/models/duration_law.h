#pragma once

#include "proxyengine/base/random.h"
#include "proxyengine/base/time.h"
#include "proxyengine/model/document.h"

namespace mesh::simulator {

// One draw from a law of durations. Always consumes exactly one number of the stream, whatever the
// law, so that two variants of a scenario see the same luck.
//
// Source: exponential and quantiles by inversion; lognormal through the inverse normal distribution
//         of Wichura, "Algorithm AS 241", 1988 (PPND16, relative error about 1e-16).
[[nodiscard]] Duration sample(const model::DurationLaw& law, Random& random);

// The expected value of the law, for utilisation figures.
[[nodiscard]] Duration meanOf(const model::DurationLaw& law);

// The standard normal quantile of a share in (0, 1).
[[nodiscard]] double normalQuantile(double share);

} // namespace mesh::simulator
