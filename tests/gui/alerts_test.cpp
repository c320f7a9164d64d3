// Goal: alerts fire when they should and only then, are silent when they are asked to be, and
// reach the webhook in the end.
// Method: the evaluator with times and counts of the test; the webhook against a server here.
#include "app/bridge/alerts.h"

#include "app/bridge/alert_watch.h"
#include "app/bridge/alert_webhook.h"
#include "app/bridge/find_subjects.h"
#include "app/bridge/mesh_session.h"
#include "app/pages/alerts_view.h"
#include "app/pages/rows_table.h"
#include "app/theme/theme.h"

#include <QComboBox>
#include <QDateTime>
#include <QDialogButtonBox>
#include <QJsonDocument>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>
#include <QtNetwork/QTcpServer>
#include <QtNetwork/QTcpSocket>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

namespace mesh::bridge {

namespace {

constexpr std::int64_t kSecond_us = 1'000'000;
constexpr std::int64_t kStart_us = 1'000'000LL * 3600 * kSecond_us;
const QString kCart = QStringLiteral("service:cart");

AlertRule stateRule()
{
    AlertRule rule;
    rule.name = QStringLiteral("fails");
    rule.holds_s = 30;
    return rule;
}

AlertRule burnRule()
{
    AlertRule rule;
    rule.name = QStringLiteral("burns");
    rule.kind = AlertKind::BurnRate;
    rule.objective = 0.99;
    rule.windows = {{3600, 300, 10}};
    return rule;
}

std::vector<AlertSubject> cart(HealthState state) { return {{kCart, state, {}, nullptr}}; }

// What happened, in words.
QStringList told(const std::vector<AlertChange>& changes)
{
    QStringList words;
    for (const AlertChange& change : changes) {
        words << change.row.rule
                     + (change.row.state == AlertState::Over ? QStringLiteral(" over")
                                                             : QStringLiteral(" fires"))
                     + (change.row.silence.isEmpty() ? QString() : QStringLiteral(" silently"));
    }
    return words;
}

std::int64_t at(int second) { return kStart_us + second * kSecond_us; }

// Answers each request with the next status; the last one for ever.
class Receiver : public QObject
{
public:
    explicit Receiver(std::vector<int> statuses)
        : m_statuses(std::move(statuses))
    {
        m_server.listen(QHostAddress::LocalHost, 0);
        connect(&m_server, &QTcpServer::newConnection, this, [this] {
            QTcpSocket* socket = m_server.nextPendingConnection();
            connect(socket, &QTcpSocket::readyRead, this, [this, socket] { read(*socket); });
            connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
        });
    }
    [[nodiscard]] QString url() const
    {
        return QStringLiteral("http://127.0.0.1:%1/hook").arg(m_server.serverPort());
    }
    QList<QByteArray> bodies;

private:
    void read(QTcpSocket& socket)
    {
        QByteArray& text = m_texts[&socket];
        text += socket.readAll();
        const qsizetype head = text.indexOf("\r\n\r\n");
        const qsizetype field = text.toLower().indexOf("content-length: ");
        if (head < 0 || field < 0) {
            return;
        }
        const qsizetype begin = field + 16;
        const qsizetype length = text.mid(begin, text.indexOf('\r', begin) - begin).toLongLong();
        if (text.size() < head + 4 + length) {
            return;
        }
        bodies << text.mid(head + 4, length);
        text.clear();
        const auto index = std::min(m_statuses.size() - 1, static_cast<std::size_t>(m_answered));
        ++m_answered;
        socket.write(
            "HTTP/1.1 " + QByteArray::number(m_statuses[index])
            + " x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        socket.disconnectFromHost();
    }

    QTcpServer m_server;
    std::vector<int> m_statuses;
    std::map<QTcpSocket*, QByteArray> m_texts;
    int m_answered = 0;
};

WebhookOptions quick()
{
    WebhookOptions options;
    options.firstDelay_ms = 4;
    options.delayMax_ms = 10;
    options.triesMax = 3;
    options.queueMax = 3;
    return options;
}

} // namespace

class AlertsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { theme::apply(*qApp, theme::Choice::Dark); }

