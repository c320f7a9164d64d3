#include "proxyengine/policy/fault.h"

#include "proxyengine/policy/mirror.h"
#include "proxyengine/policy/share.h"

#include <QTest>

#include <fmt/format.h>

// Goal: faults and mirroring meet exactly the stated share of request ids, and always the same.
// Method: many ids; shares at both ends and in the hundredths.
namespace mesh::policy {

using namespace std::chrono_literals;

class FaultTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void doesNothingWhenNothingIsSaid();
    void meetsAllAtAHundredPercentAndNoneAtZero();
    void meetsItsShareAndRepeats();
    void choosesDelayAndAbortApart();
    void growsAShareWithoutLosingAnybody();
    void mirrorsWhatFits();
};

namespace {

std::string idOf(int number)
{
    return fmt::format("{:032x}", static_cast<std::uint64_t>(number) * 0x9e3779b97f4a7c15U);
}

} // namespace

void FaultTest::doesNothingWhenNothingIsSaid()
{
    const FaultRule rule{model::Fault{}};

    QVERIFY(rule.decide(idOf(1)).isNone());
    QVERIFY(rule.decide("").isNone());
}

void FaultTest::meetsAllAtAHundredPercentAndNoneAtZero()
{
    const FaultRule all{model::Fault{model::FaultDelay{200ms, 100}, model::FaultAbort{418, 100}}};
    const FaultRule none{model::Fault{model::FaultDelay{200ms, 0}, model::FaultAbort{418, 0}}};
    for (int i = 0; i < 10'000; ++i) {
        const FaultVerdict verdict = all.decide(idOf(i));
        QVERIFY(verdict.delay == 200ms && verdict.abortStatus == 418);
        QVERIFY(none.decide(idOf(i)).isNone());
    }
}

void FaultTest::meetsItsShareAndRepeats()
{
    const FaultRule rule{model::Fault{std::nullopt, model::FaultAbort{503, 0.05}}};
    constexpr int kIds = 1'000'000;
    int met = 0;

    for (int i = 0; i < kIds; ++i) {
        met += rule.decide(idOf(i)).abortStatus ? 1 : 0;
    }

    // 0.05 % of a million are 500, the standard deviation 22.
    QVERIFY(met > 400 && met < 600);
    const FaultRule again{model::Fault{std::nullopt, model::FaultAbort{503, 0.05}}};
    for (int i = 0; i < 20'000; ++i) {
        QCOMPARE(rule.decide(idOf(i)).abortStatus, again.decide(idOf(i)).abortStatus);
    }
}

void FaultTest::choosesDelayAndAbortApart()
{
    const FaultRule rule{model::Fault{model::FaultDelay{1ms, 50}, model::FaultAbort{500, 50}}};
    int both = 0;
    for (int i = 0; i < 10'000; ++i) {
        const FaultVerdict verdict = rule.decide(idOf(i));
        both += verdict.delay > 0ns && verdict.abortStatus ? 1 : 0;
    }
    QVERIFY(both > 2300 && both < 2700); // A quarter; the standard deviation is 43.
}

void FaultTest::growsAShareWithoutLosingAnybody()
{
    for (int i = 0; i < 20'000; ++i) {
        const bool isInSmall = isInShare(HashPurpose::FaultAbort, idOf(i), 100);
        QVERIFY(!isInSmall || isInShare(HashPurpose::FaultAbort, idOf(i), 101));
    }
}

void FaultTest::mirrorsWhatFits()
{
    model::Mirror settings;
    settings.maxBodyBytes = 1000;
    const MirrorRule all(settings);
    settings.percent = 0;
    const MirrorRule none(settings);

    QCOMPARE(all.decide(idOf(1), 1000), MirrorVerdict::Send);
    QCOMPARE(all.decide(idOf(1), 1001), MirrorVerdict::BodyTooLarge);
    QCOMPARE(all.decide(idOf(1), std::nullopt), MirrorVerdict::Send);
    QVERIFY(all.fits(1000) && !all.fits(1001));
    QCOMPARE(none.decide(idOf(1), 0), MirrorVerdict::NotInShare);
    settings.percent = 1;
    const MirrorRule some(settings);
    int sent = 0;
    for (int i = 0; i < 100'000; ++i) {
        sent += some.decide(idOf(i), 0) == MirrorVerdict::Send ? 1 : 0;
    }
    QVERIFY(sent > 870 && sent < 1130); // The standard deviation is 31.
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::FaultTest)
#include "fault_test.moc"
