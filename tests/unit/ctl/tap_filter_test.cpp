#include "app/ctl/tap_filter.h"

#include <QTest>

// Goal: a filter takes exactly the requests that its words say, and what is no filter is told
// where. Method: one request, one row per filter; one row per mistake.
namespace mesh::ctl {

class TapFilterTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void takesWhatItSays_data();
    void takesWhatItSays();
    void mistakesAreToldAtTheirPlace_data();
    void mistakesAreToldAtTheirPlace();
    void limitsHold();
};

namespace {

api::AccessEvent request()
{
    api::AccessEvent event;
    event.node = "edge-1";
    event.method = "GET";
    event.host = "shop.test";
    event.path = "/cart?item=7";
    event.status = 503;
    event.route = "cart";
    event.service = "cart-v2";
    event.attempts = 3;
    event.latencyTotal_ms = 420;
    event.bytesOut = 1000;
    event.policies = {"retried", "hedged"};
    return event;
}

} // namespace

void TapFilterTest::takesWhatItSays_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<bool>("isTaken");

    const auto row = [](const char* text, bool isTaken) {
        QTest::newRow(text) << QString::fromUtf8(text) << isTaken;
    };
    row("", true);
    row("status = 503", true);
    row("status >= 500 and route = cart", true);
    row("status >= 500 and route = catalog", false);
    row("status < 500 or failed", true);
    row("failed and not retried", false);
    row("latency > 300ms", true);
    row("latency > 1s", false);
    row("latency > 419.5", true);
    row("method != GET", false);
    row("path contains \"item=7\"", true);
    row("path contains \"?item\"", true);
    row("cart", true);
    row("payment", false);
    row("\"failed\"", false);
    row("policy = hedged", true);
    row("policy != hedged", false);
    row("bytes_out<=1000", true);
    row("attempts=3", true);
    row("not status = 200", true);
    row("status = 1 or status = 2 and status = 3 or route = cart", true);
    row("(status = 503 or status = 1) and route = none", false);
    row("status = 503 or status = 1 and route = none", true);
}

void TapFilterTest::takesWhatItSays()
{
    QFETCH(const QString, text);
    QFETCH(const bool, isTaken);

    const auto filter = TapFilter::parse(text.toStdString());

    QVERIFY2(filter.has_value(), filter ? "" : filter.error().message.c_str());
    QCOMPARE(filter->matches(request()), isTaken);
}

void TapFilterTest::mistakesAreToldAtTheirPlace_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<int>("offset");
    QTest::addColumn<QString>("word");

    const auto row = [](const char* text, int offset, const char* word) {
        QTest::newRow(text) << QString::fromUtf8(text) << offset << QString::fromUtf8(word);
    };
    row("status >", 8, "expected a value");
    row("status > many", 9, "expected a number");
    row("latency > soon", 10, "such as 300ms");
    row("colour = red", 0, "no such field");
    row("(failed", 7, "expected ')'");
    row("failed)", 6, "'and', 'or'");
    row("and failed", 0, "expected a field");
    row("status > 1 or", 13, "expected a field");
    row("path > 1", 5, "before a text");
    row("status contains 5", 7, "before a number");
    row("path = \"open", 7, "not closed");
}

void TapFilterTest::mistakesAreToldAtTheirPlace()
{
    QFETCH(const QString, text);
    QFETCH(const int, offset);
    QFETCH(const QString, word);

    const auto filter = TapFilter::parse(text.toStdString());

    QVERIFY(!filter);
    const QString message = QString::fromStdString(filter.error().message);
    QVERIFY2(message.contains(word), message.toUtf8().constData());
    const auto* place = std::get_if<Offset>(&filter.error().place);
    QVERIFY(place != nullptr);
    QCOMPARE(static_cast<int>(place->value), offset);
}

void TapFilterTest::limitsHold()
{
    QVERIFY(TapFilter::parse(std::string(30, '(') + "failed" + std::string(30, ')')));
    const auto deep = TapFilter::parse(std::string(40, '(') + "failed" + std::string(40, ')'));
    QVERIFY(!deep);
    QCOMPARE(deep.error().code, ErrorCode::LimitExceeded);
    const auto wide = TapFilter::parse(std::string(5000, 'a'));
    QVERIFY(!wide);
    QCOMPARE(wide.error().code, ErrorCode::LimitExceeded);
}

} // namespace mesh::ctl

QTEST_APPLESS_MAIN(mesh::ctl::TapFilterTest)
#include "tap_filter_test.moc"
