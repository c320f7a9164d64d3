#include "proxyengine/base/hash.h"
#include "proxyengine/policy/adaptive_concurrency.h"
#include "proxyengine/policy/breaker.h"
#include "proxyengine/policy/latency_window.h"
#include "proxyengine/policy/outlier.h"
#include "proxyengine/policy/overload.h"

#include <QTest>

#include <fmt/format.h>

#include <string>

// Goal: the same inputs give the same verdicts, in the same words, with every compiler, build type
//       and machine; the simulator's promise rests on it.
// Method: a long run of each policy is written down and its fingerprint compared with the one kept
//         here. A change of behaviour changes it: then look at the transcript, which is printed
//         with MESH_TRANSCRIPT=1, and keep the new one.
namespace mesh::policy {

using namespace std::chrono_literals;

class ResilienceTranscriptProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void isTheSameEverywhere_data();
    void isTheSameEverywhere();
};

namespace {

constexpr Seed kSeed{20261121};
constexpr int kSteps = 20'000;

std::string writeOutlier()
{
    model::OutlierDetection settings;
    settings.enforcingConsecutiveGatewayFailure = 50;
    settings.ejectionJitter = 5s;
    settings.maxEjectionPercent = 33.3;
    settings.successRate = model::OutlierDetection::SuccessRate();
    settings.successRate->requestVolume = 20;
    settings.failurePercentage = model::OutlierDetection::FailurePercentage();
    settings.failurePercentage->requestVolume = 20;
    TimePoint now(0s);
    OutlierDetector detector(settings, 13, now);
    Random events(kSeed);
    Random random(deriveSeed(kSeed, 1));
    std::string text;
    const auto write = [&](const OutlierVerdict& verdict) {
        text += fmt::format(
            "{} ms: host {} {} until {} ns: {}\n",
            toMilliseconds(now.time_since_epoch()),
            verdict.host,
            static_cast<int>(verdict.kind),
            verdict.until.time_since_epoch().count(),
            verdict.reason
        );
    };
    for (int step = 0; step < kSteps; ++step) {
        now += std::chrono::microseconds(events.below(20'000));
        if (now >= detector.nextSweepAt()) {
            for (const OutlierVerdict& verdict : detector.sweep(now, random)) {
                write(verdict);
            }
        }
        const std::size_t host = events.below(detector.size());
        const bool isFailed = events.below(13) < host;
        const OutlierOutcome outcome =
            isFailed ? OutlierOutcome{OutlierOutcome::Kind::Answer5xx, 500 + step % 4}
                     : OutlierOutcome();
        if (const auto verdict = detector.observe(now, host, outcome, random)) {
            write(*verdict);
        }
    }
    return text;
}

std::string writeBreaker()
{
    model::Breaker settings;
    settings.slowRatio = 0.7;
    TimePoint now(0s);
    CircuitBreaker breaker(settings, now);
    Random events(kSeed);
    Random random(deriveSeed(kSeed, 1));
    std::string text;
    int admitted = 0;
    for (int step = 0; step < kSteps; ++step) {
        now += std::chrono::microseconds(events.below(60'000));
        const BreakerState before = breaker.state();
        const BreakerAdmission admission = breaker.admit(now, random);
        if (admission.isAdmitted()) {
            ++admitted;
            const bool isFailed = events.below(10) < static_cast<std::uint64_t>(step / 500 % 9);
            breaker.onOutcome(
                now,
                admission.round(),
                isFailed ? BreakerOutcome::Failed : BreakerOutcome::Succeeded,
                std::chrono::milliseconds(events.below(1400))
            );
        }
        if (breaker.state() != before) {
            text += fmt::format(
                "{} ms: {} after {} requests: {}\n",
                toMilliseconds(now.time_since_epoch()),
                toText(breaker.state()),
                admitted,
                breaker.reason(now)
            );
        }
    }
    return text;
}

std::string writeAdaptive()
{
    model::AdaptiveConcurrency settings;
    settings.minRttInterval = 7s;
    TimePoint now(0s);
    AdaptiveConcurrencyController controller(settings, now);
    Random events(kSeed);
    std::string text;
    for (int step = 0; step < kSteps; ++step) {
        now += std::chrono::microseconds(events.below(5000));
        const std::uint64_t most = 2000 + 300 * controller.limit();
        controller.record(controller.epoch(), std::chrono::microseconds(1000 + events.below(most)));
        if (controller.advance(now, events)) {
            text += fmt::format(
                "{} ms: {} ({}, {} ns of {} ns)\n",
                toMilliseconds(now.time_since_epoch()),
                controller.limit(),
                controller.epoch(),
                controller.lastRoundTrip().count(),
                controller.smallestRoundTrip().count()
            );
        }
    }
    return text;
}

std::string writeLatency()
{
    TimePoint now(0s);
    LatencyWindow window(10s, 99.5, now);
    Random events(kSeed);
    std::string text;
    for (int step = 0; step < kSteps; ++step) {
        now += std::chrono::microseconds(events.below(10'000));
        const auto widest = static_cast<std::uint64_t>(1 + step / 1000);
        window.record(now, std::chrono::microseconds(1ULL << events.below(widest)));
        if (step % 100 == 0) {
            text += fmt::format("{}: {} ns\n", step, window.value(now).value_or(0ns).count());
        }
    }
    return text;
}

std::string writeOverload()
{
    model::Overload settings;
    settings.maxRequests = 777;
    settings.maxLoopLag = 7ms;
    settings.shedFrom = 71.3;
    Random events(kSeed);
    std::string text;
    for (int step = 0; step < kSteps; ++step) {
        const OverloadReading reading{
            400 + events.below(600), std::chrono::microseconds(events.below(10'000))};
        const auto priority = static_cast<model::RequestPriority>(events.below(3));
        const auto verdict =
            decideOverload(settings, priority, pressureOf(settings, reading), events);
        text += verdict == OverloadVerdict::Shed ? 'S' : '.';
    }
    return text;
}

struct Row
{
    const char* name;
    std::string (*write)();
    std::uint64_t fingerprint; // XXH3 of the transcript.
};

constexpr std::array<Row, 5> kRows = {
    Row{"ejection", writeOutlier, 0x792509d3fb2d40ffU},
    Row{"breaker", writeBreaker, 0x5537921e0aeeb184U},
    Row{"adaptive concurrency", writeAdaptive, 0xdbff32c55550de73U},
    Row{"latency window", writeLatency, 0xacbaddcb62015162U},
    Row{"overload", writeOverload, 0x23ac16888fa46c3fU}};

} // namespace

void ResilienceTranscriptProperty::isTheSameEverywhere_data()
{
    QTest::addColumn<int>("row");
    for (std::size_t i = 0; i < kRows.size(); ++i) {
        QTest::newRow(kRows[i].name) << static_cast<int>(i);
    }
}

void ResilienceTranscriptProperty::isTheSameEverywhere()
{
    QFETCH(const int, row);
    const Row& kept = kRows[static_cast<std::size_t>(row)];

    const std::string transcript = kept.write();

    if (qEnvironmentVariableIsSet("MESH_TRANSCRIPT")) {
        fmt::print("{}\n", transcript);
    }
    QVERIFY(std::ranges::count(transcript, '\n') >= 20 || transcript.size() == kSteps);
    QCOMPARE(
        QByteArray::number(static_cast<qulonglong>(xxh3(transcript, 0)), 16),
        QByteArray::number(static_cast<qulonglong>(kept.fingerprint), 16)
    );
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::ResilienceTranscriptProperty)
#include "resilience_transcript_property.moc"
