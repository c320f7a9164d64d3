#include "app/pages/topology_page.h"

#include "app/bridge/find_subjects.h"
#include "app/bridge/mesh_session.h"
#include "app/bridge/rehearsal_rows.h"
#include "app/bridge/view_context.h"
#include "app/pages/filter_chips.h"
#include "app/pages/find_field.h"
#include "app/pages/graph_table.h"
#include "app/pages/texts.h"
#include "app/pages/time_strip.h"
#include "app/pages/write_guard.h"
#include "app/theme/controls.h"
#include "app/theme/icons.h"
#include "app/theme/tab_order.h"
#include "app/theme/theme.h"

#include <QHBoxLayout>
#include <QMenu>
#include <QPushButton>
#include <QStackedWidget>
#include <QToolButton>

#include <algorithm>
#include <set>
#include <utility>

namespace mesh::pages {
namespace {

constexpr int kFilterHeight = 36;
const QString kView = QStringLiteral("topology");

} // namespace

TopologyPage::TopologyPage(bridge::MeshSession& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_tags(std::make_unique<bridge::FindTags>(*session.document()))
    , m_stack(new QStackedWidget(this))
    , m_view(new graph::TopologyView(m_stack))
    , m_table(new GraphTable(session, m_stack))
{
    m_empty = makeEmpty();
    setObjectName(QStringLiteral("topologyPage"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(makeFilterBar());
    column->addWidget(m_filters);
    column->addWidget(new theme::Hairline(Qt::Horizontal, this));
    column->addWidget(new TimeStrip(session, this));
    column->addWidget(m_stack, 1);
    column->addWidget(new ChangesTable(session, this));
    setFocusProxy(m_view);
    m_view->setObjectName(QStringLiteral("graph"));
    m_view->setAccessibleName(tr("Service graph"));
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
    connect(m_table, &GraphTable::keySelected, &context, &bridge::ViewContext::select);
    connect(m_table, &GraphTable::keyActivated, this, &TopologyPage::activated);
    connect(m_table, &GraphTable::filterWanted, m_find, &FindField::narrow);
    connect(m_table, &GraphTable::rowsChanged, this, &TopologyPage::applyFilter);
    connect(&session, &bridge::MeshSession::topologyChanged, this, &TopologyPage::refresh);
    connect(&session, &bridge::MeshSession::documentChanged, this, [this] {
        *m_tags = bridge::FindTags(*m_session.document());
        loadPositions();
    });
    connect(&context, &bridge::ViewContext::changed, this, &TopologyPage::applyFilter);
    loadPositions();
    refresh();
    theme::followLayouts(*this);
}

TopologyPage::~TopologyPage() = default;

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
    bar->setFixedHeight(kFilterHeight - 1);
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

    bridge::ViewContext& context = m_session.context();
    m_find = new FindField(m_session, bridge::kGraphScopes, bar);
    m_find->setObjectName(QStringLiteral("find"));
    m_find->setAccessibleName(tr("Find services and calls"));
    m_find->setPlaceholderText(tr("Find: error% > 1 and zone = b"));
    m_find->setNames([this] { return namesShown(); });
    connect(m_find, &QLineEdit::textChanged, &context, &bridge::ViewContext::setFind);
    row->addWidget(m_find, 3);
    m_save = new QToolButton(bar);
    m_save->setObjectName(QStringLiteral("saveFilter"));
    m_save->setIcon(theme::icon(QStringLiteral("pin")));
    m_save->setAccessibleName(tr("Save this filter"));
    m_save->setToolTip(tr("Keep this filter under a name"));
    theme::setButtonRole(*m_save, theme::ButtonRole::Ghost);
    connect(m_save, &QToolButton::clicked, this, [this] { m_filters->saveAs(m_find->text()); });
    row->addWidget(m_save);

    m_hide = new FindField(m_session, bridge::kGraphScopes, bar);
    m_hide->setObjectName(QStringLiteral("hide"));
    m_hide->setAccessibleName(tr("Hide services and calls"));
    m_hide->setPlaceholderText(tr("Hide: idle"));
    m_hide->setNames([this] { return namesShown(); });
    m_hide->setPresets(
        {QStringLiteral("idle"), QStringLiteral("healthy"), QStringLiteral("rps < 1")}
    );
    connect(m_hide, &QLineEdit::textChanged, &context, &bridge::ViewContext::setHide);
    row->addWidget(m_hide, 1);

    m_filters = new FilterChips(m_session, this);
    connect(m_filters, &FilterChips::filterChosen, m_find, &QLineEdit::setText);
    connect(m_filters, &FilterChips::hideChosen, m_hide, &QLineEdit::setText);
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
    return bar;
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
    guardWrite(*m_emptyAction, m_session, bridge::WriteAction::StartMesh);
    connect(m_emptyAction, &QPushButton::clicked, this, [this] {
        if (!m_session.context().hide().isEmpty() || !m_zone.isEmpty()) {
            m_zone.clear();
            m_session.context().setHide({});
            m_session.context().focusOn({}, 1);
        } else if (!askToWrite(
                       this, m_session, bridge::WriteAction::StartMesh, m_emptyAction->text()
                   )) {
            return;
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

// `changed` is only what has moved or is new; everything else keeps its place. What is moved while
// the past is shown would move the present: then only what is new gets a place.
void TopologyPage::savePlaces(const graph::Positions& changed)
{
    const bool isPast = m_session.context().timeMode() != bridge::TimeMode::Live;
    std::vector<bridge::MeshSession::Position> kept = m_session.positions(kView);
    graph::Positions added = changed;
    bool isOther = false;
    for (bridge::MeshSession::Position& position : kept) {
        const auto place = added.constFind(position.id);
        if (place == added.constEnd()) {
            continue;
        }
        if (!isPast) {
            position = {position.id, place->point.x(), place->point.y(), place->isPinned};
            isOther = true;
        }
        added.erase(place);
    }
    for (auto place = added.constBegin(); place != added.constEnd(); ++place) {
        kept.push_back({place.key(), place->point.x(), place->point.y(), place->isPinned});
        isOther = true;
    }
    if (isOther) {
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
    if (m_form->current() == 1) {
        m_table->refresh();
    }
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

QStringList TopologyPage::namesShown() const
{
    QStringList names;
    std::set<QString> zones;
    for (const bridge::EntityRow& entity : m_session.topology().entities) {
        names << entity.name;
        zones.insert(entity.zones.begin(), entity.zones.end());
    }
    return QStringList(zones.begin(), zones.end()) + names;
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
    for (FindField* field : {m_find, m_hide}) {
        const QString& text = field == m_find ? context.find() : context.hide();
        if (field->text() != text) {
            field->setText(text);
        }
    }
    const bridge::FindLanguage& find = m_find->language();
    const bridge::FindLanguage& hide = m_hide->language();
    const bridge::Topology& topology = m_session.topology();
    QStringList found;
    QStringList hidden = hiddenByZone();
    int foundCount = 0;
    int hiddenCount = 0;
    for (const bridge::EntityRow& entity : topology.entities) {
        const bridge::EntitySubject subject(entity, *m_tags);
        if (find.matches(subject)) {
            found << entity.id;
            ++foundCount;
        }
        if (hide.matches(subject)) {
            hidden << entity.id;
            ++hiddenCount;
        }
    }
    // What services have as well means services; calls are asked for what only they have.
    const bool isOfCalls =
        !find.foreignOperands(static_cast<bridge::FindScopes>(bridge::FindScope::Entity)).isEmpty();
    for (const bridge::EdgeRow& edge : topology.edges) {
        const bridge::EdgeSubject subject(edge);
        if (isOfCalls && find.matches(subject)) {
            found << edge.source << edge.target;
            ++foundCount;
        }
        if (hide.matches(subject)) {
            hidden << edge.source + QStringLiteral(" -> ") + edge.target;
            ++hiddenCount;
        }
    }
    const bool isTable = m_form->current() == 1;
    const auto all = static_cast<int>(topology.entities.size() + topology.edges.size());
    const int total = isOfCalls ? all : static_cast<int>(topology.entities.size());
    if (isTable) {
        m_table->setFilter(find, hide);
    }
    m_find->setScopes(isTable ? m_table->scopes() : bridge::kGraphScopes);
    m_find->setMatches(
        isTable ? m_table->matching() : foundCount, isTable ? m_table->total() : total
    );
    m_hide->setMatches(hiddenCount, all);
    m_save->setEnabled(!find.isEmpty() && find.isValid());
    m_filters->setCurrent(context.find());
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

// "Filter on this" for what the node or the call is.
void TopologyPage::addFilterActions(QMenu& menu, const QString& id)
{
    using bridge::FindOperand;
    const auto offer = [this](QMenu& to, FindOperand operand, const QString& value) {
        for (const auto sense : {bridge::FindSense::Only, bridge::FindSense::Without}) {
            const QString term = bridge::findTerm(operand, value, sense);
            connect(
                to.addAction(
                    sense == bridge::FindSense::Only ? tr("Filter on %1").arg(term)
                                                     : tr("Exclude: %1").arg(term)
                ),
                &QAction::triggered,
                this,
                [this, term] { m_find->narrow(term); }
            );
        }
    };
    const bridge::Topology& topology = m_session.topology();
    if (const bridge::EdgeRow* edge = findEdge(topology, id)) {
        offer(menu, FindOperand::Target, nameOf(edge->target));
        offer(menu, FindOperand::Source, nameOf(edge->source));
    } else if (const bridge::EntityRow* entity = findEntity(topology, id)) {
        offer(menu, FindOperand::Name, entity->name);
        QMenu& more = *menu.addMenu(tr("Filter on more"));
        for (const QString& zone : entity->zones) {
            offer(more, FindOperand::Zone, zone);
        }
        offer(more, FindOperand::State, bridge::findWord(entity->state));
        if (!entity->version.isEmpty()) {
            offer(more, FindOperand::Version, entity->version.section(QStringLiteral(" · "), 0, 0));
        }
    }
    connect(menu.addAction(tr("Hide %1").arg(nameOf(id))), &QAction::triggered, this, [this, id] {
        const EdgeEnds ends = edgeEnds(id);
        const QString name = ends.source.isEmpty() ? nameOf(id)
                                                   : nameOf(ends.source) + QStringLiteral(" -> ")
                                                         + nameOf(ends.target);
        const QString term = bridge::findTerm(FindOperand::Name, name, bridge::FindSense::Only);
        const QString known = m_hide->text();
        m_hide->setText(known.isEmpty() ? term : u'(' + known + QStringLiteral(") or ") + term);
    });
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
        addFilterActions(menu, id);
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
