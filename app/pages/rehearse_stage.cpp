#include "app/pages/rehearse_stage.h"

#include "app/bridge/format.h"
#include "app/charts/run_timeline.h"
#include "app/theme/controls.h"
#include "app/theme/figures.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QDragEnterEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QMimeData>
#include <QPainter>
#include <QResizeEvent>

#include <algorithm>
#include <cmath>

namespace mesh::pages {
namespace {

constexpr int kInset = 12;
constexpr int kBannerWidth = 180;
constexpr int kBannerHeight = 26;
// Rows of the stage stand closer than those of Topology, because their figures are in the verdict;
// columns as the stage has room for, so that the picture fills it.
constexpr double kRowShare = 0.73;
constexpr double kColumnShareMin = 0.8;
constexpr double kColumnShareMax = 1.35;

QString offerIn(const QDropEvent& event)
{
    return QString::fromUtf8(event.mimeData()->data(QString::fromLatin1(charts::kFaultMime)));
}

// The faults in force as plates, the most pressing first.
class FaultBanners : public QWidget
{
public:
    explicit FaultBanners(QWidget* parent)
        : QWidget(parent)
    {
        setObjectName(QStringLiteral("faultBanners"));
        setAttribute(Qt::WA_TransparentForMouseEvents);
    }

    void setFaults(const std::vector<bridge::StageFault>& faults)
    {
        m_faults = faults;
        QStringList spoken;
        double widest = kBannerWidth;
        for (const bridge::StageFault& fault : m_faults) {
            spoken << fault.text + QStringLiteral(", ") + left(fault);
            const double width =
                theme::figuresWidth(theme::font(theme::Role::SmallMedium), fault.text)
                + theme::figuresWidth(theme::font(theme::Role::Caption), left(fault)) + 62;
            widest = std::max(widest, width);
        }
        setAccessibleName(spoken.join(QStringLiteral("; ")));
        const auto rows = static_cast<int>(std::min<std::size_t>(3, m_faults.size()));
        resize(static_cast<int>(widest), rows * (kBannerHeight + 4));
        setVisible(rows > 0);
        update();
    }

protected:
    void paintEvent(QPaintEvent* /*event*/) override
    {
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        const theme::Tokens& t = theme::tokens();
        const theme::StateColors& failure = t.of(theme::State::Failure);
        double y = 0;
        for (std::size_t i = 0; i < m_faults.size() && i < 3; ++i) {
            const QRectF box(0.5, y + 0.5, width() - 1.0, kBannerHeight - 1.0);
            painter.setPen(QPen(theme::faded(failure.line, 0.6), 1));
            painter.setBrush(failure.soft);
            painter.drawRoundedRect(box, 4, 4);
            theme::drawIcon(painter, QRectF(9, y + 7, 12, 12), m_faults[i].icon, failure.text);
            painter.setFont(theme::font(theme::Role::SmallMedium));
            painter.setPen(failure.text);
            theme::drawFigures(
                painter,
                box.adjusted(28, 0, -8, 0),
                m_faults[i].text,
                Qt::AlignLeft | Qt::AlignVCenter
            );
            painter.setFont(theme::font(theme::Role::Caption));
            painter.setPen(t.text2);
            theme::drawFigures(
                painter,
                box.adjusted(8, 0, -10, 0),
                left(m_faults[i]),
                Qt::AlignRight | Qt::AlignVCenter
            );
            y += kBannerHeight + 4;
        }
    }

private:
    static QString left(const bridge::StageFault& fault)
    {
        return fault.isEndless ? RehearseStage::tr("to the end")
                               : RehearseStage::tr("%1 left").arg(
                                   bridge::formatDuration(std::round(fault.left_s) * 1000)
                               );
    }

