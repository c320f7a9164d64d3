#include "app/pages/first_run_page.h"

#include "app/pages/brand.h"
#include "app/pages/demo_guide.h"
#include "app/pages/step_number.h"
#include "app/theme/controls.h"
#include "app/theme/tables.h"
#include "app/theme/theme.h"

#include <QDateTime>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QEvent>
#include <QHeaderView>
#include <QLabel>
#include <QLocale>
#include <QMimeData>
#include <QPainter>
#include <QPushButton>
#include <QScrollArea>
#include <QShortcut>
#include <QTableWidget>
#include <QUrl>
#include <QVBoxLayout>

namespace mesh::pages {
namespace {

constexpr int kColumnWidth = 1056;
constexpr int kGap = 24;
constexpr int kCardWidth = 336;
constexpr int kCardHeight = 346;
constexpr int kRing = 3; // The focus ring lies around the card.
constexpr int kPictureHeight = 150;
constexpr int kRecentRows = 5;
constexpr int kRecentRow = 34; // Height.

QString dayOf(std::int64_t time_us)
{
    const QDateTime when = QDateTime::fromMSecsSinceEpoch(time_us / 1000);
    const qint64 days = when.date().daysTo(QDate::currentDate());
    const QString clock = QLocale().toString(when.time(), QStringLiteral("HH:mm"));
    if (days == 0) {
        return FirstRunPage::tr("today, %1").arg(clock);
    }
    if (days == 1) {
        return FirstRunPage::tr("yesterday, %1").arg(clock);
    }
    if (days < 7) {
        return QLocale().toString(when.date(), QStringLiteral("dddd"));
    }
    return QLocale().toString(when.date(), QStringLiteral("d MMM"));
}

QString holdsOf(const RecentDocument& document)
{
    const QString services = FirstRunPage::tr("%n services", nullptr, document.services);
    const QString nodes = FirstRunPage::tr("%n nodes", nullptr, document.nodes);
    return FirstRunPage::tr("%1, %2").arg(services, nodes);
}

class Mark : public QWidget
{
public:
    explicit Mark(QWidget* parent)
        : QWidget(parent)
    {
        setFixedSize(40, 36);
    }

protected:
    void paintEvent(QPaintEvent* event) override
    {
        Q_UNUSED(event)
        QPainter painter(this);
        drawMark(painter, QRectF(0, 0, 40, 36));
    }
};

} // namespace

DoorCard::DoorCard(Door door, QWidget* parent)
    : QWidget(parent)
    , m_door(door)
    , m_button(new QPushButton(this))
{
    setFixedHeight(kCardHeight + 2 * kRing);
    setMinimumWidth(220);
    setMaximumWidth(kCardWidth + 2 * kRing);
    m_button->installEventFilter(this);
    switch (door) {
    case Door::Demo:
        m_button->setText(tr("Start demo"));
        m_button->setObjectName(QStringLiteral("startDemo"));
        theme::setButtonRole(*m_button, theme::ButtonRole::Primary);
        layOut(
            tr("Start the demo mesh"),
            tr("Eleven services behind real proxies on this computer, with traffic and one "
               "instance that misbehaves. Find it, fix it, push, undo."),
            tr("live in under 10 s")
        );
        break;
    case Door::Connect:
        m_button->setText(tr("Connect…"));
        m_button->setObjectName(QStringLiteral("connectNode"));
        layOut(
            tr("Connect a node"),
            tr("Point at a running node’s admin address. Its configuration opens here, its "
               "services appear as they talk, and changes go back to it."),
            tr("HTTP or a UNIX socket")
        );
        break;
    case Door::Import:
        m_button->setText(tr("Choose a file…"));
        m_button->setObjectName(QStringLiteral("importFile"));
        layOut(
            tr("Import configuration"),
            tr("Read a declarative gateway file in YAML or JSON, or a captured state. Anything "
               "that cannot be carried over is listed line by line."),
            tr("or drop it here")
        );
        break;
    }
}

void DoorCard::layOut(const QString& title, const QString& text, const QString& hint)
{
    setAccessibleName(title);
    m_button->setAccessibleName(title);
    m_button->setToolTip(tr("%1 (%2)").arg(title).arg(static_cast<int>(m_door) + 1));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(24, kPictureHeight + 17, 23, 22);
    column->setSpacing(0);
    auto* head = new QHBoxLayout;
    auto* name = new QLabel(title, this);
    theme::setText(*name, theme::Role::Title);
    name->setWordWrap(true);
    head->addWidget(name, 1);
    head->addWidget(new theme::KeyCap(QString::number(static_cast<int>(m_door) + 1), this));
    column->addLayout(head);
    column->addSpacing(6);
    auto* body = new QLabel(
        QStringLiteral("<div style=\"line-height:122%\">%1</div>").arg(text.toHtmlEscaped()), this
    );
    theme::setText(*body, theme::Role::Body, theme::TextColor::Text2);
    body->setWordWrap(true);
    column->addWidget(body);
    column->addStretch();
    auto* foot = new QHBoxLayout;
    foot->setSpacing(10);
    m_button->setFixedHeight(32);
    foot->addWidget(m_button);
    auto* note = new QLabel(hint, this);
    theme::setText(*note, theme::Role::Caption, theme::TextColor::Text3);
    foot->addWidget(note);
    foot->addStretch();
    column->addLayout(foot);
}

void DoorCard::paintEvent(QPaintEvent* event)
{
    Q_UNUSED(event)
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const theme::Tokens& tokens = theme::tokens();
    const bool isMain = m_door == Door::Demo;
    const bool isLit = m_button->hasFocus() || (isMain && !window()->focusWidget());
    const QRectF frame = QRectF(rect()).adjusted(3.5, 3.5, -3.5, -3.5);
    if (isLit || isMain) {
        QColor ring = tokens.accent;
        ring.setAlpha(tokens.focusRingAlpha);
        painter.setPen(QPen(ring, 3));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(QRectF(rect()).adjusted(1.5, 1.5, -1.5, -1.5), 11, 11);
    }
    painter.setPen(isLit || isMain ? tokens.accent : tokens.borderInput);
    painter.setBrush(tokens.panel);
    painter.drawRoundedRect(frame, 10, 10);
    painter.save();
    painter.setClipRect(QRectF(0, 0, width(), kPictureHeight));
    painter.setBrush(tokens.canvas);
    painter.drawRoundedRect(frame, 10, 10);
    painter.restore();
    painter.fillRect(QRectF(3, kPictureHeight, width() - 6, 1), tokens.border);
    const QRectF picture(0, 2, width(), kPictureHeight - 2);
    if (m_door == Door::Demo) {
        drawDemoPicture(painter, picture);
    } else if (m_door == Door::Connect) {
        drawConnectPicture(painter, picture);
    } else {
        drawImportPicture(painter, picture);
    }
}

void DoorCard::mousePressEvent(QMouseEvent* event)
{
    Q_UNUSED(event)
    m_button->setFocus(Qt::MouseFocusReason);
}

bool DoorCard::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut) {
        update();
    }
    return QWidget::eventFilter(watched, event);
}

