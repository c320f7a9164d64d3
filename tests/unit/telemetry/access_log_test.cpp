// Goal: access log lines are one line each, whatever bytes the client sent.
#include "proxyengine/telemetry/access_log.h"

#include <QTest>

#include <nlohmann/json.hpp>

using namespace mesh;
using namespace mesh::telemetry;

namespace {
AccessRecord record()
{
    AccessRecord made;
    made.time = WallTime(std::chrono::milliseconds(1'700'000'000'123));
    made.client = "127.0.0.1";
    made.method = "GET";
    made.host = "shop";
    made.target = "/a\"b\n\xff";
    made.protocol = "HTTP/2";
    made.status = 200;
    made.attempts = 1;
    made.latencyTotal = std::chrono::microseconds(1500);
    return made;
}
} // namespace

class AccessLogTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void timesAreUtcWithMilliseconds()
    {
        QCOMPARE(timeText(record().time), std::string("2023-11-14T22:13:20.123Z"));
    }

    void textEscapesWhatCouldForgeALine()
    {
        std::string line;
        appendText(line, record());

        QCOMPARE(std::count(line.begin(), line.end(), '\n'), 1);
        QVERIFY(line.find("\"GET /a\\x22b\\x0A\\xFF HTTP/2\" 200") != std::string::npos);
        QVERIFY(line.find(" 1.500 ") != std::string::npos);
    }

    void jsonIsOneValidObjectALine()
    {
        std::string line;
        appendJson(line, record());

        QCOMPARE(std::count(line.begin(), line.end(), '\n'), 1);
        const auto json = nlohmann::json::parse(line);
        QCOMPARE(json["protocol"].get<std::string>(), std::string("HTTP/2"));
        QCOMPARE(json["status"].get<int>(), 200);
        QCOMPARE(json["latency_ms"]["total"].get<double>(), 1.5);
    }
};

QTEST_APPLESS_MAIN(AccessLogTest)
#include "access_log_test.moc"
