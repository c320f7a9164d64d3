// Goal: messages arrive in order, each once, from many threads; a full box says so and loses
// nothing else. Method: real threads push numbered messages; the owner takes them until all have
// come.
#include "proxyengine/base/mailbox.h"

#include "proxyengine/base/thread.h"

#include <QTest>

#include <atomic>
#include <memory>
#include <vector>

namespace mesh {

class MailboxTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void keepsTheOrderOfOneSender();
    void refusesAboveItsCapacity();
    void carriesMoveOnlyMessages();
    void losesNothingBetweenThreads();
};

void MailboxTest::keepsTheOrderOfOneSender()
{
    int woken = 0;
    Mailbox<int> box(4, [&] { ++woken; });

    QVERIFY(box.push(1));
    QVERIFY(box.push(2));

    QCOMPARE(*box.pop(), 1);
    QCOMPARE(*box.pop(), 2);
    QVERIFY(!box.pop());
    QCOMPARE(woken, 2);
}

void MailboxTest::refusesAboveItsCapacity()
{
    Mailbox<int> box(1, {});
    QVERIFY(box.push(1));

    QVERIFY(box.push(2).error().code == ErrorCode::Overloaded);

    QCOMPARE(*box.pop(), 1);
    QVERIFY(box.isEmpty());
}

void MailboxTest::carriesMoveOnlyMessages()
{
    Mailbox<std::unique_ptr<int>> box(1, {});
    QVERIFY(box.push(std::make_unique<int>(7)));

    QCOMPARE(**box.pop(), 7);
}

void MailboxTest::losesNothingBetweenThreads()
{
    constexpr int kSenders = 4;
    constexpr int kMessages = 2'000;
    Mailbox<int> box(kSenders * kMessages, {});
    std::atomic<int> refused{0};
    {
        std::vector<Thread> senders;
        for (int sender = 0; sender < kSenders; ++sender) {
            senders.emplace_back("sender", [&box, &refused, sender] {
                for (int count = 0; count < kMessages; ++count) {
                    if (!box.push(sender * kMessages + count)) {
                        ++refused;
                    }
                }
            });
        }
    }

    std::vector<int> next(kSenders, 0);
    int received = 0;
    while (const auto message = box.pop()) {
        const auto sender = static_cast<std::size_t>(*message / kMessages);
        QCOMPARE(*message % kMessages, next[sender]++);
        ++received;
    }
    QCOMPARE(refused.load(), 0);
    QCOMPARE(received, kSenders * kMessages);
}

} // namespace mesh

QTEST_APPLESS_MAIN(mesh::MailboxTest)
#include "mailbox_test.moc"
