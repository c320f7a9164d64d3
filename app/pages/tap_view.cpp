#include "app/pages/tap_view.h"

#include "app/bridge/find_subjects.h"
#include "app/bridge/mesh_session.h"
#include "app/bridge/session_records.h"
#include "app/bridge/view_context.h"
#include "app/pages/find_field.h"
#include "app/pages/list_pages.h"
#include "app/pages/rows_table.h"
#include "app/pages/texts.h"
#include "app/theme/controls.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QLabel>
#include <QPainter>
#include <QPaintEvent>
#include <QPointer>
#include <QPushButton>
#include <QSet>
#include <QSplitter>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <iterator>

namespace mesh::pages {

namespace {

constexpr std::size_t kRowsShown = 500;
constexpr std::int64_t kSecond_us = 1'000'000;

QString keyOf(const bridge::TapRow& request)
{
    return request.requestId + QString::number(request.time_us) + request.node;
}

TableRow rowOf(const bridge::TapRow& request)
{
    const bool isBad = request.status == 0 || request.status >= 500;
    TableRow row;
    row.key = keyOf(request);
    row.cells = {
        {clockText(request.time_us)},
        {request.node},
        {request.source},
        {request.status > 0 ? QString::number(request.status) : QStringLiteral("–"),
         isBad ? static_cast<int>(theme::State::Failure) : -1,
         -1,
         request.failure},
        {QStringLiteral("%1 %2%3").arg(request.method, request.host, request.path)},
        {request.service},
        {request.target},
        {QString::number(request.attempts)},
        {millisecondsText(request.latency_ms)}};
    return row;
}

} // namespace

TapView::TapView(bridge::MeshSession& session, Form form, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
{
    setObjectName(form == Form::Page ? QStringLiteral("tapPage") : QStringLiteral("tapPane"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(makeBar(form));
    column->addWidget(new theme::Hairline(Qt::Horizontal, this));
    auto* splitter = new QSplitter(Qt::Horizontal, this);
    splitter->setHandleWidth(1);
    splitter->setChildrenCollapsible(false);
    m_table = makeRequestsTable(splitter);
    m_detail = new TapDetail(splitter);
    m_detail->hide();
    splitter->setStretchFactor(0, 1);
    splitter->setSizes({900, 420});
    column->addWidget(splitter, 1);
    connect(m_table, &RowsTable::keyActivated, this, &TapView::openRequest);
    connect(m_table, &RowsTable::keySelected, this, [this](const QString& key) {
        if (m_detail->isVisible()) {
            openRequest(key);
        }
    });
    connect(m_detail, &TapDetail::closeRequested, m_detail, &QWidget::hide);
    connect(m_detail, &TapDetail::filterRequested, this, [this](const QString& term) {
        m_find->narrow(term);
    });
    connect(m_detail, &TapDetail::routeTestRequested, this, [this] {
        Q_EMIT routeTestRequested(m_detail->request());
    });
    connect(&session.context(), &bridge::ViewContext::timeChanged, this, &TapView::onTime);
    connect(&session, &bridge::MeshSession::tapChanged, this, &TapView::onTap);
    connect(&session, &bridge::MeshSession::documentChanged, this, &TapView::onTap);
}

QWidget* TapView::makeBar(Form form)
{
    auto* bar = new QWidget(this);
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(14, 5, 12, 5);
    row->setSpacing(8);
    if (form == Form::Page) {
        auto* title = new QLabel(tr("Tap"), bar);
        theme::setText(*title, theme::Role::BodyStrong);
        row->addWidget(title);
        row->addSpacing(6);
    }
    m_find =
        new FindField(m_session, static_cast<bridge::FindScopes>(bridge::FindScope::Request), bar);
    m_find->setObjectName(QStringLiteral("tapFind"));
    m_find->setAccessibleName(tr("Filter requests"));
    m_find->setPlaceholderText(tr("Filter: service = cart and status >= 500"));
    m_find->setNames([this] { return namesShown(); });
    m_find->setPresets(
        {QStringLiteral("status >= 500"),
         QStringLiteral("latency > 500ms"),
         QStringLiteral("retry"),
         QStringLiteral("header:user-agent contains curl")}
    );
    m_find->setMaximumWidth(520);
    connect(m_find, &FindField::expressionChanged, this, &TapView::onFilter);
    row->addWidget(m_find, 2);
    m_pause = new QPushButton(theme::icon(QStringLiteral("pause")), tr("Pause"), bar);
    m_pause->setObjectName(QStringLiteral("tapPause"));
    m_pause->setCheckable(true);
    m_pause->setFixedHeight(24);
    connect(m_pause, &QPushButton::toggled, this, [this](bool isPaused) {
        m_pause->setText(isPaused ? tr("Resume") : tr("Pause"));
        m_pause->setIcon(theme::icon(isPaused ? QStringLiteral("play") : QStringLiteral("pause")));
        isPaused ? onTap() : refresh();
    });
    row->addWidget(m_pause);
    m_new = new theme::Chip({}, bar);
    m_new->setObjectName(QStringLiteral("tapNew"));
    m_new->setToolTip(tr("Show them"));
    m_new->hide();
    connect(m_new, &QAbstractButton::clicked, this, &TapView::refresh);
    row->addWidget(m_new);
    row->addStretch(1);
    m_count = new QLabel(bar);
    m_count->setObjectName(QStringLiteral("tapCount"));
    theme::setText(*m_count, theme::Role::Caption, theme::TextColor::Text3);
    row->addWidget(m_count);
    const bool isPage = form == Form::Page;
    auto* size = new QToolButton(bar);
    size->setObjectName(QStringLiteral("tapSize"));
    size->setIcon(theme::icon(isPage ? QStringLiteral("close") : QStringLiteral("fit")));
    size->setToolTip(isPage ? tr("Back to the mode") : tr("Show Tap as a page"));
    size->setAccessibleName(size->toolTip());
    theme::setButtonRole(*size, theme::ButtonRole::Ghost);
    connect(
        size,
        &QToolButton::clicked,
        this,
        isPage ? &TapView::closeRequested : &TapView::pageRequested
    );
    row->addWidget(size);
    return bar;
}

void TapView::setFilter(const QString& text) { m_find->setText(text); }

QString TapView::filter() const { return m_find->text(); }

bool TapView::isHeld() const
{
    return m_pause->isChecked() || (m_table->isVisible() && m_table->underMouse());
}

std::vector<const bridge::TapRow*> TapView::matching(const bridge::FindLanguage& find) const
{
    std::vector<const bridge::TapRow*> found;
    const auto& tap = requests();
    for (auto request = tap.rbegin(); request != tap.rend(); ++request) {
        const bool isWanted =
            find.isEmpty() || !find.isValid() || find.matches(bridge::RequestSubject(*request));
        if (isWanted) {
            found.push_back(&*request);
        }
    }
    return found;
}

bool TapView::isLive() const { return m_session.context().timeMode() == bridge::TimeMode::Live; }

const std::vector<bridge::TapRow>& TapView::requests() const
{
    return isLive() ? m_session.tap() : m_past;
}

QStringList TapView::namesShown() const
{
    QSet<QString> names;
    for (const bridge::TapRow& request : requests()) {
        names << request.service << request.route << request.node << request.host << request.source;
    }
    names.remove(QString());
    QStringList sorted(names.begin(), names.end());
    sorted.sort(Qt::CaseInsensitive);
    return sorted;
}

// Headers travel only when somebody asks for them.
void TapView::onFilter()
{
    if (m_find->language().isValid()) {
        const QStringList headers = m_find->language().keysOf(bridge::FindOperand::Header);
        if (!headers.isEmpty()) {
            m_session.wantTapHeaders(headers);
        }
    }
    refresh();
}

// What was seen goes back as far as the tap; what was before that the document tells a little
// later.
void TapView::onTime()
{
    const int asked = ++m_pastAsked;
    m_past.clear();
    if (!isVisible()) {
        return; // Showing it comes here.
    }
    if (isLive()) {
        refresh();
        return;
    }
    const std::int64_t cursor_us = m_session.context().cursor_us();
    const auto& seen = m_session.tap();
    std::ranges::copy_if(seen, std::back_inserter(m_past), [cursor_us](const auto& request) {
        return request.time_us <= cursor_us;
    });
    refresh();
    const std::int64_t begin_us = cursor_us - m_session.context().window_s() * kSecond_us;
    const std::int64_t end_us =
        seen.empty() ? cursor_us + 1 : std::min(cursor_us + 1, seen.front().time_us);
    if (begin_us >= end_us) {
        return;
    }
    m_session.records().askSamples(
        begin_us,
        end_us,
        kRowsShown,
        [this, asked, guard = QPointer<TapView>(this)](const std::vector<bridge::TapRow>& kept) {
            if (guard && asked == m_pastAsked) {
                m_past.insert(m_past.begin(), kept.begin(), kept.end());
                refresh();
            }
        }
    );
}

void TapView::onTap()
{
    if (!isVisible() || !isLive()) {
        return; // Showing it refreshes; the past has no more requests than it had.
    }
    if (!isHeld()) {
        refresh();
        return;
    }
    const auto found = matching(m_find->language());
    const auto last = std::find_if(found.begin(), found.end(), [this](const auto* request) {
        return keyOf(*request) == m_newestKey;
    });
    const auto count = static_cast<int>(last - found.begin());
    m_new->setText(tr("%n new", nullptr, count));
    m_new->setAccessibleName(m_new->text());
    m_new->setVisible(count > 0);
}

void TapView::refresh()
{
    std::vector<const bridge::TapRow*> found = matching(m_find->language());
    const std::size_t count = found.size();
    m_find->setMatches(static_cast<int>(count), static_cast<int>(requests().size()));
    if (found.size() > kRowsShown) {
        found.resize(kRowsShown);
    }
    showRows(found, count);
    m_new->hide();
}

void TapView::showRows(const std::vector<const bridge::TapRow*>& rows, std::size_t matching)
{
    std::vector<TableRow> cells;
    m_shown.clear();
    for (const bridge::TapRow* request : rows) {
        cells.push_back(rowOf(*request));
        m_shown.emplace(cells.back().key, *request);
    }
    m_newestKey = rows.empty() ? QString() : keyOf(*rows.front());
    m_table->setRows(std::move(cells));
    const std::size_t all = requests().size();
    const QString sampled = isLive()
                                ? tr("a sample of each node's requests")
                                : tr("until %1").arg(dateTimeText(m_session.context().cursor_us()));
    m_count->setText(
        rows.size() < matching
            ? tr("the newest %1 of %2 that match · %3").arg(rows.size()).arg(matching).arg(sampled)
        : matching < all ? tr("%1 of %2 · %3").arg(matching).arg(all).arg(sampled)
                         : tr("%1 · %2").arg(all).arg(sampled)
    );
}

void TapView::openRequest(const QString& key)
{
    const auto found = m_shown.find(key);
    if (found != m_shown.end()) {
        m_detail->setRequest(found->second);
        m_detail->show();
    }
}

void TapView::paintEvent(QPaintEvent* event)
{
    QPainter painter(this);
    painter.fillRect(event->rect(), theme::tokens().panel);
}

void TapView::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    if (!isLive()) {
        onTime();
    } else if (!m_pause->isChecked()) {
        refresh();
    }
}

} // namespace mesh::pages
