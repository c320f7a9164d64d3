// Goal: a stored value is exactly what was measured, and sums do not depend on their order.
// Method: encode and decode known values, and every truncation of one.
#include "app/store/metric.h"

#include <QTest>

#include <string>

using namespace mesh;
using namespace mesh::store;

namespace {

MetricValue fullValue()
{
    MetricValue value;
    value.answers = {1, 0, 300, 4, 5, 1ULL << 40U};
    value.retries = 7;
    value.connectFailures = 8;
    value.timeouts = 9;
    value.bytesIn = 123'456'789;
    value.bytesOut = 1;
    value.active = 12;
    value.cpu_us = 13;
    value.protocolErrors = 14;
    value.latency.record(3, 2);
    value.latency.record(5'000, 100);
    value.latency.record(1ULL << 50U, 1);
    return value;
}

} // namespace

class MetricTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void decodingGivesBackWhatWasEncoded()
    {
        std::string bytes;
        encode(fullValue(), bytes);

        const auto decoded = decode(bytes);

        QVERIFY(decoded);
        QVERIFY(*decoded == fullValue());
    }

    void anEmptyValueTakesFewBytes()
    {
        std::string bytes;
        encode(MetricValue{}, bytes);

        QCOMPARE(bytes.size(), std::size_t(3));
        QVERIFY(*decode(bytes) == MetricValue{});
    }

    void everyTruncationIsAnError()
    {
        std::string bytes;
        encode(fullValue(), bytes);

        for (std::size_t size = 0; size < bytes.size(); ++size) {
            const auto decoded = decode(std::string_view(bytes).substr(0, size));
            QVERIFY2(!decoded, qPrintable(QString::number(size)));
            QCOMPARE(decoded.error().code, ErrorCode::Syntax);
        }
    }

    void bytesAfterTheEndAreAnError()
    {
        std::string bytes;
        encode(fullValue(), bytes);
        bytes.push_back('\0');

        QVERIFY(!decode(bytes));
    }

    void mergingIsTheSameInEitherOrder()
    {
        MetricValue other;
        other.answers[2] = 10;
        other.latency.record(77, 10);
        MetricValue forward = fullValue();
        forward.merge(other);
        MetricValue backward = other;

        backward.merge(fullValue());

        QVERIFY(forward == backward);
        QCOMPARE(forward.answers[2], std::uint64_t(310));
        QCOMPARE(forward.latency.total(), std::uint64_t(113));
    }

    void unansweredRequestsAreServerErrors()
    {
        MetricValue value;
        value.answers = {2, 0, 10, 0, 3, 5};

        QCOMPARE(value.total(), std::uint64_t(20));
        QCOMPARE(value.serverErrors(), std::uint64_t(7));
        QCOMPARE(value.clientErrors(), std::uint64_t(3));
    }

    void aFrameBecomesOneRowPerSeriesAndOneForItsNode()
    {
        telemetry::StatsFrame frame;
        frame.node = "edge-1";
        frame.connections = 3;
        frame.cpu = std::chrono::milliseconds(20);
        frame.requests.resize(3);
        frame.requests[0].source = "edge-1";
        frame.requests[0].service = "cart";
        frame.requests[0].answers[2] = 4;
        frame.requests[1] = frame.requests[0]; // The same series twice is added up.
        frame.requests[2].service = "cart"; // An inbound listener: not counted twice.
        frame.requests[2].answers[2] = 100;
        frame.attempts.resize(1);
        frame.attempts[0] = {
            "edge-1", "cart", "10.0.0.1:80", "cart-1", {0, 0, 8, 0, 0, 0}, 1, 2, 3, 4, {}};

        const auto rows = rowsOf(frame, 60);

        QCOMPARE(rows.size(), std::size_t(3));
        QCOMPARE(rows[0].key.kind, SeriesKind::Request);
        QCOMPARE(rows[0].value.answers[2], std::uint64_t(8));
        QCOMPARE(rows[1].key.instance, std::string("cart-1"));
        QCOMPARE(rows[1].value.connectFailures, std::uint64_t(1));
        QCOMPARE(rows[2].key.source, std::string("edge-1"));
        QCOMPARE(rows[2].value.cpu_us, std::uint64_t(20'000));
        // All it answered, so that a past minute of a node can be shown; inbound series as well.
        QCOMPARE(rows[2].value.answers[2], std::uint64_t(108));
        QCOMPARE(rows[2].time_s, std::int64_t(60));
    }
};

QTEST_APPLESS_MAIN(MetricTest)
#include "metric_test.moc"
