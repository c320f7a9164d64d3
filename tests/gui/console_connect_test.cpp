// Goal: a node in another process, connected by its admin address, opens in the window and runs
// what is applied; what cannot be connected says why and stays asked.
// Method: a real meshwrightd on ports of the kernel; the dialog driven through its controls.
#include "app/bridge/mesh_session.h"
#include "app/console/node_connector.h"
#include "app/shell/main_window.h"
#include "app/theme/theme.h"
#include "proxyengine/base/clock.h"
#include "tests/support/free_port.h"
#include "tests/support/node_process.h"

#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <memory>

namespace mesh::shell {

namespace {

constexpr int kDeadline_ms = 20'000;

constexpr const char* kConfiguration = R"(_format_version: "3.0"
services:
- name: cart
  host: 127.0.0.1
  port: 9
  retries: 1
  routes:
  - name: cart
    paths: [/cart]
)";

QString urlOf(const std::string& hostPort)
{
    return QStringLiteral("http://") + QString::fromStdString(hostPort);
}

QString messageOf(const ConnectDialog& dialog)
{
    const auto* label = dialog.findChild<QLabel*>(QStringLiteral("message"));
    return label->isVisibleTo(&dialog) ? label->text() : QString();
}

void ask(ConnectDialog& dialog, const QString& address)
{
    dialog.findChild<QLineEdit*>(QStringLiteral("address"))->setText(address);
    dialog.findChild<QPushButton*>(QStringLiteral("connect"))->click();
}

} // namespace

class ConsoleConnectTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void aConnectedNodeRunsWhatIsApplied();
    void anAddressWhereNothingListensSaysSo();
    void anAddressOfNoAdminApiSaysSo();
    void aTextThatIsNoAddressSaysSo();

private:
    QTemporaryDir m_folder;
    test::NodeProcess m_node;
    SystemClock m_clock;
    console::CredentialsFolder m_credentials{QString()};
};

void ConsoleConnectTest::initTestCase()
{
    theme::apply(*qApp, theme::Choice::Light);
    const QString path = m_folder.filePath(QStringLiteral("node.yaml"));
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(kConfiguration);
    file.close();
    QVERIFY2(m_node.start({QStringLiteral("--config"), path}), qPrintable(m_node.log()));
}

void ConsoleConnectTest::aConnectedNodeRunsWhatIsApplied()
{
    bridge::MeshSession session{bridge::SessionOptions{}};
    WindowOptions options;
    options.isPersistent = false;
    options.nodeConnector = console::makeNodeConnector(m_clock, m_credentials);
    MainWindow window(session, options);
    window.show();
    ConnectDialog dialog(options.nodeConnector, &window);
    QString refusal;
    dialog.setAcceptor([&](const NodeConnection& node) {
        const auto followed = window.followNode(node);
        refusal = followed ? QString() : QString::fromStdString(followed.error().message);
        return followed.has_value();
    });
    dialog.show();

    ask(dialog, urlOf(m_node.adminAddress()));

    QTRY_VERIFY2_WITH_TIMEOUT(
        !dialog.isVisible(), qPrintable(refusal + messageOf(dialog)), kDeadline_ms
    );
    QVERIFY(session.isOpen());
    QCOMPARE(session.document()->services.size(), std::size_t{1});
    QCOMPARE(session.document()->services.front().name, std::string("cart"));
    const auto isReporting = [&session] {
        return session.nodes().size() == 1 && session.nodes().front().isConverged;
    };
    QTRY_VERIFY_WITH_TIMEOUT(isReporting(), kDeadline_ms);

    const std::string before = m_node.admin("GET", "/config/hash").body;
    window.draft().editValue("services[0].retries", model::Value(4));
    QSignalSpy finished(&session, &bridge::MeshSession::applyFinished);
    session.apply(QStringLiteral("four retries"));

    QTRY_COMPARE_WITH_TIMEOUT(finished.count(), 1, kDeadline_ms);
    QVERIFY2(finished.at(0).at(0).toBool(), qPrintable(finished.at(0).at(1).toString()));
    QVERIFY(m_node.admin("GET", "/config/hash").body != before);
    const std::string running = m_node.admin("GET", "/config").body;
    QVERIFY2(running.find("\"retries\":4") != std::string::npos, running.c_str());
}

void ConsoleConnectTest::anAddressWhereNothingListensSaysSo()
{
    ConnectDialog dialog(console::makeNodeConnector(m_clock, m_credentials), nullptr);
    dialog.show();

    ask(dialog, QStringLiteral("http://127.0.0.1:%1").arg(test::freePort()));

    QTRY_VERIFY_WITH_TIMEOUT(
        messageOf(dialog).startsWith(QStringLiteral("Nothing answers at")), kDeadline_ms
    );
    QVERIFY(dialog.isVisible());
    QVERIFY(dialog.findChild<QPushButton*>(QStringLiteral("connect"))->isEnabled());
}

void ConsoleConnectTest::anAddressOfNoAdminApiSaysSo()
{
    ConnectDialog dialog(console::makeNodeConnector(m_clock, m_credentials), nullptr);
    dialog.show();

    ask(dialog, urlOf(m_node.proxyAddress())); // The gateway itself: no route for "/".

    QTRY_VERIFY_WITH_TIMEOUT(
        messageOf(dialog).contains(QStringLiteral("is not a node's admin API")), kDeadline_ms
    );
    QVERIFY(dialog.isVisible());
}

void ConsoleConnectTest::aTextThatIsNoAddressSaysSo()
{
    ConnectDialog dialog(console::makeNodeConnector(m_clock, m_credentials), nullptr);
    dialog.show();

    ask(dialog, QStringLiteral("ftp://127.0.0.1:8001"));

    QTRY_VERIFY_WITH_TIMEOUT(
        messageOf(dialog).contains(QStringLiteral("is not an admin address")), kDeadline_ms
    );
}

} // namespace mesh::shell

QTEST_MAIN(mesh::shell::ConsoleConnectTest)
#include "console_connect_test.moc"
