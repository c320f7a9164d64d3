#pragma once

#include "app/ctl/surroundings.h"

#include <cstdint>
#include <string>

namespace mesh::ctl {

struct FitOptions
{
    std::string document; // The .mesh file whose metrics are read.
    std::string into; // Mesh file to write; empty: none. FILE.fit.json stands beside it.
    std::int64_t bin_s = 30; // Length of a bin.
    std::int64_t last_s = 3600; // How much of the newest metrics is read.
};

// Fits service models from the metrics of a document: on the first two thirds of its bins to
// predict the rest and tell the residuals, then on all of them.
//
// 0 done, 1 nothing could be fitted, 2 no document, 3 it could not be read or a file not be
// written.
[[nodiscard]] int runFit(const FitOptions& options, const Surroundings& around);

} // namespace mesh::ctl
