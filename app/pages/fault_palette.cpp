#include "app/pages/fault_palette.h"

#include "app/charts/run_timeline.h"
#include "app/pages/texts.h"
#include "app/theme/controls.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QDrag>
#include <QKeyEvent>
#include <QLineEdit>
#include <QMimeData>
#include <QPainter>
#include <QScrollBar>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

#include <array>

namespace mesh::pages {
namespace {

constexpr int kRowHeight = 28;
constexpr int kGroupHeight = 27;
constexpr int kPaletteWidth = 188;

enum Role : int { kKeyRole = Qt::UserRole + 1, kIconRole, kDimRole };

QString groupTitle(bridge::FaultGroup group)
{
    switch (group) {
    case bridge::FaultGroup::Instance:
        return FaultPalette::tr("Instance");
    case bridge::FaultGroup::Network:
        return FaultPalette::tr("Zone and network");
    case bridge::FaultGroup::Traffic:
        return FaultPalette::tr("Traffic");
    case bridge::FaultGroup::Change:
        break;
    }
    //: A group of faults: deploys, certificates, pushes.
    return FaultPalette::tr("Change");
}

// One row of the palette, also the ghost that is dragged.
void paintOffer(
    QPainter& painter, const QRectF& rect, const QString& icon, const QString& title, bool isDim
)
{
    const theme::Tokens& t = theme::tokens();
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF box(rect.left() + 12, rect.center().y() - 10, 20, 20);
    painter.setPen(QPen(t.border, 1));
    painter.setBrush(t.raised);
    painter.drawRoundedRect(box, 5, 5);
    theme::drawIcon(painter, box.adjusted(4, 4, -4, -4), icon, isDim ? t.textDisabled : t.text2);
    painter.setFont(theme::font(theme::Role::Small));
    painter.setPen(isDim ? t.textDisabled : t.text1);
    const QRectF words(
        box.right() + 10, rect.top(), rect.right() - box.right() - 28, rect.height()
    );
    painter.drawText(
        words,
        Qt::AlignLeft | Qt::AlignVCenter,
        painter.fontMetrics().elidedText(title, Qt::ElideRight, static_cast<int>(words.width()))
    );
    const QRectF grip(rect.right() - 20, rect.center().y() - 6, 12, 12);
    theme::drawIcon(painter, grip, QStringLiteral("grip"), isDim ? t.border : t.textDisabled);
}

class OfferDelegate : public QStyledItemDelegate
{
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index)
        const override
    {
        const theme::Tokens& t = theme::tokens();
        const QRectF rect(option.rect);
        const QString title = index.data(Qt::DisplayRole).toString();
        painter->save();
        if (index.data(kKeyRole).toString().isEmpty()) {
            painter->setFont(theme::font(theme::Role::CaptionMedium));
            painter->setPen(t.text3);
            painter->drawText(rect.adjusted(14, 4, -8, 0), Qt::AlignLeft | Qt::AlignVCenter, title);
            painter->restore();
            return;
        }
        const bool isCurrent = option.state.testFlag(QStyle::State_Selected);
        const bool isHovered = option.state.testFlag(QStyle::State_MouseOver);
        painter->setRenderHint(QPainter::Antialiasing);
        if (isCurrent || isHovered) {
            const bool isFocused = option.state.testFlag(QStyle::State_HasFocus);
            QPen line(isFocused ? t.accent : t.simulationLine, 1);
            line.setStyle(isFocused ? Qt::SolidLine : Qt::DashLine);
            painter->setPen(isCurrent ? line : QPen(Qt::NoPen));
            painter->setBrush(t.hover);
            painter->drawRoundedRect(rect.adjusted(4.5, 0.5, -4.5, -0.5), 6, 6);
        }
        paintOffer(
            *painter, rect, index.data(kIconRole).toString(), title, index.data(kDimRole).toBool()
        );
        painter->restore();
    }

    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& /*option*/, const QModelIndex& index)
        const override
    {
        return {120, index.data(kKeyRole).toString().isEmpty() ? kGroupHeight : kRowHeight};
    }
};

} // namespace

