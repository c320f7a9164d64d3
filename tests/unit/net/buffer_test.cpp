// Goal: a buffer keeps bytes in order through its block, and blocks go back to their pool.
// Method: append, consume, compact and move; count the blocks.
#include "proxyengine/net/buffer.h"

#include <QTest>

#include <string>

namespace mesh::net {

class BufferTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void holdsNoBlockUntilAsked();
    void keepsTheRestWhenTheFrontIsConsumed();
    void takesNoMoreThanFits();
    void givesItsBlockBackWhenEmptyOrGone();
    void movesWithItsBlock();
};

void BufferTest::holdsNoBlockUntilAsked()
{
    BufferPool pool;
    Buffer buffer;

    QVERIFY(!buffer.hasBlock());
    QCOMPARE(buffer.writable().size(), std::size_t{0});
    QCOMPARE(buffer.append("x"), std::size_t{0});
    buffer.acquire(pool);
    QCOMPARE(buffer.writable().size(), Buffer::kCapacity);
    QCOMPARE(pool.inUse(), std::size_t{1});
}

void BufferTest::keepsTheRestWhenTheFrontIsConsumed()
{
    BufferPool pool;
    Buffer buffer;
    buffer.acquire(pool);

    QCOMPARE(buffer.append("hello world"), std::size_t{11});
    buffer.consume(6);
    QVERIFY(buffer.readable() == "world");
    buffer.compact();
    QVERIFY(buffer.readable() == "world");
    QCOMPARE(buffer.writable().size(), Buffer::kCapacity - 5);
    buffer.consume(5);
    QVERIFY(buffer.isEmpty());
    QCOMPARE(buffer.writable().size(), Buffer::kCapacity);
}

void BufferTest::takesNoMoreThanFits()
{
    BufferPool pool;
    Buffer buffer;
    buffer.acquire(pool);

    QCOMPARE(buffer.append(std::string(Buffer::kCapacity + 10, 'x')), Buffer::kCapacity);
    QCOMPARE(buffer.append("y"), std::size_t{0});
    QCOMPARE(buffer.size(), Buffer::kCapacity);
}

void BufferTest::givesItsBlockBackWhenEmptyOrGone()
{
    BufferPool pool;
    {
        Buffer first;
        first.acquire(pool);
        first.append("x");
        first.releaseIfEmpty();
        QVERIFY(first.hasBlock());
        first.consume(1);
        first.releaseIfEmpty();
        QVERIFY(!first.hasBlock());
        QCOMPARE(pool.inUse(), std::size_t{0});
        first.acquire(pool);
    }
    QCOMPARE(pool.inUse(), std::size_t{0});
}

void BufferTest::movesWithItsBlock()
{
    BufferPool pool;
    Buffer source;
    source.acquire(pool);
    source.append("abc");

    Buffer target(std::move(source));
    QVERIFY(target.readable() == "abc");
    Buffer other;
    other.acquire(pool);
    QCOMPARE(pool.inUse(), std::size_t{2});
    other = std::move(target);

    QVERIFY(other.readable() == "abc");
    QCOMPARE(pool.inUse(), std::size_t{1});
}

} // namespace mesh::net

QTEST_APPLESS_MAIN(mesh::net::BufferTest)
#include "buffer_test.moc"
