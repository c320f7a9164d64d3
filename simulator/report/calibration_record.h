#pragma once

#include "proxyengine/base/error.h"
#include "simulator/models/calibration.h"
#include "simulator/report/rehearsal.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::simulator {

// How far fitted models were from what was measured afterwards: predicted minus measured.
struct ServiceResidual
{
    std::string service;
    std::uint64_t calls = 0; // Measured.
    double success = 0.0; // Share.
    double p50 = 0.0; // Relative.
    double p99 = 0.0; // Relative.
};

// Runs the document under the arrivals of the bins and compares it with them, service by service.
// Services with fewer than kCallsToFitMin measured calls are left out. Sorted by name.
// Errors: those of MeshPlan::make(); InvalidArgument when nothing came from the gateway.
[[nodiscard]] Result<std::vector<ServiceResidual>> backTest(
    const model::Document& document, const std::vector<TelemetryBin>& bins, Seed seed
);

struct CalibratedService
{
    std::string service;
    bool isFitted = false;
    double rateFrom = 0.0; // Calls per second.
    double rateTo = 0.0;
};

// What stands beside a fitted mesh file ("shop.yaml.fit.json"), so that a rehearsal on it knows its
// range.
struct CalibrationRecord
{
    std::string meshHash; // SHA-256 of the mesh file, hexadecimal.
    std::vector<CalibratedService> services;
    std::vector<ServiceResidual> residuals; // Empty: no window was left to predict.
};

[[nodiscard]] CalibrationRecord recordOf(
    const std::vector<FittedService>& services,
    std::vector<ServiceResidual> residuals,
    std::string meshHash
);

[[nodiscard]] std::string toJson(const CalibrationRecord& record);
// Errors: Syntax when it is none.
[[nodiscard]] Result<CalibrationRecord> parseCalibration(std::string_view text);

// "11 of 12 services fitted; back-test of 11: success 0.10 pp, p50 3 %, p99 8 % off (medians)".
[[nodiscard]] std::string summaryOf(const CalibrationRecord& record);

// Marks the rehearsal as calibrated and names the called services whose calls per second in any
// window lie more than a tenth outside of what they were fitted in, or that were not fitted. What
// held is then NotCalibrated.
void applyCalibration(const CalibrationRecord& record, Rehearsal& rehearsal);

} // namespace mesh::simulator
