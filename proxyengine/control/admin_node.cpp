// The endpoints of AdminApi that are about the node itself: facts, readiness, maintenance, what it
// would do with a request, what it runs in effect.

#include "proxyengine/base/file.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/base/log.h"
#include "proxyengine/base/version.h"
#include "proxyengine/config/compile.h"
#include "proxyengine/config/effective.h"
#include "proxyengine/config/explain_route.h"
#include "proxyengine/control/admin_api.h"
#include "proxyengine/control/event_json.h"
#include "proxyengine/control/json_reader.h"
#include "proxyengine/control/route_json.h"
#include "proxyengine/telemetry/access_log.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace mesh::control {
namespace {

using NodeJson = nlohmann::ordered_json;

AdminResponse answerOf(int status, const NodeJson& json)
{
    AdminResponse response;
    response.status = status;
    response.body = json.dump(-1, ' ', false, NodeJson::error_handler_t::replace);
    return response;
}

// Resident, in bytes; 0 when the system does not say.
std::uint64_t memoryBytes()
{
    constexpr std::size_t kStatmBytesMax = 256;
    const auto text = readFile("/proc/self/statm", kStatmBytesMax);
    if (!text) {
        return 0;
    }
    const std::size_t space = std::min(text->find(' ') + 1, text->size());
    std::uint64_t pages = 0;
    std::from_chars(text->data() + space, text->data() + text->size(), pages);
    return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

NodeJson certificateJson(const tls::CertificateFacts& facts, std::string name, NodeJson uses)
{
    std::vector<std::string> names = facts.names;
    names.insert(names.end(), facts.addresses.begin(), facts.addresses.end());
    return {
        {"name", std::move(name)},
        {"subject", facts.subject},
        {"sans", std::move(names)},
        {"issuer", facts.issuer},
        {"not_before", telemetry::timeText(facts.notBefore)},
        {"not_after", telemetry::timeText(facts.notAfter)},
        {"is_authority", facts.isAuthority},
        {"identity", facts.identity},
        {"used_by", std::move(uses)}};
}

// Who shows a certificate of the document.
NodeJson usesOf(const model::Document& document, const model::Certificate& certificate)
{
    NodeJson uses = NodeJson::array();
    for (const model::Sni& sni : certificate.snis) {
        uses.push_back("sni " + sni.name);
    }
    const auto isIt = [&certificate](const std::optional<std::string>& id) {
        return id && certificate.id && *id == *certificate.id;
    };
    for (const model::Node& node : document.nodes) {
        if (isIt(node.certificate)) {
            uses.push_back("node " + node.name);
        }
    }
    for (const model::Workload& workload : document.workloads) {
        if (isIt(workload.certificate)) {
            uses.push_back("workload " + workload.name);
        }
    }
    for (const model::Service& service : document.services) {
        if (isIt(service.clientCertificate)) {
            uses.push_back("service " + service.name.value_or(service.host));
        }
    }
    return uses;
}

NodeJson certificatesOf(
    const model::Document& document, const std::optional<tls::CertificateFacts>& admin
)
{
    NodeJson list = NodeJson::array();
    if (admin) {
        list.push_back(certificateJson(*admin, "admin", {"admin API"}));
    }
    for (const model::Certificate& certificate : document.certificates) {
        const NodeJson uses = usesOf(document, certificate);
        if (const auto chain = tls::readAuthorities(certificate.cert)) {
            list.push_back(certificateJson(chain->front(), certificate.id.value_or(""), uses));
        }
        if (!certificate.certAlt) {
            continue;
        }
        if (const auto chain = tls::readAuthorities(*certificate.certAlt)) {
            list.push_back(certificateJson(chain->front(), certificate.id.value_or(""), uses));
        }
    }
    for (const model::CaCertificate& authority : document.caCertificates) {
        if (const auto chain = tls::readAuthorities(authority.cert)) {
            list.push_back(certificateJson(chain->front(), authority.id.value_or(""), {"authority"})
            );
        }
    }
    return list;
}

} // namespace

void AdminApi::getFacts(const Call& call)
{
    static const model::Document kNothing;
    const model::Document& document = m_document ? *m_document : kNothing;
    const auto self = std::ranges::find(document.nodes, m_state.node, &model::Node::name);
    const bool isListed = self != document.nodes.end();
    const bool isSidecar = isListed && self->role == model::NodeRole::Sidecar;
    NodeJson listeners = NodeJson::array();
    for (const api::ListenerState& listener : m_state.listeners) {
        listeners.push_back({{"name", listener.name}, {"address", listener.address}});
    }
    const WallTime now = m_clock.wallNow();
    call.answer.respond(answerOf(
        200,
        {{"name", m_state.node},
         {"role", isSidecar ? "sidecar" : "gateway"},
         {"zone", isListed ? self->zone.value_or("") : ""},
         {"version", version()},
         {"state", toText(m_state.state)},
         {"draining", m_state.state == api::EngineState::Draining},
         {"maintenance", m_state.isInMaintenance},
         {"hash", m_state.hash},
         {"started", telemetry::timeText(m_startedAt)},
         {"uptime_s", std::chrono::duration_cast<std::chrono::seconds>(now - m_startedAt).count()},
         {"pid", ::getpid()},
         {"workers", m_options.workers},
         {"listeners", std::move(listeners)},
         {"memory_bytes", memoryBytes()},
         {"connections", m_totals.connections()},
         {"log_level", toText(logLevel())},
         {"clock",
          {{"wall", telemetry::timeText(now)}, {"wall_us", now.time_since_epoch().count()}}},
         {"certificates", certificatesOf(document, m_adminCertificate)}}
    ));
}

// For load balancers in front: 503 as soon as this node should get nothing new.
void AdminApi::getReady(const Call& call)
{
    if (m_state.state != api::EngineState::Running) {
        call.answer.respond(
            messageResponse(503, fmt::format("the node is {}", toText(m_state.state)))
        );
    } else if (m_state.isInMaintenance) {
        call.answer.respond(messageResponse(503, "the node is in maintenance"));
    } else if (m_state.hash.empty()) {
        call.answer.respond(messageResponse(503, "no configuration runs yet"));
    } else {
        call.answer.respond(messageResponse(200, "ready"));
    }
}

void AdminApi::postMaintenance(const Call& call)
{
    std::string_view word = call.target.parameter("on");
    if (word.empty()) {
        const NodeJson json = NodeJson::parse(call.request.body, nullptr, false);
        const NodeJson& on = memberOf(json, "on");
        word = !on.is_boolean() ? "" : on.get<bool>() ? "true" : "false";
    }
    if (word != "true" && word != "false") {
        call.answer.respond(messageResponse(400, "write {\"on\": true} or {\"on\": false}"));
        return;
    }
    setMaintenance(call, word == "true" ? api::Maintenance::On : api::Maintenance::Off);
}

void AdminApi::postUndrain(const Call& call) { setMaintenance(call, api::Maintenance::Off); }

void AdminApi::setMaintenance(const Call& call, api::Maintenance maintenance)
{
    const bool isOn = maintenance == api::Maintenance::On;
    submit(
        api::SetMaintenance{maintenance},
        [isOn, answer = std::move(call.answer)](const api::CommandDone& done) {
            if (done.result) {
                answer.respond(answerOf(200, {{"maintenance", isOn}}));
                return;
            }
            const Error& error = done.result.error();
            const int status = error.code == ErrorCode::Conflict ? 409 : 503;
            answer.respond(messageResponse(status, error.message));
        }
    );
}

void AdminApi::postRouteTest(const Call& call)
{
    if (call.request.body.size() > kSmallBodyBytesMax) {
        call.answer.respond(messageResponse(413, "Payload too large"));
        return;
    }
    const auto question = routeQuestionFromJson(call.request.body);
    if (!question) {
        call.answer.respond(messageResponse(400, question.error().message));
        return;
    }
    const auto snapshot = testSnapshot();
    if (snapshot == nullptr) {
        call.answer.respond(messageResponse(404, "no configuration runs yet"));
        return;
    }
    const auto told = config::explainRoute(*m_document, *snapshot, *question);
    if (!told) {
        call.answer.respond(messageResponse(400, told.error().message));
        return;
    }
    AdminResponse response;
    response.body = toJson(*told);
    call.answer.respond(std::move(response));
}

// The engine has one of its own; compiling is pure, so this one is equal to it.
std::shared_ptr<const config::Snapshot> AdminApi::testSnapshot()
{
    if (m_document == nullptr) {
        m_testSnapshot.reset();
    } else if (m_testDocument != m_document) {
        m_testSnapshot = config::compile(*m_document, m_state.node).snapshot;
        m_testDocument = m_document;
    }
    return m_testSnapshot;
}

// All of it, or with ?object=routes/cart that object and what stands below it.
void AdminApi::getEffective(const Call& call)
{
    if (m_document == nullptr) {
        call.answer.respond(messageResponse(404, "no configuration runs yet"));
        return;
    }
    auto values = config::effective(*m_document, m_state.node);
    if (!values) {
        call.answer.respond(messageResponse(500, values.error().message));
        return;
    }
    if (const std::string_view object = call.target.parameter("object"); !object.empty()) {
        std::erase_if(values->values, [object](const config::EffectiveValue& value) {
            return !value.object.starts_with(object);
        });
    }
    AdminResponse response;
    response.body = config::toJson(*values);
    call.answer.respond(std::move(response));
}

} // namespace mesh::control
