#include "proxyengine/control/admin_api.h"

#include "proxyengine/base/limits.h"
#include "proxyengine/base/log.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/control/listen_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace mesh::control {
namespace {

constexpr std::string_view kAny = "*"; // A segment of a pattern that takes any name.

std::vector<std::string_view> patternOf(std::string_view text)
{
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        text.remove_prefix(1); // The slash.
        const std::size_t end = std::min(text.find('/'), text.size());
        if (end > 0) {
            parts.push_back(text.substr(0, end));
        }
        text.remove_prefix(end);
    }
    return parts;
}

bool matches(const std::vector<std::string_view>& pattern, const AdminTarget& target)
{
    return std::ranges::equal(
        pattern,
        target.segments,
        [](std::string_view part, const std::string& segment) {
            return part == kAny || part == segment;
        }
    );
}

// Empty when the request may be served, else why not.
std::string_view foreignness(const AdminRequest& request, const AdminAddress& address)
{
    std::string_view origin = request.origin;
    if (!origin.empty()) {
        const std::size_t scheme = origin.find("://");
        origin = scheme == std::string_view::npos ? "" : origin.substr(scheme + 3);
        if (!isLoopback(origin)) {
            return "requests of web pages from other origins are refused";
        }
    }
    if (request.fetchSite == "cross-site") {
        return "cross-site requests of web pages are refused";
    }
    if (!address.isUnix() && !address.isTls && !request.host.empty() && !isLoopback(request.host)) {
        return "the Host header must name a loopback address";
    }
    return {};
}

} // namespace

struct AdminApi::Endpoint
{
    std::string_view method;
    std::vector<std::string_view> pattern;
    void (AdminApi::*handle)(const Call&);
};

AdminApi::AdminApi(api::Engine& engine, const Clock& clock, AdminOptions options)
    : m_engine(engine)
    , m_clock(clock)
    , m_options(std::move(options))
    , m_startedAt(clock.wallNow())
{}

// Literal segments stand before those that take any name.
const std::vector<AdminApi::Endpoint>& AdminApi::endpoints()
{
    static const std::vector<Endpoint> kEndpoints = {
        {"GET", patternOf("/"), &AdminApi::getNode},
        {"GET", patternOf("/status"), &AdminApi::getStatus},
        {"GET", patternOf("/metrics"), &AdminApi::getMetrics},
        {"GET", patternOf("/config"), &AdminApi::getConfig},
        {"POST", patternOf("/config"), &AdminApi::postConfig},
        {"GET", patternOf("/config/hash"), &AdminApi::getConfigHash},
        {"GET", patternOf("/status/ready"), &AdminApi::getReady},
        {"GET", patternOf("/v1/node"), &AdminApi::getFacts},
        {"GET", patternOf("/v1/config/effective"), &AdminApi::getEffective},
        {"POST", patternOf("/v1/route-test"), &AdminApi::postRouteTest},
        {"POST", patternOf("/v1/maintenance"), &AdminApi::postMaintenance},
        {"POST", patternOf("/v1/undrain"), &AdminApi::postUndrain},
        {"GET", patternOf("/v1/events"), &AdminApi::getEvents},
        {"POST", patternOf("/v1/drain"), &AdminApi::postDrain},
        {"GET", patternOf("/v1/log-level"), &AdminApi::getLogLevel},
        {"PUT", patternOf("/v1/log-level"), &AdminApi::putLogLevel},
        {"GET", patternOf("/upstreams/*/health"), &AdminApi::getHealth},
        {"PUT", patternOf("/upstreams/*/targets/*/healthy"), &AdminApi::putTargetHealthy},
        {"PUT", patternOf("/upstreams/*/targets/*/unhealthy"), &AdminApi::putTargetUnhealthy},
        {"GET", patternOf("/*"), &AdminApi::getList},
        {"GET", patternOf("/*/*"), &AdminApi::getEntity},
        {"GET", patternOf("/*/*/*"), &AdminApi::getChildren},
    };
    return kEndpoints;
}

