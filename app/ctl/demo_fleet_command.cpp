#include "app/ctl/demo_fleet_command.h"

#include "app/ctl/document_input.h"
#include "app/ctl/store_answer.h"
#include "proxyengine/base/file.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/control/remote_engine.h"
#include "proxyengine/model/canonical.h"
#include "proxyengine/tls/enrolment.h"
#include "simulator/live/live_mesh.h"
#include "simulator/scenario/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <semaphore>
#include <utility>

namespace mesh::ctl {

namespace {

constexpr const char* kAuthorityId = "5f0c1f3e-0000-4000-8000-000000000001";
constexpr Duration kDay = std::chrono::hours(24);
constexpr Duration kCertificateLife = 62 * kDay;
constexpr Duration kCertificateShort = 18 * kDay; // Of the last gateway: something to look at.
constexpr Duration kStartMax = std::chrono::seconds(60); // Eight processes on a busy machine.
constexpr Duration kPollEvery = std::chrono::milliseconds(200);

std::string idOf(std::size_t number)
{
    return fmt::format("5f0c1f3e-0000-4000-8000-{:012}", number + 2);
}

// An authority of the mesh and an identity for every node.
Result<void> addCertificates(model::Document& document, WallTime now)
{
    MESH_TRY(
        const tls::CertificateText authority,
        tls::makeAuthority(document.mesh->name + " authority", now, 365 * kDay)
    );
    model::CaCertificate trusted;
    trusted.id = kAuthorityId;
    trusted.cert = authority.chainPem;
    document.caCertificates.push_back(std::move(trusted));
    document.mesh->caCertificates = {kAuthorityId};
    document.mesh->mtls = model::MtlsMode::Strict;
    const std::string domain = document.mesh->trustDomain.value_or("mesh.local");
    document.mesh->trustDomain = domain;
    std::size_t lastGateway = document.nodes.size();
    for (std::size_t at = 0; at < document.nodes.size(); ++at) {
        if (document.nodes[at].role == model::NodeRole::Gateway) {
            lastGateway = at;
        }
    }
    for (std::size_t at = 0; at < document.nodes.size(); ++at) {
        model::Node& node = document.nodes[at];
        MESH_TRY(
            const tls::KeyAndRequest asked,
            tls::makeRequest(node.name, fmt::format("spiffe://{}/node/{}", domain, node.name))
        );
        MESH_TRY(
            std::string signedPem,
            tls::signRequest(
                asked.requestPem,
                authority,
                now,
                at == lastGateway ? kCertificateShort : kCertificateLife
            )
        );
        model::Certificate certificate;
        certificate.id = idOf(at);
        certificate.cert = std::move(signedPem);
        certificate.key = asked.keyPem;
        node.certificate = certificate.id;
        document.certificates.push_back(std::move(certificate));
    }
    return {};
}

// Every node of the document with the address it was given. Errors: InvalidArgument, MissingField.
Result<std::map<std::string, control::AdminAddress>> addressesOf(
    model::Document& document, const std::vector<std::string>& given
)
{
    std::map<std::string, std::string> urls;
    for (const std::string& text : given) {
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos) {
            return fail(ErrorCode::InvalidArgument, "--node " + text + ": NAME=URL is needed");
        }
        urls[text.substr(0, equals)] = text.substr(equals + 1);
    }
    std::map<std::string, control::AdminAddress> addresses;
    for (model::Node& node : document.nodes) {
        const auto url = urls.find(node.name);
        if (url == urls.end()) {
            return fail(ErrorCode::MissingField, "--node " + node.name + "=URL is missing");
        }
        MESH_TRY(addresses[node.name], control::parseNodeUrl(url->second));
        node.admin = url->second;
    }
    return addresses;
}

Result<void> readLoad(const DemoFleetOptions& options, simulator::LiveMeshOptions& start)
{
    MESH_TRY(const std::string text, readFile(options.scenario, kConfigBytesMax));
    simulator::ScenarioResult parsed = simulator::parseScenario(text);
    if (config::hasErrors(parsed.problems)) {
        return fail(
            ErrorCode::InvalidArgument, config::toText(parsed.problems.front(), options.scenario)
        );
    }
    start.load = std::move(parsed.scenario.load);
    start.timeline = std::move(parsed.scenario.timeline);
    start.seed = parsed.scenario.seed;
    return {};
}

Result<void> writeDocument(const std::string& path, const model::Document& document, WallTime now)
{
    MESH_TRY(auto file, store::MeshDocument::create(path));
    const model::Document stored = model::canonical(document);
    store::NewRevision revision;
    revision.author = "demo";
    revision.message = "The fleet as it was started";
    revision.time = now;
    revision.hash = config::hashOf(stored);
    revision.text = config::toYaml(stored);
    MESH_TRY_VOID(answered<store::Revision>([&](auto answer) {
        file->addRevision(revision, std::move(answer));
    }));
    file->close();
    return {};
}

} // namespace

int runDemoFleet(const DemoFleetOptions& options, const Surroundings& around)
{
    const auto loaded = requireDocument(options.file, around);
    if (!loaded) {
        return loaded.error();
    }
    simulator::LiveMeshOptions start;
    start.document = *loaded->document;
    if (!start.document.mesh) {
        return failed(around, ErrorCode::MissingField, "the file has no mesh", kUsage);
    }
    const auto addresses = addressesOf(start.document, options.nodes);
    if (!addresses) {
        return failed(around, addresses.error(), kUsage);
    }
    if (const auto made = addCertificates(start.document, around.clock().wallNow()); !made) {
        return failed(around, made.error(), kUsage);
    }
    if (const auto read = readLoad(options, start); !read) {
        return failed(around, read.error(), kUsage);
    }
    start.clock = &around.clock();
    start.startMax = kStartMax;
    start.engineFactory =
        [&](const api::EngineOptions& engine,
            const std::shared_ptr<const model::Document>&) -> Result<std::unique_ptr<api::Engine>> {
        control::RemoteOptions remote;
        remote.address = addresses->at(engine.node);
        remote.node = engine.node;
        return control::makeRemoteEngine(around.clock(), std::move(remote));
    };
    auto mesh = simulator::LiveMesh::start(std::move(start));
    if (!mesh) {
        const bool isRefused = mesh.error().code == ErrorCode::Refused;
        return failed(around, mesh.error(), isRefused ? kRefused : kUnreachable);
    }
    const auto written =
        writeDocument(options.into, *(*mesh)->document(), around.clock().wallNow());
    if (!written) {
        return failed(around, written.error(), exitCodeOfFile(written.error()));
    }
    around.output.out += fmt::format("ready {}\n", options.into);
    around.flush();
    std::counting_semaphore<> never{0};
    while (!around.isInterrupted()) {
        static_cast<void>(never.try_acquire_for(kPollEvery));
    }
    (*mesh)->stop();
    return kDone;
}

} // namespace mesh::ctl