    std::vector<bridge::StageFault> m_faults;
};

} // namespace

StageView::StageView(QWidget* parent)
    : TopologyView(parent)
{
    setAcceptDrops(true);
    setCornerPanels(graph::CornerPanels::Hidden);
}

QString StageView::targetAt(const QPointF& point) const { return idAt(point); }

void StageView::dragEnterEvent(QDragEnterEvent* event)
{
    if (!offerIn(*event).isEmpty()) {
        event->acceptProposedAction();
    }
}

void StageView::dragMoveEvent(QDragMoveEvent* event)
{
    const QString target = targetAt(event->position());
    const bridge::FaultOffer* offer = bridge::findFaultOffer(offerIn(*event));
    // A zone outage falls on a node of the zone.
    const bool isZone = offer != nullptr && offer->supports(bridge::TargetKind::Zone);
    const bool isFit =
        offer != nullptr && !target.isEmpty()
        && (offer->supports(bridge::targetKindOf(target))
            || (isZone && bridge::targetKindOf(target) == bridge::TargetKind::Service));
    setSelection(isFit ? target : QString());
    update();
    event->setAccepted(isFit);
}

void StageView::dropEvent(QDropEvent* event)
{
    const QString target = targetAt(event->position());
    const QString offer = offerIn(*event);
    if (!offer.isEmpty() && !target.isEmpty()) {
        event->acceptProposedAction();
        Q_EMIT offerDropped(offer, target);
    }
}

ZoneButton::ZoneButton(const QString& zone, QWidget* parent)
    : QAbstractButton(parent)
{
    setText(zone);
    setCheckable(true);
    setAcceptDrops(true);
    setFocusPolicy(Qt::TabFocus);
    setAttribute(Qt::WA_Hover);
    setObjectName(QStringLiteral("zone-") + zone);
    setAccessibleName(RehearseStage::tr("Zone %1").arg(zone));
    setToolTip(RehearseStage::tr("Drop a fault here, or select the zone and press Enter on a fault")
    );
}

void ZoneButton::setOut(bool isOut)
{
    m_isOut = isOut;
    setAccessibleDescription(isOut ? RehearseStage::tr("out") : QString());
    update();
}

QSize ZoneButton::sizeHint() const
{
    const QString words = RehearseStage::tr("zone %1").arg(text());
    const double width = theme::figuresWidth(theme::font(theme::Role::SmallMedium), words);
    return {static_cast<int>(width) + 34, 24};
}

void ZoneButton::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const theme::Tokens& t = theme::tokens();
    const theme::StateColors& failure = t.of(theme::State::Failure);
    const QRectF box = QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5);
    QPen line(
        m_isHot                     ? t.simulationLine
        : isChecked() || hasFocus() ? t.selection
        : m_isOut                   ? theme::faded(failure.line, 0.6)
                                    : t.borderInput,
        m_isHot || isChecked() ? 2 : 1
    );
    line.setStyle(m_isHot ? Qt::DashLine : Qt::SolidLine);
    painter.setPen(line);
    painter.setBrush(m_isOut ? failure.soft : underMouse() ? t.hover : t.panel);
    painter.drawRoundedRect(box, 5, 5);
    theme::drawIcon(
        painter,
        QRectF(8, (height() - 12) / 2.0, 12, 12),
        QStringLiteral("zone"),
        m_isOut ? failure.text : t.text3
    );
    painter.setFont(theme::font(theme::Role::SmallMedium));
    painter.setPen(m_isOut ? failure.text : t.text2);
    theme::drawFigures(
        painter,
        QRectF(25, 0, width() - 28.0, height()),
        RehearseStage::tr("zone %1").arg(text()),
        Qt::AlignLeft | Qt::AlignVCenter
    );
}

void ZoneButton::dragEnterEvent(QDragEnterEvent* event)
{
    const bridge::FaultOffer* offer = bridge::findFaultOffer(offerIn(*event));
    m_isHot = offer != nullptr && offer->supports(bridge::TargetKind::Zone);
    event->setAccepted(m_isHot);
    update();
}

void ZoneButton::dragLeaveEvent(QDragLeaveEvent* /*event*/)
{
    m_isHot = false;
    update();
}

void ZoneButton::dropEvent(QDropEvent* event)
{
    m_isHot = false;
    update();
    event->acceptProposedAction();
    Q_EMIT offerDropped(offerIn(*event));
}

RehearseStage::RehearseStage(QWidget* parent)
    : QWidget(parent)
    , m_view(new StageView(this))
    , m_faults(new FaultBanners(this))
    , m_zones(new QWidget(this))
    , m_words(new QLabel(this))
{
    setObjectName(QStringLiteral("rehearseStage"));
    setFocusProxy(m_view);
    m_view->setObjectName(QStringLiteral("stageGraph"));
    m_view->setAccessibleName(tr("Simulated service graph"));
    auto* row = new QHBoxLayout(m_zones);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(6);
    theme::setText(*m_words, theme::Role::Caption, theme::TextColor::Text3);
    m_words->setObjectName(QStringLiteral("stageWords"));
    m_words->setAttribute(Qt::WA_TransparentForMouseEvents);
    connect(m_view, &graph::TopologyView::selected, this, &RehearseStage::choose);
    connect(m_view, &StageView::offerDropped, this, &RehearseStage::offerDropped);
    connect(
        m_view,
        &graph::TopologyView::contextMenuRequested,
        this,
        &RehearseStage::contextMenuRequested
    );
    setMinimumSize(320, 200);
}

