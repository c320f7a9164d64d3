// Goal: with one target of three doing wrong, the clients of a real meshwrightd lose at most one
// request in a thousand, and its admin API tells which target was ejected and why.
// Method: meshwrightd, two nginx, the misbehaving server and wrk as processes; wrk's report is
// read.
#include "tests/support/free_port.h"
#include "tests/support/loopback.h"
#include "tests/support/node_process.h"

#include <QDir>
#include <QFile>
#include <QRegularExpression>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <memory>

namespace mesh {

using Json = nlohmann::json;

namespace {

QString programOf(const QString& name)
{
    return QStandardPaths::findExecutable(
        name, {QStringLiteral("/usr/sbin"), QStringLiteral("/usr/bin")}
    );
}

// What wrk counted.
struct Losses
{
    qint64 requests = 0;
    qint64 refused = 0; // Answers that are not 2xx or 3xx.
    qint64 broken = 0; // Socket errors of every kind.
};

qint64 numberAfter(const QString& report, const QString& pattern)
{
    const auto found = QRegularExpression(pattern).match(report);
    return found.hasMatch() ? found.captured(1).toLongLong() : 0;
}

Losses lossesOf(const QString& report)
{
    Losses losses;
    losses.requests = numberAfter(report, QStringLiteral("(\\d+) requests in"));
    losses.refused = numberAfter(report, QStringLiteral("Non-2xx or 3xx responses: (\\d+)"));
    for (const char* kind : {"connect", "read", "write", "timeout"}) {
        losses.broken += numberAfter(
            report, QStringLiteral("Socket errors:.*%1 (\\d+)").arg(QLatin1String(kind))
        );
    }
    return losses;
}

} // namespace

class WrkPoliciesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanup();
    void aMisbehavingTargetOfThreeCostsNothing_data();
    void aMisbehavingTargetOfThreeCostsNothing();

private:
    bool startNginx(std::size_t at);
    bool startMisbehaving(const QString& mode);
    std::string config() const;
    std::string reasonFromHealth() const;

    QTemporaryDir m_directory;
    std::array<std::string, 3> m_targets;
    std::array<std::unique_ptr<QProcess>, 3> m_servers; // The last misbehaves.
    std::unique_ptr<test::NodeProcess> m_node;
    int m_round = 0;
};

void WrkPoliciesTest::initTestCase()
{
    if (programOf(QStringLiteral("nginx")).isEmpty()
        || programOf(QStringLiteral("wrk")).isEmpty()) {
        QSKIP("nginx or wrk is not installed");
    }
}

void WrkPoliciesTest::cleanup()
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

bool WrkPoliciesTest::startNginx(std::size_t at)
{
    const int port = test::freePort();
    m_targets.at(at) = fmt::format("127.0.0.1:{}", port);
    const QString folder = m_directory.filePath(QString::number(port));
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
            .arg(port)
            .toUtf8()
    );
    file.close();
    m_servers.at(at) = std::make_unique<QProcess>();
    m_servers.at(at)->start(
        programOf(QStringLiteral("nginx")),
        {QStringLiteral("-e"),
         folder + QStringLiteral("/error.log"),
         QStringLiteral("-p"),
         folder,
         QStringLiteral("-c"),
         folder + QStringLiteral("/nginx.conf")}
    );
    return m_servers.at(at)->waitForStarted();
}

