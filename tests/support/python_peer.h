#pragma once

#include <QProcess>
#include <QString>
#include <QStringList>

#include <map>
#include <string>

namespace mesh::test {

// A script of tests/support/python that is server and client at once: it tells its port, is told
// where the proxy listens, and says what came of each of its cases.
class PythonPeer
{
public:
    static constexpr int kPatience_ms = 20'000; // Longer than any case of the scripts may take.

    // The port that the script's server listens on; 0 when it did not start.
    int start(const QString& script, const QStringList& arguments = {})
    {
        m_process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        m_process.start(
            QStringLiteral(MESH_PYTHON),
            QStringList{QStringLiteral("-B"), QStringLiteral(MESH_PYTHON_DIR "/") + script}
                + arguments
        );
        return nextPort();
    }

    // Of a script that listens on more than one.
    int nextPort()
    {
        const QString line = readLine();
        return line.startsWith(QStringLiteral("port ")) ? line.mid(5).toInt() : 0;
    }

    // Runs all cases through the proxy. Empty: it went well; absent from the map: it never ran.
    std::map<QString, QString> run(const std::string& proxy)
    {
        m_process.write((proxy + "\n").c_str());
        m_process.closeWriteChannel();
        std::map<QString, QString> results;
        for (QString line = readLine(); !line.isEmpty(); line = readLine()) {
            const QString name = line.section(QLatin1Char(' '), 1, 1);
            if (line.startsWith(QStringLiteral("ok "))) {
                results[name] = QString();
            } else {
                results[QString(name).remove(QLatin1Char(':'))] = line;
            }
        }
        m_process.waitForFinished(kPatience_ms);
        return results;
    }

    ~PythonPeer()
    {
        m_process.kill();
        m_process.waitForFinished();
    }

private:
    QString readLine()
    {
        while (!m_process.canReadLine()) {
            if (!m_process.waitForReadyRead(kPatience_ms)) {
                break;
            }
        }
        return QString::fromUtf8(m_process.readLine()).trimmed();
    }

    QProcess m_process;
};

} // namespace mesh::test
