#include "proxyengine/config/compile.h"

#include "proxyengine/config/compile_resilience.h"
#include "proxyengine/config/compile_streams.h"
#include "proxyengine/config/compile_tls.h"
#include "proxyengine/config/compile_upstreams.h"
#include "proxyengine/config/document_value.h"
#include "proxyengine/model/canonical.h"
#include "proxyengine/model/format.h"
#include "proxyengine/model/gateway_rules.h"
#include "proxyengine/policy/route_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

namespace mesh::config {
namespace {

using model::Protocol;
using model::Route;
using model::Service;
using model::Workload;

bool isGrpc(Protocol protocol) { return protocol == Protocol::Grpc || protocol == Protocol::Grpcs; }

// What a service's targets speak when the file does not say.
model::HttpVersion defaultVersion(Protocol protocol)
{
    return isGrpc(protocol) ? model::HttpVersion::Http2 : model::HttpVersion::Http1;
}

// Builds the snapshot of one node from a canonical document.
class Compiler
{
public:
    Compiler(const model::Document& document, std::string_view node)
        : m_document(document)
        , m_snapshot(std::make_shared<Snapshot>())
        , m_targets(document, *m_snapshot)
        , m_tls(document, *m_snapshot)
        , m_resilience(document, m_serviceIndex, *m_snapshot, m_problems)
    {
        m_snapshot->node = node;
        m_snapshot->hash = hashOfCanonical(document);
        for (const model::Node& each : document.nodes) {
            m_nodes.emplace(each.name, &each);
        }
    }

    CompileResult run()
    {
        const auto self = m_nodes.find(m_snapshot->node);
        if (self == m_nodes.end() && !m_snapshot->node.empty()) {
            add("nodes", fmt::format("there is no node '{}' in this document", m_snapshot->node));
            return {nullptr, std::move(m_problems)};
        }
        if (self != m_nodes.end()) {
            m_snapshot->zone = self->second->zone.value_or("");
        }
        if (m_document.mesh) {
            m_snapshot->overload = m_document.mesh->overload;
            m_snapshot->mtls = m_document.mesh->mtls;
        }
        m_targets.addDeclared();
        addServices();
        if (self != m_nodes.end() && self->second->role == model::NodeRole::Sidecar) {
            addSidecar();
        } else {
            addGateway();
        }
        m_tls.addCertificates();
        if (!m_problems.empty()) {
            return {nullptr, std::move(m_problems)};
        }
        return {std::move(m_snapshot), {}};
    }

private:
    static constexpr std::size_t kNoService = ResilienceCompiler::kNoService;

    void add(std::string path, std::string message)
    {
        m_problems.push_back(Problem{
            std::move(path), {}, ErrorCode::InvalidArgument, Severity::Error, std::move(message)});
    }

    ServicePlan planOf(const Service& service, std::size_t upstream)
    {
        ServicePlan plan;
        plan.name = service.name ? *service.name : service.id.value_or(service.host);
        plan.protocol = service.protocol;
        plan.httpVersion = service.httpVersion.value_or(defaultVersion(service.protocol));
        plan.path = service.path.value_or("/");
        plan.upstream = upstream;
        plan.tls = m_tls.ofService(service);
        plan.retries = service.retries;
        plan.connectTimeout = service.connectTimeout;
        plan.writeTimeout = service.writeTimeout;
        plan.readTimeout = service.readTimeout;
        plan.proxyProtocol = service.proxyProtocol;
        plan.upgrades = service.upgrades;
        return plan;
    }

    void addServices()
    {
        m_serviceIndex.assign(m_document.services.size(), kNoService);
        for (std::size_t at = 0; at < m_document.services.size(); ++at) {
            const Service& service = m_document.services[at];
            if (service.enabled) {
                m_serviceIndex[at] = m_snapshot->services.size();
                m_snapshot->services.push_back(planOf(service, m_targets.of(service)));
            }
        }
    }

    // Routes on the way into a table, with their paths in the document.
    struct Draft
    {
        std::vector<const Route*> routes;
        std::vector<RoutePlan> plans;
        std::vector<std::pair<std::size_t, std::size_t>> places; // Service or kNoService, route.
    };

