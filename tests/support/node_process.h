#pragma once

#include "proxyengine/base/clock.h"
#include "proxyengine/control/node_client.h"

#include <QProcess>
#include <QString>
#include <QStringList>

#include <string>

namespace mesh::test {

// A real meshwrightd, on ports the kernel picks; killed when it goes.
class NodeProcess
{
public:
    // Arguments after `run`; the listeners are added. Waits for its ready line or its end.
    bool start(const QStringList& arguments);
    ~NodeProcess();

    [[nodiscard]] std::string proxyAddress() const { return m_proxy; }
    [[nodiscard]] std::string adminAddress() const { return m_admin; }
    [[nodiscard]] QProcess& process() { return m_process; }
    // All it has logged until now.
    [[nodiscard]] QString log();
    void signal(int number);
    // The exit code; -1 when it crashed, was killed, or does not end in 20 s.
    [[nodiscard]] int waitForEnd();

    // Status 0 and the error's text when there is no answer.
    [[nodiscard]] control::NodeAnswer admin(
        const std::string& method, const std::string& path, const std::string& body = {}
    ) const;
    [[nodiscard]] control::NodeAnswer proxy(const std::string& path) const;

private:
    QProcess m_process;
    QString m_log;
    std::string m_proxy;
    std::string m_admin;
    SystemClock m_clock;
};

} // namespace mesh::test
