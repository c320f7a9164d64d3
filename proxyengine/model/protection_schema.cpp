#include "proxyengine/model/field_build.h"
#include "proxyengine/model/resilience.h"
#include "proxyengine/model/resilience_build.h"
#include "proxyengine/model/resilience_rules.h"
#include "proxyengine/model/schema.h"

// What an upstream says about its targets: ejection, limits, zones.
namespace mesh::model {

using build::as;
using build::FieldChain;
using build::percent;
using build::plain;
using build::RecordOf;
using build::rules;
using build::texts;
using build::time;

namespace {

constexpr double kInARowMax = 10'000;
constexpr double kHostsMax = 10'000;

template <auto kMember>
FieldChain inARow(std::string_view key)
{
    return plain<kMember>(key).between(0, kInARowMax);
}

// Chance that a finding is acted upon.
template <auto kMember>
FieldChain enforcing(std::string_view key, std::string_view label)
{
    return percent<kMember>(key).named(
        label, "How often such a finding ejects the target; 0: it is only counted."
    );
}

// Both kinds of limits share these four.
template <typename Struct>
std::vector<Field> limitFields()
{
    return {
        plain<&Struct::maxConnections>("max_connections")
            .named("Connections", "Connections to all targets together that may be open at once.")
            .between(1, kCountMax),
        plain<&Struct::maxPending>("max_pending")
            .named("Waiting requests", "Requests that may wait for a connection; 0: none waits.")
            .between(0, kCountMax),
        plain<&Struct::maxRequests>("max_requests")
            .named("Requests", "Requests to all targets together that may be under way at once.")
            .between(1, kCountMax),
        plain<&Struct::maxRetries>("max_retries")
            .named("Retries", "Repetitions at once where no retry budget says otherwise; 0: none.")
            .between(0, kCountMax),
    };
}

std::vector<Field> allLimitFields()
{
    std::vector<Field> fields = limitFields<Limits>();
    fields.push_back(plain<&Limits::maxConnectionsPerTarget>("max_connections_per_target")
                         .named("Connections per target", "Connections to any one target.")
                         .between(1, kCountMax));
    fields.push_back(as<&Limits::high, RecordOf<LimitSet>>("high").named(
        "High priority", "Own limits of requests with high priority."
    ));
    return fields;
}

} // namespace

template <>
const Schema& schemaOf<OutlierDetection::SuccessRate>()
{
    using SuccessRate = OutlierDetection::SuccessRate;
    static const Schema kSchema(
        "success_rate",
        {
            plain<&SuccessRate::minimumHosts>("minimum_hosts")
                .named("Fewest targets", "With fewer busy targets nothing is compared.")
                .between(1, kHostsMax),
            plain<&SuccessRate::requestVolume>("request_volume")
                .named(
                    "Fewest requests", "A target with fewer requests in an interval is not busy."
                )
                .between(1, kCountMax),
            plain<&SuccessRate::stdevFactor>("stdev_factor")
                .named(
                    "Deviations",
                    "A target goes when its success rate is so many standard deviations below "
                    "the mean of all."
                )
                .between(0.01, 100),
            enforcing<&SuccessRate::enforcing>("enforcing", "Enforced"),
        },
        {}
    );
    return kSchema;
}

template <>
const Schema& schemaOf<OutlierDetection::FailurePercentage>()
{
    using FailurePercentage = OutlierDetection::FailurePercentage;
    static const Schema kSchema(
        "failure_percentage",
        {
            percent<&FailurePercentage::threshold>("threshold")
                .named("Threshold", "A target goes when this share of its requests fails.")
                .between(1, 100),
            plain<&FailurePercentage::minimumHosts>("minimum_hosts")
                .named("Fewest targets", "With fewer busy targets nothing is judged.")
                .between(1, kHostsMax),
            plain<&FailurePercentage::requestVolume>("request_volume")
                .named(
                    "Fewest requests", "A target with fewer requests in an interval is not busy."
                )
                .between(1, kCountMax),
            enforcing<&FailurePercentage::enforcing>("enforcing", "Enforced"),
        },
        {}
    );
    return kSchema;
}

namespace {

std::vector<Field> countingFields()
{
    using Outlier = OutlierDetection;
    return {
        inARow<&Outlier::consecutive5xx>("consecutive_5xx")
            .named("Errors in a row", "Answers 5xx in a row that eject a target; 0: never."),
        inARow<&Outlier::consecutiveGatewayFailure>("consecutive_gateway_failure")
            .named(
                "Gateway errors in a row",
                "Answers 502, 503 or 504 in a row that eject a target; 0: never."
            ),
        plain<&Outlier::splitLocalOrigin>("split_local_origin")
            .named(
                "Count failed calls apart",
                "Counts refused, reset and timed-out calls apart from answers with an error."
            ),
        inARow<&Outlier::consecutiveLocalOriginFailure>("consecutive_local_origin_failure")
            .named(
                "Failed calls in a row",
                "Refused, reset and timed-out calls in a row that eject a target; 0: never."
            ),
        enforcing<&Outlier::enforcingConsecutive5xx>(
            "enforcing_consecutive_5xx", "Errors in a row enforced"
        ),
        enforcing<&Outlier::enforcingConsecutiveGatewayFailure>(
            "enforcing_consecutive_gateway_failure", "Gateway errors enforced"
        ),
        enforcing<&Outlier::enforcingConsecutiveLocalOriginFailure>(
            "enforcing_consecutive_local_origin_failure", "Failed calls enforced"
        ),
    };
}

std::vector<Field> ejectionFields()
{
    using Outlier = OutlierDetection;
    constexpr Duration kShortest = std::chrono::milliseconds(100);
    return {
        time<&Outlier::interval>("interval", kShortest, kTimeMax)
            .named("Interval", "How often targets are compared and ejected ones looked at again."),
        time<&Outlier::baseEjection>("base_ejection", kShortest, kSpanMax)
            .named("First ejection", "How long a target stays away; longer each time again."),
        time<&Outlier::maxEjection>("max_ejection", kShortest, kSpanMax)
            .named("Longest ejection", "No target stays away longer."),
        time<&Outlier::ejectionJitter>("ejection_jitter", Duration::zero(), kSpanMax)
            .named("Jitter", "Random time on top, so that targets do not come back together."),
        percent<&Outlier::maxEjectionPercent>("max_ejection_percent")
            .named(
                "Most ejected", "Share of the targets that may be away; of two or more, one may."
            ),
        as<&Outlier::successRate, RecordOf<Outlier::SuccessRate>>("success_rate")
            .named("Success rate", "Ejects targets that do worse than the others."),
        as<&Outlier::failurePercentage, RecordOf<Outlier::FailurePercentage>>("failure_percentage")
            .named("Failure percentage", "Ejects targets that fail too often."),
        plain<&Outlier::unejectOnActiveSuccess>("uneject_on_active_success")
            .named("Back by a probe", "Whether a successful health check ends an ejection early."),
    };
}

} // namespace

template <>
const Schema& schemaOf<OutlierDetection>()
{
    static const Schema kSchema = [] {
        std::vector<Field> fields = countingFields();
        const std::vector<Field> others = ejectionFields();
        fields.insert(fields.end(), others.begin(), others.end());
        return Schema(
            "outlier_detection", std::move(fields), rules<OutlierDetection, checkOutlierDetection>()
        );
    }();
    return kSchema;
}

template <>
const Schema& schemaOf<LimitSet>()
{
    static const Schema kSchema("high", limitFields<LimitSet>(), {});
    return kSchema;
}

template <>
const Schema& schemaOf<Limits>()
{
    static const Schema kSchema("limits", allLimitFields(), rules<Limits, checkLimits>());
    return kSchema;
}

template <>
const Schema& schemaOf<Locality>()
{
    static const Schema kSchema(
        "locality",
        {
            plain<&Locality::preferLocalZone>("prefer_local_zone")
                .named("Prefer own zone", "Whether targets in the node's own zone go first."),
            texts<&Locality::failover>("failover")
                .named("Failover", "Zones that take over, in this order; then all others.")
                .formed(Format::Name)
                .unique(),
            percent<&Locality::panicPercent>("panic_percent")
                .named(
                    "Panic below",
                    "With a smaller share of healthy targets all are used, healthy or not; "
                    "0: never."
                ),
            plain<&Locality::overprovisioning>("overprovisioning")
                .named(
                    "Overprovisioning",
                    "Load a zone can take; at 140 % it keeps all traffic until 72 % are healthy."
                )
                .between(100, 1000)
                .measuredIn("%"),
        },
        {}
    );
    return kSchema;
}

} // namespace mesh::model
