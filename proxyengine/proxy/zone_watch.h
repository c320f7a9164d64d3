#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/config/snapshot.h"
#include "proxyengine/proxy/policy_ledger.h"
#include "proxyengine/telemetry/frame.h"

#include <string>
#include <string_view>
#include <vector>

namespace mesh::proxy {

// Tells when an upstream with a locality enters panic or sends traffic past the zone it prefers,
// and when that ends. The loads are policy/locality.h's, from the availability of the targets.
class ZoneWatch
{
public:
    // After availability changed; isAvailable: by target of the plan.
    void update(
        const config::UpstreamPlan& plan,
        std::string_view nodeZone,
        const std::vector<bool>& isAvailable,
        WallTime now,
        PolicyLedger& ledger
    );
    // Ends whatever is told as under way: the upstream is gone, or its locality.
    void end(const std::string& upstream, PolicyLedger& ledger);
    void fill(telemetry::StatsFrame& frame, const std::string& upstream) const;

private:
    struct Episode
    {
        bool isOn = false;
        std::string reason;
        WallTime since{};
    };
    Episode m_panic;
    Episode m_failover;

    static void turn(
        Episode& episode,
        const std::string& reason, // Empty: off.
        WallTime now,
        std::string_view onKind,
        std::string_view offKind,
        const std::string& upstream,
        PolicyLedger& ledger
    );
};

} // namespace mesh::proxy
