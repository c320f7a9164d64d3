#include "app/pages/review_lists.h"

#include "app/pages/texts.h"
#include "app/theme/controls.h"
#include "app/theme/figures.h"
#include "app/theme/glyphs.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QCheckBox>
#include <QContextMenuEvent>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QMenu>
#include <QMouseEvent>
#include <QPainter>
#include <QPushButton>
#include <QStyle>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

#include <algorithm>
#include <array>
#include <functional>
#include <map>

namespace mesh::pages {
namespace {

constexpr int kRowHeight = 46;
constexpr int kBox = 15;
constexpr std::size_t kCardsMax = 100; // More are counted; a person reads no more.

enum Role : int { kKey = Qt::UserRole + 1, kDetail, kSign };

class ChangeDelegate : public QStyledItemDelegate
{
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override
    {
        Q_UNUSED(option)
        Q_UNUSED(index)
        return {100, kRowHeight};
    }

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index)
        const override
    {
        const theme::Tokens& t = theme::tokens();
        const QRectF rect(option.rect);
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        if (option.state.testFlag(QStyle::State_Selected)) {
            painter->fillRect(rect, t.accentSoft);
            painter->fillRect(QRectF(rect.left(), rect.top(), 2, rect.height()), t.accent);
        } else if (option.state.testFlag(QStyle::State_MouseOver)) {
            painter->fillRect(rect, t.hover);
        }
        painter->fillRect(QRectF(rect.left(), rect.bottom() - 1, rect.width(), 1), t.border);
        const bool isChecked = index.data(Qt::CheckStateRole).toInt() == Qt::Checked;
        QStyleOptionButton box;
        box.rect = QRect(option.rect.left() + 12, option.rect.center().y() - kBox / 2, kBox, kBox);
        box.state = QStyle::State_Enabled | (isChecked ? QStyle::State_On : QStyle::State_Off);
        const QWidget* widget = option.widget;
        if (widget != nullptr) {
            widget->style()->drawPrimitive(QStyle::PE_IndicatorCheckBox, &box, painter, widget);
        }
        const QRectF words = rect.adjusted(36, 6, -34, -6);
        painter->setFont(theme::font(theme::Role::SmallStrong));
        painter->setPen(isChecked ? t.text1 : t.text3);
        painter->drawText(
            words,
            Qt::AlignLeft | Qt::AlignTop,
            painter->fontMetrics().elidedText(
                index.data().toString(), Qt::ElideMiddle, static_cast<int>(words.width())
            )
        );
        painter->setFont(theme::font(theme::Role::Caption));
        painter->setPen(t.text3);
        painter->drawText(
            words,
            Qt::AlignLeft | Qt::AlignBottom,
            painter->fontMetrics().elidedText(
                index.data(kDetail).toString(), Qt::ElideRight, static_cast<int>(words.width())
            )
        );
        const int sign = index.data(kSign).toInt();
        painter->setFont(theme::font(theme::Role::BodyStrong));
        painter->setPen(
            sign == int(bridge::ChangeSign::Created)   ? t.diffAddedText
            : sign == int(bridge::ChangeSign::Deleted) ? t.diffRemovedText
                                                       : t.accent
        );
        painter->drawText(
            QRectF(rect.right() - 30, rect.top(), 20, rect.height()),
            Qt::AlignCenter,
            sign == int(bridge::ChangeSign::Created)   ? QStringLiteral("+")
            : sign == int(bridge::ChangeSign::Deleted) ? QStringLiteral("−")
                                                       : QStringLiteral("~")
        );
        painter->restore();
    }

    bool editorEvent(
        QEvent* event,
        QAbstractItemModel* model,
        const QStyleOptionViewItem& option,
        const QModelIndex& index
    ) override
    {
        constexpr int kBoxRoom = 34;
        bool isToggled = false;
        if (event->type() == QEvent::MouseButtonRelease) {
            const auto* mouse = static_cast<QMouseEvent*>(event);
            isToggled = mouse->pos().x() < option.rect.left() + kBoxRoom;
        } else if (event->type() == QEvent::KeyPress) {
            isToggled = static_cast<QKeyEvent*>(event)->key() == Qt::Key_Space;
        }
        if (!isToggled) {
            return false;
        }
        const bool isChecked = index.data(Qt::CheckStateRole).toInt() == Qt::Checked;
        return model->setData(index, isChecked ? Qt::Unchecked : Qt::Checked, Qt::CheckStateRole);
    }
};

QPushButton* makeLink(const QString& text, const QString& name, QWidget* parent)
{
    auto* button = new QPushButton(text, parent);
    theme::setButtonRole(*button, theme::ButtonRole::Ghost);
    theme::setText(*button, theme::Role::SmallMedium, theme::TextColor::Accent);
    button->setObjectName(name);
    button->setFixedHeight(22);
    button->setCursor(Qt::PointingHandCursor);
    return button;
}

} // namespace

