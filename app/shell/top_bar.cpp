#include "app/shell/top_bar.h"

#include "app/pages/brand.h"
#include "app/shell/locator.h"
#include "app/theme/controls.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QAction>
#include <QHBoxLayout>
#include <QPainter>
#include <QPaintEvent>
#include <QPushButton>
#include <QToolButton>

#include <algorithm>
#include <array>

namespace mesh::shell {
namespace {

constexpr int kBarHeight = 44;
constexpr int kLocatorWidth = 384;
constexpr int kMarkRoom = 58; // The menu bar's own padding makes it 64.
constexpr int kMark = 22;

// A button that is its action: text, state, tool tip with the shortcut.
void bind(QAbstractButton& button, QAction& action)
{
    const auto refresh = [&button, &action] {
        button.setEnabled(action.isEnabled());
        const QString keys = action.shortcut().toString(QKeySequence::NativeText);
        const QString text = action.toolTip();
        button.setToolTip(keys.isEmpty() ? text : QStringLiteral("%1 (%2)").arg(text, keys));
    };
    QObject::connect(&action, &QAction::changed, &button, refresh);
    QObject::connect(&button, &QAbstractButton::clicked, &action, &QAction::trigger);
    refresh();
}

// Stands out in accent while there are changes to review.
class ReviewButton : public QPushButton
{
public:
    using QPushButton::QPushButton;

protected:
    void paintEvent(QPaintEvent* event) override
    {
        if (!property("pending").toBool() || hasFocus()) {
            QPushButton::paintEvent(event);
            return;
        }
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        const theme::Tokens& tokens = theme::tokens();
        painter.setPen(tokens.accent);
        painter.setBrush(underMouse() ? tokens.hover : tokens.accentSoft);
        painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
        painter.setFont(font());
        const double words = QFontMetricsF(font()).horizontalAdvance(text());
        const double glyph = iconSize().width();
        const double left = (width() - words - glyph - 6) / 2;
        icon().paint(&painter, QRectF(left, (height() - glyph) / 2, glyph, glyph).toRect());
        painter.drawText(
            QRectF(left + glyph + 6, 0, words + 4, height()),
            Qt::AlignLeft | Qt::AlignVCenter,
            text()
        );
    }
};

} // namespace

theme::EnvironmentKind environmentOf(const QString& setting)
{
    if (setting == QStringLiteral("production")) {
        return theme::EnvironmentKind::Production;
    }
    if (setting == QStringLiteral("staging")) {
        return theme::EnvironmentKind::Staging;
    }
    if (setting == QStringLiteral("development")) {
        return theme::EnvironmentKind::Development;
    }
    return theme::EnvironmentKind::Local;
}

QString environmentTag(theme::EnvironmentKind kind)
{
    switch (kind) {
    case theme::EnvironmentKind::Production:
        return TopBar::tr("PROD");
    case theme::EnvironmentKind::Staging:
        return TopBar::tr("STAGING");
    case theme::EnvironmentKind::Development:
        return TopBar::tr("DEV");
    case theme::EnvironmentKind::Local:
        break;
    }
    //: Environment tag: a mesh on this computer.
    return TopBar::tr("LOCAL");
}

MeshButton::MeshButton(QWidget* parent)
    : QAbstractButton(parent)
{
    setObjectName(QStringLiteral("meshButton"));
    setFocusPolicy(Qt::TabFocus);
    setAttribute(Qt::WA_Hover);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    setMesh({}, theme::EnvironmentKind::Local, {});
}

void MeshButton::setMesh(const QString& name, theme::EnvironmentKind kind, const QString& tag)
{
    m_name = name;
    m_tag = tag;
    m_kind = kind;
    setAccessibleName(name.isEmpty() ? tr("No mesh open") : tr("Mesh %1, %2").arg(name, tag));
    setToolTip(tr("Open, close and recent meshes"));
    updateGeometry();
    update();
}

double MeshButton::tagWidth() const
{
    if (m_name.isEmpty()) {
        return 0;
    }
    return QFontMetricsF(theme::font(theme::Role::Capitals)).horizontalAdvance(m_tag) + 16;
}

QSize MeshButton::sizeHint() const
{
    const QString name = m_name.isEmpty() ? tr("No mesh open") : m_name;
    const double text = QFontMetricsF(theme::font(theme::Role::BodyStrong)).horizontalAdvance(name);
    const double tag = tagWidth();
    return {static_cast<int>(tag + (tag > 0 ? 8 : 0) + text) + 46, 28};
}

QSize MeshButton::minimumSizeHint() const
{
    // A long tag leaves room for the beginning of the name.
    constexpr int kNameMin = 90;
    return {std::min(sizeHint().width(), static_cast<int>(tagWidth()) + 54 + kNameMin), 28};
}

void MeshButton::paintEvent(QPaintEvent* event)
{
    Q_UNUSED(event)
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const theme::Tokens& tokens = theme::tokens();
    if (underMouse() || hasFocus()) {
        painter.setPen(hasFocus() ? QPen(tokens.accent) : QPen(Qt::NoPen));
        painter.setBrush(tokens.hover);
        painter.drawRoundedRect(QRectF(rect()).adjusted(4.5, 0.5, -0.5, -0.5), 6, 6);
    }
    double x = 12;
    if (!m_name.isEmpty()) {
        const QColor& color = tokens.of(m_kind);
        const QRectF tag(x, (height() - 18) / 2.0, tagWidth(), 18);
        painter.setPen(QPen(theme::faded(color, 0.5), 1));
        painter.setBrush(theme::faded(color, 0.16));
        painter.drawRoundedRect(tag.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
        painter.setFont(theme::font(theme::Role::Capitals));
        painter.setPen(color);
        painter.drawText(tag, Qt::AlignCenter, m_tag);
        x += tag.width() + 8;
    }
    painter.setFont(theme::font(theme::Role::BodyStrong));
    painter.setPen(tokens.text1);
    const QRectF room(x, 0, width() - x - 26, height());
    const QString name = m_name.isEmpty() ? tr("No mesh open") : m_name;
    painter.drawText(
        room,
        Qt::AlignLeft | Qt::AlignVCenter,
        painter.fontMetrics().elidedText(name, Qt::ElideMiddle, static_cast<int>(room.width()) + 1)
    );
    theme::drawIcon(
        painter,
        QRectF(width() - 20, (height() - 12) / 2.0, 12, 12),
        QStringLiteral("chevron-down"),
        tokens.text2
    );
}

TopBar::TopBar(QWidget* parent)
    : QWidget(parent)
    , m_menus(new QMenuBar(this))
    , m_mesh(new MeshButton(this))
    , m_locator(new Locator(this))
    , m_undo(new QToolButton(this))
    , m_redo(new QToolButton(this))
    , m_discard(new QPushButton(tr("Discard"), this))
    , m_review(new ReviewButton(tr("Review"), this))
    , m_push(new QPushButton(tr("Push…"), this))
{
    setFixedHeight(kBarHeight);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 1, 0, 1);
    row->setSpacing(0);
    auto* left = new QWidget(this);
    auto* leftRow = new QHBoxLayout(left);
    leftRow->setContentsMargins(kMarkRoom, 0, 8, 0);
    leftRow->setSpacing(0);
    m_menus->setNativeMenuBar(false);
    m_menus->setSizePolicy(QSizePolicy::Minimum, QSizePolicy::Preferred);
    m_menus->setFixedHeight(28);
    theme::setText(*m_menus, theme::Role::Control, theme::TextColor::Text2);
    leftRow->addWidget(m_menus, 0, Qt::AlignVCenter);
    auto* line = new theme::Hairline(Qt::Vertical, left);
    line->setFixedHeight(22);
    leftRow->addSpacing(8);
    leftRow->addWidget(line);
    leftRow->addWidget(m_mesh);
    leftRow->addStretch();

    auto* right = new QWidget(this);
    auto* rightRow = new QHBoxLayout(right);
    rightRow->setContentsMargins(8, 0, 8, 0);
    rightRow->setSpacing(6);
    rightRow->addStretch();
    for (QToolButton* button : {m_undo, m_redo}) {
        theme::setButtonRole(*button, theme::ButtonRole::Ghost);
        button->setFixedSize(28, 28);
        rightRow->addWidget(button);
    }
    m_undo->setIcon(theme::icon(QStringLiteral("undo")));
    m_redo->setIcon(theme::icon(QStringLiteral("redo")));
    m_undo->setAccessibleName(tr("Undo"));
    m_redo->setAccessibleName(tr("Redo"));
    m_undo->setObjectName(QStringLiteral("undo"));
    m_redo->setObjectName(QStringLiteral("redo"));
    theme::setButtonRole(*m_discard, theme::ButtonRole::Ghost);
    m_discard->setObjectName(QStringLiteral("discard"));
    m_review->setObjectName(QStringLiteral("review"));
    m_review->setIcon(theme::icon(QStringLiteral("pencil")));
    m_push->setObjectName(QStringLiteral("push"));
    m_push->setIcon(theme::icon(QStringLiteral("push")));
    for (QPushButton* button : {m_discard, m_review, m_push}) {
        button->setIconSize({14, 14});
        rightRow->addWidget(button);
    }

    m_locator->setFixedHeight(28);
    m_locator->setMinimumWidth(160);
    m_locator->setMaximumWidth(kLocatorWidth);
    m_locator->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    row->addWidget(left, 1);
    row->addWidget(m_locator, 2);
    row->addWidget(right, 1);
    setChanges(0);
    setTabOrder(m_mesh, m_locator);
    setTabOrder(m_locator, m_undo);
}

void TopBar::setDraftActions(
    QAction* undo, QAction* redo, QAction* discard, QAction* review, QAction* push
)
{
    bind(*m_undo, *undo);
    bind(*m_redo, *redo);
    bind(*m_discard, *discard);
    bind(*m_review, *review);
    bind(*m_push, *push);
    const auto show = [this, discard] { m_discard->setVisible(discard->isEnabled()); };
    connect(discard, &QAction::changed, this, show);
    show();
}

void TopBar::setChanges(int count)
{
    m_review->setText(count > 0 ? tr("Review  %1").arg(count) : tr("Review"));
    m_review->setAccessibleName(
        count > 0 ? tr("Review %n changes", nullptr, count) : tr("Review, no changes")
    );
    m_review->setProperty("pending", count > 0);
    const QColor& accent = theme::tokens().accent;
    const QString pencil = QStringLiteral("pencil");
    m_review->setIcon(count > 0 ? theme::icon(pencil, accent) : QIcon());
    m_review->update();
}

void TopBar::paintEvent(QPaintEvent* event)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const theme::Tokens& tokens = theme::tokens();
    painter.fillRect(event->rect(), tokens.chrome);
    painter.fillRect(0, height() - 1, width(), 1, tokens.border);
    const QRectF mark((64 - kMark) / 2.0, (kBarHeight - kMark) / 2.0, kMark, kMark);
    pages::drawMark(painter, mark);
}

} // namespace mesh::shell
