// Goal: the session joins engines and document: what they measure is shown and kept, a change runs
// on every engine or says who does not run it.
// Method: an engine that the test answers for, a real document in a temporary folder, and the event
// loop of the test.
#include "app/bridge/mesh_session.h"
#include "app/bridge/view_context.h"
#include "proxyengine/api/engine.h"
#include "proxyengine/config/codec.h"

#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include <algorithm>
#include <memory>

using namespace mesh;
using namespace mesh::bridge;

namespace {

const QString kShop = QStringLiteral(R"(_format_version: "3.0"
mesh: {name: shop}
nodes:
- {name: edge-1, role: gateway, zone: a}
services:
- name: cart
  host: cart.local
  routes:
  - {name: cart, paths: [/cart]}
)");

// Runs what it is given when the test says so.
class AnsweringEngine final : public api::Engine
{
public:
    Result<CommandId> submit(api::Command command) override
    {
        m_applied = std::get<api::ApplyDocument>(command).document;
        return CommandId(++m_last);
    }
    void subscribe(api::EventSink& sink) override { m_sink = &sink; }
    void stop(Duration) override { m_sink = nullptr; }

    void answer(Result<api::Applied> result)
    {
        m_sink->onEvent(api::CommandDone{CommandId(m_last), std::move(result), {}});
    }
    [[nodiscard]] bool isAsked() const { return m_applied != nullptr; }
    [[nodiscard]] std::string askedHash() const { return config::hashOf(*m_applied); }