    void aStateFiresWhenItHasHeld()
    {
        AlertBook book;
        book.setRules({stateRule()});

        QCOMPARE(told(book.evaluate(at(0), cart(HealthState::Failure))), QStringList());
        QCOMPARE(book.rows().front().state, AlertState::Pending);
        QCOMPARE(told(book.evaluate(at(29), cart(HealthState::Failure))), QStringList());
        QCOMPARE(
            told(book.evaluate(at(30), cart(HealthState::Failure))), QStringList("fails fires")
        );
        QCOMPARE(told(book.evaluate(at(31), cart(HealthState::Failure))), QStringList());
        QCOMPARE(book.firing(), 1);
        QCOMPARE(book.rows().front().since_us, at(0));
        QCOMPARE(
            told(book.evaluate(at(40), cart(HealthState::Degraded))), QStringList("fails over")
        );
        QCOMPARE(book.firing(), 0);
        QCOMPARE(book.rows().front().end_us, at(40));
    }

    void aShortFailureTellsNobody()
    {
        AlertBook book;
        book.setRules({stateRule()});

        QCOMPARE(told(book.evaluate(at(0), cart(HealthState::Failure))), QStringList());
        QCOMPARE(told(book.evaluate(at(20), cart(HealthState::Healthy))), QStringList());
        QCOMPARE(told(book.evaluate(at(40), cart(HealthState::Failure))), QStringList());
        QVERIFY(book.rows().size() == 1);
    }

    void whatIsNotSeenHasNotRecovered()
    {
        AlertBook book;
        book.setRules({stateRule()});
        static_cast<void>(book.evaluate(at(0), cart(HealthState::Failure)));
        static_cast<void>(book.evaluate(at(30), cart(HealthState::Failure)));

        QCOMPARE(told(book.evaluate(at(31), cart(HealthState::NoData))), QStringList());
        QCOMPARE(told(book.evaluate(at(32), cart(HealthState::Stale))), QStringList());
        QCOMPARE(book.firing(), 1);
        QCOMPARE(told(book.evaluate(at(33), {})), QStringList("fails over")); // It is deleted.
    }

    void aBudgetBurnsInBothWindows()
    {
        AlertBook book;
        book.setRules({burnRule()});
        // 20 % errors for five minutes, after 55 minutes without.
        for (int second = 30; second <= 3300; second += 30) {
            book.addTraffic(kCart, at(second), 300, 0);
        }
        for (int second = 3330; second <= 3600; second += 30) {
            book.addTraffic(kCart, at(second), 300, 60);
        }

        // The short one burns 20 times, the long one 1.7 times.
        QCOMPARE(qRound(book.burn(kCart, at(3600), 300, 0.99).rate), 20);
        QCOMPARE(qRound(book.burn(kCart, at(3600), 3600, 0.99).rate * 10), 17);
        QCOMPARE(told(book.evaluate(at(3600), cart(HealthState::Degraded))), QStringList());
        for (int second = 3630; second <= 7200; second += 30) {
            book.addTraffic(kCart, at(second), 300, 60);
        }
        QCOMPARE(
            told(book.evaluate(at(7200), cart(HealthState::Degraded))), QStringList("burns fires")
        );
        QVERIFY(book.rows().front().why.contains(QStringLiteral("20.0")));
        // Five good minutes end it, although the hour still burns.
        for (int second = 7230; second <= 7500; second += 30) {
            book.addTraffic(kCart, at(second), 300, 0);
        }
        QVERIFY(book.burn(kCart, at(7500), 3600, 0.99).rate > 10);
        QCOMPARE(
            told(book.evaluate(at(7500), cart(HealthState::Degraded))), QStringList("burns over")
        );
    }

    void fewRequestsProveNothing()
    {
        AlertBook book;
        book.setRules({burnRule()});
        book.addTraffic(kCart, at(3600), 99, 99);

        QCOMPARE(told(book.evaluate(at(3600), cart(HealthState::Failure))), QStringList());
        book.addTraffic(kCart, at(3600), 1, 1);
        QCOMPARE(
            told(book.evaluate(at(3600), cart(HealthState::Failure))), QStringList("burns fires")
        );
    }

    void countsMayComeLateButNotTooLate()
    {
        AlertBook book;
        book.addTraffic(kCart, at(7 * 3600), 10, 0);
        book.addTraffic(kCart, at(7 * 3600 - 60), 20, 5);
        book.addTraffic(kCart, at(0), 40, 0);

        QCOMPARE(book.burn(kCart, at(7 * 3600), 6 * 3600, 0.99).requests, 30U);
        QCOMPARE(book.burn(kCart, at(7 * 3600), 30, 0.99).requests, 10U);
    }

