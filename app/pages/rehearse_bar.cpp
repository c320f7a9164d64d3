#include "app/pages/rehearse_bar.h"

#include "app/bridge/rehearsal_session.h"
#include "app/theme/controls.h"
#include "app/theme/figures.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QInputDialog>
#include <QMenu>
#include <QPainter>
#include <QPushButton>
#include <QSaveFile>
#include <QToolButton>

#include <algorithm>
#include <limits>

namespace mesh::pages {
namespace {

constexpr int kBarHeight = 40;
constexpr int kButtonHeight = 24;

// "SIMULATION" in capitals on the colour of simulation.
class SimulationTag : public QWidget
{
public:
    explicit SimulationTag(QWidget* parent)
        : QWidget(parent)
    {
        setObjectName(QStringLiteral("simulationTag"));
        setAccessibleName(RehearseBar::tr("Simulation"));
        setFixedSize(sizeHint());
    }

    [[nodiscard]] QSize sizeHint() const override
    {
        const double width =
            theme::figuresWidth(theme::font(theme::Role::Capitals), RehearseBar::tr("SIMULATION"));
        return {static_cast<int>(width) + 16, 19};
    }

protected:
    void paintEvent(QPaintEvent* /*event*/) override
    {
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        const theme::Tokens& t = theme::tokens();
        painter.setPen(Qt::NoPen);
        painter.setBrush(t.simulationLine);
        painter.drawRoundedRect(QRectF(rect()), 4, 4);
        painter.setFont(theme::font(theme::Role::Capitals));
        painter.setPen(t.simulationRow);
        painter.drawText(rect(), Qt::AlignCenter, RehearseBar::tr("SIMULATION"));
    }
};

} // namespace

RehearseButton::RehearseButton(QWidget* parent)
    : QAbstractButton(parent)
{
    setObjectName(QStringLiteral("rehearse"));
    setAttribute(Qt::WA_Hover);
    setFocusPolicy(Qt::StrongFocus);
    setFixedHeight(kButtonHeight);
    setTitle(RehearseBar::tr("Run"));
}

void RehearseButton::setTitle(const QString& title)
{
    setText(title);
    setAccessibleName(title);
    updateGeometry();
    update();
}

void RehearseButton::setProgress(double share, const QString& words)
{
    m_share = share;
    m_words = words;
    setToolTip(
        share < 0 ? RehearseBar::tr("Run the scenario in virtual time (Ctrl+R)")
                  : RehearseBar::tr("Stop the run (Ctrl+R)")
    );
    setAccessibleName(share < 0 ? text() : RehearseBar::tr("Cancel, %1").arg(words));
    update();
}

QSize RehearseButton::sizeHint() const
{
    const double words = theme::figuresWidth(theme::font(theme::Role::ControlStrong), text());
    const double keys =
        theme::figuresWidth(theme::font(theme::Role::Caption), QStringLiteral("Ctrl R"));
    return {std::max(132, static_cast<int>(words + keys) + 50), kButtonHeight};
}

QSize RehearseButton::minimumSizeHint() const { return sizeHint(); }

void RehearseButton::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const theme::Tokens& t = theme::tokens();
    const QColor ink = t.simulationRow;
    const QRectF box = QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5);
    const bool isRunning = m_share >= 0;
    const QColor ground = !isEnabled()   ? theme::faded(t.simulationLine, 0.35)
                          : isRunning    ? theme::mixed(t.simulationRow, t.simulationLine, 0.25)
                          : underMouse() ? theme::mixed(t.simulationLine, t.text1, 0.12)
                                         : t.simulationLine;
    painter.setPen(
        hasFocus()  ? QPen(t.text1, 1.5)
        : isRunning ? QPen(t.simulationLine, 1)
                    : QPen(Qt::NoPen)
    );
    painter.setBrush(ground);
    painter.drawRoundedRect(box, 6, 6);
    if (isRunning) {
        painter.save();
        painter.setClipRect(QRectF(0, 0, width() * std::clamp(m_share, 0.0, 1.0), height()));
        painter.setPen(Qt::NoPen);
        painter.setBrush(theme::faded(t.simulationLine, 0.45));
        painter.drawRoundedRect(box, 6, 6);
        painter.restore();
    }
    const QColor words = isRunning ? t.text1 : ink;
    theme::drawIcon(
        painter,
        QRectF(10, (height() - 11) / 2.0, 11, 11),
        isRunning ? QStringLiteral("stop") : QStringLiteral("play"),
        words
    );
    painter.setFont(theme::font(theme::Role::ControlStrong));
    painter.setPen(words);
    const QString title = isRunning ? RehearseBar::tr("Cancel") : text();
    theme::drawFigures(
        painter, QRectF(28, 0, width() - 28.0, height()), title, Qt::AlignLeft | Qt::AlignVCenter
    );
    painter.setFont(theme::font(theme::Role::Caption));
    theme::drawFigures(
        painter,
        QRectF(0, 0, width() - 10.0, height()),
        isRunning ? m_words : QStringLiteral("Ctrl R"),
        Qt::AlignRight | Qt::AlignVCenter
    );
}

