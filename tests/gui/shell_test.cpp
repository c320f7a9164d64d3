// Goal: the window as a person with a keyboard meets it: doors, modes, panes, names, apply.
// Method: a real session with a small imported document and no engines; keys through the window.
#include "app/bridge/mesh_session.h"
#include "app/bridge/view_context.h"
#include "app/forms/config_text_edit.h"
#include "app/forms/draft.h"
#include "app/pages/edit_page.h"
#include "app/pages/first_run_page.h"
#include "app/pages/inspector.h"
#include "app/pages/review_lists.h"
#include "app/pages/review_page.h"
#include "app/pages/review_plan.h"
#include "app/pages/rollout_page.h"
#include "app/pages/rows_table.h"
#include "app/shell/locator.h"
#include "app/shell/main_window.h"
#include "app/shell/top_bar.h"
#include "app/theme/theme.h"

#include <QAbstractButton>
#include <QAction>
#include <QLabel>
#include <QLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollBar>
#include <QSignalSpy>
#include <QSplitter>
#include <QTabBar>
#include <QTest>

#include <memory>

namespace mesh::shell {

namespace {

constexpr const char* kSmall = R"(_format_version: "3.0"
services:
- name: cart
  host: cart
  routes:
  - name: cart
    paths: [/cart]
upstreams:
- name: cart
  targets:
  - {target: "10.0.0.1:7001"}
mesh: {name: shop}
)";

// A session and a window over it; the window goes first.
struct Console
{
    bridge::MeshSession session{bridge::SessionOptions{}};
    std::unique_ptr<MainWindow> window;

    explicit Console(bool isOpen)
    {
        if (isOpen) {
            const auto imported = session.importText(QString::fromLatin1(kSmall));
            if (!imported) {
                qWarning("%s", imported.error().message.c_str());
            }
        }
        WindowOptions options;
        options.isPersistent = false;
        window = std::make_unique<MainWindow>(session, options);
        window->resize(1440, 900);
        window->show();
    }
};

QAction* actionOf(const MainWindow& window, const char* name)
{
    for (QAction* action : window.actionList()) {
        if (action->objectName() == QLatin1String(name)) {
            return action;
        }
    }
    return nullptr;
}

// Controls a keyboard reaches that a screen reader could not name.
QStringList namelessControls(const QWidget& root)
{
    QStringList found;
    for (const QWidget* widget : root.findChildren<QWidget*>()) {
        const bool isInner = qobject_cast<const QScrollBar*>(widget) != nullptr
                             || widget->objectName().startsWith(QStringLiteral("qt_"))
                             || widget->focusProxy() != nullptr;
        if (isInner || (widget->focusPolicy() & Qt::TabFocus) == 0 || !widget->isVisibleTo(&root)) {
            continue;
        }
        const auto* button = qobject_cast<const QAbstractButton*>(widget);
        const auto* label = qobject_cast<const QLabel*>(widget);
        const bool hasWords = (button != nullptr && !button->text().isEmpty())
                              || (label != nullptr && !label->text().isEmpty());
        if (widget->accessibleName().isEmpty() && !hasWords) {
            found << QString::fromLatin1(widget->metaObject()->className()) + u'/'
                         + widget->objectName();
        }
    }
    return found;
}

// Labels of one line whose text does not fit.
QStringList elidedLabels(const QWidget& root)
{
    QStringList found;
    for (const QLabel* label : root.findChildren<QLabel*>()) {
        if (label->isVisibleTo(&root) && !label->wordWrap() && label->textFormat() != Qt::RichText
            && !label->text().contains(u'<')
            && label->sizePolicy().horizontalPolicy() != QSizePolicy::Ignored
            && label->width() + 1 < label->fontMetrics().horizontalAdvance(label->text())) {
            found << label->text();
        }
    }
    return found;
}

// Pairs of visible siblings of one layout that cover each other.
QStringList overlaps(const QWidget& root)
{
    QStringList found;
    for (const QWidget* parent : root.findChildren<QWidget*>()) {
        if (parent->layout() == nullptr || !parent->isVisibleTo(&root)) {
            continue;
        }
        for (int i = 0; i < parent->layout()->count(); ++i) {
            for (int j = i + 1; j < parent->layout()->count(); ++j) {
                const QWidget* a = parent->layout()->itemAt(i)->widget();
                const QWidget* b = parent->layout()->itemAt(j)->widget();
                if (a != nullptr && b != nullptr && a->isVisibleTo(&root) && b->isVisibleTo(&root)
                    && a->geometry().intersects(b->geometry())) {
                    found << a->objectName() + u'/' + b->objectName();
                }
            }
        }
    }
    return found;
}

} // namespace

class ShellTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { theme::apply(*qApp, theme::Choice::Light); }
    void opensWithThreeDoorsAndTheirKeys();
    void saysWhyTheDemoCannotStart();
    void controlAndANumberChooseTheMode();
    void altAndANumberOpenTheBottomPanes();
    void everyControlHasAName_data();
    void everyControlHasAName();
    void nothingIsElidedOrOverlaps_data();
    void nothingIsElidedOrOverlaps();
    void theLocatorRunsActionsAndFindsRoutes();
    void anEditIsReviewedAndApplied();
    void promisedKeysBelongToActions();
    void keysFoldTheSidebarAndFind();
    void theDoorsAreReachedInReadingOrder();
    void errorsBlockTheApply();
    void discardTakesTheEditBack();
    void tabGoesThroughTheTopBarInReadingOrder();
    void tabReachesEveryControlOfAPageInReadingOrder_data();
    void tabReachesEveryControlOfAPageInReadingOrder();
    void regionsStandWhereTheDesignPutsThem();
    void everyShortcutIsUsedOnce();
};

void ShellTest::opensWithThreeDoorsAndTheirKeys()
{
    Console console(false);
    auto* page = console.window->findChild<pages::FirstRunPage*>();
    QVERIFY(page != nullptr && page->isVisible());
    QVERIFY(QTest::qWaitForWindowActive(console.window.get()));
    disconnect(page, &pages::FirstRunPage::doorOpened, console.window.get(), nullptr);
    QSignalSpy doors(page, &pages::FirstRunPage::doorOpened);
    page->findChild<QAbstractButton*>(QStringLiteral("startDemo"))->setFocus();

    QTest::keyClick(console.window->focusWidget(), Qt::Key_1);
    QTest::keyClick(console.window->focusWidget(), Qt::Key_2);
    QTest::keyClick(console.window->focusWidget(), Qt::Key_3);

    QCOMPARE(doors.count(), 3);
    QCOMPARE(doors.at(1).at(0).value<pages::Door>(), pages::Door::Connect);
}

void ShellTest::saysWhyTheDemoCannotStart()
{
    Console console(false);

    console.window->startDemo();

    QVERIFY(!console.session.isOpen());
    bool isSaid = false;
    for (const QLabel* label : console.window->findChildren<QLabel*>()) {
        isSaid =
            isSaid || (label->isVisible() && label->text().contains(QStringLiteral("missing")));
    }
    QVERIFY(isSaid);
}

void ShellTest::controlAndANumberChooseTheMode()
{
    Console console(true);
    QVERIFY(QTest::qWaitForWindowActive(console.window.get()));
    for (int i = 0; i < kModeCount; ++i) {
        QTest::keyClick(
            console.window.get(), static_cast<Qt::Key>(Qt::Key_1 + i), Qt::ControlModifier
        );
        QCOMPARE(console.window->mode(), static_cast<Mode>(i));
    }
}

