#include "app/pages/inspector.h"

#include "app/bridge/mesh_session.h"
#include "app/bridge/policy_words.h"
#include "app/bridge/view_context.h"
#include "app/charts/time_chart.h"
#include "app/pages/inspector_tables.h"
#include "app/pages/instance_actions.h"
#include "app/pages/policy_notes.h"
#include "app/pages/rows_table.h"
#include "app/pages/texts.h"
#include "app/theme/controls.h"
#include "app/theme/figures.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QDateTime>
#include <QLabel>
#include <QPainter>
#include <QPaintEvent>
#include <QPushButton>
#include <QScrollArea>
#include <QStackedWidget>
#include <QTabBar>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <iterator>
#include <limits>

namespace mesh::pages {
namespace {

constexpr int kInspectorWidth = 344;
constexpr int kMargin = 16;
constexpr std::int64_t kChartSpanMax_us = 10LL * 60 * 1'000'000;
constexpr std::int64_t kChartSpanMin_us = 60LL * 1'000'000;
constexpr int kInstanceRowsMax = 5;
constexpr int kServiceRowsMax = 12;
constexpr double kFailureRatio = 10; // Per cent; the health rule's threshold on the chart.

std::int64_t nowOf(const bridge::MeshSession& session)
{
    const bridge::ViewContext& context = session.context();
    if (context.timeMode() != bridge::TimeMode::Live) {
        return context.cursor_us();
    }
    const std::int64_t time = session.topology().time_us;
    return time > 0 ? time : QDateTime::currentMSecsSinceEpoch() * 1000;
}

// What the charts show: all that was recorded, from one to ten minutes.
charts::TimeSpan spanOf(const bridge::MeshSession& session)
{
    const std::int64_t now = nowOf(session);
    const std::int64_t begin = session.recordedRange_us().first;
    const std::int64_t held = begin > 0 && begin < now ? now - begin : kChartSpanMax_us;
    return {now - std::clamp(held, kChartSpanMin_us, kChartSpanMax_us), now};
}

// The part before "of" is the finding, the rest its evidence.
QString stressed(const QString& why)
{
    const qsizetype cut = why.indexOf(QStringLiteral(" of "));
    if (cut < 0) {
        return why.toHtmlEscaped();
    }
    return QStringLiteral("<b>%1</b>%2")
        .arg(why.left(cut).toHtmlEscaped(), why.mid(cut).toHtmlEscaped());
}

QString edgeLine(const bridge::EdgeRow& edge)
{
    if (!edge.isTcp) {
        return Inspector::tr("calls from one service to another");
    }
    const QString protocol = edge.protocol.isEmpty() ? QStringLiteral("TCP") : edge.protocol;
    return edge.protocol == QStringLiteral("UDP") ? Inspector::tr("UDP sessions")
                                                  : Inspector::tr("%1 connections").arg(protocol);
}

std::vector<bridge::TapRow> failedRequests(const std::vector<bridge::TapRow>& tap)
{
    std::vector<bridge::TapRow> failed;
    std::copy_if(tap.begin(), tap.end(), std::back_inserter(failed), [](const auto& request) {
        return request.status >= 500 || request.status == 0;
    });
    return failed;
}

// Several faults of one subject at once are one band from the first to the last of them; faults
// with quiet between them are bands of their own.
void joinFaults(std::vector<bridge::Marker>& markers)
{
    std::vector<bridge::Marker> joined;
    for (bridge::Marker& marker : markers) {
        const auto endOf = [](const bridge::Marker& fault) {
            return fault.end_us == 0 ? std::numeric_limits<std::int64_t>::max() : fault.end_us;
        };
        const auto open = std::find_if(joined.rbegin(), joined.rend(), [&](const auto& other) {
            return marker.kind == bridge::Marker::Kind::Fault && other.kind == marker.kind
                   && marker.begin_us <= endOf(other);
        });
        if (open == joined.rend()) {
            joined.push_back(std::move(marker));
            continue;
        }
        if (endOf(marker) > endOf(*open)) {
            open->end_us = marker.end_us;
        }
        open->detail += QStringLiteral(", ") + marker.detail;
    }
    markers = std::move(joined);
}

// Revisions, ejections, what policies do, and a band for each time of faults, of the subject or of
// the mesh: more would cover the lines.
void keepForCharts(std::vector<bridge::Marker>& markers, const QString& subject)
{
    using Kind = bridge::Marker::Kind;
    std::erase_if(markers, [&](const bridge::Marker& marker) {
        const bool isOurs = marker.subject.isEmpty() || marker.subject == subject;
        const bool isWanted = marker.kind == Kind::Fault || marker.kind == Kind::Revision
                              || marker.kind == Kind::Ejection
                              || ((marker.kind == Kind::Policy || marker.kind == Kind::Push)
                                  && bridge::isOnAxis(marker));
        return !isOurs || !isWanted;
    });
    for (bridge::Marker& marker : markers) {
        if (marker.kind == Kind::Fault) {
            marker.label = Inspector::tr("fault");
        }
    }
    joinFaults(markers);
    shortenLabels(markers);
}

} // namespace

Inspector::Inspector(bridge::MeshSession& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_head(new InspectorHead(this))
    , m_tabs(new QTabBar(this))
    , m_pages(new QStackedWidget(this))
{
    setObjectName(QStringLiteral("inspector"));
    setAccessibleName(tr("Inspector"));
    setMinimumWidth(300);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(1, 12, 0, 12);
    column->setSpacing(0);
    auto* top = new QVBoxLayout;
    top->setContentsMargins(kMargin, 0, kMargin, 0);
    top->setSpacing(9);
    top->addWidget(m_head);
    top->addWidget(makeWhy());
    m_notes = new PolicyNotes(PolicyNotes::Style::Brief, this);
    m_notes->hide();
    top->addWidget(m_notes);
    top->addWidget(makeFigures());
    column->addLayout(top);
    column->addSpacing(8);
    setFocusProxy(m_tabs); // Where Enter on the graph goes.
    m_tabs->setObjectName(QStringLiteral("inspectorTabs"));
    m_tabs->setAccessibleName(tr("What the inspector shows"));
    m_tabs->setDrawBase(false);
    m_tabs->setExpanding(false);
    m_tabs->setUsesScrollButtons(false);
    m_tabs->setElideMode(Qt::ElideNone);
    for (const QString& title :
         {tr("Metrics"), tr("Routes"), tr("Endpoints"), tr("Policy"), tr("Tap"), tr("History")}) {
        m_tabs->addTab(title);
    }
    auto* tabRow = new QHBoxLayout;
    tabRow->setContentsMargins(kMargin - 8, 0, 0, 0);
    tabRow->addWidget(m_tabs);
    tabRow->addStretch();
    column->addLayout(tabRow);
    column->addWidget(new theme::Hairline(Qt::Horizontal, this));
    m_pages->addWidget(makeMetrics());
    m_routes = makeRoutesTable(m_pages);
    m_pages->addWidget(m_routes);
    m_pages->addWidget(makeEndpoints());
    m_pages->addWidget(makePolicy());
    m_tap = makeTapTable(m_pages);
    m_pages->addWidget(m_tap);
    m_history = makeHistoryTable(m_pages);
    m_pages->addWidget(m_history);
    column->addWidget(m_pages, 1);
    m_actions = new InstanceActions(session, this);
    column->addWidget(m_actions);
    connect(m_actions, &InstanceActions::editRequested, this, &Inspector::editRequested);
    connect(&m_head->menuButton(), &QToolButton::clicked, this, [this] {
        m_actions->showMenu(m_head->menuButton().mapToGlobal(QPoint(0, 28)));
    });
    connect(m_tabs, &QTabBar::currentChanged, this, [this](int tab) {
        m_isErrorsOnly = false;
        m_pages->setCurrentIndex(tab);
        refresh();
    });
    using bridge::MeshSession;
    connect(&session, &MeshSession::topologyChanged, this, &Inspector::refresh);
    connect(&session, &MeshSession::seriesReady, this, &Inspector::onSeries);
    connect(&session, &MeshSession::documentChanged, this, &Inspector::refresh);
    connect(&session, &MeshSession::faultsChanged, this, &Inspector::refresh);
    connect(&session, &MeshSession::tapChanged, this, &Inspector::refreshTap);
    connect(&session, &MeshSession::eventsChanged, this, &Inspector::refreshHistory);
    connect(&session.context(), &bridge::ViewContext::selectionChanged, this, &Inspector::refresh);
    connect(&session.context(), &bridge::ViewContext::timeChanged, this, &Inspector::refresh);
    refresh();
}

void Inspector::setTab(Tab tab) { m_tabs->setCurrentIndex(static_cast<int>(tab)); }

QSize Inspector::sizeHint() const { return {kInspectorWidth, 600}; }

QWidget* Inspector::makeWhy()
{
    m_why = new theme::Note(theme::State::NoData, this);
    auto* column = new QVBoxLayout(m_why);
    column->setContentsMargins(1, 0, 0, 1); // The note has its own padding.
    column->setSpacing(2);
    m_whyText = new QLabel(m_why);
    theme::setText(*m_whyText, theme::Role::Small);
    m_whyText->setWordWrap(true);
    m_whyText->setObjectName(QStringLiteral("why"));
    m_whyRule = new QLabel(m_why);
    theme::setText(*m_whyRule, theme::Role::Caption, theme::TextColor::Text2);
    m_whyRule->setWordWrap(true);
    column->addWidget(m_whyText);
    auto* below = new QHBoxLayout;
    below->setSpacing(8);
    below->addWidget(m_whyRule, 1);
    m_showErrors = new QPushButton(m_why);
    m_showErrors->setObjectName(QStringLiteral("showErrors"));
    m_showErrors->setToolTip(tr("Open the failed requests of it in Tap"));
    m_showErrors->setFixedHeight(22);
    m_showErrors->hide();
    connect(m_showErrors, &QPushButton::clicked, this, [this] {
        setTab(Tab::Tap);
        m_isErrorsOnly = true;
        refreshTap();
    });
    below->addWidget(m_showErrors);
    column->addLayout(below);
    return m_why;
}

QWidget* Inspector::makeFigures()
{
    auto* card = new theme::Card(this, 6);
    card->setFixedHeight(46);
    auto* row = new QHBoxLayout(card);
    row->setContentsMargins(11, 6, 6, 6);
    row->setSpacing(0);
    for (std::size_t i = 0; i < m_figures.size(); ++i) {
        if (i > 0) {
            row->addWidget(new theme::Hairline(Qt::Vertical, card));
            row->addSpacing(10);
        }
        auto* cell = new QVBoxLayout;
        cell->setSpacing(0);
        m_figureTitles[i] = new QLabel(card);
        theme::setText(*m_figureTitles[i], theme::Role::Caption, theme::TextColor::Text3);
        m_figures[i] = new theme::FigureLabel(theme::Role::Figure, card);
        cell->addWidget(m_figureTitles[i]);
        cell->addWidget(m_figures[i]);
        row->addLayout(cell, 1);
    }
    return card;
}

QWidget* Inspector::makeMetrics()
{
    auto* page = new QWidget(m_pages);
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(0, 6, 0, 0);
    column->setSpacing(2);
    const std::array<QString, 3> titles = {tr("Requests / s"), tr("Errors, %"), tr("Latency, ms")};
    const std::array<charts::ChartKind, 3> kinds = {
        charts::ChartKind::Requests, charts::ChartKind::Errors, charts::ChartKind::Latency};
    auto* chartColumn = new QVBoxLayout;
    chartColumn->setContentsMargins(kMargin, 0, kMargin, 0);
    chartColumn->setSpacing(4);
    for (std::size_t i = 0; i < m_charts.size(); ++i) {
        auto* chart = new charts::TimeChart(kinds[i], titles[i], page);
        chart->setAccessibleName(titles[i]);
        connect(chart, &charts::TimeChart::cursorMoved, this, &Inspector::setCursorTime);
        connect(chart, &charts::TimeChart::cursorMoved, this, &Inspector::cursorMoved);
        connect(
            chart,
            &charts::TimeChart::windowChosen,
            this,
            [this](const charts::TimeSpan& window) {
                m_session.context().showSpan(window.begin_us, window.end_us);
            }
        );
        chartColumn->addWidget(chart);
        m_charts[i] = chart;
    }
    m_charts[1]->setThreshold(kFailureRatio, tr("failure ≥ 10 %"));
    column->addLayout(chartColumn);
    column->addWidget(new theme::Hairline(Qt::Horizontal, page));
    auto* instances = new QVBoxLayout;
    instances->setContentsMargins(8, 0, 8, 0);
    instances->setSpacing(2);
    m_services = makeServiceTable(page);
    instances->addWidget(m_services);
    connect(m_services, &RowsTable::keyActivated, this, [this](const QString& id) {
        m_session.context().select(id);
    });
    m_instances = makeInstanceTable(page);
    instances->addWidget(m_instances);
    m_instanceReason = new QLabel(page);
    theme::setText(*m_instanceReason, theme::Role::Caption, theme::TextColor::Failure);
    m_instanceReason->setWordWrap(true);
    m_instanceReason->setContentsMargins(24, 2, 8, 0);
    instances->addWidget(m_instanceReason);
    column->addLayout(instances);
    column->addStretch();
    connect(m_instances, &RowsTable::keySelected, this, &Inspector::updateActions);
    connect(m_instances, &RowsTable::keySelected, this, &Inspector::instanceChosen);
    return page;
}

QWidget* Inspector::makeEndpoints()
{
    auto* page = new QWidget(m_pages);
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(8, 4, 8, 0);
    m_endpoints = makeEndpointTable(page);
    column->addWidget(m_endpoints);
    connect(m_endpoints, &RowsTable::keySelected, this, &Inspector::updateActions);
    connect(m_endpoints, &RowsTable::keySelected, this, &Inspector::instanceChosen);
    return page;
}

QWidget* Inspector::makePolicy()
{
    auto* page = new QWidget(m_pages);
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(0, 10, 0, 0);
    column->setSpacing(6);
    auto* words = new QVBoxLayout;
    words->setContentsMargins(kMargin, 0, kMargin, 4);
    words->setSpacing(4);
    const auto addTitle = [&](const QString& text, QVBoxLayout& into) {
        auto* title = new QLabel(text, page);
        theme::setText(*title, theme::Role::BodyStrong);
        into.addWidget(title);
    };
    addTitle(tr("Policies"), *words);
    m_policies = new PolicyNotes(PolicyNotes::Style::Full, page);
    words->addWidget(m_policies);
    words->addSpacing(6);
    addTitle(tr("Settings"), *words);
    column->addLayout(words);
    auto* table = new QVBoxLayout;
    table->setContentsMargins(8, 0, 8, 0);
    m_policy = makePolicyTable(page);
    table->addWidget(m_policy);
    column->addLayout(table, 1);
    return page;
}

void Inspector::refresh()
{
    if (!m_head->pinButton().isChecked()) {
        m_subject = m_session.context().selection();
    }
    const bridge::Topology& topology = m_session.topology();
    const bridge::EntityRow* entity = findEntity(topology, m_subject);
    const bridge::EdgeRow* edge = findEdge(topology, m_subject);
    if (entity == nullptr && edge == nullptr && !m_subject.isEmpty()) {
        m_subject.clear(); // It is gone: the inspector falls back to the mesh.
    }
    refreshHead(entity, edge);
    const bridge::Figures* figures = nullptr;
    bridge::HealthState state = bridge::HealthState::NoData;
    bridge::Figures whole;
    if (entity != nullptr) {
        figures = &entity->figures;
        state = entity->state;
    } else if (edge != nullptr) {
        figures = &edge->figures;
        state = edge->state;
    } else {
        whole = entryFigures(topology);
        figures = &whole;
    }
    refreshFigures(figures, state);
    refreshInstances(entity);
    refreshPolicies(entity, edge);
    refreshDocumentTabs();
    refreshTap();
    refreshHistory();
    requestSeries();
    updateActions();
}

void Inspector::refreshHead(const bridge::EntityRow* entity, const bridge::EdgeRow* edge)
{
    if (entity != nullptr) {
        QStringList parts = {wordOf(entity->kind)};
        if (!entity->version.isEmpty()) {
            parts << entity->version;
        }
        if (!entity->zones.isEmpty()) {
            parts << tr("zones %1").arg(entity->zones.join(QStringLiteral(", ")));
        }
        m_head->setEntity(entity->name, parts.join(QStringLiteral(" · ")), entity->state);
        const double client = entity->figures.clientErrorRatio.value_or(0);
        const double server = entity->figures.errorRatio.value_or(0);
        const bool isGateway = entity->kind == bridge::EntityKind::Gateway;
        m_head->setShares(1 - client - server, client, server, isGateway);
        m_why->setState(stateOf(entity->state));
        m_whyText->setText(stressed(entity->why.isEmpty() ? wordOf(entity->state) : entity->why));
        QString rule =
            entity->since_us > 0 ? tr("since %1").arg(clockText(entity->since_us)) : QString();
        if (!entity->rule.isEmpty()) {
            rule += (rule.isEmpty() ? QString() : QStringLiteral(" · ")) + entity->rule;
        }
        if (entity->isLowTraffic) {
            rule += (rule.isEmpty() ? QString() : QStringLiteral(" · ")) + tr("low traffic");
        }
        if (entity->lock == bridge::EdgeLock::Open || entity->lock == bridge::EdgeLock::Half) {
            rule += (rule.isEmpty() ? QString() : QStringLiteral(" · ")) + entity->lockText;
        }
        m_whyRule->setText(rule);
        m_whyRule->setVisible(!rule.isEmpty());
        return;
    }
    if (edge != nullptr) {
        m_head->setEntity(
            tr("%1 → %2").arg(nameOf(edge->source), nameOf(edge->target)),
            edgeLine(*edge),
            edge->state
        );
        m_head->setShares(1, 0, edge->figures.errorRatio.value_or(0), false);
        m_why->setState(stateOf(edge->state));
        m_whyText->setText(
            tr("%1 of %2 requests failed")
                .arg(countText(edge->figures.errors), countText(edge->figures.requests))
        );
        m_whyRule->setText(edge->lockText);
        m_whyRule->setVisible(!edge->lockText.isEmpty());
        return;
    }
    const bridge::Topology& topology = m_session.topology();
    const auto worst = worstState(topology);
    m_head->setEntity(
        m_session.name().isEmpty() ? tr("Mesh") : m_session.name(),
        tr("%n services and gateways", nullptr, static_cast<int>(topology.entities.size())),
        worst
    );
    m_head->setShares(1, 0, 0, false);
    m_why->setState(stateOf(worst));
    m_whyText->setText(meshSummary(topology));
    m_whyRule->setText(tr("Select a node or an edge to see why it is in its state."));
    m_whyRule->show();
}

void Inspector::refreshFigures(const bridge::Figures* figures, bridge::HealthState state)
{
    const theme::Tokens& tokens = theme::tokens();
    const std::array<QString, 4> titles = {tr("Attempts"), tr("Errors"), tr("p95"), tr("Amplif.")};
    for (std::size_t i = 0; i < titles.size(); ++i) {
        m_figureTitles[i]->setText(titles[i]);
    }
    const auto show = [this](std::size_t at, const QString& text, const QString& unit) {
        const bool isNone = text == QStringLiteral("–");
        m_figures[at]->setText(text, isNone ? QString() : unit);
        m_figures[at]->setAccessibleName(m_figureTitles[at]->text() + u' ' + text + unit);
    };
    show(0, rateText(figures->rps), tr("/s"));
    show(1, percentText(figures->errorRatio), QStringLiteral("%"));
    show(2, millisecondsText(figures->p95_ms), tr("ms"));
    const QString amplification = figures->amplification > 0
                                      ? QString::number(figures->amplification, 'f', 2)
                                      : QStringLiteral("–");
    show(3, amplification, QStringLiteral("×"));
    const bool isBad =
        figures->errorRatio.value_or(0) > 0
        && (state == bridge::HealthState::Degraded || state == bridge::HealthState::Failure);
    m_figures[1]->setColor(isBad ? tokens.of(stateOf(state)).text : QColor());
}

void Inspector::refreshInstances(const bridge::EntityRow* entity)
{
    const std::vector<bridge::InstanceRow> none;
    const auto& instances = entity != nullptr ? entity->instances : none;
    m_instances->setRows(instanceRows(instances));
    m_instances->fitHeight(kInstanceRowsMax);
    m_instances->setVisible(!instances.empty());
    m_services->setVisible(m_subject.isEmpty());
    if (m_subject.isEmpty()) {
        m_services->setRows(serviceRows(m_session.topology()));
        m_services->fitHeight(kServiceRowsMax);
    }
    m_endpoints->setRows(endpointRows(instances));
    const QString reason = worstReason(instances);
    m_instanceReason->setText(reason);
    m_instanceReason->setVisible(!reason.isEmpty());
}

void Inspector::refreshPolicies(const bridge::EntityRow* entity, const bridge::EdgeRow* edge)
{
    std::vector<bridge::PolicyRow> policies;
    if (entity != nullptr) {
        policies = entity->policies;
    } else if (edge != nullptr) {
        policies = edge->policies;
    } else {
        for (const bridge::EntityRow& any : m_session.topology().entities) {
            for (bridge::PolicyRow policy : any.policies) {
                policy.text = tr("%1: %2").arg(any.name, policy.text);
                policies.push_back(std::move(policy));
            }
        }
        std::stable_sort(policies.begin(), policies.end(), [](const auto& a, const auto& b) {
            return a.kind < b.kind;
        });
    }
    m_notes->setPolicies(policies);
    m_policies->setPolicies(policies);
}

void Inspector::refreshDocumentTabs()
{
    const auto document = m_session.document();
    if (document == nullptr) {
        return;
    }
    const QString service =
        nameOf(edgeEnds(m_subject).target.isEmpty() ? m_subject : edgeEnds(m_subject).target);
    if (m_pages->currentWidget() == m_routes) {
        m_routes->setRows(routeRows(*document, service));
    }
    if (m_pages->currentIndex() == static_cast<int>(Tab::Policy)) {
        m_policy->setRows(policyRows(*document, service));
    }
}

void Inspector::refreshTap()
{
    if (m_pages->currentWidget() == m_tap) {
        m_tap->setRows(
            m_isErrorsOnly ? tapRows(failedRequests(m_session.tap()), m_subject)
                           : tapRows(m_session.tap(), m_subject)
        );
    }
    refreshShow();
}

// How many of the requests at hand failed; without any there is nothing to show.
void Inspector::refreshShow()
{
    const auto failed = tapRows(failedRequests(m_session.tap()), m_subject).size();
    m_showErrors->setVisible(!m_subject.isEmpty() && failed > 0);
    m_showErrors->setText(tr("Show %n", nullptr, static_cast<int>(failed)));
    m_showErrors->setAccessibleName(tr("Show %n failed requests", nullptr, static_cast<int>(failed))
    );
}

void Inspector::refreshHistory()
{
    if (m_pages->currentWidget() == m_history) {
        m_history->setRows(historyRows(m_session, m_subject));
    }
}

void Inspector::requestSeries()
{
    if (!m_session.isOpen() || m_pages->currentIndex() != 0) {
        return;
    }
    const charts::TimeSpan span = spanOf(m_session);
    m_request = m_session.requestSeries(m_subject, span.begin_us, span.end_us);
}

void Inspector::onSeries(int request, const bridge::Series& series)
{
    if (request != m_request) {
        return;
    }
    const charts::TimeSpan span = spanOf(m_session);
    const std::int64_t window = m_session.context().window_s() * 1'000'000LL;
    auto markers = m_session.markers(span.begin_us, span.end_us);
    keepForCharts(markers, m_subject);
    for (charts::TimeChart* chart : m_charts) {
        chart->setSeries(series, span);
        chart->setMarkers(markers);
        chart->setWindow(charts::TimeSpan{span.end_us - window, span.end_us});
    }
}

void Inspector::setCursorTime(std::optional<std::int64_t> time_us)
{
    for (charts::TimeChart* chart : m_charts) {
        chart->setCursorTime(time_us);
    }
}

bridge::InstanceRow Inspector::selectedInstance() const
{
    const RowsTable* table = m_pages->currentIndex() == 0 ? m_instances : m_endpoints;
    QString key = table->currentKey();
    const bridge::EntityRow* entity = findEntity(m_session.topology(), m_subject);
    if (entity == nullptr) {
        return {};
    }
    if (key.isEmpty() && entity->instances.size() == 1) {
        key = entity->instances.front().id;
    }
    for (const bridge::InstanceRow& instance : entity->instances) {
        if (instance.id == key) {
            return instance;
        }
    }
    return {};
}

void Inspector::updateActions()
{
    const bridge::EntityRow* entity = findEntity(m_session.topology(), m_subject);
    m_actions->setTarget(entity, selectedInstance());
    m_head->menuButton().setEnabled(entity != nullptr);
    m_head->pinButton().setEnabled(entity != nullptr || m_head->pinButton().isChecked());
}

void Inspector::paintEvent(QPaintEvent* event)
{
    QPainter painter(this);
    painter.fillRect(event->rect(), theme::tokens().panel);
    painter.fillRect(0, 0, 1, height(), theme::tokens().border);
}

} // namespace mesh::pages
