#include "app/pages/topology_page.h"

#include "app/bridge/mesh_session.h"
#include "app/bridge/rehearsal_rows.h"
#include "app/bridge/view_context.h"
#include "app/pages/find_expression.h"
#include "app/pages/rows_table.h"
#include "app/pages/texts.h"
#include "app/pages/time_strip.h"
#include "app/theme/controls.h"
#include "app/theme/icons.h"
#include "app/theme/tab_order.h"
#include "app/theme/theme.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QStackedWidget>

#include <algorithm>
#include <set>
#include <utility>

namespace mesh::pages {
namespace {

constexpr int kFilterHeight = 36;
const QString kView = QStringLiteral("topology");

using Kind = TableColumn::Kind;

std::vector<TableColumn> tableColumns()
{
    return {
        {TopologyPage::tr("Service"), 180},
        {TopologyPage::tr("State"), 110, Kind::State},
        {TopologyPage::tr("Kind"), 80},
        {TopologyPage::tr("Version"), 110},
        {TopologyPage::tr("Zones"), 70},
        {TopologyPage::tr("rps"), 80, Kind::Number},
        {TopologyPage::tr("err %"), 70, Kind::Number},
        {TopologyPage::tr("p95 ms"), 80, Kind::Number},
        {TopologyPage::tr("Instances"), 80, Kind::Number},
        {TopologyPage::tr("Why"), 0}};
}

} // namespace

TopologyPage::TopologyPage(bridge::MeshSession& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_stack(new QStackedWidget(this))
    , m_view(new graph::TopologyView(m_stack))
    , m_table(new RowsTable(tr("Services"), tableColumns(), m_stack))
{
    m_empty = makeEmpty();
    setObjectName(QStringLiteral("topologyPage"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(makeFilterBar());
    column->addWidget(new TimeStrip(session, this));
    column->addWidget(m_stack, 1);
    column->addWidget(new ChangesTable(session, this));
    setFocusProxy(m_view);
    m_view->setObjectName(QStringLiteral("graph"));
    m_view->setAccessibleName(tr("Service graph"));
    m_table->setObjectName(QStringLiteral("serviceTable"));
    m_stack->addWidget(m_view);
    m_stack->addWidget(m_table);
    m_stack->addWidget(m_empty);
    bridge::ViewContext& context = session.context();
    connect(m_view, &graph::TopologyView::selected, &context, &bridge::ViewContext::select);
    connect(m_view, &graph::TopologyView::activated, this, &TopologyPage::activated);
    connect(m_view, &graph::TopologyView::focusRequested, this, [this](const QString& id) {
        bridge::ViewContext& shared = m_session.context();
        shared.focusOn(shared.focus() == id ? QString() : id, shared.depth());
    });
    connect(
        m_view, &graph::TopologyView::contextMenuRequested, this, &TopologyPage::showContextMenu
    );
    connect(
        m_view,
        &graph::TopologyView::positionsChanged,
        this,
        [this](const graph::Positions& positions) { savePlaces(positions); }
    );
    connect(m_table, &RowsTable::keySelected, &context, &bridge::ViewContext::select);
    connect(m_table, &RowsTable::keyActivated, this, &TopologyPage::activated);
    connect(&session, &bridge::MeshSession::topologyChanged, this, &TopologyPage::refresh);
    connect(&session, &bridge::MeshSession::documentChanged, this, &TopologyPage::loadPositions);
    connect(&context, &bridge::ViewContext::changed, this, &TopologyPage::applyFilter);
    loadPositions();
    refresh();
    theme::followLayouts(*this);
}

void TopologyPage::setForm(TopologyForm form)
{
    m_form->setCurrent(static_cast<int>(form));
    refresh();
}

void TopologyPage::toggleForm()
{
    setForm(m_form->current() == 0 ? TopologyForm::Table : TopologyForm::Graph);
}

void TopologyPage::focusFind()
{
    m_find->setFocus(Qt::ShortcutFocusReason);
    m_find->selectAll();
}

QWidget* TopologyPage::makeFilterBar()
{
    auto* bar = new QWidget(this);
    bar->setFixedHeight(kFilterHeight);
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(10, 0, 10, 0);
    row->setSpacing(8);
    m_form = new theme::SegmentedControl(bar);
    m_form->addSegment(tr("Graph"), QStringLiteral("graph"));
    m_form->addSegment(tr("Table"), QStringLiteral("table"));
    m_form->setObjectName(QStringLiteral("graphOrTable"));
    m_form->setAccessibleName(tr("Graph or table"));
    m_form->setToolTip(tr("Graph or table (F6)"));
    connect(m_form, &theme::SegmentedControl::currentChanged, this, &TopologyPage::refresh);
    row->addWidget(m_form);

    m_find = new QLineEdit(bar);
    m_find->setObjectName(QStringLiteral("find"));
    m_find->setAccessibleName(tr("Find services"));
    m_find->setPlaceholderText(tr("Find: error% > 1 and zone = b"));
    m_find->setToolTip(
        tr("Highlights what matches: a name, or rps, error%, p95, zone, state (Ctrl+F or /)")
    );
    m_find->setFont(theme::font(theme::Role::Code));
    m_find->setFixedHeight(24);
    m_find->setMinimumWidth(120);
    m_matches = new QLabel(m_find);
    theme::setText(*m_matches, theme::Role::Caption, theme::TextColor::Text3);
    auto* inside = new QHBoxLayout(m_find);
    inside->setContentsMargins(0, 0, 8, 0);
    inside->addStretch();
    inside->addWidget(m_matches);
    connect(m_find, &QLineEdit::textChanged, &m_session.context(), &bridge::ViewContext::setFind);
    row->addWidget(m_find, 1);

    m_hide = new QComboBox(bar);
    m_hide->setObjectName(QStringLiteral("hide"));
    m_hide->setAccessibleName(tr("Hide services"));
    m_hide->setToolTip(tr("What the graph leaves out"));
    m_hide->addItem(tr("Hide nothing"), QString());
    m_hide->addItem(tr("Hide idle"), QStringLiteral("idle"));
    m_hide->addItem(tr("Hide healthy"), QStringLiteral("healthy"));
    m_hide->setFixedHeight(24);
    connect(m_hide, &QComboBox::activated, this, [this](int index) {
        m_session.context().setHide(m_hide->itemData(index).toString());
    });
    row->addWidget(m_hide);
    row->addWidget(new theme::Hairline(Qt::Vertical, bar));
    const auto chip = [&](const QString& name, const QString& text) {
        auto* made = new theme::Chip(text, bar);
        made->setObjectName(name);
        made->setArrow(theme::Chip::Arrow::Down);
        made->setFocusPolicy(Qt::TabFocus);
        made->setAccessibleName(text);
        row->addWidget(made);
        return made;
    };
    m_scope = chip(QStringLiteral("scope"), tr("Scope: all"));
    m_zones = chip(QStringLiteral("zones"), tr("All zones"));
    m_labels = chip(QStringLiteral("labels"), tr("Labels: rate"));
    m_scope->setToolTip(tr("All services, or the neighbours of the selected one"));
    m_zones->setToolTip(tr("All zones, or one"));
    m_labels->setToolTip(tr("What the plates on the edges say"));
    connect(m_scope, &theme::Chip::clicked, this, &TopologyPage::showScopeMenu);
    connect(m_zones, &theme::Chip::clicked, this, &TopologyPage::showZonesMenu);
    connect(m_labels, &theme::Chip::clicked, this, &TopologyPage::showLabelsMenu);
    m_counts = new QLabel(bar);
    theme::setText(*m_counts, theme::Role::Small, theme::TextColor::Text3);
    row->addWidget(m_counts);
    auto* holder = new QWidget(this);
    auto* column = new QVBoxLayout(holder);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    bar->setFixedHeight(kFilterHeight - 1);
    column->addWidget(bar);
    column->addWidget(new theme::Hairline(Qt::Horizontal, holder));
    return holder;
}

QWidget* TopologyPage::makeEmpty()
{
    auto* page = new QWidget(m_stack);
    auto* column = new QVBoxLayout(page);
    column->addStretch(2);
    m_emptyTitle = new QLabel(page);
    m_emptyTitle->setAlignment(Qt::AlignCenter);
    theme::setText(*m_emptyTitle, theme::Role::Title);
    m_emptyText = new QLabel(page);
    m_emptyText->setAlignment(Qt::AlignCenter);
    m_emptyText->setWordWrap(true);
    theme::setText(*m_emptyText, theme::Role::Body, theme::TextColor::Text2);
    m_emptyAction = new QPushButton(page);
    m_emptyAction->setObjectName(QStringLiteral("emptyAction"));
    theme::setButtonRole(*m_emptyAction, theme::ButtonRole::Primary);
    connect(m_emptyAction, &QPushButton::clicked, this, [this] {
        if (!m_session.context().hide().isEmpty() || !m_zone.isEmpty()) {
            m_zone.clear();
            m_hide->setCurrentIndex(0);
            m_session.context().setHide({});
            m_session.context().focusOn({}, 1);
        } else if (const auto started = m_session.startMesh(); !started) {
            m_emptyText->setText(QString::fromStdString(started.error().message));
        }
    });
    column->addWidget(m_emptyTitle);
    column->addWidget(m_emptyText);
    column->addSpacing(8);
    column->addWidget(m_emptyAction, 0, Qt::AlignCenter);
    column->addStretch(3);
    return page;
}

void TopologyPage::loadPositions()
{
    graph::Positions positions;
    for (const bridge::MeshSession::Position& kept : m_session.positions(kView)) {
        graph::Place place;
        place.point = QPointF(kept.x, kept.y);
        place.isPinned = kept.isPinned;
        positions[kept.id] = place;
    }
    m_view->setPositions(positions);
}

// What is moved while the past is shown would move the present: only what is new gets a place.
void TopologyPage::savePlaces(const graph::Positions& positions)
{
    std::vector<bridge::MeshSession::Position> kept;
    const bool isPast = m_session.context().timeMode() != bridge::TimeMode::Live;
    std::set<QString> known;
    if (isPast) {
        kept = m_session.positions(kView);
        for (const bridge::MeshSession::Position& position : kept) {
            known.insert(position.id);
        }
    }
    const std::size_t before = kept.size();
    for (auto place = positions.begin(); place != positions.end(); ++place) {
        if (known.count(place.key()) == 0) {
            kept.push_back({place.key(), place->point.x(), place->point.y(), place->isPinned});
        }
    }
    if (!isPast || kept.size() != before) {
        m_session.savePositions(kView, kept);
    }
}

// The layout of the time that is shown; back from the past, the one of now.
void TopologyPage::showPlaces()
{
    const bridge::PastMoment& moment = m_session.moment();
    if (moment.time_us == 0) {
        if (std::exchange(m_isPast, false)) {
            loadPositions();
        }
        return;
    }
    m_isPast = true;
    graph::Positions places = m_view->positions();
    for (const bridge::PastPosition& then : moment.positions) {
        places[then.id] = {QPointF(then.x, then.y), then.isPinned};
    }
    if (places != m_view->positions()) {
        m_view->setPositions(places);
    }
}

void TopologyPage::refresh()
{
    const bridge::Topology& topology = m_session.topology();
    showPlaces();
    m_view->setTopology(topology);
    refreshTable();
    m_counts->setText(
        tr("%1 nodes · %2 edges").arg(topology.entities.size()).arg(topology.edges.size())
    );
    applyFilter();
    if (topology.entities.empty()) {
        const bool isRunning = m_session.isMeshRunning();
        m_emptyTitle->setText(
            isRunning ? tr("Waiting for the first measurement") : tr("No mesh runs")
        );
        m_emptyText->setText(
            isRunning ? tr("The nodes have started; the first figures come within a second.")
                      : tr("The document can be edited. Start its mesh to see traffic.")
        );
        m_emptyAction->setText(tr("Start mesh"));
        m_emptyAction->setVisible(!isRunning);
        m_stack->setCurrentWidget(m_empty);
        return;
    }
    m_stack->setCurrentIndex(m_form->current());
}

void TopologyPage::refreshTable()
{
    std::vector<TableRow> rows;
    for (const bridge::EntityRow& entity : m_session.topology().entities) {
        TableRow row;
        row.key = entity.id;
        row.cells = {
            {entity.name},
            {wordOf(entity.state), static_cast<int>(stateOf(entity.state))},
            {wordOf(entity.kind)},
            {entity.version},
            {entity.zones.join(QStringLiteral(", "))},
            {rateText(entity.figures.rps)},
            {percentText(entity.figures.errorRatio)},
            {millisecondsText(entity.figures.p95_ms)},
            {QString::number(entity.instances.size())},
            {entity.why}};
        if (entity.state == bridge::HealthState::Stale) {
            row.state = static_cast<int>(theme::State::Stale);
        }
        rows.push_back(std::move(row));
    }
    m_table->setRows(std::move(rows));
}

QStringList TopologyPage::hiddenByZone() const
{
    QStringList hidden;
    for (const bridge::EntityRow& entity : m_session.topology().entities) {
        if (!m_zone.isEmpty() && !entity.zones.isEmpty() && !entity.zones.contains(m_zone)) {
            hidden << entity.id;
        }
    }
    return hidden;
}

void TopologyPage::applyFilter()
{
    const bridge::ViewContext& context = m_session.context();
    const FindExpression find(context.find());
    const FindExpression hide(context.hide());
    QStringList found;
    QStringList hidden = hiddenByZone();
    for (const bridge::EntityRow& entity : m_session.topology().entities) {
        if (find.matches(entity)) {
            found << entity.id;
        }
        if (hide.matches(entity)) {
            hidden << entity.id;
        }
    }
    if (m_find->text() != context.find()) {
        m_find->setText(context.find());
    }
    theme::setFieldState(
        *m_find, find.isValid() ? theme::FieldState::Normal : theme::FieldState::Error
    );
    m_matches->setText(
        context.find().isEmpty() ? QString()
        : find.isValid()         ? tr("%n match(es)", nullptr, static_cast<int>(found.size()))
                                 : tr("not understood")
    );
    m_view->setHighlighted(found);
    m_view->setHidden(hidden);
    m_view->setSelection(context.selection());
    m_view->setFocusNeighborhood(context.focus(), context.depth());
    m_table->setCurrentKey(context.selection());
    m_scope->setText(
        context.focus().isEmpty() ? tr("Scope: all") : tr("Scope: %1").arg(nameOf(context.focus()))
    );
    m_zones->setText(m_zone.isEmpty() ? tr("All zones") : tr("Zone %1").arg(m_zone));
}

void TopologyPage::showLabelsMenu()
{
    QMenu menu;
    const std::array<std::pair<QString, graph::EdgeLabels>, 4> choices = {
        {{tr("None"), graph::EdgeLabels::None},
         {tr("Rate"), graph::EdgeLabels::Rate},
         {tr("Errors"), graph::EdgeLabels::Errors},
         {tr("p95"), graph::EdgeLabels::Percentile95}}};
    for (const auto& choice : choices) {
        connect(menu.addAction(choice.first), &QAction::triggered, this, [this, choice] {
            m_view->setEdgeLabels(choice.second);
            m_labels->setText(tr("Labels: %1").arg(choice.first.toLower()));
        });
    }
    menu.exec(m_labels->mapToGlobal(QPoint(0, m_labels->height())));
}

void TopologyPage::showScopeMenu()
{
    QMenu menu;
    bridge::ViewContext& context = m_session.context();
    connect(menu.addAction(tr("All services")), &QAction::triggered, this, [&context] {
        context.focusOn({}, 1);
    });
    QAction* near = menu.addAction(tr("Neighbours of the selection"));
    near->setEnabled(!context.selection().isEmpty());
    connect(near, &QAction::triggered, this, [&context] {
        context.focusOn(context.selection(), 1);
    });
    QAction* wide = menu.addAction(tr("Two steps around the selection"));
    wide->setEnabled(!context.selection().isEmpty());
    connect(wide, &QAction::triggered, this, [&context] {
        context.focusOn(context.selection(), 2);
    });
    menu.exec(m_scope->mapToGlobal(QPoint(0, m_scope->height())));
}

void TopologyPage::showZonesMenu()
{
    std::set<QString> zones;
    for (const bridge::EntityRow& entity : m_session.topology().entities) {
        zones.insert(entity.zones.begin(), entity.zones.end());
    }
    QMenu menu;
    connect(menu.addAction(tr("All zones")), &QAction::triggered, this, [this] {
        m_zone.clear();
        applyFilter();
    });
    for (const QString& zone : zones) {
        connect(menu.addAction(tr("Zone %1").arg(zone)), &QAction::triggered, this, [this, zone] {
            m_zone = zone;
            applyFilter();
        });
    }
    menu.exec(m_zones->mapToGlobal(QPoint(0, m_zones->height())));
}

// The outages of the zones the node stands in, or of all, and what else fits; run at once.
void TopologyPage::addRehearseActions(QMenu& menu, const QString& id)
{
    const bridge::TargetKind kind = bridge::targetKindOf(id);
    std::set<QString> zones;
    for (const bridge::EntityRow& entity : m_session.topology().entities) {
        if (entity.id == id || kind != bridge::TargetKind::Service) {
            zones.insert(entity.zones.begin(), entity.zones.end());
        }
    }
    const QString outage = QStringLiteral("zone_outage");
    for (const QString& zone : zones) {
        connect(
            menu.addAction(tr("Rehearse zone %1 outage…").arg(zone)),
            &QAction::triggered,
            this,
            [this, outage, zone] { Q_EMIT rehearseRequested(outage, bridge::zoneTarget(zone)); }
        );
    }
    if (kind == bridge::TargetKind::Service || kind == bridge::TargetKind::Edge) {
        QMenu* more = menu.addMenu(tr("Rehearse on it"));
        for (const bridge::FaultOffer& offer : bridge::faultOffers()) {
            if (offer.supports(kind)) {
                QAction* action = more->addAction(theme::icon(offer.icon), offer.title);
                action->setToolTip(offer.help);
                connect(action, &QAction::triggered, this, [this, key = offer.key, id] {
                    Q_EMIT rehearseRequested(key, id);
                });
            }
        }
    }
    menu.addSeparator();
}

void TopologyPage::showContextMenu(const QString& id, const QPoint& at)
{
    QMenu menu;
    bridge::ViewContext& context = m_session.context();
    if (!id.isEmpty()) {
        const QString name = nameOf(id);
        connect(menu.addAction(tr("Inspect %1").arg(name)), &QAction::triggered, this, [this, id] {
            m_session.context().select(id);
            Q_EMIT activated(id);
        });
        connect(
            menu.addAction(tr("Focus on its neighbours")),
            &QAction::triggered,
            this,
            [&context, id] { context.focusOn(id, 1); }
        );
        connect(
            menu.addAction(tr("Find by this name")),
            &QAction::triggered,
            this,
            [&context, name] { context.setFind(QStringLiteral("name = ") + name); }
        );
        menu.addSeparator();
    }
    addRehearseActions(menu, id);
    connect(menu.addAction(tr("Fit")), &QAction::triggered, m_view, &graph::TopologyView::fit);
    connect(
        menu.addAction(tr("Re-layout")),
        &QAction::triggered,
        m_view,
        &graph::TopologyView::layOutAgain
    );
    connect(menu.addAction(tr("Show all")), &QAction::triggered, this, [&context] {
        context.focusOn({}, 1);
        context.setHide({});
        context.setFind({});
    });
    menu.exec(at);
}

} // namespace mesh::pages
