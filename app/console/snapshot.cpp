#include "app/console/snapshot.h"

#include "app/bridge/mesh_session.h"
#include "app/bridge/rehearsal_session.h"
#include "app/pages/rehearse_page.h"
#include "app/shell/main_window.h"

#include <QCoreApplication>
#include <QTimer>

#include <fmt/format.h>

#include <cstdio>

namespace mesh::console {
namespace {

constexpr int kRetry_ms = 250;
constexpr int kGrace_ms = 15'000; // A busy machine starts eleven services slowly.
constexpr int kRehearsalGrace_ms = 90'000; // And millions of calls take their time.

} // namespace

Snapshot::Snapshot(bridge::MeshSession& session, shell::MainWindow& window, const Options& options)
    : m_session(session)
    , m_window(window)
    , m_options(options)
{
    using std::chrono::milliseconds;
    m_elapsed.start();
    const auto delay = std::chrono::duration_cast<milliseconds>(options.after);
    QTimer::singleShot(delay, this, &Snapshot::attempt);
}

void Snapshot::attempt()
{
    const bool needsRates = !m_options.demo.isEmpty();
    if (needsRates && !hasRates()) {
        waitFor(QStringLiteral("the demo mesh has no live rates yet"));
        return;
    }
    if (m_window.mode() == shell::Mode::Rehearse && !isStaged()) {
        waitFor(QStringLiteral("the rehearsal has not come to its end"));
        return;
    }
    if (!m_options.scene.isEmpty()) {
        if (!m_staging) {
            m_staging = std::make_unique<Staging>(m_session, m_window, m_options.scene);
        }
        if (!m_staging->isReady()) {
            waitFor(m_staging->waitsFor());
            return;
        }
    }
    if (!m_window.writePicture(m_options.snapshot)) {
        end(1, QStringLiteral("%1 cannot be written").arg(m_options.snapshot));
        return;
    }
    end(0, {});
}

void Snapshot::waitFor(const QString& what)
{
    using std::chrono::milliseconds;
    const int grace = m_isRehearsalBegun || m_staging ? kRehearsalGrace_ms : kGrace_ms;
    const auto limit = std::chrono::duration_cast<milliseconds>(m_options.after).count() + grace;
    if (m_elapsed.elapsed() <= limit) {
        QTimer::singleShot(kRetry_ms, this, &Snapshot::attempt);
        return;
    }
    QString why = what;
    for (const bridge::Banner& banner : m_session.banners()) {
        why += QStringLiteral("; ") + banner.text + u' ' + banner.detail;
    }
    for (const bridge::ProblemRow& problem : m_window.rehearsal().problems()) {
        why += QStringLiteral("; ") + problem.message;
    }
    end(1, why);
}

bool Snapshot::isStaged()
{
    if (!m_isRehearsalBegun) {
        m_isRehearsalBegun = true;
        m_window.rehearsePage().toggleRun();
    }
    return m_window.rehearsal().current() != nullptr;
}

bool Snapshot::hasRates() const
{
    for (const bridge::EntityRow& entity : m_session.topology().entities) {
        if (entity.figures.rps > 0) {
            return true;
        }
    }
    return false;
}

void Snapshot::end(int exitCode, const QString& text)
{
    if (!text.isEmpty()) {
        fmt::print(stderr, "meshwright: {}\n", text.toStdString());
    }
    QCoreApplication::exit(exitCode);
}

} // namespace mesh::console