ChangeList::ChangeList(QWidget* parent)
    : QListWidget(parent)
{
    setObjectName(QStringLiteral("changes"));
    setAccessibleName(tr("Changed objects"));
    setFrameShape(QFrame::NoFrame);
    setItemDelegate(new ChangeDelegate(this));
    setUniformItemSizes(true);
    setMouseTracking(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    connect(this, &QListWidget::itemChanged, this, [this](const QListWidgetItem* item) {
        if (!m_isFilling) {
            Q_EMIT includedChanged(item->data(kKey).toString(), item->checkState() == Qt::Checked);
        }
    });
    connect(this, &QListWidget::currentRowChanged, this, [this] {
        if (!m_isFilling) {
            Q_EMIT keySelected(currentKey());
        }
    });
}

void ChangeList::setRows(const std::vector<bridge::ChangeRow>& rows)
{
    m_isFilling = true;
    const QString current = currentKey();
    while (count() > static_cast<int>(rows.size())) {
        delete takeItem(count() - 1);
    }
    int wanted = rows.empty() ? -1 : 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const bridge::ChangeRow& row = rows[i];
        QListWidgetItem* item = this->item(static_cast<int>(i));
        if (item == nullptr) {
            item = new QListWidgetItem(this);
            item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsUserCheckable);
        }
        item->setText(row.name);
        item->setData(kKey, row.key);
        item->setData(kDetail, row.detail);
        item->setData(kSign, static_cast<int>(row.sign));
        item->setData(Qt::AccessibleTextRole, row.name + QStringLiteral(", ") + row.detail);
        item->setToolTip(row.name);
        item->setCheckState(row.isIncluded ? Qt::Checked : Qt::Unchecked);
        if (row.key == current) {
            wanted = static_cast<int>(i);
        }
    }
    setCurrentRow(wanted);
    m_isFilling = false;
}

QString ChangeList::currentKey() const
{
    return currentItem() == nullptr ? QString() : currentItem()->data(kKey).toString();
}

void ChangeList::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Delete && currentItem() != nullptr) {
        Q_EMIT discardRequested(currentKey());
        return;
    }
    QListWidget::keyPressEvent(event);
}

void ChangeList::contextMenuEvent(QContextMenuEvent* event)
{
    const QListWidgetItem* item = itemAt(event->pos());
    if (item == nullptr) {
        return;
    }
    const QString key = item->data(kKey).toString();
    QMenu menu;
    QAction* discard = menu.addAction(tr("Discard this change"));
    discard->setShortcut(Qt::Key_Delete);
    connect(discard, &QAction::triggered, this, [this, key] { Q_EMIT discardRequested(key); });
    menu.exec(event->globalPos());
}

FindingList::FindingList(QWidget* parent)
    : QScrollArea(parent)
    , m_inside(new QWidget(this))
{
    setObjectName(QStringLiteral("findings"));
    setAccessibleName(tr("Findings"));
    setFrameShape(QFrame::NoFrame);
    setWidgetResizable(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::NoFocus);
    m_inside->setAutoFillBackground(true);
    m_inside->setBackgroundRole(QPalette::Base);
    m_column = new QVBoxLayout(m_inside);
    m_column->setContentsMargins(0, 0, 0, 12);
    m_column->setSpacing(0);
    setWidget(m_inside);
}

