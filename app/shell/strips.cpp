#include "app/shell/strips.h"

#include "app/bridge/mesh_session.h"
#include "app/bridge/rehearsal_rows.h"
#include "app/bridge/view_context.h"
#include "app/theme/controls.h"
#include "app/theme/figures.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"
#include "proxyengine/base/version.h"

#include <QDateTime>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLocale>
#include <QPainter>
#include <QPaintEvent>
#include <QPushButton>
#include <QToolButton>

#include <cmath>
#include <utility>

namespace mesh::shell {
namespace {

constexpr int kHonestyHeight = 24;
constexpr int kPaneStripHeight = 28;
constexpr int kItemGap = 8; // Between the words of a statement.
constexpr int kSignRoom = 16;
constexpr int kSeparator = 25; // Room of a hairline between two statements.
constexpr std::int64_t kStaleAfter_ms = 3000; // Three intervals.

theme::Role roleOf(StripItem::Weight weight)
{
    switch (weight) {
    case StripItem::Weight::Strong:
        return theme::Role::SmallMedium;
    case StripItem::Weight::Capitals:
        return theme::Role::SmallStrong;
    case StripItem::Weight::Regular:
        break;
    }
    return theme::Role::Small;
}

QString seconds(std::int64_t milliseconds)
{
    const double value = static_cast<double>(milliseconds) / 1000.0;
    return QLocale().toString(value, 'f', value < 10 ? 1 : 0) + QStringLiteral("\u202Fs");
}

QString programVersion()
{
    const std::string_view version = mesh::version();
    return QString::fromUtf8(version.data(), static_cast<qsizetype>(version.size()));
}

const QColor& stateColor(theme::State state) { return theme::tokens().of(state).text; }

} // namespace

StripItem::StripItem(QWidget* parent)
    : QWidget(parent)
{
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
}

void StripItem::setSign(Sign sign, const QColor& color, const QString& iconName)
{
    m_sign = sign;
    m_color = color;
    m_icon = iconName;
}

void StripItem::setParts(std::vector<Part> parts)
{
    QString words;
    for (const Part& part : parts) {
        words += (words.isEmpty() ? QString() : QStringLiteral(" ")) + part.text;
    }
    m_parts = std::move(parts);
    setAccessibleName(words);
    setVisible(!m_parts.empty());
    updateGeometry();
    update();
}

void StripItem::setSeparated(bool hasLine)
{
    m_isSeparated = hasLine;
    updateGeometry();
}

double StripItem::widthOf(const Part& part) const
{
    return theme::figuresWidth(theme::font(roleOf(part.weight)), part.text);
}

QSize StripItem::sizeHint() const
{
    double width = m_isSeparated ? kSeparator : 0;
    width += m_sign != Sign::None ? kSignRoom : 0;
    for (const Part& part : m_parts) {
        width += widthOf(part) + kItemGap;
    }
    return {static_cast<int>(width) + 1 - kItemGap, kHonestyHeight};
}

void StripItem::paintEvent(QPaintEvent* event)
{
    Q_UNUSED(event)
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    double x = 0;
    if (m_isSeparated) {
        painter.fillRect(QRectF(kSeparator / 2, 5, 1, height() - 10), theme::tokens().border);
        x = kSeparator;
    }
    if (m_sign == Sign::Dot) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(m_color);
        painter.drawEllipse(QPointF(x + 3.5, height() / 2.0), 3.5, 3.5);
        x += kSignRoom - 1;
    } else if (m_sign == Sign::Icon) {
        theme::drawIcon(painter, QRectF(x - 1, (height() - 13) / 2.0, 13, 13), m_icon, m_color);
        x += kSignRoom + 1;
    }
    for (const Part& part : m_parts) {
        painter.setFont(theme::font(roleOf(part.weight)));
        painter.setPen(part.color);
        const double width = widthOf(part);
        theme::drawFigures(
            painter, QRectF(x, 0, width + 2, height()), part.text, Qt::AlignLeft | Qt::AlignVCenter
        );
        x += width + kItemGap;
    }
}