RehearseBar::RehearseBar(bridge::RehearsalSession& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_name(new QToolButton(this))
    , m_promise(new theme::ElidedLabel(theme::Role::Small, this))
    , m_source(new theme::Chip({}, this))
    , m_luck(new theme::Chip({}, this))
    , m_text(new QPushButton(tr("YAML"), this))
    , m_run(new RehearseButton(this))
{
    setObjectName(QStringLiteral("rehearseBar"));
    setFixedHeight(kBarHeight);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(14, 0, 14, 0);
    row->setSpacing(8);
    row->addWidget(new SimulationTag(this));
    theme::setButtonRole(*m_name, theme::ButtonRole::Ghost);
    m_name->setObjectName(QStringLiteral("scenarioName"));
    m_name->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_name->setIcon(theme::icon(QStringLiteral("chevron-down")));
    m_name->setIconSize({10, 10});
    m_name->setLayoutDirection(Qt::RightToLeft); // The arrow behind the name.
    m_name->setFixedHeight(kButtonHeight);
    m_name->setFont(theme::font(theme::Role::BodyStrong));
    m_name->setToolTip(tr("Choose, open or save a scenario"));
    row->addWidget(m_name);
    m_promise->setText(tr("nothing here touches a live node"));
    m_promise->setColor(theme::TextColor::Text3);
    m_promise->setElideMode(Qt::ElideRight);
    row->addWidget(m_promise, 1);
    m_source->setObjectName(QStringLiteral("rehearseSource"));
    m_source->setFocusPolicy(Qt::NoFocus);
    m_source->setToolTip(tr("What is simulated; the draft counts while it has no errors"));
    row->addWidget(m_source);
    m_luck->setObjectName(QStringLiteral("rehearseLuck"));
    m_luck->setArrow(theme::Chip::Arrow::Down);
    m_luck->setFocusPolicy(Qt::TabFocus);
    m_luck->setToolTip(tr("Seed and number of runs"));
    row->addWidget(m_luck);
    m_text->setObjectName(QStringLiteral("rehearseText"));
    m_text->setCheckable(true);
    m_text->setFixedHeight(kButtonHeight);
    m_text->setToolTip(tr("The scenario as text, beside the timeline (Alt+0)"));
    row->addWidget(m_text);
    row->addWidget(m_run);
    connect(m_name, &QAbstractButton::clicked, this, &RehearseBar::showScenarioMenu);
    connect(m_luck, &QAbstractButton::clicked, this, &RehearseBar::showLuckMenu);
    connect(m_text, &QAbstractButton::toggled, this, &RehearseBar::textToggled);
    connect(m_run, &QAbstractButton::clicked, this, [this] {
        if (m_session.isRunning()) {
            Q_EMIT cancelRequested();
        } else {
            Q_EMIT runRequested();
        }
    });
    connect(&session, &bridge::RehearsalSession::scenarioChanged, this, &RehearseBar::refresh);
    connect(&session, &bridge::RehearsalSession::progressChanged, this, &RehearseBar::refresh);
    connect(&session, &bridge::RehearsalSession::runsChanged, this, &RehearseBar::refresh);
    refresh();
}

void RehearseBar::refresh()
{
    const bridge::ScenarioRow& scenario = m_session.scenario();
    m_name->setText(scenario.name.isEmpty() ? tr("no scenario") : scenario.name);
    m_name->setAccessibleName(tr("Scenario %1").arg(m_name->text()));
    m_source->setText(m_session.source());
    m_luck->setText(tr("seed %1 · %n run(s)", nullptr, scenario.replications).arg(scenario.seed));
    m_luck->setAccessibleName(m_luck->text());
    m_run->setTitle(m_session.current() != nullptr ? tr("Run again") : tr("Rehearse"));
    const bridge::RehearsalProgressRow& progress = m_session.progress();
    if (progress.isRunning) {
        const double share =
            progress.all > 0 ? static_cast<double>(progress.done) / progress.all : 0;
        const QString words =
            progress.all > 0 ? tr("%1 of %2").arg(progress.done).arg(progress.all) : tr("starting");
        m_run->setProgress(share, words);
    } else {
        m_run->setProgress(-1, {});
    }
    m_run->setEnabled(progress.isRunning || !m_session.text().trimmed().isEmpty());
}

void RehearseBar::setScenarioFolder(const QString& folder) { m_folder = folder; }

bool RehearseBar::openStartScenario()
{
    const QString path = QDir(m_folder).filePath(QStringLiteral("zone-loss.yaml"));
    if (m_folder.isEmpty() || !QFileInfo::exists(path) || !m_session.loadFile(path)) {
        return false;
    }
    // Written for another mesh: its services are not here.
    return !m_session.hasErrors();
}

void RehearseBar::setTextShown(bool isShown)
{
    const QSignalBlocker quiet(m_text);
    m_text->setChecked(isShown);
}

void RehearseBar::showScenarioMenu()
{
    QMenu menu;
    const QDir folder(m_folder);
    const QStringList files = m_folder.isEmpty()
                                  ? QStringList()
                                  : folder.entryList({QStringLiteral("*.yaml")}, QDir::Files);
    for (const QString& file : files) {
        const QString path = folder.filePath(file);
        connect(
            menu.addAction(QFileInfo(file).completeBaseName()),
            &QAction::triggered,
            this,
            [this, path] { openFile(path); }
        );
    }
    menu.addSeparator();
    for (const QString& zone : m_session.zones()) {
        connect(
            menu.addAction(tr("New: zone %1 goes").arg(zone)),
            &QAction::triggered,
            this,
            [this, zone] {
                m_session.useTemplate(QStringLiteral("zone_outage"), bridge::zoneTarget(zone));
            }
        );
    }
    connect(menu.addAction(tr("New: nothing happens yet")), &QAction::triggered, this, [this] {
        m_session.useTemplate();
    });
    connect(
        menu.addAction(tr("Compare the draft with what runs")),
        &QAction::triggered,
        this,
        [this] {
            if (const auto done = m_session.compareDraft(); !done) {
                Q_EMIT failed(
                    tr("The draft cannot be compared."),
                    QString::fromStdString(done.error().message)
                );
            }
        }
    );
    menu.addSeparator();
    connect(menu.addAction(tr("Open…")), &QAction::triggered, this, [this] {
        const QString path = QFileDialog::getOpenFileName(
            this, tr("Open scenario"), m_folder, tr("Scenarios (*.yaml *.yml *.json)")
        );
        if (!path.isEmpty()) {
            openFile(path);
        }
    });
    connect(menu.addAction(tr("Save as…")), &QAction::triggered, this, &RehearseBar::saveFile);
    menu.exec(m_name->mapToGlobal(QPoint(0, m_name->height() + 2)));
}

void RehearseBar::openFile(const QString& path)
{
    if (const auto read = m_session.loadFile(path); !read) {
        Q_EMIT failed(
            tr("%1 was not opened.").arg(QFileInfo(path).fileName()),
            QString::fromStdString(read.error().message)
        );
    }
}

void RehearseBar::saveFile()
{
    const QString path = QFileDialog::getSaveFileName(
        this,
        tr("Save scenario"),
        m_session.scenario().name + QStringLiteral(".yaml"),
        tr("Scenarios (*.yaml)")
    );
    if (path.isEmpty()) {
        return;
    }
    QSaveFile file(path);
    const bool isWritten = file.open(QIODevice::WriteOnly)
                           && file.write(m_session.text().toUtf8()) >= 0 && file.commit();
    if (!isWritten) {
        Q_EMIT failed(tr("The scenario was not saved."), file.errorString());
    }
}

void RehearseBar::showLuckMenu()
{
    QMenu menu;
    for (const int count : {1, 3, 10, 20}) {
        QAction* action = menu.addAction(tr("%n run(s)", nullptr, count));
        action->setCheckable(true);
        action->setChecked(count == m_session.scenario().replications);
        connect(action, &QAction::triggered, this, [this, count] {
            m_session.setReplications(count);
        });
    }
    menu.addSeparator();
    connect(menu.addAction(tr("Seed…")), &QAction::triggered, this, [this] {
        bool isChosen = false;
        const auto now = static_cast<int>(
            std::min<std::uint64_t>(m_session.scenario().seed, std::numeric_limits<int>::max())
        );
        const int seed = QInputDialog::getInt(
            this,
            tr("Seed"),
            tr("The same seed gives the same luck:"),
            now,
            0,
            std::numeric_limits<int>::max(),
            1,
            &isChosen
        );
        if (isChosen) {
            m_session.setSeed(static_cast<std::uint64_t>(seed));
        }
    });
    menu.exec(m_luck->mapToGlobal(QPoint(0, m_luck->height() + 2)));
}

void RehearseBar::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    const theme::Tokens& t = theme::tokens();
    painter.fillRect(rect(), t.simulationRow);
    painter.fillRect(QRect(0, height() - 1, width(), 1), theme::faded(t.simulationLine, 0.35));
}

} // namespace mesh::pages