    void aSilencedAlertIsListedAndNotTold()
    {
        AlertBook book;
        book.setRules({stateRule()});
        book.setSilences({{{}, kCart, QStringLiteral("upgrade"), {}, at(0), at(100)}});
        static_cast<void>(book.evaluate(at(0), cart(HealthState::Failure)));

        QCOMPARE(
            told(book.evaluate(at(30), cart(HealthState::Failure))),
            QStringList("fails fires silently")
        );
        QCOMPARE(book.firing(), 0);
        QCOMPARE(book.rows().front().silenceEnd_us, at(100));
        QCOMPARE(told(book.evaluate(at(99), cart(HealthState::Failure))), QStringList());
        // The silence is over and it still fails.
        QCOMPARE(
            told(book.evaluate(at(100), cart(HealthState::Failure))), QStringList("fails fires")
        );
        QCOMPARE(book.firing(), 1);
    }

    void aFilterChoosesTheServices()
    {
        AlertBook book;
        AlertRule rule = stateRule();
        rule.holds_s = 0;
        rule.filter = QStringLiteral("zone = b");
        book.setRules({rule});
        EntityRow inA;
        inA.zones = {QStringLiteral("a")};
        EntityRow inB;
        inB.zones = {QStringLiteral("b")};
        const FindTags tags;
        const EntitySubject findA(inA, tags);
        const EntitySubject findB(inB, tags);

        const auto changes = book.evaluate(
            at(0),
            {{QStringLiteral("service:a"), HealthState::Failure, {}, &findA},
             {QStringLiteral("service:b"), HealthState::Failure, {}, &findB}}
        );

        QCOMPARE(changes.size(), std::size_t(1));
        QCOMPARE(changes.front().row.subject, QStringLiteral("service:b"));
    }

    void rulesAndSilencesReturnFromText()
    {
        AlertRule off = burnRule();
        off.isOn = false;
        off.filter = QStringLiteral("name *= \"a b\"");
        const std::vector<AlertRule> rules = {stateRule(), off};
        const std::vector<AlertSilence> silences = {
            {QStringLiteral("r"), kCart, QStringLiteral("why"), QStringLiteral("ann"), 5, 9}};

        QCOMPARE(alertRulesOf(toText(rules)), std::optional(rules));
        QCOMPARE(alertSilencesOf(toText(silences)), silences);
        QVERIFY(!alertRulesOf(QStringLiteral("{}")));
        QCOMPARE(alertRulesOf(QStringLiteral("[{\"name\":\"\"},7]"))->size(), std::size_t(0));
    }

    void aWrongRuleSaysWhy()
    {
        AlertRule rule = burnRule();
        QVERIFY(alertRuleProblem(rule).isEmpty());
        rule.objective = 1;
        QVERIFY(alertRuleProblem(rule).contains(QStringLiteral("objective")));
        rule = burnRule();
        rule.windows = {{300, 300, 1}};
        QVERIFY(alertRuleProblem(rule).contains(QStringLiteral("short")));
        rule = stateRule();
        rule.filter = QStringLiteral("method = GET");
        QVERIFY(alertRuleProblem(rule).contains(QStringLiteral("method")));
    }

    void theWebhookSendsInOrderAndTriesAgain()
    {
        Receiver receiver({503, 200});
        AlertWebhook webhook(quick());
        webhook.setUrl(receiver.url());
        AlertChange change;
        change.row.rule = QStringLiteral("fails");
        change.row.subject = kCart;
        change.row.state = AlertState::Firing;

        webhook.send(webhookBody(change, QStringLiteral("shop")));
        webhook.send("{\"second\":true}");

        QTRY_COMPARE(webhook.sent(), 2U);
        QCOMPARE(receiver.bodies.size(), 3);
        QCOMPARE(receiver.bodies[0], receiver.bodies[1]); // The refused one again.
        const auto sent = QJsonDocument::fromJson(receiver.bodies[0]);
        QCOMPARE(sent[QStringLiteral("mesh")].toString(), QStringLiteral("shop"));
        QCOMPARE(sent[QStringLiteral("state")].toString(), QStringLiteral("firing"));
        QCOMPARE(receiver.bodies[2], QByteArray("{\"second\":true}"));
        QCOMPARE(webhook.lost(), 0U);
        QVERIFY(webhook.lastProblem().isEmpty());
    }

    void theWebhookGivesUpAndCounts()
    {
        Receiver refusing({400});
        AlertWebhook webhook(quick());
        webhook.setUrl(refusing.url());
        webhook.send("{}");
        QTRY_COMPARE(webhook.lost(), 1U);
        QCOMPARE(refusing.bodies.size(), 1); // A refusal is final.
        QVERIFY(webhook.lastProblem().contains(QStringLiteral("400")));
        Receiver failing({500});
        webhook.setUrl(failing.url());
        webhook.send("{}");
        QTRY_COMPARE(webhook.lost(), 2U);
        QCOMPARE(failing.bodies.size(), 3);
        for (int i = 0; i < 9; ++i) {
            webhook.send("{}");
        }
        QVERIFY(webhook.waiting() <= 3);
        QCOMPARE(webhook.lost(), 8U);
    }