HonestyStrip::HonestyStrip(bridge::MeshSession& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_simulation(new StripItem(this))
    , m_live(new StripItem(this))
    , m_nodes(new StripItem(this))
    , m_revision(new StripItem(this))
    , m_draft(new StripItem(this))
    , m_faults(new StripItem(this))
    , m_engine(new StripItem(this))
    , m_document(new StripItem(this))
    , m_stop(new QPushButton(tr("Stop"), this))
{
    setFixedHeight(kHonestyHeight);
    setObjectName(QStringLiteral("honestyStrip"));
    setAccessibleName(tr("How fresh and complete the figures are"));
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(12, 0, 20, 0);
    row->setSpacing(0);
    theme::setButtonRole(*m_stop, theme::ButtonRole::Destructive);
    m_stop->setIcon(theme::icon(QStringLiteral("stop"), stateColor(theme::State::Failure)));
    m_stop->setIconSize({9, 9});
    m_stop->setFixedHeight(17);
    theme::setText(*m_stop, theme::Role::CaptionStrong, theme::TextColor::Failure);
    m_stop->setObjectName(QStringLiteral("stopFaults"));
    m_stop->setAccessibleName(tr("Stop all faults"));
    m_stop->setToolTip(tr("Stop all faults (Ctrl+Shift+.)"));
    connect(m_stop, &QPushButton::clicked, &session, &bridge::MeshSession::stopAllFaults);
    m_simulation->setObjectName(QStringLiteral("simulationStatus"));
    m_simulation->hide();
    for (StripItem* item : {m_simulation, m_live, m_nodes, m_revision, m_draft, m_faults}) {
        item->setSeparated(item != m_live && item != m_simulation);
        row->addWidget(item);
    }
    row->addSpacing(10);
    row->addWidget(m_stop);
    row->addStretch();
    m_document->setSeparated(true);
    row->addWidget(m_engine);
    row->addWidget(m_document);
    connect(&session, &bridge::MeshSession::honestyChanged, this, &HonestyStrip::refresh);
    connect(&session, &bridge::MeshSession::documentChanged, this, &HonestyStrip::refresh);
    connect(&session, &bridge::MeshSession::draftChanged, this, &HonestyStrip::refresh);
    connect(&session, &bridge::MeshSession::faultsChanged, this, &HonestyStrip::refresh);
    connect(&session.context(), &bridge::ViewContext::timeChanged, this, &HonestyStrip::refresh);
    connect(&theme::current(), &theme::Theme::changed, this, &HonestyStrip::refresh);
    refresh();
}

void HonestyStrip::refresh()
{
    const theme::Tokens& tokens = theme::tokens();
    const bridge::HonestyFigures& figures = m_session.honesty();
    refreshLive();
    refreshNodes();
    const QString revision = tr("rev %1 on %2/%3")
                                 .arg(figures.revision)
                                 .arg(figures.nodesConverged)
                                 .arg(figures.nodesExpected);
    m_revision->setSign(StripItem::Sign::Icon, tokens.text2, QStringLiteral("rollout"));
    m_revision->setParts(
        figures.revision > 0 ? std::vector<StripItem::Part>{{revision, tokens.text2}}
                             : std::vector<StripItem::Part>{}
    );
    m_draft->setSign(StripItem::Sign::Icon, tokens.text2, QStringLiteral("pencil"));
    if (m_session.isOpen()) {
        const QString changes = figures.changes > 0
                                    ? tr("%n changes not pushed", nullptr, figures.changes)
                                    : tr("no changes");
        m_draft->setParts({{changes, tokens.text2}});
    } else {
        m_draft->setParts({});
    }
    refreshFaults();
    const double megabytes = static_cast<double>(figures.memoryBytes) / 1e6;
    const QString memory = QLocale().toString(megabytes, 'f', 0) + QStringLiteral("\u202FMB");
    const QString load =
        m_session.isMeshRunning()
            ? tr("engine %1\u202F%").arg(QLocale().toString(figures.enginePercent, 'f', 0))
            : tr("engine idle");
    m_engine->setSign(StripItem::Sign::Icon, tokens.text2, QStringLiteral("chip"));
    const bool isMeasured = figures.memoryBytes > 0;
    m_engine->setParts({{isMeasured ? load + QStringLiteral(" · ") + memory : load, tokens.text2}});
    const QString file = QFileInfo(m_session.path()).fileName();
    m_document->setParts(
        {{file.isEmpty() ? tr("version %1").arg(programVersion()) : file, tokens.text2}}
    );
    m_document->setToolTip(m_session.path());
}

void HonestyStrip::setSimulation(const SimulationStatus& status)
{
    m_status = status;
    const theme::Tokens& tokens = theme::tokens();
    m_live->setSeparated(status.isShown);
    m_simulation->setSign(StripItem::Sign::Dot, tokens.simulationLine);
    const QString clock = tr("virtual clock %1").arg(bridge::spanText(std::floor(status.second)));
    m_simulation->setParts(
        status.isShown
            ? std::vector<StripItem::Part>{
                  {tr("SIMULATION"), tokens.simulationLine, StripItem::Weight::Capitals},
                  {status.isRunning ? tr("running") : clock, tokens.text2}}
            : std::vector<StripItem::Part>{}
    );
    refresh();
}

void HonestyStrip::refreshLive()
{
    const theme::Tokens& tokens = theme::tokens();
    const std::int64_t age = m_session.honesty().age_ms;
    const auto mode = m_session.context().timeMode();
    if (!m_session.isOpen() || (age < 0 && mode == bridge::TimeMode::Live)) {
        m_live->setSign(StripItem::Sign::Dot, tokens.text3);
        m_live->setParts(
            {{m_session.isOpen() ? tr("no data yet") : tr("no data: no mesh is open"),
              tokens.text2}}
        );
        return;
    }
    if (mode != bridge::TimeMode::Live) {
        const auto at = QDateTime::fromMSecsSinceEpoch(m_session.context().cursor_us() / 1000);
        m_live->setSign(StripItem::Sign::Dot, tokens.replay);
        m_live->setParts(
            {{mode == bridge::TimeMode::Replay ? tr("REPLAY") : tr("PAUSED"),
              tokens.replay,
              StripItem::Weight::Capitals},
             {tr("at %1").arg(QLocale().toString(at.time(), QStringLiteral("HH:mm:ss"))),
              tokens.text2}}
        );
        return;
    }
    const bool isStale = age > kStaleAfter_ms;
    const QColor sign = stateColor(isStale ? theme::State::Stale : theme::State::Healthy);
    m_live->setSign(StripItem::Sign::Dot, sign);
    m_live->setParts(
        {{isStale ? tr("STALE") : tr("LIVE"), tokens.text1, StripItem::Weight::Capitals},
         {tr("data %1 old").arg(seconds(age)), isStale ? sign : tokens.text2}}
    );
}

void HonestyStrip::refreshNodes()
{
    const theme::Tokens& tokens = theme::tokens();
    const bridge::HonestyFigures& figures = m_session.honesty();
    std::vector<StripItem::Part> parts;
    const bool isComplete = figures.nodesReporting == figures.nodesExpected;
    if (figures.nodesExpected == 0) {
        m_nodes->setSign(StripItem::Sign::None, {});
        m_nodes->setParts({{tr("nodes 0"), tokens.text2}});
        return;
    }
    parts.push_back(
        {tr("nodes %1/%2 reporting").arg(figures.nodesReporting).arg(figures.nodesExpected),
         tokens.text2}
    );
    if (!isComplete && !figures.silentNodes.isEmpty()) {
        parts.push_back(
            {tr("%1 silent %2").arg(figures.silentNodes.first(), seconds(figures.silentFor_ms)),
             stateColor(theme::State::Degraded)}
        );
    }
    m_nodes->setSign(
        StripItem::Sign::Dot, isComplete ? tokens.text3 : stateColor(theme::State::Stale)
    );
    m_nodes->setParts(std::move(parts));
}

void HonestyStrip::refreshFaults()
{
    const theme::Tokens& tokens = theme::tokens();
    const auto& faults = m_session.faults();
    m_stop->setVisible(!faults.empty());
    if (faults.empty()) {
        m_faults->setSign(StripItem::Sign::Icon, tokens.text2, QStringLiteral("check"));
        m_faults->setParts({{tr("no faults active"), tokens.text2}});
        return;
    }
    const QColor& failure = stateColor(theme::State::Failure);
    m_faults->setSign(StripItem::Sign::Icon, failure, QStringLiteral("bolt"));
    m_faults->setParts(
        {{tr("faults active: %1").arg(faults.size()), failure, StripItem::Weight::Strong},
         {faults.front().instance + u' ' + faults.front().text, tokens.text2}}
    );
}

void HonestyStrip::paintEvent(QPaintEvent* event)
{
    QPainter painter(this);
    painter.fillRect(event->rect(), theme::tokens().chrome);
    painter.fillRect(0, 0, width(), 1, theme::tokens().border);
}

PaneButton::PaneButton(const QString& key, const QString& title, QWidget* parent)
    : QAbstractButton(parent)
    , m_key(key)
{
    setText(title);
    setCheckable(true);
    setAttribute(Qt::WA_Hover);
    setFocusPolicy(Qt::TabFocus);
}

void PaneButton::setNote(const QString& note, const QColor& color)
{
    m_note = note;
    m_noteColor = color;
    setAccessibleDescription(note);
    updateGeometry();
    update();
}

QSize PaneButton::sizeHint() const
{
    const double width =
        theme::figuresWidth(theme::font(theme::Role::Caption), m_key) + 7
        + theme::figuresWidth(theme::font(theme::Role::SmallMedium), text())
        + (m_note.isEmpty()
               ? 0
               : 7 + theme::figuresWidth(theme::font(theme::Role::SmallMedium), m_note));
    return {static_cast<int>(width) + 20, kPaneStripHeight - 1};
}

void PaneButton::paintEvent(QPaintEvent* event)
{
    Q_UNUSED(event)
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const theme::Tokens& tokens = theme::tokens();
    if (underMouse() || isChecked() || hasFocus()) {
        painter.setPen(hasFocus() ? QPen(tokens.accent) : QPen(Qt::NoPen));
        painter.setBrush(isChecked() ? tokens.pressed : tokens.hover);
        painter.drawRoundedRect(QRectF(rect()).adjusted(2.5, 3.5, -2.5, -3.5), 4, 4);
    }
    double x = 10;
    const auto draw = [&](const QString& words, theme::Role role, const QColor& color) {
        painter.setFont(theme::font(role));
        painter.setPen(color);
        const double width = theme::figuresWidth(painter.font(), words);
        theme::drawFigures(
            painter, QRectF(x, 0, width + 2, height()), words, Qt::AlignLeft | Qt::AlignVCenter
        );
        x += width + 7;
    };
    draw(m_key, theme::Role::Caption, tokens.text3);
    draw(text(), theme::Role::SmallMedium, isChecked() ? tokens.text1 : tokens.text2);
    if (!m_note.isEmpty()) {
        draw(m_note, theme::Role::SmallMedium, m_noteColor);
    }
}

PaneStrip::PaneStrip(QWidget* parent)
    : QWidget(parent)
    , m_fold(new QToolButton(this))
{
    setFixedHeight(kPaneStripHeight);
    setObjectName(QStringLiteral("paneStrip"));
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(8, 1, 8, 0);
    row->setSpacing(2);
    const std::array<QString, kPaneCount> titles = {
        tr("Problems"), tr("Events"), tr("Tap"), tr("Rollout"), tr("Revisions"), tr("Alerts")};
    for (int i = 0; i < kPaneCount; ++i) {
        const auto at = static_cast<std::size_t>(i);
        auto* button = new PaneButton(tr("Alt %1").arg(i + 1), titles[at], this);
        button->setObjectName(QStringLiteral("pane%1").arg(i + 1));
        button->setAccessibleName(titles[at]);
        button->setToolTip(tr("Open or close %1 (Alt+%2)").arg(titles[at]).arg(i + 1));
        connect(button, &QAbstractButton::clicked, this, [this, i] {
            Q_EMIT paneToggled(static_cast<Pane>(i));
        });
        row->addWidget(button);
        m_buttons[at] = button;
    }
    row->addStretch();
    theme::setButtonRole(*m_fold, theme::ButtonRole::Ghost);
    m_fold->setIcon(theme::icon(QStringLiteral("chevron-down")));
    m_fold->setFixedSize(24, 24);
    m_fold->setObjectName(QStringLiteral("paneFold"));
    m_fold->setAccessibleName(tr("Open or close the bottom pane"));
    m_fold->setToolTip(tr("Open or close the bottom pane"));
    connect(m_fold, &QAbstractButton::clicked, this, &PaneStrip::closeRequested);
    row->addWidget(m_fold);
}

void PaneStrip::setOpenPane(int pane)
{
    for (int i = 0; i < kPaneCount; ++i) {
        m_buttons[static_cast<std::size_t>(i)]->setChecked(i == pane);
    }
}

void PaneStrip::setNote(Pane pane, const QString& note, const QColor& color)
{
    m_buttons[static_cast<std::size_t>(pane)]->setNote(note, color);
}

QSize PaneStrip::sizeHint() const { return {400, kPaneStripHeight}; }

void PaneStrip::paintEvent(QPaintEvent* event)
{
    QPainter painter(this);
    painter.fillRect(event->rect(), theme::tokens().chrome);
    painter.fillRect(0, 0, width(), 1, theme::tokens().border);
}

} // namespace mesh::shell
