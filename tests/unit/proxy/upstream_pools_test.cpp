// Goal: pools are found by their peer, and do not outlive who needs them, whatever names clients
// come up with.
#include "proxyengine/proxy/upstream_pools.h"

#include "proxyengine/base/clock.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/net/acceptor.h"

#include <QTest>

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

namespace mesh::proxy {
namespace {

using Known = UpstreamPools::Known;

struct Nobody final : net::AcceptHandler
{
    void onAccepted(FileDescriptor socket, const net::SocketAddress&) override
    {
        sockets.push_back(std::move(socket));
    }
    std::vector<FileDescriptor> sockets;
};

struct Pools
{
    explicit Pools(tls::Http2Offer http2 = tls::Http2Offer::No)
    {
        tls::ClientOptions options;
        options.verify = tls::VerifyPeer::No;
        options.http2 = http2;
        tls = *tls::ClientContext::make(options);
        target.address = acceptor->address().toText();
        target.host = "127.0.0.1";
        target.port = acceptor->address().port();
    }

    UpstreamPool& find(Known& known, std::string_view name)
    {
        return pools.find(known, target, tls, name, model::HttpVersion::Http1);
    }
    void turn() { loop->runTurn(Duration::zero()); }

    SystemClock clock;
    std::unique_ptr<net::EventLoop> loop = *net::EventLoop::make(clock);
    Nobody nobody;
    std::unique_ptr<net::Acceptor> acceptor = *net::Acceptor::listen(
        *loop, net::SocketAddress::loopback(0), net::PortSharing::No, nobody
    );
    std::shared_ptr<const tls::ClientContext> tls;
    config::TargetPlan target;
    UpstreamPools pools{*loop, std::chrono::seconds(60)};
};

} // namespace

class UpstreamPoolsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void equalPeersShareAPool()
    {
        Pools mesh;
        Known one;
        Known two;
        UpstreamPool& pool = mesh.find(one, "a.test");
        QCOMPARE(&mesh.find(one, "a.test"), &pool);
        QCOMPARE(&mesh.find(two, "a.test"), &pool);
        QVERIFY(&mesh.find(one, "b.test") != &pool);
        UpstreamPool& plain =
            mesh.pools.find(one, mesh.target, nullptr, "a.test", model::HttpVersion::Http1);
        QCOMPARE(
            &mesh.pools.find(one, mesh.target, nullptr, "", model::HttpVersion::Http1), &plain
        );
        QVERIFY(
            &mesh.pools.find(one, mesh.target, nullptr, "", model::HttpVersion::Http2) != &plain
        );
        QCOMPARE(mesh.pools.count(), 4U);
    }

    void manyNamesLeaveFewPools_data()
    {
        QTest::addColumn<bool>("isHttp2");
        QTest::newRow("HTTP/1.1") << false;
        QTest::newRow("HTTP/2") << true;
    }
    void manyNamesLeaveFewPools()
    {
        QFETCH(bool, isHttp2);
        Pools mesh(isHttp2 ? tls::Http2Offer::Yes : tls::Http2Offer::No);
        Known known;
        for (int at = 0; at < 1000; ++at) {
            const PoolUse use = &mesh.find(known, fmt::format("{}.test", at));
        }
        mesh.pools.sweepLeaving();
        mesh.turn();
        QCOMPARE(mesh.pools.count(), kServerNamesPerTargetMax);
        QCOMPARE(known.size(), kServerNamesPerTargetMax);
    }

    void whoIsInUseStays()
    {
        Pools mesh;
        Known known;
        std::vector<PoolUse> uses;
        for (int at = 0; at < 300; ++at) {
            uses.emplace_back(&mesh.find(known, fmt::format("{}.test", at)));
            mesh.pools.sweepLeaving();
            mesh.turn();
        }
        QCOMPARE(mesh.pools.count(), 300U);
        QCOMPARE(uses.front()->serverName(), std::string("0.test"));
        QVERIFY(uses.front()->isRetired());
        QVERIFY(!uses.back()->isRetired());
        // Who asks for a name that fell out gets another pool, which keeps connections.
        QVERIFY(!mesh.find(known, "0.test").isRetired());
        uses.clear();
        mesh.pools.sweepLeaving();
        mesh.turn();
        QCOMPARE(mesh.pools.count(), kServerNamesPerTargetMax);
    }

