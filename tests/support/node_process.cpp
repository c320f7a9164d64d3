#include "tests/support/node_process.h"

#include "proxyengine/net/sockets.h"

#include <QElapsedTimer>
#include <QRegularExpression>

#include <csignal>

namespace mesh::test {

bool NodeProcess::start(const QStringList& arguments)
{
    const QStringList all = QStringList({QStringLiteral("run")}) + arguments
                            + QStringList(
                                {QStringLiteral("--proxy-listen"),
                                 QStringLiteral("127.0.0.1:0"),
                                 QStringLiteral("--admin-listen"),
                                 QStringLiteral("127.0.0.1:0")}
                            );
    m_process.start(QStringLiteral(MESH_NODE_PROGRAM), all);
    static const QRegularExpression kReady(
        QStringLiteral("node.ready .*admin=(\\S+) listeners=\"?proxy=([0-9.:]+)")
    );
    QElapsedTimer timer;
    timer.start();
    while (timer.elapsed() < 20'000) {
        const auto match = kReady.match(log());
        if (match.hasMatch()) {
            m_admin = match.captured(1).toStdString();
            m_proxy = match.captured(2).toStdString();
            return true;
        }
        if (!m_process.waitForReadyRead(100) && m_process.state() == QProcess::NotRunning) {
            return false;
        }
    }
    return false;
}

NodeProcess::~NodeProcess()
{
    if (m_process.state() != QProcess::NotRunning) {
        m_process.kill();
        m_process.waitForFinished();
    }
}

QString NodeProcess::log()
{
    m_process.setReadChannel(QProcess::StandardError);
    m_log += QString::fromUtf8(m_process.readAllStandardError());
    return m_log;
}

void NodeProcess::signal(int number) { ::kill(static_cast<pid_t>(m_process.processId()), number); }

int NodeProcess::waitForEnd()
{
    if (m_process.state() != QProcess::NotRunning && !m_process.waitForFinished(20'000)) {
        return -1;
    }
    return m_process.exitStatus() == QProcess::NormalExit ? m_process.exitCode() : -1;
}

control::NodeAnswer NodeProcess::admin(
    const std::string& method, const std::string& path, const std::string& body
) const
{
    auto answer =
        control::requestNode(m_clock, {m_admin, {}}, method, path, body, std::chrono::seconds(30));
    return answer ? *std::move(answer) : control::NodeAnswer{0, toText(answer.error())};
}

control::NodeAnswer NodeProcess::proxy(const std::string& path) const
{
    auto answer =
        control::requestNode(m_clock, {m_proxy, {}}, "GET", path, "", std::chrono::seconds(30));
    return answer ? *std::move(answer) : control::NodeAnswer{0, toText(answer.error())};
}

} // namespace mesh::test