QWidget* FindingList::makeCard(const bridge::FindingRow& row)
{
    auto* card = new QWidget(m_inside);
    auto* column = new QVBoxLayout(card);
    column->setContentsMargins(12, 9, 12, 8);
    column->setSpacing(3);
    auto* head = new QHBoxLayout;
    head->setSpacing(6);
    const bool isInfo = row.severity == bridge::FindingSeverity::Info;
    const theme::TextColor color = row.isMuted || isInfo ? theme::TextColor::Text2
                                   : row.severity == bridge::FindingSeverity::Error
                                       ? theme::TextColor::Failure
                                       : theme::TextColor::Degraded;
    auto* sign = new QLabel(card);
    if (isInfo) {
        sign->setPixmap(theme::iconPixmap(
            QStringLiteral("eye"), 13, theme::textColor(color), devicePixelRatioF()
        ));
    } else {
        const bool isError = row.severity == bridge::FindingSeverity::Error;
        sign->setText(isError ? QStringLiteral("✕") : QStringLiteral("!"));
        theme::setText(*sign, theme::Role::SmallStrong, color);
    }
    head->addWidget(sign, 0, Qt::AlignTop);
    auto* title = new QLabel(row.title, card);
    title->setWordWrap(true);
    theme::setText(*title, theme::Role::SmallMedium, color);
    head->addWidget(title, 1);
    auto* code = new QLabel(row.code, card);
    theme::setText(*code, theme::Role::CodeSmall, theme::TextColor::Text3);
    head->addWidget(code, 0, Qt::AlignTop);
    column->addLayout(head);
    auto* text = new QLabel(row.isMuted ? tr("Muted: %1").arg(row.mutedBecause) : row.text, card);
    text->setWordWrap(true);
    text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    theme::setText(*text, theme::Role::Caption, theme::TextColor::Text2);
    column->addWidget(text);
    auto* doing = new QHBoxLayout;
    doing->setSpacing(2);
    const QString key = row.key;
    if (row.severity == bridge::FindingSeverity::Warning && !row.isMuted) {
        auto* accept = new QCheckBox(tr("Accept for this push"), card);
        accept->setChecked(row.isAccepted);
        accept->setObjectName(QStringLiteral("accept.") + row.code);
        theme::setText(*accept, theme::Role::Caption, theme::TextColor::Text2);
        connect(accept, &QCheckBox::toggled, this, [this, key](bool isOn) {
            Q_EMIT acceptChanged(key, isOn);
        });
        doing->addWidget(accept);
    }
    doing->addStretch();
    if (row.severity != bridge::FindingSeverity::Error) {
        auto* mute = makeLink(
            row.isMuted ? tr("Unmute") : tr("Mute…"), QStringLiteral("mute.") + row.code, card
        );
        connect(mute, &QPushButton::clicked, this, [this, key] { Q_EMIT muteRequested(key); });
        doing->addWidget(mute);
    }
    if (!row.fixLabel.isEmpty()) {
        auto* fix = makeLink(tr("Fix"), QStringLiteral("fix.") + row.code, card);
        fix->setToolTip(row.fixLabel);
        connect(fix, &QPushButton::clicked, this, [this, key] { Q_EMIT fixRequested(key); });
        doing->addWidget(fix);
    } else if (!row.path.isEmpty()) {
        auto* show = makeLink(tr("Show"), QStringLiteral("show.") + row.code, card);
        show->setToolTip(row.path);
        connect(show, &QPushButton::clicked, this, [this, path = row.path] {
            Q_EMIT pathChosen(path);
        });
        doing->addWidget(show);
    }
    column->addLayout(doing);
    return card;
}

void FindingList::setRows(
    const std::vector<bridge::FindingRow>& rows, const QString& good, const QString& text
)
{
    while (QLayoutItem* item = m_column->takeAt(0)) {
        if (item->widget() != nullptr) {
            // Not at once: a card's own button may have asked for it.
            item->widget()->hide();
            item->widget()->deleteLater();
        }
        delete item;
    }
    // What the change brings is for this review; the rest was there before it.
    std::size_t shown = 0;
    std::size_t known = 0;
    for (const bridge::FindingRow& row : rows) {
        const bool isOurs = row.isNew || row.severity == bridge::FindingSeverity::Error;
        known += isOurs ? 0 : 1;
        if (isOurs && shown < kCardsMax) {
            ++shown;
            m_column->addWidget(makeCard(row));
            m_column->addWidget(new theme::Hairline(Qt::Horizontal, m_inside));
        }
    }
    const auto addNote = [this](const QString& words, theme::Role role, theme::TextColor color) {
        auto* label = new QLabel(words, m_inside);
        label->setWordWrap(true);
        label->setContentsMargins(12, 7, 12, 0);
        theme::setText(*label, role, color);
        m_column->addWidget(label);
    };
    if (rows.size() > shown + known) {
        addNote(
            tr("%n more finding(s) are not shown.", nullptr, int(rows.size() - shown - known)),
            theme::Role::Caption,
            theme::TextColor::Text3
        );
    }
    if (!good.isEmpty()) {
        addNote(QStringLiteral("✓  ") + good, theme::Role::SmallMedium, theme::TextColor::Healthy);
    }
    if (!text.isEmpty()) {
        addNote(text, theme::Role::Caption, theme::TextColor::Text2);
    }
    if (known > 0) {
        addNote(
            tr("%n finding(s) were there before this change.", nullptr, int(known)),
            theme::Role::Caption,
            theme::TextColor::Text3
        );
    }
    m_column->addStretch();
    fitHeight();
}