    void onlyPlainUrlsAreSentTo()
    {
        QVERIFY(webhookProblem({}).isEmpty());
        QVERIFY(webhookProblem(QStringLiteral("https://a.example/x")).isEmpty());
        QVERIFY(!webhookProblem(QStringLiteral("file:///etc/passwd")).isEmpty());
        QVERIFY(!webhookProblem(QStringLiteral("https://me:secret@a.example")).isEmpty());
        QVERIFY(!webhookProblem(QStringLiteral("nonsense")).isEmpty());
    }

    void rulesAreKeptInTheDocumentAndEditedInTheirDialog()
    {
        MeshSession session{SessionOptions{}};
        QVERIFY(session.importText(QStringLiteral("_format_version: \"3.0\"\nmesh: {name: shop}\n"))
        );
        AlertWatch watch(session);
        QCOMPARE(watch.book().rules(), defaultAlertRules());
        pages::AlertRulesDialog dialog(session, watch, nullptr);
        dialog.show();
        const auto click = [&dialog](const char* name) {
            dialog.findChild<QPushButton*>(QLatin1String(name))->click();
        };
        auto* keep = dialog.findChild<QPushButton*>(QStringLiteral("keepRules"));
        auto* filter = dialog.findChild<QLineEdit*>(QStringLiteral("ruleFilter"));
        auto* url = dialog.findChild<QLineEdit*>(QStringLiteral("webhookUrl"));

        click("removeRule");
        click("addStateRule");
        dialog.findChild<QLineEdit*>(QStringLiteral("ruleName"))->setText(QStringLiteral("Zone b"));
        filter->setText(QStringLiteral("zone ="));
        QVERIFY(!keep->isEnabled());
        filter->setText(QStringLiteral("zone = b"));
        url->setText(QStringLiteral("ftp://x"));
        QVERIFY(!keep->isEnabled());
        url->setText(QStringLiteral("https://hooks.example/mesh"));
        QVERIFY(keep->isEnabled());
        keep->click();

        QCOMPARE(watch.book().rules().size(), std::size_t(2));
        QCOMPARE(watch.book().rules().back().filter, QStringLiteral("zone = b"));
        const auto kept = alertRulesOf(session.setting(QStringLiteral("alerts.rules")));
        QCOMPARE(kept, std::optional(watch.book().rules()));
        QCOMPARE(watch.webhook().url(), QStringLiteral("https://hooks.example/mesh"));
    }

    void aSilenceHasAReasonAndAnEnd()
    {
        MeshSession session{SessionOptions{}};
        QVERIFY(session.importText(QStringLiteral("_format_version: \"3.0\"\nmesh: {name: shop}\n"))
        );
        AlertWatch watch(session);
        AlertRow row;
        row.rule = QStringLiteral("fails");
        row.subject = kCart;
        pages::SilenceDialog dialog(row, nullptr);
        auto* accept = dialog.findChild<QPushButton*>(QStringLiteral("silence"));
        QVERIFY(!accept->isEnabled());
        dialog.findChild<QLineEdit*>(QStringLiteral("silenceReason"))
            ->setText(QStringLiteral("Ann"));
        dialog.findChild<QComboBox*>(QStringLiteral("silenceScope"))->setCurrentIndex(1);
        QVERIFY(accept->isEnabled());

        const std::int64_t now = QDateTime::currentMSecsSinceEpoch() * 1000;
        const AlertSilence silence = dialog.silence(now);
        QVERIFY(watch.addSilence(silence));
        QVERIFY(silence.subject.isEmpty());
        QCOMPARE(silence.end_us - silence.begin_us, 3600 * kSecond_us);
        QVERIFY(!watch.addSilence({{}, {}, QStringLiteral(" "), {}, now, now + 1000}));
        QVERIFY(!watch.addSilence({{}, {}, QStringLiteral("past"), {}, now - 9, now - 1}));
        QCOMPARE(
            alertSilencesOf(session.setting(QStringLiteral("alerts.silences"))).size(),
            std::size_t(1)
        );
        watch.endSilences(QStringLiteral("fails"), kCart);
        QCOMPARE(watch.book().silences().size(), std::size_t(0));
    }
};

} // namespace mesh::bridge

QTEST_MAIN(mesh::bridge::AlertsTest)
#include "alerts_test.moc"