void AdminApi::handle(const AdminRequest& request, AdminAnswer answer)
{
    if (const std::string_view reason = foreignness(request, m_options.address); !reason.empty()) {
        MESH_LOG(
            Warn,
            "admin.refused",
            kv("method", request.method),
            kv("target", request.target),
            kv("origin", request.origin),
            kv("host", request.host)
        );
        answer.respond(messageResponse(403, reason));
        return;
    }
    if (request.body.size() > kAdminBodyBytesMax) {
        answer.respond(messageResponse(413, "Payload too large"));
        return;
    }
    const bool isReading = request.method == "GET" || request.method == "HEAD";
    if (!isReading) {
        MESH_LOG(
            Info,
            "admin.requested",
            kv("method", request.method),
            kv("target", request.target),
            kv("bytes", request.body.size())
        );
    }
    const AdminTarget target = parseAdminTarget(request.target);
    dispatch({request, target, answer});
}

void AdminApi::dispatch(const Call& call)
{
    const std::string_view method =
        call.request.method == "HEAD" ? std::string_view("GET") : call.request.method;
    std::vector<std::string_view> allowed;
    for (const Endpoint& endpoint : endpoints()) {
        if (!matches(endpoint.pattern, call.target)) {
            continue;
        }
        if (endpoint.method == method) {
            (this->*endpoint.handle)(call);
            return;
        }
        allowed.push_back(endpoint.method);
    }
    if (allowed.empty()) {
        call.answer.respond(messageResponse(404, "Not found"));
        return;
    }
    AdminResponse response = messageResponse(405, "Method not allowed");
    response.headers.emplace_back("Allow", fmt::format("{}", fmt::join(allowed, ", ")));
    call.answer.respond(std::move(response));
}

void AdminApi::submit(api::Command command, OnDone onDone)
{
    auto id = m_engine.submit(std::move(command));
    if (id) {
        m_pending.emplace(*id, std::move(onDone));
        return;
    }
    onDone(api::CommandDone{CommandId(0), tl::unexpected(std::move(id).error()), {}});
}

void AdminApi::applyAndKeep(
    std::shared_ptr<const model::Document> document, OnDone onDone, std::string onlyIfHash
)
{
    auto finish = [this, document, onDone = std::move(onDone)](const api::CommandDone& done) {
        if (!done.result) {
            onDone(done);
            return;
        }
        m_document = document;
        m_state.hash = done.result->hash;
        api::CommandDone kept = done;
        if (m_options.keep) {
            if (const auto result = m_options.keep(config::toJson(*document)); !result) {
                MESH_LOG(Error, "config.unkept", kv("error", result.error()));
                kept.problems.push_back(
                    {{}, 0, 0, std::string(toText(result.error().code)), result.error().message}
                );
            }
        }
        onDone(kept);
    };
    submit(api::ApplyDocument{std::move(document), std::move(onlyIfHash)}, std::move(finish));
}

void AdminApi::remember(const telemetry::TargetHealth& health)
{
    const auto found =
        std::ranges::find_if(m_state.health, [&](const telemetry::TargetHealth& known) {
            return known.upstream == health.upstream && known.target == health.target;
        });
    if (found == m_state.health.end()) {
        m_state.health.push_back(health);
    } else {
        *found = health;
    }
}

void AdminApi::onEvent(const api::Event& event)
{
    if (const auto* done = std::get_if<api::CommandDone>(&event)) {
        const auto found = m_pending.find(done->id);
        if (found != m_pending.end()) {
            const OnDone onDone = std::move(found->second);
            m_pending.erase(found);
            onDone(*done);
        }
    } else if (const auto* state = std::get_if<api::StateEvent>(&event)) {
        m_state = *state;
    } else if (const auto* stats = std::get_if<api::StatsEvent>(&event)) {
        m_totals.add(*stats->frame);
        m_state.health = stats->frame->health;
    } else if (const auto* health = std::get_if<api::HealthEvent>(&event)) {
        remember(health->health);
    }
}

} // namespace mesh::control