    void addRoute(
        Draft& draft,
        const Route& route,
        std::string_view serviceName,
        std::pair<std::size_t, std::size_t> place
    )
    {
        RoutePlan plan;
        plan.name = route.name ? *route.name : route.id.value_or("");
        if (plan.name.empty()) {
            plan.name = fmt::format("{}#{}", serviceName, place.second + 1);
        }
        if (place.first != kNoService) {
            plan.service = m_serviceIndex[place.first];
        }
        plan.isGrpc = takes(route, Protocol::Grpc) || takes(route, Protocol::Grpcs);
        plan.stripPath = route.stripPath.value_or(!plan.isGrpc);
        plan.preserveHost = route.preserveHost;
        if (plan.preserveHost) {
            addListedHosts(plan, route);
        }
        plan.allowsHttp = takes(route, Protocol::Http) || takes(route, Protocol::Grpc);
        plan.redirectStatus = route.httpsRedirectStatusCode;
        if (isHttpRoute(route)) {
            m_resilience.addTo(plan, route, place.first, pathOf(place));
            addCompression(plan, route, place.first);
            plan.mtlsAuth = m_tls.ofRoute(
                route, place.first == kNoService ? nullptr : &m_document.services[place.first]
            );
            draft.routes.push_back(&route);
            draft.plans.push_back(std::move(plan));
            draft.places.push_back(place);
        } else {
            m_streams.add(route, std::move(plan.name), plan.service);
        }
    }

    static void addListedHosts(RoutePlan& plan, const Route& route)
    {
        for (const std::string& host : route.hosts) {
            auto pattern = policy::HostPattern::make(host);
            if (pattern && pattern->kind == policy::HostPattern::Kind::Exact) {
                plan.listedHosts.push_back(std::move(pattern->text));
            }
        }
    }

    // The route's word, else that of the service it stands under.
    void addCompression(RoutePlan& plan, const Route& route, std::size_t service)
    {
        const std::optional<model::Compression>& said =
            route.compression || service == kNoService ? route.compression
                                                       : m_document.services[service].compression;
        if (!said || plan.isGrpc) {
            return;
        }
        plan.compression = m_snapshot->compressions.size();
        m_snapshot->compressions.push_back(*said);
    }

    // Of a route in the document; kNoService as service: at the top.
    static std::string pathOf(const std::pair<std::size_t, std::size_t>& place)
    {
        const auto& [service, route] = place;
        return service == kNoService ? fmt::format("routes[{}]", route)
                                     : fmt::format("services[{}].routes[{}]", service, route);
    }

    // Compiles the draft's routes into a new table and returns its index.
    std::size_t addTable(Draft draft)
    {
        std::vector<policy::Router::Refusal> refusals;
        policy::Router router = policy::Router::make(draft.routes, refusals);
        for (const policy::Router::Refusal& refusal : refusals) {
            add(pathOf(draft.places[refusal.route]) + "." + refusal.field, refusal.message);
        }
        m_snapshot->tables.push_back(RouteTable{std::move(router), std::move(draft.plans)});
        return m_snapshot->tables.size() - 1;
    }

    void addGateway()
    {
        Draft draft;
        for (std::size_t at = 0; at < m_document.services.size(); ++at) {
            const Service& service = m_document.services[at];
            for (std::size_t each = 0; service.enabled && each < service.routes.size(); ++each) {
                const std::string& name = m_snapshot->services[m_serviceIndex[at]].name;
                addRoute(draft, service.routes[each], name, {at, each});
            }
        }
        for (std::size_t each = 0; each < m_document.routes.size(); ++each) {
            addRoute(draft, m_document.routes[each], "route", {kNoService, each});
        }
        m_streams.addTo(*m_snapshot);
        ListenerPlan listener;
        listener.name = "gateway";
        listener.meshTls = m_tls.meshOf(nullptr);
        listener.table = addTable(std::move(draft));
        m_snapshot->listeners.push_back(std::move(listener));
    }

    // A route that forwards requests as they are.
    static RoutePlan transparent(std::string name, std::size_t service)
    {
        RoutePlan plan;
        plan.name = std::move(name);
        plan.service = service;
        plan.stripPath = false;
        plan.preserveHost = true;
        return plan;
    }

