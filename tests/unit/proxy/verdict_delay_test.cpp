#include "proxyengine/proxy/verdict_delay.h"

#include "tests/support/manual_clock.h"

#include <QTest>

#include <memory>
#include <string>

// Goal: verdicts are shown in their order and as late as was asked for, and balancing never goes by
//       one that it has not seen.
// Method: a loop whose clock we move; what is shown is written down.
namespace mesh::proxy {

using namespace std::chrono_literals;

namespace {

struct Shown
{
    test::ManualClock clock;
    std::unique_ptr<net::EventLoop> loop = *net::EventLoop::make(clock);
    std::string text; // "-a +a ", in order.
    VerdictDelay delay{*loop, [this](const VerdictDelay::Verdict& verdict) {
                           text += (verdict.isAvailable ? "+" : "-") + verdict.target + " ";
                       }};

    void pass(Duration by)
    {
        clock.advance(by);
        loop->runTurn(0ms);
    }
};

} // namespace

class VerdictDelayTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void withoutDelayEverythingIsShownAtOnce();
    void lateVerdictsComeInOrder();
    void whatIsShownAtOnceOvertakes();
    void theLongerOfTwoDelaysHolds();
};

void VerdictDelayTest::withoutDelayEverythingIsShownAtOnce()
{
    Shown shown;
    shown.delay.take({"cart", "a", false});
    shown.delay.set("cart", 0s);
    shown.delay.take({"cart", "a", true});

    QCOMPARE(shown.text, std::string("-a +a "));
    QVERIFY(shown.delay.shown("cart", "a", true));
}

void VerdictDelayTest::lateVerdictsComeInOrder()
{
    Shown shown;
    shown.delay.set("cart", 10s);
    shown.delay.take({"cart", "a", false});
    shown.delay.take({"stock", "b", false}); // Of another upstream.
    QCOMPARE(shown.text, std::string("-b "));
    QVERIFY(shown.delay.shown("cart", "a", false));
    QVERIFY(!shown.delay.shown("stock", "b", false));

    shown.pass(4s);
    shown.delay.take({"cart", "a", true});
    shown.pass(6s);
    QCOMPARE(shown.text, std::string("-b -a "));
    QVERIFY(!shown.delay.shown("cart", "a", true));
    shown.pass(4s);
    QCOMPARE(shown.text, std::string("-b -a +a "));
    QVERIFY(shown.delay.shown("cart", "a", true));
}

// The delay has ended before the old verdict came: the new one is true, and the old one is not
// shown any more.
void VerdictDelayTest::whatIsShownAtOnceOvertakes()
{
    Shown shown;
    shown.delay.set("cart", 10s);
    shown.delay.take({"cart", "a", false});
    shown.delay.set("cart", 0s);
    shown.pass(5s);
    QCOMPARE(shown.text, std::string());

    shown.delay.take({"cart", "a", true});
    shown.pass(10s);
    QCOMPARE(shown.text, std::string("+a "));
}

void VerdictDelayTest::theLongerOfTwoDelaysHolds()
{
    Shown shown;
    shown.delay.set("", 5s);
    shown.delay.set("cart", 2s);
    shown.delay.take({"cart", "a", false});
    shown.pass(4s);
    QCOMPARE(shown.text, std::string());
    shown.pass(1s);
    QCOMPARE(shown.text, std::string("-a "));
}

} // namespace mesh::proxy

QTEST_APPLESS_MAIN(mesh::proxy::VerdictDelayTest)
#include "verdict_delay_test.moc"
