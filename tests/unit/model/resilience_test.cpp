#include "proxyengine/model/canonical.h"
#include "proxyengine/model/diff.h"
#include "proxyengine/model/hedge_text.h"
#include "proxyengine/model/schema.h"

#include <QTest>

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

// The fields in which two documents with these settings differ.
QString changesOf(const Resilience& before, const Resilience& after)
{
    Document old;
    old.services.emplace_back().name = "cart";
    old.services[0].host = "cart";
    old.services[0].resilience = before;
    Document now = old;
    now.services[0].resilience = after;
    QStringList fields;
    for (const ObjectChange& change : diff(old, now)) {
        for (const FieldChange& field : change.fields) {
            fields << QString::fromStdString(field.path);
        }
    }
    return fields.join(QLatin1Char(' '));
}

} // namespace

class ResilienceTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aSectionThatIsThereStaysThere()
    {
        Resilience resilience;
        QVERIFY(toValue(resilience, Defaults::Omitted).map().empty());
        resilience.retry.emplace();
        const Value value = toValue(resilience, Defaults::Omitted);
        QVERIFY(value.find("retry") != nullptr && value.find("retry")->map().empty());
        QCOMPARE(value.find("hedge"), nullptr);
        QVERIFY(fromValue<Resilience>(value) == resilience);
    }

    void aFormSeesTheDefaultsOfASectionThatIsThere()
    {
        Resilience resilience;
        QCOMPARE(toValue(resilience, Defaults::Left).find("retry"), nullptr);
        resilience.retry.emplace();
        const Value value = toValue(resilience, Defaults::Left);
        const Value* const retry = value.find("retry");
        QVERIFY(retry != nullptr);
        QCOMPARE(retry->find("attempts")->toInt(), std::int64_t{2});
        QCOMPARE(retry->find("on")->list().at(0).text(), std::string("connect-failure"));
        QCOMPARE(retry->find("backoff")->find("max")->text(), std::string("250ms"));
        QCOMPARE(retry->find("budget"), nullptr);
        QVERIFY(fromValue<Resilience>(value) == resilience);
        QVERIFY(validate(schemaOf<Resilience>(), value).empty());
    }

    // As for every policy: an empty section switches it on, with its defaults.
    void aRetryHasABudgetOnlyWhenItSaysSo()
    {
        QVERIFY(!fromValue<Retry>(Value(Value::Map())).budget.has_value());
        const Retry some = fromValue<Retry>(record({{"budget", Value(Value::Map())}}));
        QVERIFY(some.budget == std::optional<RetryBudget>({20.0, 3}));
        QVERIFY(toValue(some, Defaults::Omitted).find("budget")->map().empty());
    }

    void defaultsAreValid()
    {
        Upstream upstream;
        upstream.name = "u";
        upstream.outlierDetection.emplace().successRate.emplace();
        upstream.outlierDetection->failurePercentage.emplace();
        upstream.limits.emplace().high.emplace();
        upstream.locality.emplace();
        const Value whole = toValue(upstream, Defaults::Left);
        QCOMPARE(textOf(validate(schemaOf<Upstream>(), whole)), QString());
        QVERIFY(fromValue<Upstream>(whole) == upstream);
        Resilience resilience;
        resilience.breaker.emplace();
        resilience.hedge.emplace();
        resilience.adaptiveConcurrency.emplace();
        const Value left = toValue(resilience, Defaults::Left);
        QCOMPARE(textOf(validate(schemaOf<Resilience>(), left)), QString());
        QVERIFY(fromValue<Resilience>(left) == resilience);
    }

    void aRequiredZeroIsWritten()
    {
        const SplitPart part{"cart", 0};
        const Value value = toValue(part, Defaults::Omitted);
        QCOMPARE(value.find("weight")->toInt(), std::int64_t{0});
        QVERIFY(validate(schemaOf<SplitPart>(), value).empty());
    }

    void hedgesHaveTexts_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("message");
        const auto row = [](const char* text, const char* message = "") {
            QTest::newRow(text) << QString::fromLatin1(text) << QString::fromLatin1(message);
        };
        row("p95");
        row("p99.9");
        row("p1");
        row("200ms");
        row("1500us");
        row("p", "expected a percentile, as in p95 or p99.9");
        row("p9x", "expected a percentile, as in p95 or p99.9");
        row("pnan", "percentile should be at least p1 and below p100");
        row("p1e1", "expected a percentile, as in p95 or p99.9");
        row("p0", "percentile should be at least p1 and below p100");
        row("p100", "percentile should be at least p1 and below p100");
        row("p-5", "percentile should be at least p1 and below p100");
        row("0s", "value should be more than 0s");
        row("25h", "longest duration is 24h");
        row("95", "expected a duration, as in 200ms, or a percentile, as in p95");
    }

    void hedgesHaveTexts()
    {
        QFETCH(QString, text);
        QFETCH(QString, message);
        const Result<HedgeAfter> after = parseHedgeAfter(text.toStdString());
        const Value hedge = record({{"after", Value(text.toStdString())}});
        if (!message.isEmpty()) {
            QVERIFY(!after.has_value());
            QCOMPARE(QString::fromStdString(after.error().message), message);
            const QString problems = textOf(validate(schemaOf<Hedge>(), hedge));
            QCOMPARE(problems, QStringLiteral("after: ") + message);
            return;
        }
        QCOMPARE(QString::fromStdString(toText(*after)), text);
        QVERIFY(validate(schemaOf<Hedge>(), hedge).empty());
        QVERIFY(fromValue<Hedge>(hedge).after == *after);
    }

    void durationsHaveBounds()
    {
        const Field& open = *schemaOf<Breaker>().field("open");
        QCOMPARE(textOf(validate(open, Value("10ms"))), QString());
        QCOMPARE(textOf(validate(open, Value("1h"))), QString());
        QCOMPARE(
            textOf(validate(open, Value("9999us"))),
            QStringLiteral("open: value should be between 10ms and 1h")
        );
        QCOMPARE(
            textOf(validate(open, Value("61m"))),
            QStringLiteral("open: value should be between 10ms and 1h")
        );
        QCOMPARE(describeType(open), std::string("duration, as in 250ms; 10ms to 1h"));
        QCOMPARE(
            describeType(*schemaOf<Hedge>().field("after")),
            std::string("duration or percentile, as in 250ms or p95")
        );
    }

    void rulesReachIntoSections()
    {
        const Value limit = record({{"requests", 1}, {"by", "header"}});
        const Value resilience = record(
            {{"timeout", "1s"},
             {"per_try_timeout", "2s"},
             {"retry", Value(record({{"backoff", Value(record({{"max", "1ms"}}))}}))},
             {"rate_limits", Value(Value::List{limit})}}
        );
        const Value service = record({{"host", "a"}, {"resilience", resilience}});
        QCOMPARE(
            textOf(validate(schemaOf<Service>(), service)),
            QStringLiteral("resilience.per_try_timeout: must not be longer than 'timeout', which "
                           "is 1s|resilience.retry.backoff.max: must not be shorter than 'base', "
                           "which is 25ms|resilience.rate_limits[0].header: required field "
                           "missing: 'by' is 'header'")
        );
    }

    void aServiceOfConnectionsHasNoResilience()
    {
        const Value service =
            record({{"host", "a"}, {"protocol", "tls"}, {"resilience", Value(Value::Map())}});
        const FieldProblems problems = validate(schemaOf<Service>(), service);
        QCOMPARE(problems.size(), std::size_t{1});
        QCOMPARE(problems[0].path, std::string("resilience"));
    }

    void differencesNameTheFieldOrTheSection()
    {
        const Resilience none;
        Resilience some;
        some.retry.emplace();
        QCOMPARE(changesOf(none, some), QStringLiteral("resilience.retry"));
        QCOMPARE(changesOf(some, none), QStringLiteral("resilience.retry"));
        Resilience more = some;
        more.retry->backoff.max = std::chrono::seconds(2);
        more.timeout = std::chrono::seconds(1);
        QCOMPARE(
            changesOf(some, more), QStringLiteral("resilience.timeout resilience.retry.backoff.max")
        );
        Resilience bounded = some;
        bounded.retry->budget.emplace();
        QCOMPARE(changesOf(some, bounded), QStringLiteral("resilience.retry.budget"));
        Resilience less = bounded;
        less.retry->budget->percent = 5;
        QCOMPARE(changesOf(bounded, less), QStringLiteral("resilience.retry.budget.percent"));
        QCOMPARE(changesOf(more, more), QString());
    }

    void setsHaveOneOrderAndSplitsKeepTheirs()
    {
        Document document;
        Service& service = document.services.emplace_back();
        service.host = "a";
        Retry& retry = service.resilience.emplace().retry.emplace();
        retry.on = {RetryOn::FiveXx, RetryOn::ConnectFailure};
        retry.statuses = {503, 429};
        Route& route = service.routes.emplace_back();
        route.split = {{"b", 1}, {"a", 2}};
        const Document settled = canonical(document);
        const Retry& sorted = *settled.services[0].resilience->retry;
        QVERIFY((sorted.on == std::vector{RetryOn::ConnectFailure, RetryOn::FiveXx}));
        QVERIFY((sorted.statuses == std::vector{429, 503}));
        QVERIFY(settled.services[0].routes[0].split == route.split);
    }
};

} // namespace mesh::model

QTEST_APPLESS_MAIN(mesh::model::ResilienceTest)
#include "resilience_test.moc"
