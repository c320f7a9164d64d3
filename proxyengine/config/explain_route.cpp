#include "proxyengine/config/explain_route.h"

#include "proxyengine/base/duration_text.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/config/plugin_scope.h"
#include "proxyengine/model/canonical.h"
#include "proxyengine/model/gateway_rules.h"
#include "proxyengine/policy/path.h"
#include "proxyengine/policy/route_priority.h"
#include "proxyengine/policy/route_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace mesh::config {
namespace {

// A route of a table beside what it was compiled from.
struct Listed
{
    model::Route route;
    const model::Service* service = nullptr; // Under which it stands; null: none.
};

// The routes of a listener's table in the table's order, which is that of compile().
std::vector<Listed> routesOf(const model::Document& settled, const ListenerPlan& listener)
{
    std::vector<Listed> routes;
    switch (listener.kind) {
    case ListenerKind::Gateway:
        for (const model::Service& service : settled.services) {
            for (const model::Route& route : service.routes) {
                if (service.enabled && model::isHttpRoute(route)) {
                    routes.push_back({route, &service});
                }
            }
        }
        for (const model::Route& route : settled.routes) {
            if (model::isHttpRoute(route)) {
                routes.push_back({route, nullptr});
            }
        }
        break;
    case ListenerKind::Inbound: {
        model::Route all;
        all.paths = {"/"};
        routes.push_back({std::move(all), nullptr});
        break;
    }
    case ListenerKind::Outbound:
        for (const model::Service& service : settled.services) {
            if (service.enabled && service.name) {
                model::Route route;
                route.hosts = {*service.name};
                routes.push_back({std::move(route), &service});
            }
        }
        break;
    }
    return routes;
}

// A question in the terms of the router.
struct Asked
{
    std::string method;
    std::string host; // Lower case, without port.
    std::uint16_t port = 0;
    std::string path; // Normalised.
    std::string query; // With its '?'.
    std::string sni;
    bool isTls = false;
    std::vector<policy::HeaderView> headers;

    [[nodiscard]] policy::RequestView view() const
    {
        return {method, host, port, path, sni, isTls, headers.data(), headers.size()};
    }
};

Result<Asked> readQuestion(const RouteQuestion& question)
{
    if (question.scheme != "http" && question.scheme != "https") {
        return fail(
            ErrorCode::InvalidArgument,
            fmt::format("scheme: '{}' is neither http nor https", question.scheme)
        );
    }
    if (question.headers.size() > kQuestionHeadersMax) {
        return fail(
            ErrorCode::LimitExceeded, fmt::format("headers: at most {}", kQuestionHeadersMax)
        );
    }
    Asked asked;
    asked.method = question.method;
    asked.isTls = question.scheme == "https";
    asked.port = asked.isTls ? 443 : 80;
    std::string_view host = question.host;
    const std::size_t colon = host.rfind(':');
    if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) {
        const std::string_view digits = host.substr(colon + 1);
        const auto [rest, status] =
            std::from_chars(digits.data(), digits.data() + digits.size(), asked.port);
        if (status != std::errc{} || rest != digits.data() + digits.size()) {
            return fail(
                ErrorCode::InvalidArgument, fmt::format("host: '{}' is not a port", digits)
            );
        }
        host = host.substr(0, colon);
    }
    asked.port = question.port != 0 ? question.port : asked.port;
    asked.host = policy::toLower(host);
    asked.sni = !asked.isTls || !question.sni.empty() ? question.sni : asked.host;
    if (!question.path.starts_with('/')) {
        return fail(ErrorCode::InvalidArgument, "path: begins with '/'");
    }
    const std::size_t mark = std::min(question.path.find('?'), question.path.size());
    asked.query = question.path.substr(mark);
    std::string buffer;
    const auto normal =
        policy::normalizePath(std::string_view(question.path).substr(0, mark), buffer);
    if (!normal) {
        return fail(
            ErrorCode::InvalidArgument,
            fmt::format("path: {}; a node answers 400", toText(normal.error()))
        );
    }
    asked.path = *normal;
    for (const auto& [name, value] : question.headers) {
        asked.headers.push_back({name, value});
    }
    return asked;
}