void FindingList::fitHeight()
{
    // Words that wrap need as many lines as this width asks for.
    m_inside->setMinimumHeight(m_column->totalHeightForWidth(viewport()->width()));
}

void FindingList::resizeEvent(QResizeEvent* event)
{
    QScrollArea::resizeEvent(event);
    fitHeight();
}

BehaviourBar::BehaviourBar(QWidget* parent)
    : QWidget(parent)
{
    setObjectName(QStringLiteral("behaviourBar"));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(&theme::current(), &theme::Theme::changed, this, qOverload<>(&QWidget::update));
}

void BehaviourBar::setRows(const bridge::BehaviourRows& rows)
{
    m_parts.clear();
    m_total = rows.sampled;
    if (rows.sampled > 0) {
        m_parts.push_back({rows.unchanged, tr("unchanged"), 0});
    }
    // What they become now, the same word added up: "38 now catalog-v6".
    std::map<std::pair<int, QString>, std::size_t> byWord;
    for (const bridge::BehaviourRow& row : rows.rows) {
        byWord[{row.isWorse ? 2 : 1, row.after}] += row.count;
    }
    constexpr std::size_t kNamedMax = 2;
    for (const int kind : {1, 2}) {
        std::vector<Part> parts;
        for (const auto& [what, count] : byWord) {
            if (what.first == kind) {
                const QString word = what.second.section(u' ', 0, 0);
                parts.push_back({count, tr("now %1").arg(word), kind});
            }
        }
        std::ranges::sort(parts, std::greater<>{}, &Part::count);
        if (parts.size() > kNamedMax) {
            std::size_t sum = 0;
            for (const Part& part : parts) {
                sum += part.count;
            }
            parts = {{sum, kind == 1 ? tr("elsewhere") : tr("worse"), kind}};
        }
        m_parts.insert(m_parts.end(), parts.begin(), parts.end());
    }
    QStringList words;
    for (const Part& part : m_parts) {
        words << QString::number(part.count) + u' ' + part.words;
    }
    setAccessibleName(words.isEmpty() ? tr("No requests were sampled") : words.join(u", "));
    update();
}

QSize BehaviourBar::sizeHint() const { return {300, 44}; }

void BehaviourBar::paintEvent(QPaintEvent* event)
{
    Q_UNUSED(event)
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const theme::Tokens& t = theme::tokens();
    const std::array<QColor, 3> colors = {
        t.text3, t.statusCodes[2], t.of(theme::State::Failure).text};
    const double room = width();
    constexpr double kBarHeight = 9;
    constexpr double kPartMin = 6;
    double x = 0;
    if (m_total == 0) {
        theme::drawHatch(painter, QRectF(0, 4, room, kBarHeight), t.borderInput);
    }
    double reserved = 0;
    for (const Part& part : m_parts) {
        const double share = static_cast<double>(part.count) / static_cast<double>(m_total);
        reserved += std::max(0.0, kPartMin - share * room);
    }
    for (const Part& part : m_parts) {
        if (part.count == 0) {
            continue;
        }
        const double share = static_cast<double>(part.count) / static_cast<double>(m_total);
        const double wanted = share * (part.kind == 0 ? room - reserved : room);
        const double length = std::max(kPartMin, wanted);
        painter.setPen(Qt::NoPen);
        painter.setBrush(colors[static_cast<std::size_t>(part.kind)]);
        painter.drawRoundedRect(QRectF(x, 4, std::min(length, room - x) - 2, kBarHeight), 2.5, 2.5);
        x += length;
    }
    x = 0;
    for (const Part& part : m_parts) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(colors[static_cast<std::size_t>(part.kind)]);
        painter.drawRoundedRect(QRectF(x, 25, 8, 8), 2, 2);
        x += 14;
        painter.setFont(theme::font(theme::Role::SmallStrong));
        painter.setPen(t.text1);
        const QString count = countText(part.count);
        const double wide = theme::figuresWidth(painter.font(), count);
        theme::drawFigures(
            painter, QRectF(x, 19, wide + 2, 20), count, Qt::AlignLeft | Qt::AlignVCenter
        );
        x += wide + 7;
        painter.setFont(theme::font(theme::Role::Small));
        painter.setPen(t.text2);
        painter.drawText(QRectF(x, 19, room - x, 20), Qt::AlignLeft | Qt::AlignVCenter, part.words);
        x += painter.fontMetrics().horizontalAdvance(part.words) + 18;
    }
}

} // namespace mesh::pages
