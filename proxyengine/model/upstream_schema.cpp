#include "proxyengine/model/field_build.h"
#include "proxyengine/model/gateway.h"
#include "proxyengine/model/gateway_rules.h"
#include "proxyengine/model/headers_codec.h"
#include "proxyengine/model/schema.h"

#include <array>

// Upstreams, targets and health checks: keys, defaults and bounds of the gateway format.
namespace mesh::model {
namespace build {

template <>
std::span<const std::string_view> wordsOf<Algorithm>()
{
    static constexpr std::array<std::string_view, 7> kWords = {
        "round-robin",
        "least-connections",
        "least-requests",
        "latency",
        "consistent-hashing",
        "maglev",
        "random"};
    return kWords;
}

template <>
std::span<const std::string_view> wordsOf<HashOn>()
{
    static constexpr std::array<std::string_view, 8> kWords = {
        "none", "consumer", "ip", "header", "cookie", "path", "query_arg", "uri_capture"};
    return kWords;
}

template <>
std::span<const std::string_view> wordsOf<ProbeType>()
{
    static constexpr std::array<std::string_view, 5> kWords = {
        "http", "https", "tcp", "grpc", "grpcs"};
    return kWords;
}

namespace {

constexpr double kSecondsMax = 65535;
constexpr double kCounterMax = 255;

template <auto kMember>
FieldChain counter(std::string_view key)
{
    return plain<kMember>(key).between(0, kCounterMax);
}

template <auto kMember>
FieldChain statuses(std::string_view key, std::string_view help)
{
    return as<kMember, ListOf<Plain<int>>>(key)
        .named("HTTP statuses", help)
        .between(100, 999)
        .unique();
}

template <auto kMember>
FieldChain interval(std::string_view key, std::string_view help)
{
    return as<kMember, InSeconds>(key)
        .named("Interval", help)
        .between(0, kSecondsMax)
        .measuredIn("s");
}

} // namespace
} // namespace build

using build::as;
using build::AsDurationText;
using build::counter;
using build::createdField;
using build::Headers;
using build::idField;
using build::InSeconds;
using build::interval;
using build::kSecondsMax;
using build::ListOf;
using build::plain;
using build::RecordOf;
using build::rules;
using build::statuses;
using build::tagsField;
using build::updatedField;
using build::Words;

template <>
const Schema& schemaOf<ActiveHealthcheck::Healthy>()
{
    using Healthy = ActiveHealthcheck::Healthy;
    static const Schema kSchema(
        "active_healthy",
        {
            interval<&Healthy::interval>(
                "interval", "Time between probes of healthy targets; 0: no probes."
            ),
            statuses<&Healthy::httpStatuses>("http_statuses", "Statuses that count as success."),
            counter<&Healthy::successes>("successes")
                .named("Successes", "Successes in a row that make a target healthy; 0: never."),
        },
        {}
    );
    return kSchema;
}

template <>
const Schema& schemaOf<ActiveHealthcheck::Unhealthy>()
{
    using Unhealthy = ActiveHealthcheck::Unhealthy;
    static const Schema kSchema(
        "active_unhealthy",
        {
            interval<&Unhealthy::interval>(
                "interval", "Time between probes of unhealthy targets; 0: no probes."
            ),
            statuses<&Unhealthy::httpStatuses>("http_statuses", "Statuses that count as failure."),
            counter<&Unhealthy::tcpFailures>("tcp_failures")
                .named(
                    "TCP failures", "Failed connections that make a target unhealthy; 0: never."
                ),
            counter<&Unhealthy::timeouts>("timeouts")
                .named("Timeouts", "Timeouts that make a target unhealthy; 0: never."),
            counter<&Unhealthy::httpFailures>("http_failures")
                .named("HTTP failures", "Failure statuses that make a target unhealthy; 0: never."),
        },
        {}
    );
    return kSchema;
}

template <>
const Schema& schemaOf<ActiveHealthcheck>()
{
    using Active = ActiveHealthcheck;
    static const Schema kSchema(
        "active",
        {
            as<&Active::type, Words<ProbeType>>("type").named("Type", "What a probe does."),
            as<&Active::timeout, InSeconds>("timeout")
                .named("Timeout", "Longest time a probe may take.")
                .between(0, kSecondsMax)
                .measuredIn("s"),
            plain<&Active::concurrency>("concurrency")
                .named("Concurrency", "Probes at once.")
                .between(1, 65535),
            plain<&Active::httpPath>("http_path")
                .named("HTTP path", "Path that probes ask for.")
                .formed(Format::Path),
            plain<&Active::httpsSni>("https_sni")
                .named("HTTPS SNI", "Server name in the handshake of probes.")
                .formed(Format::WildcardSni),
            plain<&Active::httpsVerifyCertificate>("https_verify_certificate")
                .named("Verify certificate", "Whether the target's certificate must be valid."),
            as<&Active::headers, Headers>("headers").named("Headers", "Headers of the probes."),
            as<&Active::healthy, RecordOf<Active::Healthy>>("healthy").named(
                "Healthy", "When a target becomes healthy."
            ),
            as<&Active::unhealthy, RecordOf<Active::Unhealthy>>("unhealthy")
                .named("Unhealthy", "When a target becomes unhealthy."),
        },
        {}
    );
    return kSchema;
}

template <>
const Schema& schemaOf<PassiveHealthcheck::Healthy>()
{
    using Healthy = PassiveHealthcheck::Healthy;
    static const Schema kSchema(
        "passive_healthy",
        {
            statuses<&Healthy::httpStatuses>(
                "http_statuses", "Statuses of traffic that count as success."
            ),
            counter<&Healthy::successes>("successes")
                .named("Successes", "Successes in a row that make a target healthy; 0: never."),
        },
        {}
    );
    return kSchema;
}

template <>
const Schema& schemaOf<PassiveHealthcheck::Unhealthy>()
{
    using Unhealthy = PassiveHealthcheck::Unhealthy;
    static const Schema kSchema(
        "passive_unhealthy",
        {
            statuses<&Unhealthy::httpStatuses>(
                "http_statuses", "Statuses of traffic that count as failure."
            ),
            counter<&Unhealthy::tcpFailures>("tcp_failures")
                .named(
                    "TCP failures", "Failed connections that make a target unhealthy; 0: never."
                ),
            counter<&Unhealthy::timeouts>("timeouts")
                .named("Timeouts", "Timeouts that make a target unhealthy; 0: never."),
            counter<&Unhealthy::httpFailures>("http_failures")
                .named("HTTP failures", "Failure statuses that make a target unhealthy; 0: never."),
        },
        {}
    );
    return kSchema;
}

template <>
const Schema& schemaOf<PassiveHealthcheck>()
{
    using Passive = PassiveHealthcheck;
    static const Schema kSchema(
        "passive",
        {
            as<&Passive::type, Words<ProbeType>>("type").named(
                "Type", "Which traffic is looked at."
            ),
            as<&Passive::healthy, RecordOf<Passive::Healthy>>("healthy").named(
                "Healthy", "When traffic makes a target healthy."
            ),
            as<&Passive::unhealthy, RecordOf<Passive::Unhealthy>>("unhealthy")
                .named("Unhealthy", "When traffic makes a target unhealthy."),
        },
        {}
    );
    return kSchema;
}

template <>
const Schema& schemaOf<Healthchecks>()
{
    static const Schema kSchema(
        "healthchecks",
        {
            as<&Healthchecks::active, RecordOf<ActiveHealthcheck>>("active").named(
                "Active", "Probes sent to the targets."
            ),
            as<&Healthchecks::passive, RecordOf<PassiveHealthcheck>>("passive").named(
                "Passive", "Conclusions from the traffic itself."
            ),
            plain<&Healthchecks::threshold>("threshold")
                .named(
                    "Threshold",
                    "Share of weight that must be available for the upstream to count as healthy."
                )
                .between(0, 100)
                .measuredIn("%"),
        },
        {}
    );
    return kSchema;
}

template <>
const Schema& schemaOf<Target>()
{
    static const Schema kSchema(
        "target",
        {
            plain<&Target::target>("target")
                .named(
                    "Target", "Host and port, as in 10.0.0.1:8080; the port is 8000 when left out."
                )
                .in("General")
                .formed(Format::HostPort)
                .required(),
            idField<Target>(),
            plain<&Target::weight>("weight")
                .named("Weight", "Share of the traffic; 0: none.")
                .in("General")
                .between(0, 65535),
            tagsField<Target>(),
            createdField<Target>(),
            updatedField<Target>(),
        },
        {}
    );
    return kSchema;
}

template <>
const Schema& schemaOf<Upstream>()
{
    static const Schema kSchema(
        "upstream",
        {
            plain<&Upstream::name>("name")
                .named("Name", "Unique name; services refer to it by their host.")
                .in("General")
                .formed(Format::UpstreamName)
                .required(),
            idField<Upstream>(),
            as<&Upstream::algorithm, Words<Algorithm>>("algorithm")
                .named("Algorithm", "How a target is chosen.")
                .in("General"),
            as<&Upstream::hashOn, Words<HashOn>>("hash_on")
                .named("Hash on", "What of a request decides its target.")
                .in("Hashing"),
            as<&Upstream::hashFallback, Words<HashOn>>("hash_fallback")
                .named("Hash fallback", "What decides when the first is missing.")
                .in("Hashing"),
            plain<&Upstream::hashOnHeader>("hash_on_header")
                .named("Hash on header", "Name of the header.")
                .in("Hashing")
                .formed(Format::HeaderName),
            plain<&Upstream::hashFallbackHeader>("hash_fallback_header")
                .named("Fallback header", "Name of the header.")
                .in("Hashing")
                .formed(Format::HeaderName),
            plain<&Upstream::hashOnCookie>("hash_on_cookie")
                .named("Hash on cookie", "Name of the cookie; it is set when missing.")
                .in("Hashing")
                .formed(Format::HeaderName),
            plain<&Upstream::hashOnCookiePath>("hash_on_cookie_path")
                .named("Cookie path", "Path of the cookie that is set.")
                .in("Hashing")
                .formed(Format::Path),
            plain<&Upstream::hashOnQueryArg>("hash_on_query_arg")
                .named("Hash on query argument", "Name of the argument.")
                .in("Hashing"),
            plain<&Upstream::hashFallbackQueryArg>("hash_fallback_query_arg")
                .named("Fallback query argument", "Name of the argument.")
                .in("Hashing"),
            plain<&Upstream::hashOnUriCapture>("hash_on_uri_capture")
                .named(
                    "Hash on URI capture", "Name or number of a group of the route's expression."
                )
                .in("Hashing"),
            plain<&Upstream::hashFallbackUriCapture>("hash_fallback_uri_capture")
                .named(
                    "Fallback URI capture", "Name or number of a group of the route's expression."
                )
                .in("Hashing"),
            plain<&Upstream::slots>("slots")
                .named("Slots", "Kept for the gateway format; our ring chooses its own size.")
                .in("Hashing")
                .between(10, 65536),
            plain<&Upstream::hostHeader>("host_header")
                .named("Host header", "Host header sent to the targets.")
                .in("General")
                .formed(Format::HostPort),
            plain<&Upstream::clientCertificate>("client_certificate")
                .named("Client certificate", "Certificate that is shown to the targets.")
                .in("General")
                .naming("certificates"),
            plain<&Upstream::useSrvName>("use_srv_name")
                .named("Use SRV name", "Takes the name of the SRV record as host and server name.")
                .in("General"),
            as<&Upstream::healthchecks, RecordOf<Healthchecks>>("healthchecks")
                .named("Health checks", "How targets are found healthy or not.")
                .in("Health"),
            as<&Upstream::outlierDetection, RecordOf<OutlierDetection>>("outlier_detection")
                .named(
                    "Outlier detection", "Takes targets out for a while when their answers are bad."
                )
                .in("Health"),
            as<&Upstream::slowStart, AsDurationText>("slow_start")
                .named(
                    "Slow start", "Time in which a target that is new or back gets its full share."
                )
                .in("Health")
                .lasting(std::chrono::milliseconds(1), std::chrono::hours(1)),
            as<&Upstream::limits, RecordOf<Limits>>("limits")
                .named("Limits", "Connections and requests at once, for the whole node.")
                .in("Limits"),
            as<&Upstream::locality, RecordOf<Locality>>("locality")
                .named("Locality", "In which zones targets are used first.")
                .in("Locality"),
            tagsField<Upstream>(),
            createdField<Upstream>(),
            updatedField<Upstream>(),
            as<&Upstream::targets, ListOf<RecordOf<Target>>>("targets")
                .named("Targets", "Addresses that share the traffic.")
                .children(),
        },
        rules<Upstream, checkUpstream>()
    );
    return kSchema;
}

} // namespace mesh::model
