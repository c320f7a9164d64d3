// Goal: a typed request shows the route that takes it, the losers with their reasons, and the draft
// beside what runs when they differ.
// Method: a session with a small document; the tester driven through its fields.
#include "app/pages/route_tester.h"

#include "app/bridge/mesh_session.h"
#include "app/pages/rows_table.h"
#include "app/theme/theme.h"

#include <QLabel>
#include <QLineEdit>
#include <QTest>

#include <memory>

namespace mesh::pages {

namespace {

const QString kShop = QStringLiteral(R"(_format_version: "3.0"
nodes:
- {name: edge-1, role: gateway}
services:
- name: cart
  host: cart
  routes:
  - {name: cart, paths: [/cart], methods: [GET]}
- name: cart-v2
  host: cart-v2.local
- name: web
  host: web.local
  routes:
  - {name: web, paths: [/], strip_path: false}
upstreams:
- name: cart
  targets:
  - {target: "10.0.0.1:7001"}
)");

} // namespace

class RouteTesterTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { theme::apply(*qApp, theme::Choice::Light); }

    void init()
    {
        m_session = std::make_unique<bridge::MeshSession>(bridge::SessionOptions{});
        QVERIFY(m_session->importText(kShop));
        m_tester = std::make_unique<RouteTester>(*m_session, nullptr);
        m_tester->resize(1200, 420);
        m_tester->show();
    }

    void cleanup()
    {
        m_tester.reset();
        m_session.reset();
    }

    void theRouteThatTakesItIsNamedWithItsTargets()
    {
        ask(QStringLiteral("GET"), QStringLiteral("/cart/1"));

        QVERIFY2(verdict(0).contains(QStringLiteral("cart")), qPrintable(verdict(0)));
        const auto* facts = answer(0)->findChild<QLabel*>(QStringLiteral("routeFacts"));
        QVERIFY(facts->text().contains(QStringLiteral("10.0.0.1:7001")));
    }

    void losersHaveTheReasonTheyLost()
    {
        ask(QStringLiteral("POST"), QStringLiteral("/cart/1"));

        QVERIFY2(verdict(0).contains(QStringLiteral("web")), qPrintable(verdict(0)));
        const auto* losers = answer(0)->findChild<RowsTable*>(QStringLiteral("routeLosers"));
        QCOMPARE(losers->rowCount(), 1);
        QCOMPARE(losers->item(0, 0)->text(), QStringLiteral("cart"));
        QCOMPARE(losers->item(0, 1)->text(), QStringLiteral("method"));
        QVERIFY(losers->item(0, 2)->text().contains(QStringLiteral("GET")));
    }

    void theDraftStandsBesideWhatRunsWhenItDiffers()
    {
        ask(QStringLiteral("GET"), QStringLiteral("/cart/1"));
        QVERIFY(!answer(1)->isVisible());
        QString draft = m_session->documentText();

        m_session->setDraftText(draft.replace(QStringLiteral("/cart"), QStringLiteral("/basket")));
        m_tester->test();

        QVERIFY(answer(1)->isVisible());
        QVERIFY(verdict(0).contains(QStringLiteral("cart")));
        QVERIFY2(verdict(1).contains(QStringLiteral("web")), qPrintable(verdict(1)));
    }

    void whatIsNoRequestSaysWhy()
    {
        ask(QStringLiteral("GET"), QStringLiteral("ftp://shop.test/cart"));

        QVERIFY(!verdict(0).isEmpty());
        QVERIFY(!verdict(0).startsWith(QStringLiteral("Route ")));
    }

private:
    void ask(const QString& method, const QString& url)
    {
        bridge::RouteQuestionRow question;
        question.method = method;
        question.url = url;
        m_tester->setQuestion(question);
    }
    QWidget* answer(int at)
    {
        return m_tester->findChild<QWidget*>(QStringLiteral("routeAnswer%1").arg(at));
    }
    QString verdict(int at)
    {
        return answer(at)->findChild<QLabel*>(QStringLiteral("routeVerdict"))->text();
    }

    std::unique_ptr<bridge::MeshSession> m_session;
    std::unique_ptr<RouteTester> m_tester;
};

} // namespace mesh::pages

QTEST_MAIN(mesh::pages::RouteTesterTest)
#include "route_tester_test.moc"