void RehearseStage::setPositions(const graph::Positions& positions)
{
    m_positions = positions;
    QRectF bounds;
    for (const bridge::EntityRow& entity : m_state.topology.entities) {
        const auto place = positions.constFind(entity.id);
        if (place != positions.cend()) {
            bounds |= QRectF(place->point, QSizeF(1, 1));
        }
    }
    const double aspect = static_cast<double>(width()) / std::max(1, height());
    constexpr double kRoom = 120; // Around the outermost nodes.
    const double wanted = (bounds.height() * kRowShare + kRoom) * aspect - kRoom;
    const double columns =
        bounds.width() < 1 ? 1
                           : std::clamp(wanted / bounds.width(), kColumnShareMin, kColumnShareMax);
    graph::Positions closer;
    for (auto place = positions.begin(); place != positions.end(); ++place) {
        const auto grid = [](double value) {
            return std::round(value / graph::kGrid) * graph::kGrid;
        };
        graph::Place moved;
        moved.point = QPointF(grid(place->point.x() * columns), grid(place->point.y() * kRowShare));
        closer[place.key()] = moved;
    }
    if (closer != m_view->positions() && !closer.isEmpty()) {
        m_view->setPositions(closer);
        m_view->fit();
    }
}

void RehearseStage::setZones(const QStringList& zones)
{
    QStringList shown;
    for (const ZoneButton* button : m_zoneButtons) {
        shown << button->text();
    }
    if (shown == zones) {
        return;
    }
    for (ZoneButton* button : m_zoneButtons) {
        button->deleteLater();
    }
    m_zoneButtons.clear();
    for (const QString& zone : zones) {
        auto* button = new ZoneButton(zone, m_zones);
        m_zones->layout()->addWidget(button);
        button->show();
        connect(button, &QAbstractButton::clicked, this, [this, zone](bool isChecked) {
            choose(isChecked ? bridge::zoneTarget(zone) : QString());
        });
        connect(button, &ZoneButton::offerDropped, this, [this, zone](const QString& offer) {
            Q_EMIT offerDropped(offer, bridge::zoneTarget(zone));
        });
        m_zoneButtons.push_back(button);
    }
    arrange();
}

void RehearseStage::setState(const bridge::StageState& state, const QString& words)
{
    m_state = state;
    setPositions(m_positions);
    m_view->setTopology(state.topology);
    static_cast<FaultBanners*>(m_faults)->setFaults(state.faults);
    for (ZoneButton* button : m_zoneButtons) {
        button->setOut(std::any_of(
            state.faults.begin(),
            state.faults.end(),
            [button](const bridge::StageFault& fault) { return fault.zone == button->text(); }
        ));
    }
    m_words->setText(words);
    arrange();
}

void RehearseStage::setTarget(const QString& target)
{
    m_target = target;
    const bool isZone = bridge::targetKindOf(target) == bridge::TargetKind::Zone;
    m_view->setSelection(isZone ? QString() : target);
    for (ZoneButton* button : m_zoneButtons) {
        button->setChecked(bridge::zoneTarget(button->text()) == target);
    }
}

void RehearseStage::choose(const QString& target)
{
    setTarget(target);
    Q_EMIT targetChanged(target);
}

void RehearseStage::resizeEvent(QResizeEvent* /*event*/)
{
    arrange();
    setPositions(m_positions);
}

void RehearseStage::arrange()
{
    m_view->setGeometry(rect());
    m_faults->move(kInset, kInset);
    m_zones->resize(m_zones->layout()->sizeHint());
    m_zones->move(width() - kInset - m_zones->width(), kInset);
    m_words->resize(m_words->sizeHint());
    m_words->move(kInset, height() - 10 - m_words->height());
    m_faults->raise();
    m_zones->raise();
    m_words->raise();
}

} // namespace mesh::pages
