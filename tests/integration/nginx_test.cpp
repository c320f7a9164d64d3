// Goal: in front of three real nginx servers, neither the loss of one nor the push of 10 000 routes
// costs a client a single request.
// Method: meshwrightd and nginx as processes, wrk as the client; its own report is read.
#include "tests/support/free_port.h"
#include "tests/support/node_process.h"

#include <QDir>
#include <QFile>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>

#include <array>
#include <memory>

namespace mesh {

using Json = nlohmann::json;

class NginxTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanup();
    void losingAServerCostsNoRequest();
    void pushingTenThousandRoutesCostsNoRequest();

private:
    bool startServer(std::size_t at);
    void startLoad(QProcess& load, int seconds);
    std::string config(int extraRoutes) const;

    QTemporaryDir m_directory;
    std::array<int, 3> m_ports{};
    std::array<std::unique_ptr<QProcess>, 3> m_servers;
    std::unique_ptr<test::NodeProcess> m_node;
};

void NginxTest::initTestCase()
{
    const auto isMissing = [](const QString& name) {
        return QStandardPaths::findExecutable(
                   name, {QStringLiteral("/usr/sbin"), QStringLiteral("/usr/bin")}
        )
            .isEmpty();
    };
    if (isMissing(QStringLiteral("nginx")) || isMissing(QStringLiteral("wrk"))) {
        QSKIP("nginx or wrk is not installed");
    }
}

void NginxTest::cleanup()
{
    m_node.reset();
    for (auto& server : m_servers) {
        if (server != nullptr) {
            server->terminate();
            server->waitForFinished();
            server.reset();
        }
    }
}

bool NginxTest::startServer(std::size_t at)
{
    m_ports.at(at) = test::freePort();
    const QString folder = m_directory.filePath(QString::number(m_ports.at(at)));
    QDir().mkpath(folder);
    QFile file(folder + QStringLiteral("/nginx.conf"));
    if (!file.open(QIODevice::WriteOnly)) {
        return false;
    }
    file.write(
        QStringLiteral("daemon off;\nmaster_process off;\npid %1/pid;\nerror_log %1/error.log;\n"
                       "events {}\nhttp { access_log off; client_body_temp_path %1/b;\n"
                       "proxy_temp_path %1/p; fastcgi_temp_path %1/f; uwsgi_temp_path %1/u;\n"
                       "scgi_temp_path %1/s; server { listen 127.0.0.1:%2;\n"
                       "location / { return 200 ok; } } }\n")
            .arg(folder)
            .arg(m_ports.at(at))
            .toUtf8()
    );
    file.close();
    m_servers.at(at) = std::make_unique<QProcess>();
    m_servers.at(at)->start(
        QStandardPaths::findExecutable(
            QStringLiteral("nginx"), {QStringLiteral("/usr/sbin"), QStringLiteral("/usr/bin")}
        ),
        {QStringLiteral("-e"),
         folder + QStringLiteral("/error.log"),
         QStringLiteral("-p"),
         folder,
         QStringLiteral("-c"),
         folder + QStringLiteral("/nginx.conf")}
    );
    return m_servers.at(at)->waitForStarted();
}

std::string NginxTest::config(int extraRoutes) const
{
    std::string text =
        "_format_version: \"3.0\"\nservices:\n- name: web\n  host: web.internal\n  routes:\n"
        "  - {name: web, paths: [/]}\n";
    for (int i = 0; i < extraRoutes; ++i) {
        const std::string name = "r" + std::to_string(i);
        text += "  - {name: " + name + ", paths: [/extra/" + name + "]}\n";
    }
    text += "upstreams:\n- name: web.internal\n  healthchecks:\n    passive:\n"
            "      unhealthy: {tcp_failures: 2}\n  targets:\n";
    for (const int port : m_ports) {
        text += "  - {target: \"127.0.0.1:" + std::to_string(port) + "\"}\n";
    }
    return text;
}

void NginxTest::startLoad(QProcess& load, int seconds)
{
    load.start(
        QStringLiteral("wrk"),
        {QStringLiteral("-t1"),
         QStringLiteral("-c16"),
         QStringLiteral("-d%1s").arg(seconds),
         QStringLiteral("http://") + QString::fromStdString(m_node->proxyAddress())
             + QStringLiteral("/")}
    );
}

// Empty when wrk lost nothing, else its words.
static QByteArray lossesOf(QProcess& load)
{
    if (!load.waitForFinished(30'000) || load.exitCode() != 0) {
        return "wrk did not end";
    }
    const QByteArray report = load.readAllStandardOutput();
    const bool isWhole = report.contains(" requests in ") && !report.contains("Socket errors")
                         && !report.contains("Non-2xx");
    return isWhole ? QByteArray() : report;
}

void NginxTest::losingAServerCostsNoRequest()
{
    for (std::size_t i = 0; i < m_ports.size(); ++i) {
        QVERIFY(startServer(i));
    }
    m_node = std::make_unique<test::NodeProcess>();
    const QString state = m_directory.filePath(QStringLiteral("state-a"));
    QVERIFY(m_node->start({QStringLiteral("--state-dir"), state}));
    QCOMPARE(m_node->admin("POST", "/config", config(0)).status, 201);
    QTRY_COMPARE(m_node->proxy("/").status, 200);
    QProcess load;

    startLoad(load, 4);
    QVERIFY(load.waitForStarted());
    QTRY_VERIFY(
        Json::parse(m_node->admin("GET", "/status").body)["server"]["total_requests"] > 100
    );
    m_servers[1]->kill();
    m_servers[1]->waitForFinished();

    const std::string gone = "127.0.0.1:" + std::to_string(m_ports[1]);
    const auto reason = [&]() -> std::string {
        const Json health =
            Json::parse(m_node->admin("GET", "/upstreams/web.internal/health").body);
        for (const Json& target : health["data"]) {
            if (target["target"] == gone && target["health"] == "UNHEALTHY") {
                return target["reason"];
            }
        }
        return {};
    };
    QTRY_VERIFY(!reason().empty());
    QCOMPARE(lossesOf(load), QByteArray());
}

void NginxTest::pushingTenThousandRoutesCostsNoRequest()
{
    for (std::size_t i = 0; i < m_ports.size(); ++i) {
        QVERIFY(startServer(i));
    }
    m_node = std::make_unique<test::NodeProcess>();
    const QString state = m_directory.filePath(QStringLiteral("state-b"));
    QVERIFY(m_node->start({QStringLiteral("--state-dir"), state}));
    QCOMPARE(m_node->admin("POST", "/config", config(0)).status, 201);
    QTRY_COMPARE(m_node->proxy("/").status, 200);
    QProcess load;

    startLoad(load, 4);
    QVERIFY(load.waitForStarted());
    const auto pushed = m_node->admin("POST", "/config", config(10'000));
    const auto back = m_node->admin("POST", "/config", config(0));

    QCOMPARE(pushed.status, 201);
    QCOMPARE(back.status, 201);
    QCOMPARE(lossesOf(load), QByteArray());
}

} // namespace mesh

QTEST_GUILESS_MAIN(mesh::NginxTest)
#include "nginx_test.moc"
