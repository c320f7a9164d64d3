#include "proxyengine/base/duration_text.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/config/compile.h"
#include "proxyengine/model/canonical.h"
#include "proxyengine/model/diff.h"
#include "proxyengine/model/schema.h"
#include "tests/support/certificate_maker.h"

#include <QTest>

#include <fmt/format.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>

// Random documents, made from the schemas themselves, so that a new field is covered at once.
namespace mesh::config {
namespace {

using model::Field;
using model::Format;
using model::Kind;
using model::Schema;
using model::Value;

int below(int count) { return *rc::gen::inRange(0, count); }

std::string pick(std::initializer_list<const char*> texts)
{
    return *(texts.begin() + below(static_cast<int>(texts.size())));
}

// Any text without what UTF-8 forbids; hard for writers: quotes, newlines, colons, control bytes.
std::string anyText()
{
    std::string text;
    const int length = 1 + below(8);
    for (int at = 0; at < length; ++at) {
        text += pick({"a",  "Z",    "0",    "9",   " ", ":", "#", "\"", "\\",   "'",
                      "\n", "\t",   "-",    ",",   "[", "}", "é", "😀",  "\x01", "\x7f",
                      "~",  "null", "true", "1.5", "%", "&", "*", "!"});
    }
    return text;
}

std::string textOf(Format format)
{
    const int number = below(1000);
    switch (format) {
    case Format::Any:
        return anyText();
    case Format::Name:
        return pick({"a", "yes", "12", "null", "x.y-z_~", "möve", "-", "0x10"});
    case Format::Tag:
        return pick({"zone:a", "true", "a b", " ", "#x", "'", "\"", "1.0", "é"})
               + fmt::to_string(number);
    case Format::Uuid:
        return fmt::format("{:08x}-0000-4000-8000-{:012x}", number, number);
    case Format::Host:
        return pick({"a.example", "10.0.0.1", "::1", "no", "x_y"});
    case Format::HostPort:
    case Format::Address:
        return fmt::format("{}:{}", pick({"a", "10.0.0.1", "[::1]"}), number);
    case Format::WildcardHost:
        return pick({"*.a.example", "a.*", "a.example:80", "y"});
    case Format::WildcardSni:
        return fmt::format("{}{}.example", pick({"*.", ""}), number);
    case Format::UpstreamName:
        return fmt::format("up-{}", number);
    case Format::Path:
        return pick({"/", "/a", "/a/b%20c", "/~x"});
    case Format::RouterPath:
        return pick({"/", "/a", "~/x/(?<id>[0-9]+)$", "/y'z", "~/: #"});
    case Format::Method:
        return pick({"GET", "PUT", "Y", "NULL"});
    case Format::HeaderName:
        return pick({"X-A", "null", "x-b", "1", "~"});
    case Format::IpOrCidr:
        return pick({"10.0.0.0/8", "::1", "fe80::/10"});
    case Format::Url:
        return pick({"https://a.example:1", "unix:///x"});
    case Format::Pem:
        return "-----BEGIN X-----\n" + pick({"abc\n", "a b\n\n", "x", " y\n", "é\n"});
    case Format::HedgeDelay:
        return pick({"p50", "p99.9", "p95", "1ms", "1500us", "p1"});
    }
    return {};
}

// Texts around the blocks of a PEM text are no part of them; writers must keep them.
std::string around(const std::string& pem)
{
    return pick({"", "\n", " y\n", "é: #\n"}) + pem + pick({"", "\n\n", "x", " y\n", "é\n"});
}

const test::IssuedCertificate& authority()
{
    static const test::IssuedCertificate kAuthority = test::issueAuthority("Any CA");
    return kAuthority;
}

Value recordOf(const Schema& schema);

Value numberFor(const Field& field)
{
    const double low = field.min.value_or(0);
    const double high = std::min(field.max.value_or(1000), low + 1000);
    const bool isWhole =
        field.kind == Kind::Int || field.kind == Kind::Milliseconds || field.element == Kind::Int;
    if (isWhole) {
        return static_cast<std::int64_t>(low) + below(static_cast<int>(high - low) + 1);
    }
    return low + (high - low) * below(1001) / 1000;
}

Duration durationFor(const Field& field)
{
    const Duration shift = std::chrono::microseconds(1 + below(100'000));
    const Duration low = fromSeconds(field.min.value_or(0));
    return field.max ? std::min(low + shift, fromSeconds(*field.max)) : shift;
}

Value simpleOf(const Field& field, Kind kind)
{
    switch (kind) {
    case Kind::Bool:
        return below(2) == 1;
    case Kind::Int:
        if (!field.allowed.empty()) {
            return field
                .allowed[static_cast<std::size_t>(below(static_cast<int>(field.allowed.size())))];
        }
        return numberFor(field);
    case Kind::Number:
    case Kind::Milliseconds:
    case Kind::Seconds:
        return numberFor(field);
    case Kind::Text:
        return textOf(field.format);
    case Kind::DurationText:
        return toDurationText(durationFor(field));
    case Kind::Choice:
        return field
            .choices[static_cast<std::size_t>(below(static_cast<int>(field.choices.size())))];
    default:
        return Value();
    }
}

Value valueOf(const Field& field)
{
    if (field.kind == Kind::Record) {
        return recordOf(*field.record);
    }
    if (field.kind == Kind::Map) {
        Value::Map map;
        map.push_back(
            {textOf(Format::HeaderName), Value(Value::List{Value(anyText()), Value("b")}), {}}
        );
        return map;
    }
    if (field.kind == Kind::Points) {
        return Value::List{
            Value(Value::List{Value(0), Value("1ms")}),
            Value(Value::List{Value(0.25), Value("2ms")}),
            Value(Value::List{Value(1), Value("40ms")})};
    }
    if (field.kind != Kind::List) {
        return simpleOf(field, field.kind);
    }
    Value::List list;
    const int length = below(4);
    for (int at = 0; at < length; ++at) {
        list.push_back(
            field.element == Kind::Record ? recordOf(*field.record) : simpleOf(field, field.element)
        );
    }
    return list;
}

// Names of other objects are put in when these exist.
bool namesOthers(const Field& field)
{
    const bool hasRecord = field.record != nullptr && !field.isChild;
    return (!field.reference.empty() || field.key == "version")
           || (hasRecord && std::ranges::any_of(field.record->fields(), [](const Field& each) {
                   return each.isRequired && !each.reference.empty();
               }));
}

// The least that the schema accepts.
Value leastOf(const Schema& schema)
{
    Value record{Value::Map()};
    for (const Field& field : schema.fields()) {
        if (field.isRequired) {
            record.set(field.key, valueOf(field));
        }
    }
    if (schema.name() == "route") {
        record.set("paths", Value(Value::List{Value("/")}));
    }
    if (schema.name() == "address") {
        record.set("port", 1);
    }
    return record;
}

// A record that its schema accepts: fields that break a rule are taken out again.
Value recordOf(const Schema& schema)
{
    Value record{Value::Map()};
    for (const Field& field : schema.fields()) {
        const bool isLeftOut = field.isChild || namesOthers(field) || field.kind == Kind::Script;
        if (field.isRequired || (!isLeftOut && below(3) == 0)) {
            record.set(field.key, valueOf(field));
        }
    }
    constexpr int kRepairsMax = 20;
    for (int round = 0; round < kRepairsMax; ++round) {
        const model::FieldProblems problems = model::validate(schema, record);
        if (problems.empty()) {
            return record;
        }
        const std::string& path = problems.front().path;
        const Field* const field = schema.field(path.substr(0, path.find_first_of(".[")));
        if (field == nullptr || field->isRequired || !record.remove(field->key)) {
            break;
        }
    }
    return leastOf(schema);
}

template <typename Entity>
Entity entityOf()
{
    const Value record = recordOf(model::schemaOf<Entity>());
    for (const model::FieldProblem& problem : model::validate(model::schemaOf<Entity>(), record)) {
        RC_FAIL(problem.path + ": " + problem.message);
    }
    return model::fromValue<Entity>(record);
}

model::Route routeOf(const std::string& name)
{
    auto route = entityOf<model::Route>();
    route.id.reset();
    route.name = name;
    route.plugins.clear();
    // Times are compared with those of the service, unless the route says all of them.
    if (route.resilience
        && !(
            route.resilience->timeout && route.resilience->perTryTimeout && route.resilience->hedge
        )) {
        route.resilience->timeout.reset();
        route.resilience->perTryTimeout.reset();
        route.resilience->hedge.reset();
    }
    return route;
}

bool takesRequests(const model::Service& service)
{
    return service.enabled && service.protocol <= model::Protocol::Grpcs;
}

// Mirrors, fallbacks and splits to earlier services, so that none goes round in a circle.
void handOn(model::Document& document, std::size_t at)
{
    model::Service& service = document.services[at];
    const std::string target = *document.services[at - 1].name;
    if (service.resilience && below(2) == 0) {
        service.resilience->mirror = model::Mirror{target, 0.25 * below(5), below(100)};
    }
    if (service.resilience && service.resilience->breaker && below(2) == 0) {
        service.resilience->breaker->fallback = model::BreakerFallback();
        service.resilience->breaker->fallback.service = target;
    }
    const bool hasRoute = !service.routes.empty() && takesRequests(service)
                          && service.routes.front().protocols.front() <= model::Protocol::Grpcs;
    if (hasRoute && below(2) == 0) {
        service.routes.front().split = {{*service.name, 1 + below(100)}, {target, below(100)}};
        if (below(2) == 0) {
            service.routes.front().splitSticky =
                model::SplitSticky{model::StickyBy::Cookie, pick({"a", "null", "side"})};
        }
    }
}

void addGateway(model::Document& document)
{
    const int serviceCount = below(4);
    for (int at = 0; at < serviceCount; ++at) {
        auto service = entityOf<model::Service>();
        service.id.reset();
        service.name = fmt::format("{}-{}", pick({"s", "no", "0"}), at);
        service.caCertificates.clear();
        service.plugins.clear();
        for (int each = below(3); each > 0; --each) {
            service.routes.push_back(routeOf(fmt::format("r-{}-{}", at, each)));
        }
        document.services.push_back(std::move(service));
        const bool isFirst = at == 0;
        if (!isFirst && takesRequests(document.services[document.services.size() - 2])) {
            handOn(document, document.services.size() - 1);
        }
    }
    for (int each = below(2); each > 0; --each) {
        document.routes.push_back(routeOf(fmt::format("top-{}", each)));
        if (!document.services.empty() && below(2) == 0) {
            document.routes.back().service = document.services.front().name;
        }
    }
    for (int at = below(3); at > 0; --at) {
        auto upstream = entityOf<model::Upstream>();
        upstream.id.reset();
        upstream.name = fmt::format("u{}", at);
        for (int each = below(3); each > 0; --each) {
            auto target = entityOf<model::Target>();
            target.id.reset();
            target.target = fmt::format("10.0.0.{}{}", each, pick({":80", ""}));
            upstream.targets.push_back(std::move(target));
        }
        document.upstreams.push_back(std::move(upstream));
    }
}

// Generated texts are no certificates, and those are judged.
void addCertificates(model::Document& document)
{
    static const test::IssuedCertificate kShown = test::issue({}, &authority());
    if (below(3) == 0) {
        auto certificate = entityOf<model::Certificate>();
        certificate.cert = around(kShown.pem());
        certificate.key = around(kShown.keyPem());
        certificate.certAlt.reset();
        certificate.keyAlt.reset();
        certificate.snis.push_back(entityOf<model::Sni>());
        document.certificates.push_back(std::move(certificate));
    }
    if (below(3) == 0) {
        auto trusted = entityOf<model::CaCertificate>();
        trusted.id = textOf(Format::Uuid);
        trusted.cert = around(authority().pem());
        trusted.crl =
            below(2) == 0 ? std::optional(around(test::revoke(authority(), {7}))) : std::nullopt;
        model::Plugin plugin;
        plugin.enabled = below(2) == 0;
        plugin.config.caCertificates = {*trusted.id};
        plugin.config.skipConsumerLookup = true;
        plugin.config.sendCaDn = below(2) == 0;
        plugin.config.revocationCheckMode = static_cast<model::RevocationMode>(below(3));
        document.caCertificates.push_back(std::move(trusted));
        document.plugins.push_back(std::move(plugin));
    }
}

void addMesh(model::Document& document)
{
    if (below(2) == 0) {
        document.mesh = entityOf<model::MeshSettings>();
        document.mesh->caCertificates.clear();
        if (document.mesh->mtls == model::MtlsMode::Strict) { // Needs certificates of members.
            document.mesh->mtls = model::MtlsMode::Permissive;
        }
        document.mesh->trustDomain = document.mesh->trustDomain.value_or("shop.local");
    }
    auto node = entityOf<model::Node>();
    node.name = "node";
    node.role = model::NodeRole::Sidecar;
    document.nodes.push_back(std::move(node));
    for (std::size_t at = 0; at < document.services.size(); ++at) {
        auto workload = entityOf<model::Workload>();
        workload.name = fmt::format("w{}", at);
        workload.service = *document.services[at].name;
        workload.node = "node";
        workload.address = fmt::format("127.0.0.1:{}", 1000 + at);
        workload.inbound = fmt::format("127.0.0.1:{}", 2000 + at);
        workload.outbound = fmt::format("127.0.0.1:{}", 3000 + at);
        document.workloads.push_back(std::move(workload));
        auto model = entityOf<model::ServiceModel>();
        model.service = *document.services[at].name;
        for (std::size_t callee = at + 1; callee < document.services.size(); ++callee) {
            auto call = entityOf<model::ModelCall>();
            call.call = *document.services[callee].name;
            model::ModelStep step;
            step.isParallel = below(2) == 0;
            step.calls.push_back(std::move(call));
            model.script.push_back(std::move(step));
        }
        document.models.push_back(std::move(model));
    }
}

model::Document anyDocument()
{
    model::Document document;
    addGateway(document);
    addCertificates(document);
    addMesh(document);
    return document;
}

void mustBeRight(const DecodeResult& result, const std::string& text)
{
    for (const Problem& problem : result.problems) {
        if (problem.severity == Severity::Error) {
            RC_FAIL(toText(problem, "text") + "\n" + text);
        }
    }
}

} // namespace

class ConfigRoundTripProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whatIsWrittenReadsBackTheSame()
    {
        QVERIFY(rc::check("decode(toYaml(d)) and decode(toJson(d)) are canonical(d)", [] {
            const model::Document document = anyDocument();
            const model::Document settled = model::canonical(document);
            const std::string yaml = toYaml(document);
            const DecodeResult fromYaml = decode(yaml);
            mustBeRight(fromYaml, yaml);
            RC_ASSERT(fromYaml.document == settled);
            const std::string json = toJson(document);
            const DecodeResult fromJson = decode(json);
            mustBeRight(fromJson, json);
            RC_ASSERT(fromJson.document == settled);
            RC_ASSERT(toYaml(fromJson.document) == yaml);
            RC_ASSERT(hashOf(fromYaml.document) == hashOf(document));
            RC_ASSERT(hashOf(fromJson.document) == hashOf(document));
        }));
    }

    void validDocumentsCompileForEveryNode()
    {
        QVERIFY(rc::check("what validate() accepts, compile() accepts", [] {
            const model::Document document = anyDocument();
            mustBeRight(DecodeResult{{}, validate(document)}, toYaml(document));
            for (const char* const node : {"", "node"}) {
                const CompileResult result = compile(document, node);
                RC_ASSERT(result.snapshot != nullptr);
                for (const ListenerPlan& listener : result.snapshot->listeners) {
                    RC_ASSERT(listener.table < result.snapshot->tables.size());
                }
                for (const ServicePlan& service : result.snapshot->services) {
                    RC_ASSERT(service.upstream < result.snapshot->upstreams.size());
                }
            }
        }));
    }

    void aDocumentDoesNotDifferFromItsCanonicalForm()
    {
        QVERIFY(rc::check("diff(d, canonical(d)) is empty", [] {
            const model::Document document = anyDocument();
            RC_ASSERT(model::diff(document, model::canonical(document)).empty());
        }));
    }
};

} // namespace mesh::config

QTEST_APPLESS_MAIN(mesh::config::ConfigRoundTripProperty)
#include "config_round_trip_property.moc"