void ShellTest::altAndANumberOpenTheBottomPanes()
{
    Console console(true);
    QVERIFY(QTest::qWaitForWindowActive(console.window.get()));
    auto* events = console.window->findChild<QWidget*>(QStringLiteral("eventsPane"));
    QVERIFY(!events->isVisible());

    QTest::keyClick(console.window.get(), Qt::Key_2, Qt::AltModifier);
    QVERIFY(events->isVisible());

    QTest::keyClick(console.window.get(), Qt::Key_2, Qt::AltModifier);
    QVERIFY(!events->isVisible());
}

void ShellTest::everyControlHasAName_data()
{
    QTest::addColumn<int>("mode");
    for (int i = 0; i < kModeCount; ++i) {
        QTest::newRow(modeKey(static_cast<Mode>(i)).toLatin1().constData()) << i;
    }
}

void ShellTest::everyControlHasAName()
{
    QFETCH(const int, mode);
    Console console(true);

    console.window->setMode(static_cast<Mode>(mode));

    QCOMPARE(namelessControls(*console.window), QStringList());
}

void ShellTest::nothingIsElidedOrOverlaps_data() { everyControlHasAName_data(); }

void ShellTest::nothingIsElidedOrOverlaps()
{
    QFETCH(const int, mode);
    Console console(true);

    console.window->setMode(static_cast<Mode>(mode));
    QCoreApplication::processEvents();

    QCOMPARE(elidedLabels(*console.window), QStringList());
    QCOMPARE(overlaps(*console.window), QStringList());
}

void ShellTest::theLocatorRunsActionsAndFindsRoutes()
{
    Console console(true);
    QVERIFY(QTest::qWaitForWindowActive(console.window.get()));
    auto* locator = console.window->findChild<Locator*>();
    QTest::keyClick(console.window.get(), Qt::Key_K, Qt::ControlModifier);
    QTRY_VERIFY(locator->hasFocus());

    QTest::keyClicks(locator, QStringLiteral("> Nodes"));
    QTest::keyClick(locator, Qt::Key_Return);
    QTRY_COMPARE(console.window->mode(), Mode::Nodes);

    console.window->activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(console.window.get()));
    actionOf(*console.window, "edit.locator")->trigger();
    QTRY_VERIFY(locator->hasFocus());
    QTest::keyClicks(locator, QStringLiteral("/ cart"));
    QTest::keyClick(locator, Qt::Key_Return);
    QTRY_COMPARE(console.window->mode(), Mode::Edit);
}

void ShellTest::anEditIsReviewedAndApplied()
{
    Console console(true);
    const auto revisions = console.session.revisions().size();
    forms::Draft& draft = console.window->draft();
    draft.editValue("services[0].retries", model::Value(2));
    QVERIFY(actionOf(*console.window, "change.push")->isEnabled());
    actionOf(*console.window, "change.review")->trigger();
    QCOMPARE(console.window->mode(), Mode::Rollout);
    pages::ReviewPage& review = console.window->rolloutPage().review();
    QPushButton& push = review.plan().pushButton();
    QTRY_VERIFY(push.isEnabled());
    QVERIFY(push.text().contains(QStringLiteral("shop")));
    QCOMPARE(review.list().count(), 1);

    actionOf(*console.window, "change.push")->trigger();

    QTRY_VERIFY(console.session.revisions().size() > revisions);
    QCOMPARE(console.session.document()->services.front().retries, 2);
    QVERIFY(!draft.isChanged());
}

void ShellTest::promisedKeysBelongToActions()
{
    Console console(true);
    const std::vector<std::pair<const char*, QString>> promised = {
        {"edit.new", QStringLiteral("Ctrl+N")},
        {"file.saveDraft", QStringLiteral("Ctrl+S")},
        {"view.refresh", QStringLiteral("F5")},
        {"edit.find", QStringLiteral("/")},
        {"view.sidebar", QStringLiteral("Alt+0")}};

    for (const auto& [name, keys] : promised) {
        const QAction* action = actionOf(*console.window, name);
        QVERIFY2(action != nullptr, name);
        QVERIFY2(action->shortcuts().contains(QKeySequence(keys)), name);
    }
}

