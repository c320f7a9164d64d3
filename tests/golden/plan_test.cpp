#include "proxyengine/base/duration_text.h"
#include "proxyengine/base/file.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/config/compile.h"
#include "proxyengine/config/tree.h"
#include "proxyengine/model/schema.h"

#include <QDir>
#include <QTest>

#include <array>
#include <string>
#include <string_view>

// Every *.case under tests/golden/plan is a configuration, a line "----", and what compile() makes
// of its traffic policies for the node "edge" (or a gateway without a name). Indices are written
// as numbers: two routes with the same number share the thing.
// MESH_UPDATE_GOLDEN=1 writes what came out instead of comparing.
namespace mesh::config {
namespace {

using model::Value;

constexpr std::string_view kSeparator = "\n----\n";

template <typename Struct>
Value settingsOf(const Struct& settings)
{
    return model::toValue(settings, model::Defaults::Omitted);
}

// Puts a member in when it says something.
void put(Value& record, std::string_view key, const std::optional<std::size_t>& index)
{
    if (index) {
        record.set(key, static_cast<std::int64_t>(*index));
    }
}
void put(Value& record, std::string_view key, const std::optional<Duration>& duration)
{
    if (duration) {
        record.set(key, toDurationText(*duration));
    }
}
void put(Value& record, std::string_view key, const std::string& text)
{
    if (!text.empty()) {
        record.set(key, text);
    }
}
template <typename Struct>
void put(Value& record, std::string_view key, const std::optional<Struct>& settings)
{
    if (settings) {
        record.set(key, settingsOf(*settings));
    }
}

Value valueOf(const UpstreamPlan& plan)
{
    Value record;
    record.set("name", plan.name);
    if (plan.hash.on != model::HashOn::None) {
        record.set("hash_on", static_cast<std::int64_t>(plan.hash.on));
        put(record, "hash_name", plan.hash.name);
        record.set("hash_fallback", static_cast<std::int64_t>(plan.hash.fallback));
        put(record, "hash_fallback_name", plan.hash.fallbackName);
        put(record, "cookie_path", plan.hash.cookiePath);
    }
    put(record, "outlier_detection", plan.outlierDetection);
    put(record, "limits", plan.limits);
    if (plan.slowStart != Duration::zero()) {
        record.set("slow_start", toDurationText(plan.slowStart));
    }
    put(record, "locality", plan.locality);
    Value::List targets;
    for (const TargetPlan& target : plan.targets) {
        Value each;
        each.set("address", target.address);
        put(each, "zone", target.zone);
        put(each, "version", target.version);
        targets.emplace_back(std::move(each));
    }
    record.set("targets", std::move(targets));
    return record;
}

Value valueOf(const ResiliencePlan& plan)
{
    Value record;
    record.set("subject", plan.subject);
    put(record, "timeout", plan.timeout);
    put(record, "per_try_timeout", plan.perTryTimeout);
    put(record, "retry", plan.retry);
    put(record, "hedge", plan.hedge);
    put(record, "breaker", plan.breaker);
    put(record, "fallback_service", plan.fallbackService);
    put(record, "fallback_resilience", plan.fallbackResilience);
    put(record, "mirror", plan.mirror);
    put(record, "mirror_service", plan.mirrorService);
    put(record, "fault", plan.fault);
    Value::List limits;
    for (const std::size_t index : plan.rateLimits) {
        limits.emplace_back(static_cast<std::int64_t>(index));
    }
    if (!limits.empty()) {
        record.set("rate_limits", std::move(limits));
    }
    put(record, "adaptive_concurrency", plan.adaptiveConcurrency);
    if (plan.priority != model::RequestPriority::Default) {
        record.set("priority", plan.priority == model::RequestPriority::High ? "high" : "low");
    }
    put(record, "version", plan.version);
    return record;
}

Value valueOf(const RoutePlan& plan)
{
    Value record;
    record.set("name", plan.name);
    put(record, "service", plan.service);
    put(record, "resilience", plan.resilience);
    Value::List split;
    for (const SplitPlan& part : plan.split) {
        Value each;
        each.set("service", static_cast<std::int64_t>(part.service));
        each.set("weight", static_cast<std::int64_t>(part.weight));
        put(each, "resilience", part.resilience);
        split.emplace_back(std::move(each));
    }
    if (!split.empty()) {
        record.set("split", std::move(split));
    }
    put(record, "split_sticky", plan.splitSticky);
    return record;
}

Value valueOf(const StreamRoutePlan& plan)
{
    Value record;
    record.set("name", plan.name);
    put(record, "service", plan.service);
    Value::List ports;
    for (const std::uint16_t port : plan.ports) {
        ports.emplace_back(static_cast<std::int64_t>(port));
    }
    record.set("ports", std::move(ports));
    if (plan.passesTls) {
        record.set("passes_tls", true);
    }
    return record;
}

template <typename Settings>
Value valueOf(const KeptPlan<Settings>& plan)
{
    Value record;
    record.set("subject", plan.subject);
    record.set("settings", settingsOf(plan.settings));
    return record;
}

template <typename Plan>
void putAll(Value& root, std::string_view key, const std::vector<Plan>& plans)
{
    Value::List list;
    for (const Plan& plan : plans) {
        list.push_back(valueOf(plan));
    }
    if (!list.empty()) {
        root.set(key, std::move(list));
    }
}

Value valueOf(const Snapshot& snapshot)
{
    Value root;
    put(root, "zone", snapshot.zone);
    put(root, "overload", snapshot.overload);
    putAll(root, "upstreams", snapshot.upstreams);
    Value::List services;
    for (const ServicePlan& service : snapshot.services) {
        constexpr std::array<std::string_view, 3> kVersions = {"", " http2", " auto"};
        services.emplace_back(
            service.name + std::string(kVersions.at(static_cast<std::size_t>(service.httpVersion)))
        );
    }
    root.set("services", std::move(services));
    for (const RouteTable& table : snapshot.tables) {
        putAll(root, "routes", table.routes);
    }
    putAll(root, "streams", snapshot.streamRoutes);
    putAll(root, "resiliences", snapshot.resiliences);
    putAll(root, "retries", snapshot.retries);
    putAll(root, "breakers", snapshot.breakers);
    putAll(root, "rate_limits", snapshot.rateLimits);
    putAll(root, "adaptive_concurrencies", snapshot.adaptiveConcurrencies);
    return root;
}

std::string answerTo(std::string_view input)
{
    const DecodeResult decoded = decode(input);
    std::string answer;
    for (const Problem& problem : decoded.problems) {
        answer += toText(problem, "case") + "\n";
    }
    if (hasErrors(decoded.problems)) {
        return answer;
    }
    const bool hasNodes = !decoded.document.nodes.empty();
    const CompileResult result = compile(decoded.document, hasNodes ? "edge" : "");
    for (const Problem& problem : result.problems) {
        answer += toText(problem, "compile") + "\n";
    }
    return result.snapshot == nullptr ? answer : answer + toYaml(valueOf(*result.snapshot));
}

} // namespace

class PlanTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void compilesAsWritten_data();
    void compilesAsWritten();
};

