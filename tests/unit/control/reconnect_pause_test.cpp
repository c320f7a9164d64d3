// Goal: attempts to connect come soon at first, then seldom, and never in step.
#include "proxyengine/control/reconnect_pause.h"

#include <QTest>

#include <set>

namespace mesh::control {

using std::chrono::milliseconds;

class ReconnectPauseTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void itDoublesUpToTheLongest();
    void itBeginsAnewAfterASuccess();
    void noTwoConsolesReturnInStep();
};

void ReconnectPauseTest::itDoublesUpToTheLongest()
{
    Random random(Seed{7});
    ReconnectPause pause(milliseconds(100), milliseconds(2000));
    for (const int whole : {100, 200, 400, 800, 1600, 2000, 2000, 2000}) {
        const Duration next = pause.next(random);
        QVERIFY(next >= milliseconds(whole) / 2);
        QVERIFY(next <= milliseconds(whole));
    }
}

void ReconnectPauseTest::itBeginsAnewAfterASuccess()
{
    Random random(Seed{7});
    ReconnectPause pause(milliseconds(100), milliseconds(2000));
    for (int i = 0; i < 5; ++i) {
        static_cast<void>(pause.next(random));
    }
    pause.reset();
    QVERIFY(pause.next(random) <= milliseconds(100));
}

void ReconnectPauseTest::noTwoConsolesReturnInStep()
{
    std::set<Duration> pauses;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        Random random(Seed{seed});
        pauses.insert(ReconnectPause(milliseconds(100), milliseconds(2000)).next(random));
    }
    QCOMPARE(pauses.size(), std::size_t{100});
}

} // namespace mesh::control

QTEST_APPLESS_MAIN(mesh::control::ReconnectPauseTest)
#include "reconnect_pause_test.moc"