std::string listText(const std::vector<std::string>& texts)
{
    return fmt::format("{}", fmt::join(texts, ", "));
}

// What one criterion of a route says of the request.
struct Verdict
{
    bool isAsked = false; // The route has this criterion.
    bool holds = true;
    std::string held; // "host shop.test"
    std::string missed; // "asks for host shop.test, the request has a.test"
};

Verdict judgeMethod(const model::Route& route, const Asked& asked)
{
    Verdict verdict{!route.methods.empty(), true, "method " + asked.method, {}};
    verdict.holds = route.methods.empty()
                    || std::ranges::find(route.methods, asked.method) != route.methods.end();
    verdict.missed = fmt::format(
        "asks for method {}, the request has {}", listText(route.methods), asked.method
    );
    return verdict;
}

Verdict judgeHost(const model::Route& route, const Asked& asked)
{
    Verdict verdict{!route.hosts.empty(), route.hosts.empty(), {}, {}};
    for (const std::string& host : route.hosts) {
        const auto pattern = policy::HostPattern::make(host);
        const bool isMatch = pattern && pattern->matches(asked.host)
                             && (pattern->port == 0 || pattern->port == asked.port);
        if (isMatch && !verdict.holds) {
            verdict.holds = true;
            verdict.held = "host " + host;
        }
    }
    verdict.missed = fmt::format(
        "asks for host {}, the request has {}",
        listText(route.hosts),
        asked.host.empty() ? std::string("none") : fmt::format("{}:{}", asked.host, asked.port)
    );
    return verdict;
}

Verdict judgePath(const model::Route& route, const Asked& asked)
{
    Verdict verdict{!route.paths.empty(), route.paths.empty(), {}, {}};
    std::size_t longest = 0;
    for (const std::string& path : route.paths) {
        if (path.starts_with('~')) {
            const auto pattern = policy::Pattern::make(
                std::string_view(path).substr(1), policy::Pattern::Case::Sensitive
            );
            if (pattern && pattern->prefixOf(asked.path)) {
                verdict.holds = true;
                verdict.held = "path pattern " + path.substr(1);
                return verdict; // The group of patterns is tried first.
            }
        } else if (asked.path.starts_with(path) && path.size() >= longest) {
            longest = path.size();
            verdict.holds = true;
            verdict.held = "path prefix " + path;
        }
    }
    verdict.missed =
        fmt::format("asks for path {}, the request has {}", listText(route.paths), asked.path);
    return verdict;
}

// Header by header, each as a rule of its own.
Verdict judgeHeaders(const model::Route& route, const Asked& asked)
{
    Verdict verdict{!route.headers.empty(), true, {}, {}};
    for (const model::HeaderMatch& header : route.headers) {
        model::Route alone;
        alone.headers = {header};
        std::vector<policy::Router::Refusal> refusals;
        const std::string wanted =
            fmt::format("header {}: {}", header.name, listText(header.values));
        if (policy::makeRule(0, alone, refusals).matches(asked.view())) {
            verdict.held += (verdict.held.empty() ? "" : ", ") + wanted;
            continue;
        }
        verdict.holds = false;
        verdict.missed = fmt::format("asks for {}, which the request does not have", wanted);
        break;
    }
    return verdict;
}

Verdict judgeSni(const model::Route& route, const Asked& asked)
{
    model::Route alone;
    alone.snis = route.snis;
    std::vector<policy::Router::Refusal> refusals;
    Verdict verdict{!route.snis.empty() && asked.isTls, true, "server name " + asked.sni, {}};
    verdict.holds = policy::makeRule(0, alone, refusals).matches(asked.view());
    verdict.missed = fmt::format(
        "asks for server name {}, the handshake has {}",
        listText(route.snis),
        asked.sni.empty() ? "none" : asked.sni
    );
    return verdict;
}

struct Criterion
{
    std::string_view name;
    Verdict (*judge)(const model::Route&, const Asked&);
};

// The coarsest first: what fails late was nearly it.
constexpr std::array<Criterion, 5> kCriteria = {{
    {"host", &judgeHost},
    {"path", &judgePath},
    {"sni", &judgeSni},
    {"method", &judgeMethod},
    {"header", &judgeHeaders},
}};