void ShellTest::keysFoldTheSidebarAndFind()
{
    Console console(true);
    console.window->setMode(Mode::Topology);
    QVERIFY(console.window->inspector().isVisible());

    actionOf(*console.window, "view.sidebar")->trigger();
    QVERIFY(!console.window->inspector().isVisible());
    actionOf(*console.window, "view.sidebar")->trigger();
    QVERIFY(console.window->inspector().isVisible());

    console.window->setMode(Mode::Edit);
    QVERIFY(console.window->editPage().text().isVisible());
    actionOf(*console.window, "view.sidebar")->trigger();
    QVERIFY(!console.window->editPage().text().isVisible());
}

void ShellTest::theDoorsAreReachedInReadingOrder()
{
    Console console(false);
    auto* first = console.window->findChild<QWidget*>(QStringLiteral("startDemo"));
    QStringList reached;
    const QStringList wanted = {
        QStringLiteral("startDemo"),
        QStringLiteral("connectNode"),
        QStringLiteral("importFile"),
        QStringLiteral("openOther")};
    QWidget* at = first;
    do {
        if (wanted.contains(at->objectName())) {
            reached << at->objectName();
        }
        at = at->nextInFocusChain();
    } while (at != first);

    QCOMPARE(reached, wanted);
}

void ShellTest::errorsBlockTheApply()
{
    Console console(true);
    forms::Draft& draft = console.window->draft();

    draft.editValue("services[0].port", model::Value("eighty"));

    QVERIFY(draft.hasErrors());
    QVERIFY(!actionOf(*console.window, "change.push")->isEnabled());
    actionOf(*console.window, "change.review")->trigger();
    pages::ReviewPage& review = console.window->rolloutPage().review();
    QVERIFY(!review.plan().pushButton().isEnabled());
}

void ShellTest::discardTakesTheEditBack()
{
    Console console(true);
    forms::Draft& draft = console.window->draft();
    const QString before = draft.text();
    draft.editValue("services[0].retries", model::Value(2));

    actionOf(*console.window, "change.discard")->trigger();

    QCOMPARE(draft.text(), before);
    QVERIFY(!actionOf(*console.window, "change.discard")->isEnabled());
    actionOf(*console.window, "edit.undo")->trigger();
    QVERIFY(draft.isChanged());
}

namespace {

bool takesTab(const QWidget& widget, const QWidget& page)
{
    return page.isAncestorOf(&widget) && widget.isVisible() && widget.isEnabled()
           && (widget.focusPolicy() & Qt::TabFocus) != 0 && widget.focusProxy() == nullptr
           && !widget.objectName().startsWith(QStringLiteral("qt_"));
}

// Whether `next` stands before `former` for a reader: in a column further left, or higher in the
// same one, or left in the same line.
bool isBackwards(const QWidget& former, const QWidget& next, const QList<QWidget*>& columns)
{
    const auto columnOf = [&columns](const QWidget& widget) {
        for (qsizetype i = 0; i < columns.size(); ++i) {
            if (columns[i]->isAncestorOf(&widget)) {
                return i;
            }
        }
        return columns.size();
    };
    const auto rectOf = [](const QWidget& widget) {
        return QRect(widget.mapTo(widget.window(), QPoint(0, 0)), widget.size());
    };
    if (columnOf(former) != columnOf(next)) {
        return columnOf(next) < columnOf(former);
    }
    const QRect a = rectOf(former);
    const QRect b = rectOf(next);
    const bool isSameLine = b.top() < a.bottom() && a.top() < b.bottom();
    return isSameLine ? b.left() < a.left() : b.bottom() < a.top();
}

} // namespace

void ShellTest::tabReachesEveryControlOfAPageInReadingOrder_data()
{
    QTest::addColumn<int>("mode");
    QTest::newRow("topology") << static_cast<int>(Mode::Topology);
    QTest::newRow("edit") << static_cast<int>(Mode::Edit);
}

