#pragma once

#include "simulator/report/rehearsal.h"
#include "simulator/scenario/condition.h"

#include <string>

// How the reports say figures.
namespace mesh::simulator {

// "99.87 %", "312 ms", "1.04".
[[nodiscard]] std::string valueText(Quantity quantity, double value);

// The same of a difference, with its sign: "-4.1 pp", "+12 ms".
[[nodiscard]] std::string differenceText(Quantity quantity, double difference);

// "312 ms [298 ms, 326 ms]"; of a comparison with signs; "nothing measured" when absent.
[[nodiscard]] std::string resultText(const AssertionResult& result);

// "during: p99(frontend) < 300ms", "candidate vs baseline: p99(frontend) <= 0".
[[nodiscard]] std::string demandText(const Assertion& assertion);

} // namespace mesh::simulator
