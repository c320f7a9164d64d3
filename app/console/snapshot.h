#pragma once

#include "app/console/options.h"
#include "app/console/staging.h"

#include <QElapsedTimer>
#include <QObject>

#include <memory>

namespace mesh::bridge {
class MeshSession;
}
namespace mesh::shell {
class MainWindow;
}

namespace mesh::console {

// Takes the picture of --snapshot and ends the program: 0, or 1 with the reason on standard error.
// Waits up to kGrace longer than asked while the demo has no rates yet.
class Snapshot : public QObject
{
    Q_OBJECT

public:
    Snapshot(bridge::MeshSession& session, shell::MainWindow& window, const Options& options);

private:
    void attempt();
    void end(int exitCode, const QString& text);
    [[nodiscard]] bool hasRates() const;
    // The mode Rehearse shows a finished run: begins one, which has to come to its end.
    [[nodiscard]] bool isStaged();
    void waitFor(const QString& what); // Tries again, or ends after the grace.

    bridge::MeshSession& m_session;
    shell::MainWindow& m_window;
    const Options& m_options;
    QElapsedTimer m_elapsed;
    std::unique_ptr<Staging> m_staging; // Of --scene, once there are rates.
    bool m_isRehearsalBegun = false;
};

} // namespace mesh::console