FaultList::FaultList(QWidget* parent)
    : QListWidget(parent)
{
    setObjectName(QStringLiteral("faultList"));
    setAccessibleName(tr("Faults"));
    setItemDelegate(new OfferDelegate(this));
    setFrameShape(QFrame::NoFrame);
    setMouseTracking(true);
    setDragEnabled(true);
    setDragDropMode(QAbstractItemView::DragOnly);
    setSelectionMode(QAbstractItemView::SingleSelection);
    setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    for (int group = 0; group < bridge::kFaultGroupCount; ++group) {
        auto* heading =
            new QListWidgetItem(groupTitle(static_cast<bridge::FaultGroup>(group)), this);
        heading->setFlags(Qt::NoItemFlags);
        for (const bridge::FaultOffer& offer : bridge::faultOffers()) {
            if (offer.group == static_cast<bridge::FaultGroup>(group)) {
                auto* item = new QListWidgetItem(offer.title, this);
                item->setData(kKeyRole, offer.key);
                item->setData(kIconRole, offer.icon);
                item->setToolTip(offer.help);
                item->setData(Qt::AccessibleDescriptionRole, offer.help);
                item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsDragEnabled);
            }
        }
    }
    connect(this, &QListWidget::itemDoubleClicked, this, [this](const QListWidgetItem* item) {
        const QString key = item->data(kKeyRole).toString();
        if (!key.isEmpty()) {
            Q_EMIT offerActivated(key);
        }
    });
}

void FaultList::setTarget(const QString& target)
{
    const bridge::TargetKind kind = bridge::targetKindOf(target);
    for (int i = 0; i < count(); ++i) {
        const bridge::FaultOffer* offer =
            bridge::findFaultOffer(item(i)->data(kKeyRole).toString());
        const bool isDim =
            offer != nullptr && kind != bridge::TargetKind::None && !offer->supports(kind);
        item(i)->setData(kDimRole, isDim);
    }
}

void FaultList::setFilter(const QString& words)
{
    QListWidgetItem* heading = nullptr;
    for (int i = 0; i < count(); ++i) {
        QListWidgetItem* one = item(i);
        if (one->data(kKeyRole).toString().isEmpty()) {
            heading = one;
            heading->setHidden(true);
            continue;
        }
        const bool isFound = words.trimmed().isEmpty()
                             || one->text().contains(words.trimmed(), Qt::CaseInsensitive)
                             || one->toolTip().contains(words.trimmed(), Qt::CaseInsensitive);
        one->setHidden(!isFound);
        if (isFound && heading != nullptr) {
            heading->setHidden(false);
        }
    }
}

QString FaultList::currentOffer() const
{
    return currentItem() != nullptr ? currentItem()->data(kKeyRole).toString() : QString();
}

void FaultList::chooseOffer(const QString& key)
{
    for (int i = 0; i < count(); ++i) {
        if (item(i)->data(kKeyRole).toString() == key) {
            setCurrentItem(item(i));
        }
    }
}

bool FaultList::isOffered(const QString& key) const
{
    for (int i = 0; i < count(); ++i) {
        if (item(i)->data(kKeyRole).toString() == key) {
            return !item(i)->isHidden() && !item(i)->data(kDimRole).toBool();
        }
    }
    return false;
}

