#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/time.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mesh::simulator {

// What can be said about a service, an entry or an edge. Definitions: report/rehearsal.h.
enum class Quantity : std::uint8_t {
    Success,
    Rps,
    Mean,
    P50,
    P90,
    P99,
    P999,
    InFlight,
    Utilization,
    Amplification,
    Goodput,
};
inline constexpr int kQuantityCount = 11;

// As files spell it: "p99", "inflight".
[[nodiscard]] std::string_view toText(Quantity quantity);

enum class Relation : std::uint8_t { Less, LessOrEqual, Greater, GreaterOrEqual };

// "p99(frontend) < 300ms". Shares and ratios are plain, durations are milliseconds.
struct Condition
{
    Quantity quantity = Quantity::Success;
    std::string subject; // A service or an edge, "checkout->payment".
    Relation relation = Relation::Less;
    double value = 0.0;
    friend bool operator==(const Condition&, const Condition&) = default;

    [[nodiscard]] bool holds(double measured) const;
};

struct ConditionText
{
    Condition condition;
    std::optional<Duration> within; // "... within 20s"
    std::optional<Duration> length; // "... for 60s"
};

// Reads a condition, "success(frontend) >= 0.999 within 20s". A value may be a plain number, a
// duration for quantities of time, or a percentage for shares. Errors: InvalidArgument with the
// offset of what does not fit, and what was expected there.
[[nodiscard]] Result<ConditionText> parseCondition(std::string_view text);

} // namespace mesh::simulator