FirstRunPage::FirstRunPage(QWidget* parent)
    : QWidget(parent)
    , m_message(new QLabel(this))
{
    setAcceptDrops(true);
    setAccessibleName(tr("First steps"));
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    auto* scroll = new QScrollArea(this);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->viewport()->setAutoFillBackground(false);
    outer->addWidget(scroll);
    auto* page = new QWidget(scroll);
    page->setAutoFillBackground(false);
    scroll->setWidget(page);
    page->setAutoFillBackground(false); // setWidget() switches it on; the canvas is ours.
    auto* row = new QHBoxLayout(page);
    row->setContentsMargins(24, 0, 24, 0);
    row->addStretch(1);
    auto* body = new QWidget(page);
    body->setMaximumWidth(kColumnWidth + 6);
    row->addWidget(body, 1000);
    row->addStretch(1);

    auto* column = new QVBoxLayout(body);
    column->setContentsMargins(0, 79, 0, 24);
    column->setSpacing(0);
    column->addWidget(makeHead());
    column->addSpacing(29);
    auto* cards = new QHBoxLayout;
    cards->setSpacing(kGap - 2 * kRing);
    for (const Door door : {Door::Demo, Door::Connect, Door::Import}) {
        auto* card = new DoorCard(door, body);
        cards->addWidget(card, 1);
        m_doors[static_cast<std::size_t>(door)] = card;
        connect(&card->button(), &QPushButton::clicked, this, [this, door] {
            Q_EMIT doorOpened(door);
        });
        auto* key = new QShortcut(QKeySequence(Qt::Key_1 + static_cast<int>(door)), this);
        key->setContext(Qt::WidgetWithChildrenShortcut);
        connect(key, &QShortcut::activated, &card->button(), &QPushButton::click);
    }
    column->addLayout(cards);
    theme::setText(*m_message, theme::Role::Body, theme::TextColor::Failure);
    m_message->setWordWrap(true);
    m_message->setContentsMargins(3, 6, 0, 0);
    m_message->hide();
    column->addWidget(m_message);
    column->addSpacing(29);
    auto* below = new QHBoxLayout;
    below->setContentsMargins(kRing, 0, kRing, 0);
    below->setSpacing(kGap);
    below->addWidget(makeRecent(), 2, Qt::AlignTop);
    below->addWidget(makeSteps(), 1, Qt::AlignTop);
    column->addLayout(below);
    column->addStretch();
}

