#include "proxyengine/model/schema.h"

#include "proxyengine/model/objects.h"

#include <QTest>

#include <set>

namespace mesh::model {
namespace {

Value::Map record(std::initializer_list<std::pair<const char*, Value>> members)
{
    Value::Map map;
    for (const auto& [key, value] : members) {
        map.push_back(Value::Member{key, value, {}});
    }
    return map;
}

// "path: message" of every problem, joined by '|'.
QString textOf(const FieldProblems& problems)
{
    QStringList lines;
    for (const FieldProblem& problem : problems) {
        lines << QString::fromStdString(problem.path + ": " + problem.message);
    }
    return lines.join(QLatin1Char('|'));
}

void checkSchema(const Schema& schema)
{
    std::set<std::string_view> keys;
    for (const Field& field : schema.fields()) {
        const std::string name = std::string(schema.name()) + "." + std::string(field.key);
        QVERIFY2(keys.insert(field.key).second, name.c_str());
        QVERIFY2(!field.label.empty(), name.c_str());
        QVERIFY2(field.help.ends_with('.'), name.c_str());
        QVERIFY2(!describeType(field).empty(), name.c_str());
        QVERIFY2(field.get != nullptr && field.set != nullptr, name.c_str());
        QVERIFY2(field.min.has_value() == field.max.has_value(), name.c_str());
        QVERIFY2((field.kind == Kind::Choice) <= !field.choices.empty(), name.c_str());
        const bool hasRecord = field.kind == Kind::Record || field.kind == Kind::Script
                               || (field.kind == Kind::List && field.element == Kind::Record);
        QVERIFY2(hasRecord == (field.record != nullptr), name.c_str());
        if (!field.reference.empty()) {
            QVERIFY2(entityKind(field.reference) != nullptr, name.c_str());
        }
        if (field.record != nullptr) {
            checkSchema(*field.record);
        }
        if (!field.isRequired && !field.defaultValue.isNull()) {
            QVERIFY2(validate(field, field.defaultValue).empty(), name.c_str());
        }
    }
}

} // namespace

class SchemaTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyFieldIsWhole()
    {
        for (const EntityKind& kind : entityKinds()) {
            checkSchema(*kind.schema);
            QCOMPARE(kind.schema->name(), kind.singular);
        }
    }

    void onlyCertificatesHaveSecrets()
    {
        for (const EntityKind& kind : entityKinds()) {
            for (const Field& field : kind.schema->fields()) {
                QVERIFY(!field.isSecret || kind.plural == "certificates");
            }
        }
        QVERIFY(schemaOf<Certificate>().field("key")->isSecret);
        QVERIFY(schemaOf<Certificate>().field("key_alt")->isSecret);
    }

    void readsAndWritesMembers()
    {
        Service service;
        const Schema& schema = schemaOf<Service>();
        QCOMPARE(schema.field("port")->get(&service).toInt(), std::int64_t{80});
        schema.field("port")->set(&service, Value(8080));
        QCOMPARE(service.port, std::uint16_t{8080});
        QVERIFY(!schema.field("port")->isDefault(&service));
        schema.field("port")->set(&service, Value());
        QVERIFY(schema.field("port")->isDefault(&service));
        schema.field("connect_timeout")->set(&service, Value(250));
        QCOMPARE(service.connectTimeout, Duration(std::chrono::milliseconds(250)));
        schema.field("protocol")->set(&service, Value("tls"));
        QCOMPARE(service.protocol, Protocol::Tls);
        QVERIFY(schema.field("path")->get(&service).isNull());
        schema.field("path")->set(&service, Value("/v1"));
        QCOMPARE(*service.path, std::string("/v1"));
        QCOMPARE(schema.field("nothing"), nullptr);
    }

