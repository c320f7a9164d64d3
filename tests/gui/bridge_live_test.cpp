// Goal: the demo mesh with real engines: it is measured, a killed instance turns its service and
// comes back, and a change reaches every node.
// Method: the session alone, without widgets; loopback sockets on free ports.
#include "app/bridge/mesh_session.h"
#include "app/bridge/view_context.h"
#include "proxyengine/api/engine_options.h"
#include "proxyengine/proxy/local_engine.h"

#include <QSignalSpy>
#include <QtTest>

#include <algorithm>

using namespace mesh;
using namespace mesh::bridge;

class BridgeLiveTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theDemoLivesIsHurtRecoversAndChanges()
    {
        SessionOptions options;
        options.engineFactory = [](const api::EngineOptions& engine,
                                   const std::shared_ptr<const model::Document>&) {
            return proxy::makeLocalEngine(engine);
        };
        MeshSession session(options);
        const auto started =
            session.startDemo(QStringLiteral(MESH_SOURCE_DIR "/resources/demo/storefront.yaml"));
        QVERIFY2(started, started ? "" : toText(started.error()).c_str());
        QTRY_VERIFY_WITH_TIMEOUT(session.isMeshRunning() || !session.banners().empty(), 15'000);
        QVERIFY2(
            session.isMeshRunning(),
            session.banners().empty() ? "" : qPrintable(session.banners().front().detail)
        );
        QTRY_VERIFY_WITH_TIMEOUT(entity(session, u"service:frontend"_qs).figures.rps > 50, 15'000);
        QCOMPARE(services(session), 12); // Eleven and the canary of the first.
        QTRY_COMPARE_WITH_TIMEOUT(
            session.honesty().nodesConverged, session.honesty().nodesExpected, 10'000
        );
        QTRY_COMPARE_WITH_TIMEOUT(
            entity(session, u"service:search"_qs).state, HealthState::Healthy, 10'000
        );

        const QString victim = entity(session, u"service:search"_qs).instances.front().id;
        session.killInstance(victim);
        QTRY_COMPARE_WITH_TIMEOUT(
            entity(session, u"service:search"_qs).state, HealthState::Degraded, 3'000
        );
        QVERIFY(entity(session, u"service:search"_qs).why.contains(victim));
        session.restoreInstance(victim);
        QTRY_VERIFY_WITH_TIMEOUT(
            entity(session, u"service:search"_qs).instances.front().state == InstanceState::Up,
            30'000
        );

        QSignalSpy finished(&session, &MeshSession::applyFinished);
        QString text = session.documentText();
        const QString before = QStringLiteral("read_timeout: 3000");
        QVERIFY(text.contains(before));
        session.setDraftText(text.replace(before, QStringLiteral("read_timeout: 2500")));
        session.apply(u"Shorter timeouts"_qs);
        QTRY_COMPARE_WITH_TIMEOUT(finished.count(), 1, 15'000);
        QVERIFY2(finished[0][0].toBool(), qPrintable(finished[0][1].toString()));
        QTRY_COMPARE(session.honesty().nodesConverged, session.honesty().nodesExpected);
    }

private:
    static EntityRow entity(const MeshSession& session, const QString& id)
    {
        const auto& entities = session.topology().entities;
        const auto found = std::ranges::find(entities, id, &EntityRow::id);
        return found == entities.end() ? EntityRow{} : *found;
    }

    static int services(const MeshSession& session)
    {
        return static_cast<int>(
            std::ranges::count(session.topology().entities, EntityKind::Service, &EntityRow::kind)
        );
    }
};

QTEST_GUILESS_MAIN(BridgeLiveTest)
#include "bridge_live_test.moc"
