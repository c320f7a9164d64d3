// Goal: the demo can be walked from the first-run page to the undone push without a mouse (T14),
// and the strip that leads through it says what was done, not what was looked at.
// Method: the demo with real engines on loopback; keys only, to the window that has the focus.
#include "app/pages/demo_guide.h"

#include "app/bridge/mesh_session.h"
#include "app/bridge/rollout_session.h"
#include "app/bridge/view_context.h"
#include "app/pages/inspector.h"
#include "app/shell/main_window.h"
#include "app/theme/theme.h"
#include "proxyengine/proxy/local_engine.h"

#include <QApplication>
#include <QTest>

#include <algorithm>
#include <functional>
#include <memory>

namespace mesh::shell {
namespace {

using pages::DemoStep;

constexpr int kDeadline_ms = 40'000;
constexpr int kTabsMax = 120;

Result<std::unique_ptr<api::Engine>> makeEngine(
    const api::EngineOptions& options, std::shared_ptr<const model::Document> document
)
{
    static_cast<void>(document);
    return proxy::makeLocalEngine(options);
}

void press(Qt::Key key, Qt::KeyboardModifiers modifiers = Qt::NoModifier)
{
    QWidget* target = QApplication::focusWidget();
    QTest::keyClick(target != nullptr ? target : QApplication::activeWindow(), key, modifiers);
}

// Tab until the focus is where it is wanted.
bool tabUntil(const std::function<bool(const QWidget&)>& isWanted)
{
    for (int i = 0; i < kTabsMax; ++i) {
        const QWidget* focus = QApplication::focusWidget();
        if (focus != nullptr && isWanted(*focus)) {
            return true;
        }
        press(Qt::Key_Tab);
    }
    return false;
}

} // namespace

class DemoGuideTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { theme::apply(*qApp, theme::Choice::Dark); }
    void init();
    void cleanup();
    void theDemoIsWalkedByTheKeyboardAlone();
    void aHealthySelectionIsNoStep();

private:
    [[nodiscard]] pages::DemoGuide& guide() const
    {
        return *m_window->findChild<pages::DemoGuide*>(QStringLiteral("demoGuide"));
    }
    // A service with several instances; empty: any.
    [[nodiscard]] bool isSick(const QString& id) const;

    std::unique_ptr<bridge::MeshSession> m_session;
    std::unique_ptr<MainWindow> m_window;
};

void DemoGuideTest::init()
{
    bridge::SessionOptions options;
    options.engineFactory = makeEngine;
    m_session = std::make_unique<bridge::MeshSession>(options);
    WindowOptions window;
    window.demoFile = QStringLiteral(MESH_SOURCE_DIR "/resources/demo/storefront.yaml");
    window.isPersistent = false;
    m_window = std::make_unique<MainWindow>(*m_session, window);
    m_window->resize(1440, 900);
    m_window->show();
    m_window->activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
    QVERIFY(!guide().isVisible());
    press(Qt::Key_1);
    QVERIFY(m_session->isOpen());
    QVERIFY(guide().isVisible());
    QCOMPARE(guide().next(), DemoStep::Find);
}

void DemoGuideTest::cleanup()
{
    m_window.reset();
    m_session.reset();
}

bool DemoGuideTest::isSick(const QString& id) const
{
    const auto& entities = m_session->topology().entities;
    return std::any_of(entities.begin(), entities.end(), [&id](const bridge::EntityRow& entity) {
        const bool isMeant = id.isEmpty() || entity.id == id;
        return isMeant && entity.kind == bridge::EntityKind::Service && entity.instances.size() > 1
               && (entity.state == bridge::HealthState::Failure
                   || entity.state == bridge::HealthState::Degraded);
    });
}

