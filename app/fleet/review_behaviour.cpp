// Recent requests, asked again of the compiled routers.

#include "app/fleet/limits.h"
#include "app/fleet/node_classes.h"
#include "app/fleet/review.h"
#include "proxyengine/model/canonical.h"
#include "proxyengine/policy/path.h"
#include "proxyengine/policy/route_rule.h"
#include "proxyengine/policy/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace mesh::fleet {
namespace {

using config::RoutePlan;
using config::RouteTable;
using config::Snapshot;

// Where a request goes.
struct Goal
{
    std::string text; // "catalog", "404", "504 at 3.0 s"
    std::string service; // Empty: the node answers itself.
    std::string why;
    std::optional<Duration> timeout;
};

struct HostAndPort
{
    std::string host;
    std::uint16_t port = 0;
};

HostAndPort split(const RequestSample& sample)
{
    HostAndPort parts{policy::toLower(sample.host), 0};
    const std::size_t colon = parts.host.rfind(':');
    if (colon != std::string::npos && parts.host.find(']', colon) == std::string::npos) {
        unsigned number = 0;
        const char* const end = parts.host.data() + parts.host.size();
        const auto read = std::from_chars(parts.host.data() + colon + 1, end, number);
        if (read.ptr == end && read.ec == std::errc{} && number <= 65535) {
            parts.port = static_cast<std::uint16_t>(number);
            parts.host.resize(colon);
        }
    }
    if (parts.port == 0) {
        parts.port = sample.scheme == "https" ? 443 : 80;
    }
    return parts;
}

// A request as a router looks at it; owns what the view points to.
class Question
{
public:
    explicit Question(const RequestSample& sample)
        : m_host(split(sample))
    {
        const std::string_view raw = std::string_view(sample.path).substr(0, sample.path.find('?'));
        const auto path = policy::normalizePath(raw.empty() ? "/" : raw, m_buffer);
        m_isRefused = !path;
        for (const auto& [name, value] : sample.headers) {
            m_headers.push_back({name, value});
        }
        m_view.method = sample.method;
        m_view.host = m_host.host;
        m_view.port = m_host.port;
        m_view.path = path ? *path : std::string_view("/");
        m_view.isTls = sample.scheme == "https";
        m_view.sni = m_view.isTls ? m_view.host : std::string_view();
        m_view.headers = m_headers.data();
        m_view.headerCount = m_headers.size();
    }
    Question(const Question&) = delete;
    Question& operator=(const Question&) = delete;

