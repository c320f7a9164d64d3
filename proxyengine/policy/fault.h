#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/model/resilience.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace mesh::policy {

struct FaultVerdict
{
    Duration delay{}; // Zero: none. Comes before the abort.
    std::optional<int> abortStatus;

    [[nodiscard]] bool isNone() const { return delay == Duration{} && !abortStatus; }
};

// Injects delays and errors into a share of the requests, chosen by request id (32 hexadecimal
// digits, but any text will do), so that a request meets the same fault again. Delay and abort are
// chosen independently of each other. Shares are exact to 0.01 %.
// Threads: any, after construction (immutable).
class FaultRule
{
public:
    explicit FaultRule(const model::Fault& settings);

    [[nodiscard]] FaultVerdict decide(std::string_view requestId) const;

private:
    Duration m_delay{};
    int m_status = 0;
    std::uint32_t m_delayShare = 0; // Basis points.
    std::uint32_t m_abortShare = 0;
};

} // namespace mesh::policy