void DemoGuideTest::theDemoIsWalkedByTheKeyboardAlone()
{
    QTRY_VERIFY_WITH_TIMEOUT(!m_session->isMeshStarting() && isSick({}), kDeadline_ms);
    const auto isFound = [this](const QWidget&) {
        const QString& selected = m_session->context().selection();
        return !selected.isEmpty() && isSick(selected);
    };
    QTRY_VERIFY(tabUntil(isFound)); // The graph follows what the session knows.
    QVERIFY(guide().isDone(DemoStep::Find));
    const QString found = m_session->context().selection();
    press(Qt::Key_Return); // To the inspector.
    QVERIFY(m_window->inspector().isAncestorOf(QApplication::focusWidget()));
    QVERIFY(tabUntil([](const QWidget& focus) {
        return focus.objectName() == QStringLiteral("instances");
    }));
    QCOMPARE(m_session->context().selection(), found);
    press(Qt::Key_Down);
    QTRY_VERIFY(guide().isDone(DemoStep::Why));
    QVERIFY(tabUntil([](const QWidget& focus) {
        return focus.objectName() == QStringLiteral("editEntity");
    }));
    press(Qt::Key_Space);
    QTRY_COMPARE(m_window->mode(), Mode::Edit);
    const auto isWeight = [](const QWidget& focus) {
        return focus.objectName().contains(QStringLiteral("weight"), Qt::CaseInsensitive);
    };
    QTRY_VERIFY(tabUntil(isWeight));
    press(Qt::Key_A, Qt::ControlModifier);
    QTest::keyClicks(QApplication::focusWidget(), QStringLiteral("1"));
    press(Qt::Key_Tab);
    QTRY_VERIFY(guide().isDone(DemoStep::Shift));
    QVERIFY(!guide().isDone(DemoStep::Push));

    // What a busy machine does to latencies is not what this is about.
    m_window->rollout().setBake(0);
    m_window->rollout().setGates({{}, {}, {}, {}});
    press(Qt::Key_R, Qt::ControlModifier | Qt::ShiftModifier);
    QCOMPARE(m_window->mode(), Mode::Rollout);
    QTRY_VERIFY_WITH_TIMEOUT(m_window->rollout().whyNotPush().isEmpty(), kDeadline_ms);
    press(Qt::Key_P, Qt::ControlModifier | Qt::ShiftModifier);
    QTRY_VERIFY_WITH_TIMEOUT(guide().isDone(DemoStep::Push), kDeadline_ms);
    QCOMPARE(guide().next(), DemoStep::Undo);

    press(Qt::Key_Z, Qt::ControlModifier | Qt::AltModifier);
    QTRY_VERIFY_WITH_TIMEOUT(
        m_session->isDraftChanged() && m_window->rollout().whyNotPush().isEmpty(), kDeadline_ms
    );
    press(Qt::Key_P, Qt::ControlModifier | Qt::ShiftModifier);
    QTRY_VERIFY_WITH_TIMEOUT(guide().isDone(DemoStep::Undo), kDeadline_ms);
    QVERIFY(!guide().next());

    QVERIFY(tabUntil([](const QWidget& focus) {
        return focus.objectName() == QStringLiteral("demoGuideHide");
    }));
    press(Qt::Key_Space);
    QVERIFY(!guide().isVisible());
}

void DemoGuideTest::aHealthySelectionIsNoStep()
{
    const auto healthy = [this]() -> QString {
        for (const bridge::EntityRow& entity : m_session->topology().entities) {
            if (entity.state == bridge::HealthState::Healthy && !entity.instances.empty()) {
                return entity.id;
            }
        }
        return {};
    };
    QTRY_VERIFY_WITH_TIMEOUT(!healthy().isEmpty(), kDeadline_ms);

    m_session->context().select(healthy());

    QVERIFY(!guide().isDone(DemoStep::Find));
    guide().onInstanceChosen(m_session->topology().entities.front().id);
    QVERIFY(!guide().isDone(DemoStep::Why));
    m_session->closeDocument();
    QVERIFY(!guide().isVisible());
}

} // namespace mesh::shell

QTEST_MAIN(mesh::shell::DemoGuideTest)
#include "demo_guide_test.moc"
