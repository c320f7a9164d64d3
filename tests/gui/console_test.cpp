// Goal: the whole path on the demo mesh: live figures in the window, a kill from the inspector that
// turns the instance and comes back, an edit that every engine runs.
// Method: the demo with real engines on loopback; conditions are waited for, with deadlines.
#include "app/bridge/mesh_session.h"
#include "app/bridge/view_context.h"
#include "app/pages/inspector.h"
#include "app/pages/rows_table.h"
#include "app/shell/main_window.h"
#include "app/theme/theme.h"
#include "proxyengine/proxy/local_engine.h"

#include <QAbstractButton>
#include <QSignalSpy>
#include <QTest>

#include <memory>

namespace mesh::shell {

namespace {

constexpr int kDeadline_ms = 30'000;
const QString kService = QStringLiteral("service:cart");

Result<std::unique_ptr<api::Engine>> makeEngine(
    const api::EngineOptions& options, std::shared_ptr<const model::Document> document
)
{
    static_cast<void>(document);
    return proxy::makeLocalEngine(options);
}

const bridge::EntityRow* entityOf(const bridge::MeshSession& session, const QString& id)
{
    for (const bridge::EntityRow& entity : session.topology().entities) {
        if (entity.id == id) {
            return &entity;
        }
    }
    return nullptr;
}

bool isUp(const bridge::MeshSession& session, const QString& service, const QString& instance)
{
    const bridge::EntityRow* entity = entityOf(session, service);
    if (entity == nullptr) {
        return false;
    }
    for (const bridge::InstanceRow& row : entity->instances) {
        if (row.id == instance) {
            return row.state == bridge::InstanceState::Up;
        }
    }
    return false;
}

} // namespace

class ConsoleTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void showsEveryServiceWithRates();
    void aKillFromTheInspectorTurnsTheInstanceAndRestoreBringsItBack();
    void anEditIsRunByEveryEngine();

private:
    std::unique_ptr<bridge::MeshSession> m_session;
    std::unique_ptr<MainWindow> m_window;
};

void ConsoleTest::initTestCase()
{
    theme::apply(*qApp, theme::Choice::Dark);
    bridge::SessionOptions options;
    options.engineFactory = makeEngine;
    m_session = std::make_unique<bridge::MeshSession>(options);
    WindowOptions window;
    window.demoFile = QStringLiteral(MESH_SOURCE_DIR "/resources/demo/storefront.yaml");
    window.isPersistent = false;
    m_window = std::make_unique<MainWindow>(*m_session, window);
    m_window->resize(1440, 900);
    m_window->show();
    m_window->startDemo();
    QVERIFY(m_session->isOpen());
}

void ConsoleTest::cleanupTestCase()
{
    m_window.reset();
    m_session.reset();
}

void ConsoleTest::showsEveryServiceWithRates()
{
    const auto countLive = [this] {
        int count = 0;
        for (const bridge::EntityRow& entity : m_session->topology().entities) {
            const bool isService = entity.kind == bridge::EntityKind::Service;
            count += isService && entity.figures.rps > 0 ? 1 : 0;
        }
        return count;
    };

    QTRY_COMPARE_WITH_TIMEOUT(countLive(), 12, kDeadline_ms); // Eleven and a canary.
}

void ConsoleTest::aKillFromTheInspectorTurnsTheInstanceAndRestoreBringsItBack()
{
    QTRY_VERIFY_WITH_TIMEOUT(entityOf(*m_session, kService) != nullptr, kDeadline_ms);
    const QString instance = entityOf(*m_session, kService)->instances.front().id;
    QTRY_VERIFY_WITH_TIMEOUT(isUp(*m_session, kService, instance), kDeadline_ms);
    m_session->context().select(kService);
    pages::Inspector& inspector = m_window->inspector();
    auto* table = inspector.findChild<pages::RowsTable*>(QStringLiteral("instances"));
    auto* kill = inspector.findChild<QAbstractButton*>(QStringLiteral("killInstance"));
    auto* restore = inspector.findChild<QAbstractButton*>(QStringLiteral("restoreInstance"));
    table->setCurrentKey(instance);
    QTRY_VERIFY(kill->isEnabled());
    const auto isKilled = [this, &instance] {
        for (const bridge::FaultRow& fault : m_session->faults()) {
            if (fault.instance == instance) {
                return true;
            }
        }
        return false;
    };

    kill->click();

    QTRY_VERIFY_WITH_TIMEOUT(isKilled(), kDeadline_ms);
    QTRY_VERIFY_WITH_TIMEOUT(!isUp(*m_session, kService, instance), kDeadline_ms);
    QTRY_VERIFY(restore->isEnabled());
    restore->click();
    QTRY_VERIFY_WITH_TIMEOUT(!isKilled(), kDeadline_ms);
    QTRY_VERIFY_WITH_TIMEOUT(isUp(*m_session, kService, instance), kDeadline_ms);
}

void ConsoleTest::anEditIsRunByEveryEngine()
{
    forms::Draft& draft = m_window->draft();
    draft.editValue("services[0].retries", model::Value(3));
    QVERIFY(!draft.hasErrors());
    QSignalSpy finished(m_session.get(), &bridge::MeshSession::applyFinished);

    m_session->apply(QStringLiteral("three retries"));

    QTRY_COMPARE_WITH_TIMEOUT(finished.count(), 1, kDeadline_ms);
    QVERIFY2(finished.at(0).at(0).toBool(), qPrintable(finished.at(0).at(1).toString()));
    QVERIFY(!draft.isChanged());
    const auto areConverged = [this] {
        for (const bridge::NodeRow& node : m_session->nodes()) {
            if (!node.isConverged) {
                return false;
            }
        }
        return !m_session->nodes().empty();
    };
    QTRY_VERIFY_WITH_TIMEOUT(areConverged(), kDeadline_ms);
}

} // namespace mesh::shell

QTEST_MAIN(mesh::shell::ConsoleTest)
#include "console_test.moc"
