// Goal: what is asked in the find language is judged as it is typed, completed, remembered and
// saved; tables reach every row, sort, say what they leave out and hold still under the pointer;
// the locator puts the best hit first.
// Method: the widgets over a session without engines and over a source of the test's own.
#include "app/bridge/find_subjects.h"
#include "app/bridge/mesh_session.h"
#include "app/pages/filter_chips.h"
#include "app/pages/find_field.h"
#include "app/pages/table_view.h"
#include "app/shell/fuzzy.h"
#include "app/shell/locator.h"
#include "app/theme/controls.h"
#include "app/theme/theme.h"
#include "proxyengine/model/document.h"

#include <QLabel>
#include <QListView>
#include <QMenu>
#include <QSignalSpy>
#include <QTableView>
#include <QTest>

#include <memory>

namespace mesh::pages {

namespace {

using bridge::FindLanguage;
using bridge::FindOperand;

bridge::EntityRow service(const QString& name, double rps, std::optional<double> errorRatio)
{
    bridge::EntityRow row;
    row.id = QStringLiteral("service:") + name;
    row.name = name;
    row.zones = {QStringLiteral("a")};
    row.state = rps > 0 ? bridge::HealthState::Healthy : bridge::HealthState::Idle;
    row.figures.rps = rps;
    row.figures.requests = rps > 0 ? 100 : 0;
    row.figures.errorRatio = errorRatio;
    return row;
}

// Rows the test owns.
class Rows : public TableSource
{
public:
    explicit Rows(std::vector<bridge::EntityRow>& rows)
        : m_rows(rows)
    {}
    [[nodiscard]] std::vector<GridColumn> columns() const override
    {
        return {
            {QStringLiteral("Name"), 0, TableColumn::Kind::Text, FindOperand::Name},
            {QStringLiteral("err %"), 80, TableColumn::Kind::Number, FindOperand::Errors}};
    }
    [[nodiscard]] int count() const override { return static_cast<int>(m_rows.size()); }
    [[nodiscard]] QString key(int row) const override { return at(row).id; }
    [[nodiscard]] GridCell cell(int row, int column) const override
    {
        GridCell cell;
        cell.text = at(row).name;
        if (column == 1) {
            cell.number = at(row).figures.errorRatio;
            cell.text = cell.number ? QString::number(*cell.number) : QStringLiteral("–");
        }
        return cell;
    }
    [[nodiscard]] int rowState(int /*row*/) const override { return -1; }
    [[nodiscard]] bool matches(int row, const FindLanguage& find) const override
    {
        return find.matches(bridge::EntitySubject(at(row), m_tags));
    }

private:
    [[nodiscard]] const bridge::EntityRow& at(int row) const
    {
        return m_rows[static_cast<std::size_t>(row)];
    }
    std::vector<bridge::EntityRow>& m_rows;
    bridge::FindTags m_tags;
};

QStringList keysOf(const GridModel& model)
{
    QStringList keys;
    for (int row = 0; row < model.rowCount(); ++row) {
        keys << model.keyAt(row).section(u':', 1);
    }
    return keys;
}

int stateOfField(const QWidget& field) { return field.property("meshFieldState").toInt(); }

} // namespace

class FindTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { theme::apply(*qApp, theme::Choice::Dark); }