    [[nodiscard]] const policy::RequestView& view() const { return m_view; }
    [[nodiscard]] bool isRefused() const { return m_isRefused; }

private:
    HostAndPort m_host;
    std::string m_buffer;
    std::vector<policy::HeaderView> m_headers;
    policy::RequestView m_view;
    bool m_isRefused = false;
};

// The same caller before and after, so that only the difference of two splits moves. Without a
// sticky key it is a number of the sample's own: then shares are right and single samples a guess.
std::string callerOf(const RoutePlan& route, const RequestSample& sample, std::size_t number)
{
    if (route.splitSticky && route.splitSticky->by == model::StickyBy::Ip) {
        return sample.sourceIp;
    }
    if (route.splitSticky && route.splitSticky->by == model::StickyBy::Header) {
        for (const auto& [name, value] : sample.headers) {
            if (policy::toLower(name) == policy::toLower(route.splitSticky->name)) {
                return value;
            }
        }
    }
    return fmt::format("{}#{}", sample.sourceIp, number);
}

Goal goalOfService(
    const Snapshot& snapshot,
    std::optional<std::size_t> service,
    std::optional<std::size_t> resilience
)
{
    Goal goal;
    if (!service) {
        goal.text = "503";
        goal.why = "it has no service";
        return goal;
    }
    const config::ServicePlan& plan = snapshot.services[*service];
    const config::UpstreamPlan& upstream = snapshot.upstreams[plan.upstream];
    goal.service = plan.name;
    goal.text = plan.name;
    if (resilience) {
        const config::ResiliencePlan& policies = snapshot.resiliences[*resilience];
        goal.timeout = policies.timeout;
        if (!policies.version.empty()) {
            goal.text += " " + policies.version;
        }
        if (policies.fault && policies.fault->abort && policies.fault->abort->percent >= 100) {
            goal.text = fmt::format("{} by a fault", policies.fault->abort->status);
            goal.service.clear();
        }
    }
    const bool hasTarget =
        std::ranges::any_of(upstream.targets, [](const auto& target) { return target.weight > 0; });
    if (!hasTarget) {
        goal.text = "503";
        goal.why = fmt::format("upstream '{}' has no target with a weight", upstream.name);
        goal.service.clear();
    }
    return goal;
}

Goal goalOfRoute(
    const Snapshot& snapshot,
    const RoutePlan& route,
    const policy::RouteMatch& match,
    const RequestSample& sample,
    std::size_t number
)
{
    if (!route.allowsHttp && sample.scheme != "https") {
        return {
            fmt::format("{}", route.redirectStatus),
            {},
            fmt::format("route '{}' wants https", route.name),
            {}};
    }
    Goal goal;
    if (route.split.empty()) {
        goal = goalOfService(snapshot, route.service, route.resilience);
    } else {
        std::vector<std::uint32_t> weights;
        for (const config::SplitPlan& part : route.split) {
            weights.push_back(part.weight);
        }
        const policy::SplitTable table(weights);
        const config::SplitPlan& part = route.split[table.pickFor(callerOf(route, sample, number))];
        goal = goalOfService(snapshot, part.service, part.resilience);
    }
    std::string by = match.pattern != nullptr ? "by a pattern" : "";
    if (by.empty() && match.matchedPathBytes > 0) {
        by = "by path prefix " + sample.path.substr(0, match.matchedPathBytes);
    }
    const std::string taken =
        fmt::format("route '{}' takes it{}{}", route.name, by.empty() ? "" : " ", by);
    goal.why = goal.why.empty() ? taken : taken + "; " + goal.why;
    return goal;
}

// On a sidecar a request of its own process is looked for first: it names the service it wants.
Goal goalOf(const Snapshot& snapshot, const RequestSample& sample, std::size_t number)
{
    const Question question(sample);
    if (question.isRefused()) {
        return {"400", {}, "its path cannot be read", {}};
    }
    for (const config::ListenerKind kind :
         {config::ListenerKind::Gateway,
          config::ListenerKind::Outbound,
          config::ListenerKind::Inbound}) {
        for (const config::ListenerPlan& listener : snapshot.listeners) {
            if (listener.kind != kind) {
                continue;
            }
            const RouteTable& table = snapshot.tables[listener.table];
            if (const auto match = table.router.match(question.view())) {
                return goalOfRoute(snapshot, table.routes[match->route], *match, sample, number);
            }
        }
    }
    return {"404", {}, "no route takes it", {}};
}

std::string secondsText(Duration duration) { return fmt::format("{:.1f} s", toSeconds(duration)); }

// A request that took longer than it would be given now. Only where it goes to the same service:
// how long another takes is not known.
void judgeTimeout(const RequestSample& sample, const Goal& before, Goal& after)
{
    const bool isSame = !after.service.empty() && before.service == after.service;
    const bool isShorter = after.timeout && (!before.timeout || *after.timeout < *before.timeout);
    const bool wasAnswered = sample.status != 0 && sample.status != 504;
    if (isSame && isShorter && wasAnswered
        && sample.latency_ms > toSeconds(*after.timeout) * 1000) {
        after.text = "504 at " + secondsText(*after.timeout);
        after.why += fmt::format(
            "; it took {:.1f} s and the timeout is {}",
            sample.latency_ms / 1000,
            secondsText(*after.timeout)
        );
        after.service.clear();
    }
}

// "GET /catalog/*": the first segment, because ids stand behind it.
std::string shapeOf(const RequestSample& sample)
{
    const std::string path = sample.path.substr(0, sample.path.find('?'));
    const std::size_t end = path.find('/', 1);
    const bool hasMore = end != std::string::npos && end + 1 < path.size();
    return sample.method + " " + (hasMore ? path.substr(0, end) + "/*" : path);
}

} // namespace

Behaviour behaviourChanges(
    const model::Document& before,
    const model::Document& after,
    const std::vector<RequestSample>& samples
)
{
    const model::Document oldDocument = model::canonical(before);
    const model::Document nowDocument = model::canonical(after);
    NodeClasses oldClasses(oldDocument);
    NodeClasses nowClasses(nowDocument);
    Behaviour behaviour;
    std::map<std::string, BehaviourChange> changes;
    for (std::size_t at = 0; at < samples.size(); ++at) {
        const RequestSample& sample = samples[at];
        const config::CompileResult& old = oldClasses.compiled(sample.node);
        const config::CompileResult& now = nowClasses.compiled(sample.node);
        if (old.snapshot == nullptr || now.snapshot == nullptr) {
            continue; // The node is in one of them only; groups say so.
        }
        ++behaviour.sampled;
        const Goal from = goalOf(*old.snapshot, sample, at);
        Goal to = goalOf(*now.snapshot, sample, at);
        judgeTimeout(sample, from, to);
        if (from.text == to.text) {
            ++behaviour.unchanged;
            continue;
        }
        const std::string shape = shapeOf(sample);
        const auto [place, isFirst] =
            changes.try_emplace(fmt::format("{}\n{}\n{}", shape, from.text, to.text));
        BehaviourChange& change = place->second;
        ++change.count;
        if (isFirst) {
            change.request = shape;
            change.before = from.text;
            change.after = to.text;
            change.isWorse = !from.service.empty() && to.service.empty();
            change.example = sample;
            change.why = to.why;
        }
    }
    for (auto& [key, change] : changes) {
        behaviour.changes.push_back(std::move(change));
    }
    std::ranges::stable_sort(
        behaviour.changes,
        [](const BehaviourChange& a, const BehaviourChange& b) { return a.count > b.count; }
    );
    if (behaviour.changes.size() > kReviewBehaviourMax) {
        behaviour.changesMore = behaviour.changes.size() - kReviewBehaviourMax;
        behaviour.changes.resize(kReviewBehaviourMax);
    }
    return behaviour;
}

} // namespace mesh::fleet