// The group of paths by which a route that holds is ranked.
std::uint64_t priorityOf(const model::Route& route, const Asked& asked)
{
    std::uint64_t best = 0;
    for (const policy::PathGroup& group : policy::splitPaths(route)) {
        model::Route alone = route;
        alone.paths.clear();
        for (const std::size_t path : group.paths) {
            alone.paths.push_back(route.paths[path]);
        }
        if (judgePath(alone, asked).holds) {
            best = std::max(best, policy::priorityWord(route, group));
        }
    }
    return best;
}

// Why the one with the larger word stands before the other, in the order of the word's bits.
std::string outrankedBecause(std::uint64_t winner, std::uint64_t loser)
{
    struct Part
    {
        unsigned shift;
        std::uint64_t mask;
        std::string_view reason;
    };
    constexpr std::array<Part, 6> kParts = {{
        {61, 7, "it asks for more kinds of things"},
        {60, 1, "its hosts have no wildcard"},
        {52, 255, "it asks for more headers"},
        {51, 1, "a path pattern goes before a prefix"},
        {19, 0xFFFF'FFFF, "its regex_priority is higher"},
        {0, 0x7'FFFF, "its path prefix is longer"},
    }};
    for (const Part& part : kParts) {
        if (((winner >> part.shift) & part.mask) != ((loser >> part.shift) & part.mask)) {
            return std::string(part.reason);
        }
    }
    return "it is older, has the lower id or stands before it in the file";
}

std::vector<std::string> policiesOf(const Snapshot& snapshot, std::optional<std::size_t> index)
{
    std::vector<std::string> said;
    if (!index) {
        return said;
    }
    const ResiliencePlan& plan = snapshot.resiliences[*index];
    if (plan.timeout) {
        said.push_back("timeout " + toDurationText(*plan.timeout));
    }
    if (plan.perTryTimeout) {
        said.push_back("timeout of an attempt " + toDurationText(*plan.perTryTimeout));
    }
    if (plan.retry) {
        const auto& kept = snapshot.retries[*plan.retry];
        said.push_back(fmt::format("{} attempts ({})", kept.settings.attempts, kept.subject));
    }
    if (plan.hedge) {
        said.push_back(fmt::format("hedge, at most {}", plan.hedge->max));
    }
    if (plan.breaker) {
        said.push_back(fmt::format("breaker ({})", snapshot.breakers[*plan.breaker].subject));
    }
    if (plan.mirror) {
        said.push_back(fmt::format("mirror {} % to {}", plan.mirror->percent, plan.mirror->service)
        );
    }
    if (plan.fault) {
        said.emplace_back("injected fault");
    }
    if (!plan.rateLimits.empty()) {
        said.push_back(fmt::format("{} rate limits", plan.rateLimits.size()));
    }
    if (plan.adaptiveConcurrency) {
        said.emplace_back("adaptive concurrency");
    }
    if (!plan.version.empty()) {
        said.push_back("targets of version " + plan.version);
    }
    return said;
}

class Explainer
{
public:
    Explainer(
        const model::Document& settled, const Snapshot& snapshot, const ListenerPlan& listener
    )
        : m_settled(settled)
        , m_snapshot(snapshot)
        , m_listener(listener)
        , m_table(snapshot.tables[listener.table])
        , m_routes(routesOf(settled, listener))
    {}

    Result<RouteExplanation> run(const Asked& asked)
    {
        if (m_routes.size() != m_table.routes.size()) {
            return fail(
                ErrorCode::InvalidArgument, "the snapshot was not compiled from this document"
            );
        }
        m_told.listener = m_listener.name;
        m_told.normalPath = asked.path;
        const auto match = m_table.router.match(asked.view());
        if (match) {
            tellWinner(*match, asked);
        } else {
            m_told.ownStatus = 404;
        }
        tellLosers(match ? std::optional<std::size_t>(match->route) : std::nullopt, asked);
        return std::move(m_told);
    }

private:
    void tellWinner(const policy::RouteMatch& match, const Asked& asked)
    {
        const RoutePlan& plan = m_table.routes[match.route];
        const Listed& listed = m_routes[match.route];
        m_told.route = plan.name;
        for (const Criterion& criterion : kCriteria) {
            const Verdict verdict = criterion.judge(listed.route, asked);
            if (verdict.isAsked) {
                m_told.criteria.push_back(verdict.held);
            }
        }
        if (m_told.criteria.empty()) {
            m_told.criteria.emplace_back("it takes every request");
        }
        if (plan.isGrpc) {
            m_told.criteria.emplace_back("gRPC over HTTP/2 only; other requests get 426 or 400");
        }
        m_told.policies = policiesOf(m_snapshot, plan.resilience);
        if (plan.compression) {
            m_told.policies.emplace_back("compression of answers");
        }
        tellPlugins(listed);
        if (!plan.allowsHttp && !asked.isTls) {
            m_told.ownStatus = plan.redirectStatus;
            return;
        }
        tellGoals(plan, match, asked);
        if (m_told.goals.empty()) {
            m_told.ownStatus = 503;
        }
    }

    void tellPlugins(const Listed& listed)
    {
        const model::Plugin* plugin = mtlsAuthOf(m_settled, listed.route, listed.service);
        if (plugin == nullptr || m_listener.kind != ListenerKind::Gateway) {
            return;
        }
        const bool isOfRoute =
            plugin->route
            || std::ranges::any_of(listed.route.plugins, [plugin](const model::Plugin& each) {
                   return each == *plugin;
               });
        const bool isOfService =
            plugin->service
            || (listed.service != nullptr
                && std::ranges::any_of(
                    listed.service->plugins,
                    [plugin](const model::Plugin& each) { return each == *plugin; }
                ));
        m_told.plugins.push_back(fmt::format(
            "mtls-auth ({})",
            isOfRoute     ? "of the route"
            : isOfService ? "of the service"
                          : "of everything"
        ));
    }

    void tellGoals(const RoutePlan& plan, const policy::RouteMatch& match, const Asked& asked)
    {
        if (plan.split.empty() && plan.service) {
            tellGoal(*plan.service, 1, plan, match, asked);
        }
        for (const SplitPlan& part : plan.split) {
            tellGoal(part.service, part.weight, plan, match, asked);
        }
    }

    void tellGoal(
        std::size_t index,
        std::uint32_t weight,
        const RoutePlan& plan,
        const policy::RouteMatch& match,
        const Asked& asked
    )
    {
        const ServicePlan& service = m_snapshot.services[index];
        const UpstreamPlan& upstream = m_snapshot.upstreams[service.upstream];
        RouteGoal goal;
        goal.service = service.name;
        goal.weight = weight;
        goal.upstream = upstream.name;
        for (const TargetPlan& target : upstream.targets) {
            goal.targets.push_back(target.address);
        }
        std::string joined;
        std::string escaped;
        const std::string_view path = policy::joinUpstreamPath(
            service.path,
            asked.path,
            match.matchedPathBytes,
            plan.stripPath ? policy::StripPath::Yes : policy::StripPath::No,
            joined
        );
        goal.sentPath = policy::escapePath(path, escaped);
        goal.sentPath += asked.query;
        m_told.goals.push_back(std::move(goal));
    }

    void tellLosers(std::optional<std::size_t> winner, const Asked& asked)
    {
        struct Ranked
        {
            std::size_t passed = 0; // Criteria that held.
            std::uint64_t priority = 0;
            LostRoute lost;
        };
        const std::uint64_t best = winner ? priorityOf(m_routes[*winner].route, asked) : 0;
        std::vector<Ranked> losers;
        for (std::size_t at = 0; at < m_routes.size(); ++at) {
            if (at == winner) {
                continue;
            }
            Ranked ranked;
            ranked.lost.route = m_table.routes[at].name;
            if (m_table.routes[at].service) {
                ranked.lost.service = m_snapshot.services[*m_table.routes[at].service].name;
            }
            for (const Criterion& criterion : kCriteria) {
                Verdict verdict = criterion.judge(m_routes[at].route, asked);
                if (!verdict.holds) {
                    ranked.lost.criterion = criterion.name;
                    ranked.lost.reason = std::move(verdict.missed);
                    break;
                }
                ++ranked.passed;
            }
            if (ranked.passed == kCriteria.size()) {
                ranked.priority = priorityOf(m_routes[at].route, asked);
                ranked.lost.criterion = "priority";
                ranked.lost.reason = fmt::format(
                    "would take it too, but {} goes first: {}",
                    m_told.route,
                    outrankedBecause(best, ranked.priority)
                );
            }
            losers.push_back(std::move(ranked));
        }
        std::ranges::stable_sort(losers, [](const Ranked& a, const Ranked& b) {
            return a.passed != b.passed ? a.passed > b.passed : a.priority > b.priority;
        });
        m_told.losersLeftOut =
            losers.size() - std::min<std::size_t>(losers.size(), kRouteCandidatesMax);
        losers.resize(losers.size() - m_told.losersLeftOut);
        for (Ranked& ranked : losers) {
            m_told.losers.push_back(std::move(ranked.lost));
        }
    }

    const model::Document& m_settled;
    const Snapshot& m_snapshot;
    const ListenerPlan& m_listener;
    const RouteTable& m_table;
    std::vector<Listed> m_routes;
    RouteExplanation m_told;
};

// The path of a route that people gave a name.
std::string placeOf(const model::Document& document, const std::string& name)
{
    const auto isIt = [&name](const model::Route& route) {
        return route.name ? *route.name == name : route.id && *route.id == name;
    };
    for (std::size_t at = 0; at < document.services.size(); ++at) {
        const std::vector<model::Route>& routes = document.services[at].routes;
        const auto found = std::ranges::find_if(routes, isIt);
        if (found != routes.end()) {
            return fmt::format("services[{}].routes[{}]", at, found - routes.begin());
        }
    }
    const auto found = std::ranges::find_if(document.routes, isIt);
    return found == document.routes.end()
               ? std::string()
               : fmt::format("routes[{}]", found - document.routes.begin());
}

} // namespace

Result<RouteExplanation> explainRoute(
    const model::Document& document, const Snapshot& snapshot, const RouteQuestion& question
)
{
    MESH_TRY(const Asked asked, readQuestion(question));
    const auto listener =
        std::ranges::find_if(snapshot.listeners, [&question](const ListenerPlan& each) {
            return question.listener.empty() || each.name == question.listener;
        });
    if (listener == snapshot.listeners.end()) {
        std::vector<std::string> names;
        for (const ListenerPlan& each : snapshot.listeners) {
            names.push_back(each.name);
        }
        return fail(
            ErrorCode::InvalidArgument,
            fmt::format(
                "listener: '{}' is none of this node's: {}",
                question.listener,
                names.empty() ? std::string("it has none") : listText(names)
            )
        );
    }
    const model::Document settled = model::canonical(document);
    MESH_TRY(RouteExplanation told, Explainer(settled, snapshot, *listener).run(asked));
    if (listener->kind == ListenerKind::Gateway) {
        told.routePlace = placeOf(document, told.route);
    }
    return told;
}

Result<RouteQuestion> parseRouteQuestion(std::string_view text)
{
    RouteQuestion question;
    const std::size_t space = text.find(' ');
    if (space != std::string_view::npos) {
        question.method = text.substr(0, space);
        text.remove_prefix(space + 1);
    }
    const std::size_t scheme = text.find("://");
    if (scheme != std::string_view::npos) {
        question.scheme = text.substr(0, scheme);
        text.remove_prefix(scheme + 3);
    }
    const std::size_t slash = std::min(text.find('/'), text.size());
    question.host = text.substr(0, slash);
    question.path = slash == text.size() ? "/" : std::string(text.substr(slash));
    const bool isKnown = question.scheme == "http" || question.scheme == "https";
    const bool isMethod =
        !question.method.empty()
        && std::ranges::all_of(question.method, [](char c) { return c >= 'A' && c <= 'Z'; });
    if (!isKnown || !isMethod || question.path.find(' ') != std::string::npos) {
        return fail(
            ErrorCode::InvalidArgument,
            fmt::format("'{}' is no request; write \"GET http://host/path\"", text)
        );
    }
    return question;
}

} // namespace mesh::config