    void aProblemHasItsPlaceAndARemedy_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<int>("position");
        QTest::addColumn<bool>("isIncomplete");
        QTest::addColumn<QString>("remedy");
        QTest::newRow("a figure is a word") << "rps > fast" << 6 << false << "rps > 100";
        QTest::newRow("no value yet") << "rps >" << 5 << true << "rps > 100";
        QTest::newRow("no comparison yet") << "error%" << 6 << true << "error% > 1";
        QTest::newRow("nothing joins them") << "idle stale" << 5 << false << "and";
        QTest::newRow("joined with nothing") << "idle and" << 8 << true << "error% > 1";
        QTest::newRow("no such property") << "colour = red" << 0 << false << "Tab";
        QTest::newRow("open parenthesis") << "(idle" << 5 << true << ")";
        QTest::newRow("closed twice") << "idle)" << 4 << false << "(";
        QTest::newRow("a text is not more") << "zone > a" << 5 << false << "zone = b";
        QTest::newRow("a wrong unit") << "p95 > 3rps" << 6 << false << "200ms";
    }
    void aProblemHasItsPlaceAndARemedy()
    {
        QFETCH(QString, text);
        QFETCH(int, position);
        QFETCH(bool, isIncomplete);
        QFETCH(QString, remedy);

        const FindLanguage find(text);

        QVERIFY(find.problem());
        QCOMPARE(static_cast<int>(find.problem()->position), position);
        QCOMPARE(find.problem()->isIncomplete, isIncomplete);
        QVERIFY2(find.problem()->remedy.contains(remedy), qPrintable(find.problem()->remedy));
    }

    void throughputHasUnits()
    {
        bridge::EntityRow row = service(QStringLiteral("cart"), 10, 0);
        const bridge::FindTags tags;
        QVERIFY(!FindLanguage(QStringLiteral("throughput > 0"))
                     .matches(bridge::EntitySubject(row, tags)));
        QVERIFY(FindLanguage(QStringLiteral("throughput = NaN"))
                    .matches(bridge::EntitySubject(row, tags)));
        row.figures.bytesPerSecond = 1.5e6;

        for (const char* text : {"throughput > 1mb/s", "throughput > 1400kb", "bytes >= 1500000"}) {
            QVERIFY2(
                FindLanguage(QLatin1String(text)).matches(bridge::EntitySubject(row, tags)), text
            );
        }
        QVERIFY(!FindLanguage(QStringLiteral("throughput > 2mb/s"))
                     .matches(bridge::EntitySubject(row, tags)));
    }

    void aHeaderIsFoundByItsName()
    {
        bridge::TapRow request;
        request.headers = {{QStringLiteral("x-user"), QStringLiteral("7")}};
        const FindLanguage find(QStringLiteral("header:X-User = 7 and not header:x-late"));

        QVERIFY(find.isValid());
        QVERIFY(find.matches(bridge::RequestSubject(request)));
        QCOMPARE(
            find.keysOf(FindOperand::Header),
            QStringList({QStringLiteral("X-User"), QStringLiteral("x-late")})
        );
        QCOMPARE(FindLanguage(find.canonical()).canonical(), find.canonical());
        QVERIFY(FindLanguage(QStringLiteral("header contains 7"))
                    .matches(bridge::RequestSubject(request)));
    }

    void aNodeAnswersErrorsAndRevision()
    {
        bridge::NodeRow node;
        node.errorRatio = 0.05;
        node.revision = 4;
        const bridge::FindTags tags;

        QVERIFY(FindLanguage(QStringLiteral("error% > 1 and rev < 5"))
                    .matches(bridge::NodeSubject(node, tags)));
        node.revision = 0;
        QVERIFY(FindLanguage(QStringLiteral("rev = NaN")).matches(bridge::NodeSubject(node, tags)));
    }

    void rowsAreFound_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addColumn<bool>("isFound");
        QTest::newRow("percent") << "error% > 4" << true;
        QTest::newRow("percent with its sign") << "err% >= 5%" << true;
        QTest::newRow("seconds are a thousand milliseconds") << "p95 = 0.2s" << true;
        QTest::newRow("k is a thousand") << "rps < 1k" << true;
        QTest::newRow("a word is a part of the name") << "pay" << true;
        QTest::newRow("and binds tighter than or") << "idle and idle or pay" << true;
        QTest::newRow("parentheses") << "idle and (idle or pay)" << false;
        QTest::newRow("begins with") << "name ^= pay and name $= ment" << true;
        QTest::newRow("words for signs") << "name startswith PAY" << true;
        QTest::newRow("one of its zones") << "zone = b" << true;
        QTest::newRow("not one of its zones") << "zone != b" << false;
        QTest::newRow("a tag") << "tag:team = web" << true;
        QTest::newRow("another tag") << "tag:team = shop" << false;
        QTest::newRow("no value") << "p99 = NaN" << true;
        QTest::newRow("no value is not less") << "p99 < 1000" << false;
        QTest::newRow("the group") << "group = core" << true;
        QTest::newRow("a fault") << "fault *= 503 and not split" << true;
    }
    void rowsAreFound()
    {
        QFETCH(QString, text);
        QFETCH(bool, isFound);
        model::Document document;
        model::Service known;
        known.name = "payment";
        known.tags = {"team:web", "group:core"};
        document.services.push_back(known);
        bridge::EntityRow row = service(QStringLiteral("payment"), 84, 0.05);
        row.zones = {QStringLiteral("a"), QStringLiteral("b")};
        row.figures.p95_ms = 200;
        row.faults = {QStringLiteral("503 30 %")};
        const bridge::FindTags tags(document);

        const FindLanguage find(text);

        QVERIFY2(find.isValid(), find.isValid() ? "" : qPrintable(find.problem()->message));
        QCOMPARE(find.matches(bridge::EntitySubject(row, tags)), isFound);
    }

    void theFieldJudgesWhatIsTyped()
    {
        bridge::MeshSession session{bridge::SessionOptions{}};
        FindField field(session, bridge::kGraphScopes, nullptr);

        field.setText(QStringLiteral("rps > fast"));
        QCOMPARE(stateOfField(field), static_cast<int>(theme::FieldState::Invalid));
        QVERIFY(field.toolTip().contains(QStringLiteral("At 7")));
        field.setText(QStringLiteral("rps >"));
        QCOMPARE(stateOfField(field), static_cast<int>(theme::FieldState::Doubtful));
        field.setText(QStringLiteral("method = GET"));
        field.setMatches(3, 4);
        QCOMPARE(stateOfField(field), static_cast<int>(theme::FieldState::Doubtful));
        field.setText(QStringLiteral("rps > 1"));
        QCOMPARE(stateOfField(field), static_cast<int>(theme::FieldState::Valid));
        field.setMatches(0, 4);
        QCOMPARE(stateOfField(field), static_cast<int>(theme::FieldState::Doubtful));
        field.clear();
        QCOMPARE(stateOfField(field), static_cast<int>(theme::FieldState::Normal));
    }

    void tabCompletesAndOtherwiseGoesOn()
    {
        bridge::MeshSession session{bridge::SessionOptions{}};
        FindField field(session, bridge::kGraphScopes, nullptr);
        field.setNames([] { return QStringList{QStringLiteral("payment")}; });
        field.show();

        QTest::keyClicks(&field, QStringLiteral("ver"));
        QTest::keyClick(&field, Qt::Key_Tab);
        QCOMPARE(field.text(), QStringLiteral("version "));
        field.setText(QStringLiteral("service = pa"));
        QTest::keyClick(&field, Qt::Key_Tab);
        QCOMPARE(field.text(), QStringLiteral("service = payment "));
        field.setText(QStringLiteral("idle a"));
        QTest::keyClick(&field, Qt::Key_Tab);
        QCOMPARE(field.text(), QStringLiteral("idle and "));
        field.setText(QStringLiteral("p9"));
        QTest::keyClick(&field, Qt::Key_Tab);
        QTRY_VERIFY(field.findChild<QMenu*>(QStringLiteral("findOffers")) != nullptr);
        QMenu* offers = field.findChild<QMenu*>(QStringLiteral("findOffers"));
        QCOMPARE(offers->actions().size(), 2);
        offers->actions().last()->trigger();
        QCOMPARE(field.text(), QStringLiteral("p99 "));
    }

    void whatWasAskedIsOfferedAgain()
    {
        bridge::MeshSession session{bridge::SessionOptions{}};
        FindField field(session, bridge::kGraphScopes, nullptr);
        field.show();
        for (const QString& text :
             {QStringLiteral("idle"),
              QStringLiteral("rps >"), // Not whole.
              QStringLiteral("zone = b"),
              QStringLiteral("idle")}) {
            field.setText(text);
            QTest::keyClick(&field, Qt::Key_Return);
        }

        QTest::keyClick(&field, Qt::Key_Down);

        QMenu* menu = field.findChild<QMenu*>(QStringLiteral("findHistory"));
        QVERIFY(menu != nullptr);
        QStringList texts;
        for (const QAction* action : menu->actions()) {
            texts << action->text();
        }
        QCOMPARE(texts, QStringList({QStringLiteral("idle"), QStringLiteral("zone = b")}));
        menu->close();
    }

    void filtersAreKeptUnderNames()
    {
        bridge::MeshSession session{bridge::SessionOptions{}};
        FilterChips chips(session, nullptr);

        QVERIFY(saveFilter(session, {QStringLiteral("bad"), QStringLiteral("error% > 1")}));
        QVERIFY(saveFilter(session, {QStringLiteral("b"), QStringLiteral("zone = b")}));
        QVERIFY(saveFilter(session, {QStringLiteral("bad"), QStringLiteral("failing")}));
        QVERIFY(!saveFilter(session, {QStringLiteral("wrong"), QStringLiteral("rps >")}));
        QVERIFY(!saveFilter(session, {QStringLiteral(" "), QStringLiteral("idle")}));
        chips.refresh();

        QCOMPARE(savedFilters(session).size(), std::size_t(2));
        QCOMPARE(savedFilters(session)[0].text, QStringLiteral("failing"));
        QSignalSpy chosen(&chips, &FilterChips::filterChosen);
        chips.findChild<QAbstractButton*>(QStringLiteral("filter.bad"))->click();
        QCOMPARE(chosen.first().first().toString(), QStringLiteral("failing"));
        removeFilter(session, QStringLiteral("bad"));
        QCOMPARE(savedFilters(session).size(), std::size_t(1));
    }

    void tablesSortWithNoValueLast()
    {
        std::vector<bridge::EntityRow> rows = {
            service(QStringLiteral("a"), 1, 0.2),
            service(QStringLiteral("b"), 0, std::nullopt),
            service(QStringLiteral("c"), 1, 0.1)};
        TableView table(QStringLiteral("t"), std::make_unique<Rows>(rows), nullptr);

        table.sortBy(1, Qt::DescendingOrder);
        QCOMPARE(keysOf(table.model()), QStringList({"a", "c", "b"}));
        table.sortBy(1, Qt::AscendingOrder);
        QCOMPARE(keysOf(table.model()), QStringList({"c", "a", "b"}));
        table.setFilter(FindLanguage(QStringLiteral("error% > 15")), FindLanguage());
        QCOMPARE(keysOf(table.model()), QStringList({"a"}));
        QCOMPARE(table.note().text(), QStringLiteral("showing 1 of 3"));
        table.setFilter(FindLanguage(), FindLanguage(QStringLiteral("idle")));
        QCOMPARE(keysOf(table.model()), QStringList({"c", "a"}));
    }

    void rowsHoldStillUnderThePointer()
    {
        std::vector<bridge::EntityRow> rows = {
            service(QStringLiteral("a"), 1, 0.1), service(QStringLiteral("b"), 1, 0.2)};
        TableView table(QStringLiteral("t"), std::make_unique<Rows>(rows), nullptr);
        table.sortBy(1, Qt::DescendingOrder);
        table.show();
        table.setCurrentKey(QStringLiteral("service:a"));
        QEvent enter(QEvent::Enter);
        QCoreApplication::sendEvent(table.view().viewport(), &enter);

        rows[0].figures.errorRatio = 0.5;
        rows.push_back(service(QStringLiteral("c"), 1, 0.9));
        rows.push_back(service(QStringLiteral("d"), 1, 0.8));
        table.refresh();

        QCOMPARE(keysOf(table.model()), QStringList({"b", "a"}));
        auto* chip = table.findChild<QAbstractButton*>(QStringLiteral("newRows"));
        QVERIFY(chip->isVisibleTo(&table));
        QCOMPARE(chip->text(), QStringLiteral("2 new"));
        QCOMPARE(table.note().text(), QStringLiteral("showing 2 of 4"));
        rows.erase(rows.begin() + 1); // What is gone cannot be shown.
        table.refresh();
        QCOMPARE(keysOf(table.model()), QStringList({"a"}));
        QEvent leave(QEvent::Leave);
        QCoreApplication::sendEvent(table.view().viewport(), &leave);
        QCOMPARE(keysOf(table.model()), QStringList({"c", "d", "a"}));
        QVERIFY(!chip->isVisibleTo(&table));
        QCOMPARE(table.currentKey(), QStringLiteral("service:a"));
    }

    void aCellOffersItsOwnFilters()
    {
        std::vector<bridge::EntityRow> rows = {service(QStringLiteral("web app"), 1, 0.5)};
        TableView table(QStringLiteral("t"), std::make_unique<Rows>(rows), nullptr);
        table.show();
        QSignalSpy wanted(&table, &TableView::filterWanted);

        const auto offer = [&](int column, int index) {
            const QRect cell = table.view().visualRect(table.model().index(0, column));
            Q_EMIT table.view().customContextMenuRequested(cell.center());
            auto* menu = table.findChild<QMenu*>(QStringLiteral("cellMenu"));
            menu->actions()[index]->trigger();
            delete menu;
            return wanted.takeFirst().first().toString();
        };

        QCOMPARE(offer(0, 0), QStringLiteral("name = \"web app\""));
        QCOMPARE(offer(0, 1), QStringLiteral("name != \"web app\""));
        QCOMPARE(offer(1, 0), QStringLiteral("error% >= 0.5"));
    }

    void theLocatorPutsTheBestFirst()
    {
        const std::vector<QString> entries = {
            QStringLiteral("shopping-cart"),
            QStringLiteral("cart"),
            QStringLiteral("carton-service"),
            QStringLiteral("c-a-r-t"),
            QStringLiteral("@ cart-node"),
            QStringLiteral("> restart cart")};

        const shell::LocatorHits all = shell::locate(QStringLiteral("cart"), entries, 10);
        QCOMPARE(all.found, 6);
        QCOMPARE(all.rows[0], 1);
        QCOMPARE(all.rows.back(), 3);
        const shell::LocatorHits nodes = shell::locate(QStringLiteral("@car"), entries, 10);
        QCOMPARE(nodes.rows, std::vector<int>({4}));
        QCOMPARE(shell::locate(QStringLiteral(">"), entries, 10).rows, std::vector<int>({5}));
        QCOMPARE(shell::locate(QStringLiteral("xyz"), entries, 10).found, 0);
        const shell::LocatorHits some = shell::locate(QStringLiteral("c"), entries, 2);
        QCOMPARE(some.rows.size(), std::size_t(2));
        QCOMPARE(some.found, 6);
        QVERIFY(shell::fuzzyScore(u"sc", u"shopping-cart") > shell::fuzzyScore(u"sc", u"disco"));
    }

    void theLocatorListsAndRunsWhatIsChosen()
    {
        shell::Locator locator;
        QString ran;
        locator.setSource([&ran] {
            std::vector<shell::LocatorEntry> entries;
            for (const QString& name : {QStringLiteral("cart"), QStringLiteral("cart-two")}) {
                entries.push_back({name, QStringLiteral("service"), [&ran, name] { ran = name; }});
            }
            return entries;
        });
        locator.show();
        locator.activateWindow();
        locator.setFocus();
        QTRY_VERIFY(locator.hasFocus());

        QTest::keyClicks(&locator, QStringLiteral("crt"));
        QVERIFY(locator.list().isVisible());
        QTest::keyClick(&locator, Qt::Key_Down);
        QTest::keyClick(&locator, Qt::Key_Return);
        QTRY_COMPARE(ran, QStringLiteral("cart-two"));
        QVERIFY(!locator.list().isVisible());
    }

    // Measured, not asserted: how long a key takes with 10 001 objects.
    void theLocatorAnswersOverTenThousandObjects()
    {
        std::vector<QString> entries;
        for (int i = 0; i < 10'001; ++i) {
            entries.push_back(QStringLiteral("team-%1-service-%2").arg(i % 97).arg(i));
        }
        shell::LocatorHits hits;
        QBENCHMARK_ONCE { hits = shell::locate(QStringLiteral("svc10000"), entries, 200); }
        QCOMPARE(hits.found, 1);
        QCOMPARE(hits.rows.front(), 10'000);
    }
};

} // namespace mesh::pages

QTEST_MAIN(mesh::pages::FindTest)
#include "find_test.moc"