    void aConnectionKeepsItsPoolUntilItIsGivenBack()
    {
        Pools mesh;
        Known known;
        telemetry::AttemptRow row;
        row.holders = 1;
        UpstreamPool& pool = mesh.find(known, "first.test");
        const auto made = pool.connect(mesh.acceptor->address(), row);
        QVERIFY(made);
        std::vector<PoolUse> others;
        for (std::size_t at = 0; at < kServerNamesPerTargetMax; ++at) {
            others.emplace_back(&mesh.find(known, fmt::format("{}.test", at)));
        }
        mesh.pools.sweepLeaving();
        mesh.turn();
        QCOMPARE(mesh.pools.count(), kServerNamesPerTargetMax + 1);
        pool.giveBack(**made); // Not kept: nobody would find it.
        QVERIFY(pool.isEmpty());
        mesh.pools.sweepLeaving();
        mesh.turn();
        QCOMPARE(mesh.pools.count(), kServerNamesPerTargetMax);
        QCOMPARE(row.connections, 0U);
    }

    void namesThatLeadNowhereDriveNobodyOut()
    {
        Pools mesh;
        Known known;
        telemetry::AttemptRow row;
        row.holders = 1;
        UpstreamPool& idle = mesh.find(known, "idle.test");
        idle.giveBack(**idle.connect(mesh.acceptor->address(), row));
        const PoolUse busy = &mesh.find(known, "busy.test");
        for (int at = 0; at < 1000; ++at) {
            const PoolUse use = &mesh.find(known, fmt::format("{}.test", at));
        }
        mesh.pools.sweepLeaving();
        mesh.turn();
        QCOMPARE(&mesh.find(known, "idle.test"), &idle);
        QVERIFY(idle.hasIdle());
        QVERIFY(!busy->isRetired());
        mesh.pools.closeIdle();
    }

    void aPoolOfTwoListsStaysForTheOther()
    {
        Pools mesh;
        Known one;
        Known two;
        UpstreamPool& pool = mesh.find(one, "shared.test");
        QCOMPARE(&mesh.find(two, "shared.test"), &pool);
        for (std::size_t at = 0; at < kServerNamesPerTargetMax; ++at) {
            static_cast<void>(mesh.find(one, fmt::format("{}.test", at)));
        }
        mesh.pools.sweepLeaving();
        mesh.turn();
        QVERIFY(!pool.isRetired());
        QCOMPARE(&mesh.find(two, "shared.test"), &pool);
    }

    void namesThatCannotBeAskedForShareAPool()
    {
        Pools mesh;
        Known known;
        const std::string longest(kServerNameBytesMax, 'a');
        UpstreamPool& pool = mesh.find(known, longest + "b");
        QCOMPARE(&mesh.find(known, longest + "c"), &pool);
        QVERIFY(&mesh.find(known, longest) != &pool);
    }

    void whatNobodyListsGoesWhenItIsEmpty()
    {
        Pools mesh;
        telemetry::AttemptRow row;
        row.holders = 1;
        UpstreamConnection* connection = nullptr;
        {
            Known known;
            UpstreamPool& pool = mesh.find(known, "a.test");
            connection = *pool.connect(mesh.acceptor->address(), row);
            pool.giveBack(*connection);
        }
        QCOMPARE(mesh.pools.sweep(), 1U); // Its connection may be found by a new list.
        mesh.pools.closeIdle();
        QCOMPARE(mesh.pools.sweep(), 0U);
        mesh.turn();
        QCOMPARE(mesh.pools.count(), 0U);
    }

    void othersThanTheCurrentContextsAreRetired()
    {
        Pools mesh;
        Known known;
        UpstreamPool& secure = mesh.find(known, "a.test");
        UpstreamPool& plain =
            mesh.pools.find(known, mesh.target, nullptr, "", model::HttpVersion::Http1);
        mesh.pools.retireOthers(std::array{mesh.tls});
        QVERIFY(!secure.isRetired());
        mesh.pools.retireOthers({});
        QVERIFY(secure.isRetired());
        QVERIFY(!plain.isRetired());
    }
};

} // namespace mesh::proxy

QTEST_APPLESS_MAIN(mesh::proxy::UpstreamPoolsTest)
#include "upstream_pools_test.moc"