void PlanTest::compilesAsWritten_data()
{
    QTest::addColumn<QString>("path");
    const QDir folder(QStringLiteral(MESH_SOURCE_DIR "/tests/golden/plan"));
    const QStringList names = folder.entryList({QStringLiteral("*.case")}, QDir::Files, QDir::Name);
    QVERIFY(names.size() >= 8);
    for (const QString& name : names) {
        QTest::newRow(qPrintable(name)) << folder.filePath(name);
    }
}

void PlanTest::compilesAsWritten()
{
    QFETCH(QString, path);
    const Result<std::string> content = readFile(path.toStdString(), 1U << 20U);
    QVERIFY(content.has_value());
    const std::size_t separator = content->find(kSeparator);
    QVERIFY2(separator != std::string::npos, "the case has no line '----'");
    const std::string input = content->substr(0, separator + 1);
    const std::string expected = content->substr(separator + kSeparator.size());
    const std::string answer = answerTo(input);
    if (qEnvironmentVariableIntValue("MESH_UPDATE_GOLDEN") == 1) {
        const std::string updated = input + std::string(kSeparator.substr(1)) + answer;
        QVERIFY(writeFileAtomically(path.toStdString(), updated).has_value());
        return;
    }
    QCOMPARE(QString::fromStdString(answer), QString::fromStdString(expected));
}

} // namespace mesh::config

QTEST_APPLESS_MAIN(mesh::config::PlanTest)
#include "plan_test.moc"