bool WrkPoliciesTest::startMisbehaving(const QString& mode)
{
    m_servers[2] = std::make_unique<QProcess>();
    QProcess& server = *m_servers[2];
    server.start(QStringLiteral(MESH_MISBEHAVING_PROGRAM), {QStringLiteral("--mode"), mode});
    while (!server.canReadLine()) {
        if (!server.waitForReadyRead(10'000)) {
            return false;
        }
    }
    const QByteArray line = server.readLine().trimmed();
    m_targets[2] = line.mid(line.lastIndexOf(' ') + 1).toStdString();
    return line.startsWith("listening on ");
}

std::string WrkPoliciesTest::config() const
{
    std::string text =
        "_format_version: \"3.0\"\nservices:\n- name: web\n  host: web.internal\n"
        "  resilience: {timeout: 5s, per_try_timeout: 250ms, retry: {on: [connect-failure, reset,"
        " 5xx], attempts: 3, backoff: {base: 1ms, max: 5ms}, budget: {percent: 100}}}\n"
        "  routes:\n  - {name: web, paths: [/]}\nupstreams:\n- name: web.internal\n"
        "  outlier_detection: {consecutive_5xx: 5, interval: 200ms, base_ejection: 60s,"
        " max_ejection_percent: 34, failure_percentage: {threshold: 30, minimum_hosts: 3,"
        " request_volume: 20}}\n  targets:\n";
    for (const std::string& target : m_targets) {
        text += fmt::format("  - {{target: \"{}\"}}\n", target);
    }
    return text;
}

std::string WrkPoliciesTest::reasonFromHealth() const
{
    const Json health = Json::parse(m_node->admin("GET", "/upstreams/web.internal/health").body);
    for (const Json& target : health["data"]) {
        if (target["target"] == m_targets[2] && target["health"] == "UNHEALTHY") {
            return target["reason"];
        }
    }
    return {};
}

void WrkPoliciesTest::aMisbehavingTargetOfThreeCostsNothing_data()
{
    QTest::addColumn<QString>("mode");
    for (const char* mode :
         {"unavailable", "half-unavailable", "reset-at-request", "hang", "slow-head", "garbage"}) {
        QTest::newRow(mode) << QString::fromLatin1(mode);
    }
}

void WrkPoliciesTest::aMisbehavingTargetOfThreeCostsNothing()
{
    QFETCH(QString, mode);
    QVERIFY(startNginx(0));
    QVERIFY(startNginx(1));
    QVERIFY(startMisbehaving(mode));
    m_node = std::make_unique<test::NodeProcess>();
    const QString state = m_directory.filePath(QStringLiteral("state-%1").arg(++m_round));
    QVERIFY(m_node->start({QStringLiteral("--state-dir"), state}));
    const auto pushed = m_node->admin("POST", "/config", config());
    QVERIFY2(pushed.status == 201, pushed.body.c_str());
    SystemClock clock;
    const auto loop = *net::EventLoop::make(clock);
    test::RawSocket events(*net::SocketAddress::parse(m_node->adminAddress()));
    QVERIFY(events.send(
        *loop,
        fmt::format(
            "GET /v1/events?kinds=policy HTTP/1.1\r\nHost: {}\r\n\r\n", m_node->adminAddress()
        )
    ));
    QVERIFY(events.waitFor(*loop, "\r\n\r\n"));

    QProcess load;
    load.start(
        QStringLiteral("wrk"),
        {QStringLiteral("-t1"),
         QStringLiteral("-c16"),
         QStringLiteral("-d2s"),
         QStringLiteral("http://") + QString::fromStdString(m_node->proxyAddress())
             + QStringLiteral("/")}
    );
    QVERIFY(load.waitForFinished(30'000));

    const QString report = QString::fromUtf8(load.readAllStandardOutput());
    const Losses losses = lossesOf(report);
    QVERIFY2(losses.requests > 500, qPrintable(report));
    QVERIFY2((losses.refused + losses.broken) * 1000 <= losses.requests, qPrintable(report));

    const std::string subject = "target:web.internal/" + m_targets[2];
    QVERIFY2(events.waitFor(*loop, subject), events.heard().c_str());
    bool isTold = false;
    for (const QByteArray& line : QByteArray::fromStdString(events.heard()).split('\n')) {
        const Json event = Json::parse(line.toStdString(), nullptr, false);
        if (event.is_object() && event.value("subject", "") == subject) {
            isTold = isTold
                     || (event.dump().find("\"ejected\"") != std::string::npos
                         && !event.value("reason", "").empty());
        }
    }
    QVERIFY2(isTold, events.heard().c_str());
    const std::string reason = reasonFromHealth();
    QVERIFY2(!reason.empty(), m_node->admin("GET", "/upstreams/web.internal/health").body.c_str());
    const std::string metrics = m_node->admin("GET", "/metrics").body;
    QVERIFY2(metrics.find("ejected") != std::string::npos, metrics.c_str());
}

} // namespace mesh

QTEST_GUILESS_MAIN(mesh::WrkPoliciesTest)
#include "wrk_policies_test.moc"