void FaultList::startDrag(Qt::DropActions /*actions*/)
{
    const QListWidgetItem* item = currentItem();
    if (item == nullptr || currentOffer().isEmpty()) {
        return;
    }
    const QSize size(150, kRowHeight);
    QPixmap ghost(size * devicePixelRatioF());
    ghost.setDevicePixelRatio(devicePixelRatioF());
    ghost.fill(Qt::transparent);
    QPainter painter(&ghost);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(theme::tokens().simulationLine, 1));
    painter.setBrush(theme::tokens().simulationRow);
    painter.drawRoundedRect(QRectF(QPointF(), QSizeF(size)).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
    paintOffer(
        painter,
        QRectF(QPointF(), QSizeF(size)),
        item->data(kIconRole).toString(),
        item->text(),
        false
    );
    painter.end();
    auto* drag = new QDrag(this);
    drag->setMimeData(mimeData({currentItem()}));
    drag->setPixmap(ghost);
    drag->setHotSpot({22, kRowHeight / 2});
    drag->exec(Qt::CopyAction);
}

QStringList FaultList::mimeTypes() const { return {QString::fromLatin1(charts::kFaultMime)}; }

QMimeData* FaultList::mimeData(const QList<QListWidgetItem*>& items) const
{
    auto* carried = new QMimeData;
    if (!items.isEmpty()) {
        carried->setData(mimeTypes().first(), items.first()->data(kKeyRole).toString().toUtf8());
    }
    return carried;
}

void FaultList::keyPressEvent(QKeyEvent* event)
{
    const bool isEnter = event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter;
    if (isEnter && !currentOffer().isEmpty()) {
        Q_EMIT offerActivated(currentOffer());
        return;
    }
    QListWidget::keyPressEvent(event);
}

FaultPalette::FaultPalette(QWidget* parent)
    : QWidget(parent)
    , m_hint(new QLabel(tr("drag on target"), this))
    , m_filter(new QLineEdit(this))
    , m_list(new FaultList(this))
{
    setObjectName(QStringLiteral("faultPalette"));
    setFixedWidth(kPaletteWidth);
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::Base);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 8, 0, 4);
    column->setSpacing(6);
    auto* head = new QHBoxLayout;
    head->setContentsMargins(14, 0, 12, 0);
    auto* title = new QLabel(tr("Faults"), this);
    theme::setText(*title, theme::Role::BodyStrong);
    theme::setText(*m_hint, theme::Role::Caption, theme::TextColor::Text3);
    m_hint->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    m_hint->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    head->addWidget(title);
    head->addWidget(m_hint, 1);
    column->addLayout(head);
    m_filter->setObjectName(QStringLiteral("faultFilter"));
    m_filter->setAccessibleName(tr("Filter faults"));
    m_filter->setPlaceholderText(tr("Filter"));
    m_filter->setClearButtonEnabled(true);
    m_filter->addAction(theme::icon(QStringLiteral("search")), QLineEdit::LeadingPosition);
    auto* inset = new QHBoxLayout;
    inset->setContentsMargins(12, 0, 12, 0);
    inset->addWidget(m_filter);
    column->addLayout(inset);
    column->addWidget(m_list, 1);
    connect(m_filter, &QLineEdit::textChanged, m_list, &FaultList::setFilter);
    connect(m_list, &FaultList::offerActivated, this, &FaultPalette::offerActivated);
}

void FaultPalette::setTarget(const QString& target)
{
    m_list->setTarget(target);
    const auto ends = edgeEnds(target);
    const QString words = !ends.source.isEmpty()
                              ? nameOf(ends.source) + QStringLiteral("→") + nameOf(ends.target)
                          : bridge::targetKindOf(target) == bridge::TargetKind::Zone
                              ? tr("zone %1").arg(nameOf(target))
                              : nameOf(target);
    m_hint->setText(target.isEmpty() ? tr("drag on target") : tr("on %1").arg(words));
    m_hint->setToolTip(
        target.isEmpty() ? tr("Drag onto a node, an edge or a zone; or select one and press Enter")
                         : tr("Enter adds the fault to what is selected")
    );
}

void FaultPalette::focusFilter()
{
    m_filter->setFocus(Qt::ShortcutFocusReason);
    m_filter->selectAll();
}

} // namespace mesh::pages
