#include "proxyengine/policy/route_priority.h"
#include "proxyengine/policy/route_rule.h"
#include "proxyengine/policy/router.h"

#include <QTest>

#include <rapidcheck.h>

#include <algorithm>

// Goal: the index finds the same route as reading all of them in order of priority.
// Method: a reference that shares nothing with the index but the priority word and the patterns;
//         routes and requests are drawn from small alphabets, so that they meet often.
namespace mesh::policy {

using model::Route;

class PolicyRouterProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void findsWhatALinearScanFinds();
};

namespace {

struct Candidate
{
    std::size_t route;
    PathGroup group;
    std::uint64_t priority;
};

// Bytes of the path that this group takes; nothing when it does not match.
std::optional<std::size_t> pathMatch(
    const Route& route, const PathGroup& group, std::string_view path
)
{
    for (const std::size_t i : group.paths) {
        const std::string& pattern = route.paths[i];
        if (!group.isRegex && path.starts_with(pattern)) {
            return pattern.size();
        }
        if (group.isRegex) {
            auto regex = Pattern::make(pattern.substr(1), Pattern::Case::Sensitive);
            if (const auto bytes = regex->prefixOf(path)) {
                return bytes;
            }
        }
    }
    return group.paths.empty() ? std::optional<std::size_t>(0) : std::nullopt;
}

bool isHostMatched(const Route& route, const RequestView& request)
{
    return route.hosts.empty() || std::ranges::any_of(route.hosts, [&](const std::string& text) {
               const HostPattern host = *HostPattern::make(text);
               return host.matches(request.host) && (host.port == 0 || host.port == request.port);
           });
}

std::optional<RouteMatch> scan(const std::vector<Route>& routes, const RequestView& request)
{
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i < routes.size(); ++i) {
        for (const PathGroup& group : splitPaths(routes[i])) {
            candidates.push_back({i, group, priorityWord(routes[i], group)});
        }
    }
    std::ranges::stable_sort(candidates, [](const Candidate& a, const Candidate& b) {
        return a.priority > b.priority;
    });
    for (const Candidate& candidate : candidates) {
        const Route& route = routes[candidate.route];
        std::vector<Router::Refusal> refusals;
        const RouteRule rule = makeRule(candidate.route, route, refusals);
        const auto bytes = pathMatch(route, candidate.group, request.path);
        if (bytes && isHostMatched(route, request) && rule.matches(request)) {
            return RouteMatch{candidate.route, *bytes};
        }
    }
    return std::nullopt;
}

rc::Gen<std::vector<std::string>> someOf(std::vector<std::string> words)
{
    return rc::gen::resize(
        3, rc::gen::unique<std::vector<std::string>>(rc::gen::elementOf(std::move(words)))
    );
}

const std::vector<std::string> kPaths{
    "/", "/a", "/a/b", "/a/bc", "/ab", "/b", "/b/c/d", "~/a", "~/a/[a-z]+$", "~/(b|c)/", "~/[0-9]"};
const std::vector<std::string> kHosts{
    "a.com", "b.com", "a.com:81", "*.com", "*.a.com", "a.*", "x.a.com", "*.a.com:81"};

Route makeRoute()
{
    Route route;
    route.paths = *someOf(kPaths);
    route.hosts = *someOf(kHosts);
    route.methods = *someOf({"GET", "POST"});
    route.snis = *someOf({"a.com", "*.com"});
    route.regexPriority = *rc::gen::inRange(0, 3);
    if (*rc::gen::inRange(0, 3) == 0) {
        route.headers.push_back(
            {"x",
             *rc::gen::elementOf(std::vector<std::vector<std::string>>{
                 {"1"}, {"1", "2"}, {"~*^[12]$"}})}
        );
    }
    return route;
}

} // namespace

void PolicyRouterProperty::findsWhatALinearScanFinds()
{
    QVERIFY(rc::check("index and scan agree", [] {
        std::vector<Route> routes;
        for (int i = *rc::gen::inRange(0, 12); i > 0; --i) {
            routes.push_back(makeRoute());
        }
        std::vector<const Route*> pointers;
        for (const Route& route : routes) {
            pointers.push_back(&route);
        }
        std::vector<Router::Refusal> refusals;
        const Router router = Router::make(pointers, refusals);
        RC_ASSERT(refusals.empty());

        for (int i = 0; i < 10; ++i) {
            const std::string path = *rc::gen::element<std::string>(
                "/", "/a", "/a/b", "/a/bc/7", "/abc", "/b/c/d/e", "/c/", "/7", "/z"
            );
            const std::string host = *rc::gen::element<std::string>(
                "", "a.com", "b.com", "x.a.com", "y.x.a.com", "a.org", "com"
            );
            const HeaderView header{"X", *rc::gen::element<std::string_view>("1", "2", "3")};
            RequestView request;
            request.method = *rc::gen::element<std::string_view>("GET", "POST", "PUT");
            request.host = host;
            request.port = *rc::gen::element<std::uint16_t>(80, 81);
            request.path = path;
            request.isTls = *rc::gen::arbitrary<bool>();
            request.sni = request.isTls ? "x.com" : "";
            request.headers = &header;
            request.headerCount = 1;

            const auto found = router.match(request);
            const auto expected = scan(routes, request);

            RC_ASSERT(found.has_value() == expected.has_value());
            if (found) {
                RC_ASSERT(found->route == expected->route);
                RC_ASSERT(found->matchedPathBytes == expected->matchedPathBytes);
            }
        }
    }));
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::PolicyRouterProperty)
#include "policy_router_property.moc"