    void addSidecar()
    {
        std::optional<std::size_t> outbound;
        for (const Workload& workload : m_document.workloads) {
            if (workload.node != m_snapshot->node) {
                continue;
            }
            if (workload.inbound) {
                addInbound(workload);
            }
            if (workload.outbound) {
                outbound = outbound ? *outbound : addOutboundTable();
                ListenerPlan listener;
                listener.kind = ListenerKind::Outbound;
                listener.name = workload.name + " outbound";
                listener.address = *workload.outbound;
                listener.workload = workload.name;
                listener.source = workload.service;
                listener.table = *outbound;
                listener.meshTls = m_tls.meshOf(&workload);
                m_snapshot->listeners.push_back(std::move(listener));
            }
        }
    }

    void addInbound(const Workload& workload)
    {
        UpstreamPlan process;
        process.name = workload.name;
        process.targets.push_back(m_targets.processOf(workload));
        m_snapshot->upstreams.push_back(std::move(process));

        const auto declared = std::ranges::find_if(m_document.services, [&](const Service& each) {
            return each.name == workload.service;
        });
        ServicePlan service = planOf(
            declared == m_document.services.end() ? Service() : *declared,
            m_snapshot->upstreams.size() - 1
        );
        service.name = workload.service;
        // A process is spoken to in the clear, in the version its service is declared with.
        service.protocol = isGrpc(service.protocol) ? Protocol::Grpc : Protocol::Http;
        if (service.httpVersion == model::HttpVersion::Auto) {
            service.httpVersion = model::HttpVersion::Http1;
        }
        service.path = "/";
        m_snapshot->services.push_back(std::move(service));

        Route all;
        all.paths = {"/"};
        Draft draft;
        draft.routes.push_back(&all);
        draft.plans.push_back(
            transparent(workload.name + " inbound", m_snapshot->services.size() - 1)
        );
        draft.places.emplace_back(kNoService, 0);
        ListenerPlan listener;
        listener.kind = ListenerKind::Inbound;
        listener.name = workload.name + " inbound";
        listener.address = *workload.inbound;
        listener.workload = workload.name;
        listener.mesh = m_tls.meshServerOf(workload);
        listener.table = addTable(std::move(draft));
        m_snapshot->listeners.push_back(std::move(listener));
    }

    // Every service of the mesh by its name as Host; one table for all workloads of the node.
    std::size_t addOutboundTable()
    {
        std::vector<Route> routes;
        Draft draft;
        for (std::size_t at = 0; at < m_document.services.size(); ++at) {
            const Service& service = m_document.services[at];
            if (!service.enabled || !service.name) {
                continue;
            }
            Route route;
            route.hosts = {*service.name};
            routes.push_back(std::move(route));
            RoutePlan plan = transparent(*service.name, m_serviceIndex[at]);
            plan.resilience = m_resilience.ofService(at);
            // Workloads know their service by its name; a host outside knows only its own.
            const UpstreamPlan& upstream =
                m_snapshot->upstreams[m_snapshot->services[m_serviceIndex[at]].upstream];
            plan.preserveHost =
                !upstream.targets.empty() && !upstream.targets.front().workload.empty();
            addListedHosts(plan, routes.back());
            draft.plans.push_back(std::move(plan));
            draft.places.emplace_back(kNoService, at);
        }
        for (const Route& route : routes) {
            draft.routes.push_back(&route);
        }
        return addTable(std::move(draft));
    }

    const model::Document& m_document;
    std::shared_ptr<Snapshot> m_snapshot;
    std::vector<Problem> m_problems;
    std::unordered_map<std::string_view, const model::Node*> m_nodes;
    UpstreamCompiler m_targets;
    StreamDraft m_streams;
    TlsCompiler m_tls;
    std::vector<std::size_t> m_serviceIndex; // From the document to the snapshot.
    ResilienceCompiler m_resilience;
};

} // namespace

CompileResult compile(const model::Document& document, std::string_view node)
{
    const model::Document settled = model::canonical(document);
    return Compiler(settled, node).run();
}

} // namespace mesh::config