QWidget* FirstRunPage::makeHead()
{
    auto* head = new QWidget(this);
    auto* row = new QHBoxLayout(head);
    row->setContentsMargins(4, 0, 0, 0);
    row->setSpacing(14);
    row->addWidget(new Mark(head));
    auto* words = new QVBoxLayout;
    words->setSpacing(6);
    auto* title = new QLabel(tr("See your services talk. Rehearse before they fail."), head);
    theme::setText(*title, theme::Role::Display);
    title->setWordWrap(true);
    words->addWidget(title);
    auto* line = new QLabel(
        tr("Everything stays in one file on this computer. No account, no cloud."), head
    );
    theme::setText(*line, theme::Role::Body, theme::TextColor::Text2);
    words->addWidget(line);
    row->addLayout(words, 1);
    return head;
}

QWidget* FirstRunPage::makeRecent()
{
    auto* part = new QWidget(this);
    auto* column = new QVBoxLayout(part);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(6);
    auto* head = new QHBoxLayout;
    auto* title = new QLabel(tr("Recent"), part);
    theme::setText(*title, theme::Role::BodyStrong);
    head->addWidget(title);
    head->addStretch();
    auto* other = new QLabel(
        QStringLiteral("<a href=\"open\" style=\"text-decoration:none\">%1</a>")
            .arg(tr("Open other…")),
        part
    );
    other->setObjectName(QStringLiteral("openOther"));
    other->setAccessibleName(tr("Open another document"));
    other->setTextInteractionFlags(Qt::LinksAccessibleByMouse | Qt::LinksAccessibleByKeyboard);
    other->setFocusPolicy(Qt::StrongFocus);
    theme::setText(*other, theme::Role::Control, theme::TextColor::Accent);
    connect(other, &QLabel::linkActivated, this, &FirstRunPage::openOther);
    head->addWidget(other);
    head->addWidget(new theme::KeyCap(tr("Ctrl O"), part));
    column->addLayout(head);
    auto* frame = new theme::Card(part, 6);
    auto* inside = new QVBoxLayout(frame);
    inside->setContentsMargins(1, 1, 1, 1);
    inside->setSpacing(0);
    m_recent = new QTableWidget(0, 4, frame);
    m_recent->setObjectName(QStringLiteral("recent"));
    m_recent->setAccessibleName(tr("Recent documents"));
    m_recent->setHorizontalHeaderLabels({tr("Mesh"), tr("Holds"), tr("Last revision"), tr("Opened")}
    );
    theme::applyTableDefaults(*m_recent);
    m_recent->horizontalHeader()->setFont(theme::font(theme::Role::Caption));
    m_recent->verticalHeader()->setDefaultSectionSize(kRecentRow);
    m_recent->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    m_recent->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_recent->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    connect(m_recent, &QTableWidget::cellActivated, this, [this](int line, int) {
        Q_EMIT documentChosen(m_documents[static_cast<std::size_t>(line)].path);
    });
    m_recent->setFrameShape(QFrame::NoFrame);
    inside->addWidget(m_recent);
    m_noRecent = new QLabel(tr("Nothing yet. Documents that were opened are listed here."), frame);
    m_noRecent->setContentsMargins(14, 9, 14, 9);
    theme::setText(*m_noRecent, theme::Role::Small, theme::TextColor::Text3);
    inside->addWidget(m_noRecent);
    column->addWidget(frame);
    setRecent({});
    return part;
}