    void aValueOfTheWrongTypeLeavesTheDefault()
    {
        const Service service = fromValue<Service>(
            record({{"host", 3}, {"port", "80"}, {"retries", std::int64_t{-5'000'000'000}}})
        );
        QVERIFY(service.host.empty());
        QCOMPARE(service.port, std::uint16_t{80});
        QCOMPARE(service.retries, 5);
    }

    void omitsDefaultsForFilesAndWritesThemForForms()
    {
        Upstream upstream;
        upstream.name = "u";
        QCOMPARE(toValue(upstream, Defaults::Omitted).map().size(), std::size_t{1});
        const Value whole = toValue(upstream, Defaults::Left);
        const Value* const active = whole.find("healthchecks")->find("active");
        QVERIFY(active != nullptr);
        QCOMPARE(active->find("healthy")->find("http_statuses")->list().size(), std::size_t{2});
        QVERIFY(fromValue<Upstream>(whole) == upstream);
    }

    void secondsKeepFractions()
    {
        ActiveHealthcheck active;
        active.timeout = std::chrono::milliseconds(300);
        const Value value = toValue(active, Defaults::Omitted);
        QCOMPARE(value.find("timeout")->toNumber(), 0.3);
        QVERIFY(fromValue<ActiveHealthcheck>(value) == active);
    }

    void lawsKeepTheirKind()
    {
        DurationLaw law;
        law.kind = DurationLaw::Kind::Quantiles;
        law.quantiles = {{0.0, std::chrono::milliseconds(1)}, {1.0, std::chrono::milliseconds(9)}};
        const Value value = toValue(law, Defaults::Omitted);
        QCOMPARE(value.find("dist"), nullptr);
        QVERIFY(fromValue<DurationLaw>(value) == law);
        const DurationLaw constant = fromValue<DurationLaw>(record({{"mean", "4ms"}}));
        QCOMPARE(constant.kind, DurationLaw::Kind::Const);
        QCOMPARE(toValue(constant, Defaults::Omitted).find("dist")->text(), std::string("const"));
    }

    void scriptsKeepTheirSteps()
    {
        ServiceModel model;
        model.service = "a";
        model.script = {
            ModelStep{{ModelCall{"b", 1.0, 1, {}}}, false},
            ModelStep{{ModelCall{"c", 0.5, 2, 0.9}, ModelCall{"d", 1.0, 1, {}}}, true},
            ModelStep{{ModelCall{"e", 1.0, 1, {}}}, true}};
        QVERIFY(fromValue<ServiceModel>(toValue(model, Defaults::Omitted)) == model);
    }

    void fieldsAreValidated_data()
    {
        QTest::addColumn<QString>("key");
        QTest::addColumn<int>("which");
        QTest::addColumn<QString>("message");
        const auto row = [](const char* name, const char* key, int which, const char* message) {
            QTest::newRow(name) << QString::fromLatin1(key) << which << QString::fromUtf8(message);
        };
        row("port as text", "port", 0, "port: expected an integer");
        row("port too large", "port", 1, "port: value should be between 0 and 65535");
        row("boolean as number", "enabled", 1, "enabled: expected a boolean");
        row("choice",
            "protocol",
            2,
            "protocol: expected one of: http, https, grpc, grpcs, tcp, tls, tls_passthrough, udp");
        row("number for text", "host", 1, "host: expected a string; put it in quotes");
        row("empty text", "host", 3, "host: length must be at least 1");
        row("null for required", "host", 4, "host: required field missing");
        row("null for optional", "path", 4, "");
        row("text for set", "tags", 2, "tags: expected a set");
        row("element", "tags", 5, "tags[0]: expected a string; put it in quotes");
        row("twice in a set", "tags", 6, "tags[1]: stands twice in this set");
        row("timeout", "read_timeout", 7, "read_timeout: value should be between 1 and 2147483646");
        row("children", "routes", 6, "routes[0]: expected a record|routes[1]: expected a record");
    }

    void fieldsAreValidated()
    {
        QFETCH(QString, key);
        QFETCH(int, which);
        QFETCH(QString, message);
        const std::vector<Value> values = {
            Value("80"),
            Value(70'000),
            Value("ftp"),
            Value(""),
            Value(),
            Value(Value::List{Value(1)}),
            Value(Value::List{Value("a"), Value("a")}),
            Value(0)};
        const Field* const field = schemaOf<Service>().field(key.toStdString());
        QVERIFY(field != nullptr);
        QCOMPARE(textOf(validate(*field, values[static_cast<std::size_t>(which)])), message);
    }

    void unknownAndMissingFieldsAreReported()
    {
        const FieldProblems problems = validate(
            schemaOf<Service>(), record({{"hsot", "a"}, {"filter_chains", Value::List()}})
        );
        QCOMPARE(
            textOf(problems),
            QStringLiteral("hsot: unknown field|filter_chains: filter chains are not supported by "
                           "this version; remove them or use a later version|host: required field "
                           "missing")
        );
        QCOMPARE(problems[1].code, ErrorCode::Unsupported);
    }

    void rulesOverFieldsRunWhenFieldsAreRight()
    {
        QCOMPARE(
            textOf(validate(
                schemaOf<Service>(),
                record({{"host", "a"}, {"protocol", "tcp"}, {"path", "/x"}, {"tls_verify", true}})
            )),
            QStringLiteral("path: value must be null when 'protocol' is 'tcp'|tls_verify: can "
                           "only be set when 'protocol' is 'https', 'tls' or 'grpcs'")
        );
        const Value route = record({{"name", "r"}});
        QCOMPARE(
            textOf(validate(
                schemaOf<Service>(), record({{"host", "a"}, {"routes", Value(Value::List{route})}})
            )),
            QStringLiteral("routes[0]: must set one of 'methods', 'hosts', 'headers', 'paths' "
                           "when 'protocols' is 'http'")
        );
    }

    void typesAreDescribedInWords()
    {
        const Schema& schema = schemaOf<Service>();
        QCOMPARE(
            describeType(*schema.field("connect_timeout")),
            std::string("whole number, 1 to 2147483646 (ms)")
        );
        QCOMPARE(describeType(*schema.field("tags")), std::string("list of: text"));
        QCOMPARE(
            describeType(*schemaOf<Route>().field("https_redirect_status_code")),
            std::string("whole number: 426, 301, 302, 307, 308")
        );
    }
};

} // namespace mesh::model

QTEST_APPLESS_MAIN(mesh::model::SchemaTest)
#include "schema_test.moc"
