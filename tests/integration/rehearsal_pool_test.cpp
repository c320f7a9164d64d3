// Goal: the threads of a rehearsal share nothing but what they may, and give what one thread gives.
// Method: short rehearsals with more threads than runs have, with a live preview, and cancelled in
// the middle by another thread; meant to be run under ThreadSanitizer.
#include "proxyengine/base/thread.h"
#include "simulator/report/json.h"
#include "simulator/report/rehearsal.h"
#include "tests/support/small_shop.h"

#include <QTest>

#include <atomic>
#include <string>

namespace mesh::simulator {

class RehearsalPoolTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void manyThreadsGiveWhatOneGives();
    void anotherThreadMayCancel();
};

namespace {

constexpr const char* kFailingCart = R"(
duration: 12s
warmup: 2s
replications: 3
policies: {baseline: {}, patient: {patch: {services: {cart: {resilience: {retry: null}}}}}}
ablate: [retry]
timeline: [{at: 4s, for: 4s, fault: error, target: {instance: cart-1}, probability: 0.8}]
assert:
- {window: during, that: "success(front) >= 0.9"}
- {compare: "patient vs baseline", that: "success(front) < 0"}
)";

std::string jsonWith(unsigned threads, int& previews)
{
    RehearsalRequest request = test::rehearsalOf(kFailingCart);
    request.threads = threads;
    // From any thread, but never from two at once: no lock here.
    request.onProgress = [&previews](const RehearsalProgress& progress) {
        previews += progress.preview.empty() ? 0 : 1;
    };
    const auto rehearsal = rehearse(request);
    return rehearsal ? toJson(*rehearsal) : rehearsal.error().message;
}

} // namespace

void RehearsalPoolTest::manyThreadsGiveWhatOneGives()
{
    int previews = 0;
    const std::string alone = jsonWith(1, previews);
    QVERIFY(previews > 0);
    for (const unsigned threads : {3U, 8U}) {
        previews = 0;
        QCOMPARE(jsonWith(threads, previews), alone);
        QVERIFY(previews > 0);
    }
}

void RehearsalPoolTest::anotherThreadMayCancel()
{
    std::atomic<bool> cancelled = false;
    std::atomic<bool> hasBegun = false;
    RehearsalRequest request = test::rehearsalOf("duration: 1h\nreplications: 50");
    request.threads = 4;
    request.cancelled = &cancelled;
    request.onProgress = [&hasBegun](const RehearsalProgress&) {
        hasBegun = true;
        hasBegun.notify_one();
    };
    const Thread other("cancels", [&] {
        hasBegun.wait(false);
        cancelled = true;
    });

    const auto rehearsal = rehearse(request);
    hasBegun = true; // Also when nothing has begun.
    hasBegun.notify_one();

    QVERIFY(!rehearsal.has_value());
    QVERIFY(rehearsal.error().code == ErrorCode::Cancelled);
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::RehearsalPoolTest)
#include "rehearsal_pool_test.moc"