// The focus chain itself, so that a text field that keeps the Tab key does not end the walk.
void ShellTest::tabReachesEveryControlOfAPageInReadingOrder()
{
    QFETCH(const int, mode);
    Console console(true);
    QVERIFY(QTest::qWaitForWindowActive(console.window.get()));
    console.window->setMode(static_cast<Mode>(mode));
    QCoreApplication::processEvents();
    QWidget* page = mode == static_cast<int>(Mode::Edit)
                        ? static_cast<QWidget*>(&console.window->editPage())
                        : console.window->findChild<QWidget*>(QStringLiteral("topologyPage"));
    QVERIFY(page != nullptr);
    QList<QWidget*> columns;
    if (auto* splitter = page->findChild<QSplitter*>()) {
        for (int i = 0; i < splitter->count(); ++i) {
            columns << splitter->widget(i);
        }
    }
    QList<QWidget*> reached;
    for (QWidget* at = page->nextInFocusChain(); at != page; at = at->nextInFocusChain()) {
        if (takesTab(*at, *page)) {
            reached << at;
        }
    }

    QVERIFY(reached.size() > 4);
    for (const QWidget* widget : page->findChildren<QWidget*>()) {
        if (takesTab(*widget, *page)) {
            QVERIFY2(reached.contains(widget), qPrintable(widget->objectName()));
        }
    }
    for (qsizetype i = 1; i < reached.size(); ++i) {
        const QString words = reached[i - 1]->accessibleName() + QStringLiteral(" -> ")
                              + reached[i]->accessibleName();
        QVERIFY2(!isBackwards(*reached[i - 1], *reached[i], columns), qPrintable(words));
    }
}

void ShellTest::tabGoesThroughTheTopBarInReadingOrder()
{
    Console console(true);
    QVERIFY(QTest::qWaitForWindowActive(console.window.get()));
    console.window->draft().editValue("services[0].retries", model::Value(2));
    auto* first = console.window->findChild<MeshButton*>();
    first->setFocus();
    const int limit = 4;
    int x = -1;
    for (int i = 0; i < limit; ++i) {
        QWidget* focused = console.window->focusWidget();
        const int now = focused->mapTo(console.window.get(), QPoint(0, 0)).x();
        QVERIFY2(now > x, qPrintable(focused->objectName()));
        x = now;
        QTest::keyClick(focused, Qt::Key_Tab);
    }
}

void ShellTest::regionsStandWhereTheDesignPutsThem()
{
    Console console(true);
    console.window->setMode(Mode::Topology);
    QCoreApplication::processEvents();
    const auto place = [&console](const char* name) {
        const auto* widget = console.window->findChild<QWidget*>(QLatin1String(name));
        return QRect(widget->mapTo(console.window.get(), QPoint(0, 0)), widget->size());
    };

    QCOMPARE(place("honestyStrip"), QRect(0, 876, 1440, 24));
    QCOMPARE(place("locator"), QRect(528, 8, 384, 28));
    QCOMPARE(place("paneStrip").height(), 28);
    QCOMPARE(place("paneStrip").bottom(), 875);
    QCOMPARE(place("timeBar").height(), 60);
    QCOMPARE(place("inspector").top(), 44);
    QCOMPARE(place("inspector").bottom(), 875);
    QVERIFY(std::abs(place("inspector").width() - 344) <= 4);
}

void ShellTest::everyShortcutIsUsedOnce()
{
    Console console(true);
    QStringList keys;
    for (const QAction* action : console.window->actionList()) {
        if (!action->shortcut().isEmpty()) {
            keys << action->shortcut().toString();
        }
    }

    QCOMPARE(keys.removeDuplicates(), 0);
    QVERIFY(keys.contains(QStringLiteral("Ctrl+Shift+R")));
}

} // namespace mesh::shell

QTEST_MAIN(mesh::shell::ShellTest)
#include "shell_test.moc"