    void measure(WallTime end, std::uint64_t ok, std::uint64_t bad)
    {
        auto frame = std::make_shared<telemetry::StatsFrame>();
        frame->node = "edge-1";
        frame->time = end;
        frame->interval = std::chrono::seconds(1);
        telemetry::RequestSeries series;
        series.source = "edge-1";
        series.service = "cart";
        series.route = "cart";
        series.answers[2] = ok;
        series.answers[5] = bad;
        series.latency.record(12'000, static_cast<std::uint32_t>(ok + bad));
        frame->requests.push_back(series);
        m_sink->onEvent(api::StatsEvent{frame});
    }

private:
    api::EventSink* m_sink = nullptr;
    std::shared_ptr<const model::Document> m_applied;
    std::uint64_t m_last = 0;
};

} // namespace

class SessionTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        SessionOptions options;
        options.evaluationInterval_ms = 20;
        m_session = std::make_unique<MeshSession>(options);
        const auto imported = m_session->importText(kShop, path());
        QVERIFY2(imported, imported ? "" : toText(imported.error()).c_str());
        auto engine = std::make_unique<AnsweringEngine>();
        m_engine = engine.get();
        m_session->addEngine(u"edge-1"_qs, std::move(engine));
    }

    void cleanup()
    {
        m_session.reset();
        m_folder.reset();
    }

    void anImportIsTheFirstRevision()
    {
        QCOMPARE(m_session->revisions().size(), std::size_t(1));
        QCOMPARE(m_session->name(), u"shop"_qs);
        QVERIFY(!m_session->isDraftChanged());
        QVERIFY(m_session->problems().empty());
        QCOMPARE(m_session->document()->services.size(), std::size_t(1));
    }

    void framesBecomeTopologyAndSeries()
    {
        measureSeconds(5, 100, 0);

        QTRY_VERIFY(cart().figures.requests >= 500);
        QCOMPARE(cart().state, HealthState::Healthy);
        QSignalSpy ready(m_session.get(), &MeshSession::seriesReady);
        m_session->requestSeries(
            u"gateway:edge-1 -> service:cart"_qs, m_begin_us, m_begin_us + 10'000'000
        );
        QTRY_COMPARE(ready.count(), 1);
        const auto series = ready[0][1].value<Series>();
        QCOMPARE(series.points.size(), std::size_t(5));
        QCOMPARE(series.points[0].rps2xx, 100.0);
    }

    void aPausedViewShowsThePastAndStaysThere()
    {
        measureSeconds(5, 100, 0);
        QTRY_VERIFY(cart().figures.requests >= 500);

        m_session->context().setWindow(10);
        m_session->context().pauseAt(m_begin_us + 3'000'000);

        QTRY_COMPARE(m_session->topology().time_us, m_begin_us + 3'000'000);
        QCOMPARE(cart().figures.requests, std::uint64_t(300));
        m_session->context().goLive();
        QTRY_COMPARE(cart().figures.requests, std::uint64_t(500));
    }

    void errorsTurnTheService()
    {
        measureSeconds(3, 50, 50);

        QTRY_VERIFY(cart().state == HealthState::Failure);
        QVERIFY(cart().why.contains(u"5xx"_qs));
    }

    void aNodeThatStopsReportingIsStaleAndNeverHealthy()
    {
        measureSeconds(2, 50, 0);
        QTRY_VERIFY(cart().state == HealthState::Healthy);

        QTRY_COMPARE_WITH_TIMEOUT(cart().state, HealthState::Stale, 6000);
        QTRY_COMPARE(m_session->honesty().nodesReporting, 0);
        QCOMPARE(m_session->honesty().silentNodes, QStringList(u"edge-1"_qs));
    }

    void anApplySucceedsOnlyWhenTheEngineRunsTheHash()
    {
        QSignalSpy finished(m_session.get(), &MeshSession::applyFinished);
        edit();
        m_session->apply(u"Fewer retries"_qs);
        QTRY_VERIFY(m_engine->isAsked());
        QVERIFY(finished.isEmpty());
        QVERIFY(m_session->isApplying());

        m_engine->answer(api::Applied{m_engine->askedHash()});

        QTRY_COMPARE(finished.count(), 1);
        QVERIFY2(finished[0][0].toBool(), qPrintable(finished[0][1].toString()));
        QCOMPARE(m_session->revisions().size(), std::size_t(2));
        QCOMPARE(m_session->revisions().front().message, u"Fewer retries"_qs);
        QVERIFY(!m_session->isDraftChanged());
        QVERIFY(m_session->nodes().front().isConverged);
    }

    void anotherHashIsAFailureThatNamesTheNode()
    {
        QSignalSpy finished(m_session.get(), &MeshSession::applyFinished);
        edit();
        m_session->apply(u"x"_qs);
        QTRY_VERIFY(m_engine->isAsked());

        m_engine->answer(api::Applied{"00"});

        QTRY_COMPARE(finished.count(), 1);
        QVERIFY(!finished[0][0].toBool());
        QVERIFY(finished[0][1].toString().contains(u"edge-1"_qs));
    }

    void aRefusalIsAFailureWithTheReason()
    {
        QSignalSpy finished(m_session.get(), &MeshSession::applyFinished);
        edit();
        m_session->apply(u"x"_qs);
        QTRY_VERIFY(m_engine->isAsked());

        m_engine->answer(fail(ErrorCode::Refused, "port in use"));

        QTRY_COMPARE(finished.count(), 1);
        QVERIFY(!finished[0][0].toBool());
        QVERIFY(finished[0][1].toString().contains(u"port in use"_qs));
    }

    void aDraftWithErrorsShowsTheirPlacesAndIsNotApplied()
    {
        QSignalSpy finished(m_session.get(), &MeshSession::applyFinished);
        m_session->setDraftText(kShop + u"colour: red\n"_qs);

        QVERIFY(m_session->hasDraftErrors());
        QVERIFY(m_session->problems().front().line > 0);
        m_session->apply(u"x"_qs);
        QCOMPARE(finished.count(), 1);
        QVERIFY(!finished[0][0].toBool());
        QVERIFY(!m_engine->isAsked());
    }

    void aDraftMarksWhatItChangesAndSurvivesARestart()
    {
        edit();
        const QString draft = m_session->draftText();
        QTRY_VERIFY(cart().isInDraft);
        QCOMPARE(m_session->honesty().changes, 1);

        m_session.reset();
        m_session = std::make_unique<MeshSession>(SessionOptions{});
        QVERIFY(m_session->openDocument(path()));

        QCOMPARE(m_session->draftText(), draft);
        QVERIFY(m_session->isDraftChanged());
        m_session->discardDraft();
        QVERIFY(!m_session->isDraftChanged());
    }

    void aSecondSessionOnTheDocumentIsReadOnlyAndSaysSo()
    {
        MeshSession second{SessionOptions{}};
        QVERIFY(second.openDocument(path()));

        QVERIFY(second.isReadOnly());
        QCOMPARE(second.banners().size(), std::size_t(1));
        QCOMPARE(second.banners().front().kind, BannerKind::ReadOnly);
        QVERIFY(second.banners().front().text.contains(u"has the document open"_qs));
    }

    void positionsAndSettingsSurviveARestart()
    {
        m_session->savePositions(u"topology"_qs, {{u"service:cart"_qs, 10, 20, true}});
        m_session->setSetting(u"window"_qs, u"60"_qs);
        m_session.reset();
        m_session = std::make_unique<MeshSession>(SessionOptions{});
        QVERIFY(m_session->openDocument(path()));

        QCOMPARE(m_session->positions(u"topology"_qs).front().y, 20.0);
        QCOMPARE(m_session->setting(u"window"_qs), u"60"_qs);
    }

    void aRollBackIsANewRevisionWithTheOldText()
    {
        QSignalSpy finished(m_session.get(), &MeshSession::applyFinished);
        const QString before = m_session->documentText();
        edit();
        m_session->apply(u"x"_qs);
        QTRY_VERIFY(m_engine->isAsked());
        m_engine->answer(api::Applied{m_engine->askedHash()});
        QTRY_COMPARE(finished.count(), 1);

        m_session->rollBackTo(1);
        QTRY_COMPARE(m_session->revisions().size(), std::size_t(3));
        m_engine->answer(api::Applied{m_engine->askedHash()});

        QTRY_COMPARE(finished.count(), 2);
        QCOMPARE(m_session->documentText(), before);
    }

    void aRefusedImportChangesNothing()
    {
        const auto refused = m_session->importText(u"services: 7\n"_qs);

        QVERIFY(!refused);
        QVERIFY(m_session->isOpen());
        QCOMPARE(m_session->path(), path());
    }

private:
    [[nodiscard]] QString path() const { return m_folder->filePath(u"shop.mesh"_qs); }

    // An empty row until there is one.
    EntityRow cart()
    {
        const auto& entities = m_session->topology().entities;
        const auto found = std::ranges::find(entities, u"service:cart"_qs, &EntityRow::id);
        return found == entities.end() ? EntityRow{} : *found;
    }

    // Frames of the last whole seconds, as if the node had run that long.
    void measureSeconds(int count, std::uint64_t ok, std::uint64_t bad)
    {
        m_begin_us = (QDateTime::currentSecsSinceEpoch() - count) * 1'000'000;
        for (int second = 1; second <= count; ++second) {
            m_engine->measure(
                WallTime(std::chrono::microseconds(m_begin_us + second * 1'000'000LL)), ok, bad
            );
        }
    }

    void edit()
    {
        QString text = m_session->documentText();
        text.replace(u"host: cart.local"_qs, u"host: cart2.local"_qs);
        QVERIFY(text != m_session->documentText());
        m_session->setDraftText(text);
    }

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<MeshSession> m_session;
    AnsweringEngine* m_engine = nullptr;
    std::int64_t m_begin_us = 0;
};

QTEST_GUILESS_MAIN(SessionTest)
#include "session_test.moc"