QWidget* FirstRunPage::makeSteps()
{
    auto* part = new QWidget(this);
    auto* column = new QVBoxLayout(part);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(6);
    part->setMaximumWidth(kCardWidth);
    auto* title = new QLabel(tr("In the demo, five steps"), part);
    theme::setText(*title, theme::Role::BodyStrong);
    title->setFixedHeight(22);
    column->addWidget(title);
    auto* card = new theme::Card(part, 6);
    auto* lines = new QVBoxLayout(card);
    lines->setContentsMargins(15, 9, 15, 9);
    lines->setSpacing(7);
    const QStringList steps = demoSteps();
    for (int i = 0; i < steps.size(); ++i) {
        auto* line = new QHBoxLayout;
        line->setSpacing(9);
        line->addWidget(new StepNumber(i + 1, card));
        auto* text = new QLabel(steps[i], card);
        theme::setText(*text, theme::Role::Small, theme::TextColor::Text2);
        line->addWidget(text, 1);
        lines->addLayout(line);
    }
    column->addWidget(card);
    return part;
}

void FirstRunPage::setRecent(const std::vector<RecentDocument>& recent)
{
    m_documents = recent;
    const int rows = static_cast<int>(std::min<std::size_t>(recent.size(), kRecentRows));
    m_recent->setRowCount(rows);
    for (int i = 0; i < rows; ++i) {
        const RecentDocument& document = recent[static_cast<std::size_t>(i)];
        const QString name =
            document.environment.isEmpty()
                ? document.name
                : QStringLiteral("%1   %2").arg(document.name, document.environment);
        const QString revision =
            document.revision > 0
                ? tr("%1, %2").arg(document.revision).arg(dayOf(document.revisionTime_us))
                : QStringLiteral("–");
        const QStringList cells = {name, holdsOf(document), revision, dayOf(document.opened_us)};
        for (int column = 0; column < cells.size(); ++column) {
            auto* item = new QTableWidgetItem(cells[column]); // The table owns it.
            item->setToolTip(document.path);
            item->setData(theme::kStrongRole, column == 0);
            if (column == cells.size() - 1) {
                item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
            }
            m_recent->setItem(i, column, item);
        }
    }
    m_noRecent->setVisible(rows == 0);
    m_recent->setFocusPolicy(rows > 0 ? Qt::StrongFocus : Qt::NoFocus);
    m_recent->setFixedHeight(theme::metrics().header + rows * kRecentRow);
}

void FirstRunPage::setMessage(const QString& text)
{
    m_message->setText(text);
    m_message->setVisible(!text.isEmpty());
}

void FirstRunPage::focusFirstDoor() { m_doors[0]->button().setFocus(Qt::OtherFocusReason); }

void FirstRunPage::dragEnterEvent(QDragEnterEvent* event)
{
    if (event->mimeData()->hasUrls()) {
        event->acceptProposedAction();
    }
}

void FirstRunPage::dropEvent(QDropEvent* event)
{
    const QList<QUrl> urls = event->mimeData()->urls();
    if (!urls.isEmpty() && urls.first().isLocalFile()) {
        Q_EMIT fileDropped(urls.first().toLocalFile());
    }
}

void FirstRunPage::paintEvent(QPaintEvent* event)
{
    QPainter painter(this);
    painter.fillRect(event->rect(), theme::tokens().canvas);
}

} // namespace mesh::pages
