#include "app/pages/nodes_page.h"

#include "app/bridge/mesh_session.h"
#include "app/bridge/policy_words.h"
#include "app/charts/time_chart.h"
#include "app/pages/find_field.h"
#include "app/pages/nodes_map.h"
#include "app/pages/nodes_model.h"
#include "app/pages/nodes_table.h"
#include "app/pages/texts.h"
#include "app/theme/controls.h"
#include "app/theme/figures.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QHeaderView>
#include <QLabel>
#include <QPainter>
#include <QPaintEvent>
#include <QPushButton>
#include <QScrollArea>
#include <QSet>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <algorithm>
#include <map>

namespace mesh::pages {

namespace {

constexpr int kMargin = 14;
constexpr int kBarHeight = 36;
constexpr int kFigureHeight = 54;
constexpr int kChartHeight = 140;
constexpr std::int64_t kMicro = 1'000'000;
constexpr std::int64_t kChartSpan_us = bridge::NodesSession::kSeconds * kMicro;

} // namespace

NodesPage::NodesPage(bridge::MeshSession& session, bridge::NodesSession& nodes, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_nodes(nodes)
    , m_model(new NodesModel(nodes, this))
{
    setObjectName(QStringLiteral("nodesPage"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(makeBar());
    column->addWidget(new theme::Hairline(Qt::Horizontal, this));
    column->addWidget(makeFigures());
    column->addWidget(new theme::Hairline(Qt::Horizontal, this));
    m_stack = new QStackedWidget(this);
    m_table = new NodesTable(*m_model, nodes, m_stack);
    m_stack->addWidget(m_table);
    auto* scroll = new QScrollArea(m_stack);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setFocusPolicy(Qt::NoFocus);
    m_map = new NodesMap(nodes, scroll);
    scroll->setWidget(m_map);
    m_stack->addWidget(scroll);
    m_stack->addWidget(makeEmpty());
    column->addWidget(m_stack, 1);
    m_note = new QLabel(this);
    theme::setText(*m_note, theme::Role::Caption, theme::TextColor::Text3);
    m_note->setContentsMargins(kMargin, 8, kMargin, 10);
    m_note->setWordWrap(true);
    column->addWidget(m_note);
    column->addWidget(makeCharts());
    connect(m_table, &NodesTable::nodeSelected, this, &NodesPage::onSelected);
    connect(m_map, &NodesMap::nodeSelected, this, &NodesPage::onSelected);
    connect(&nodes, &bridge::NodesSession::changed, this, &NodesPage::refresh);
    connect(&session, &bridge::MeshSession::documentChanged, this, [this] {
        m_tags = bridge::FindTags(*m_session.document());
        refresh();
    });
    m_tags = bridge::FindTags(*session.document());
    setPart(All);
}

QWidget* NodesPage::makeBar()
{
    auto* bar = new QWidget(this);
    bar->setMinimumHeight(kBarHeight);
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(kMargin, 5, kMargin - 2, 5);
    row->setSpacing(8);
    auto* title = new QLabel(tr("Nodes"), bar);
    theme::setText(*title, theme::Role::BodyStrong);
    row->addWidget(title);
    row->addSpacing(6);
    m_find =
        new FindField(m_session, static_cast<bridge::FindScopes>(bridge::FindScope::Node), bar);
    m_find->setObjectName(QStringLiteral("nodesFind"));
    m_find->setAccessibleName(tr("Filter nodes"));
    m_find->setPlaceholderText(tr("Filter: zone = a and cpu > 20"));
    m_find->setNames([this] { return namesShown(); });
    m_find->setPresets(
        {QStringLiteral("not converged"),
         QStringLiteral("stale or down"),
         QStringLiteral("error% > 1")}
    );
    m_find->setMinimumWidth(180);
    m_find->setMaximumWidth(340);
    connect(m_find, &FindField::expressionChanged, this, &NodesPage::refreshRows);
    row->addWidget(m_find, 1);
    for (int part = 0; part < PartCount; ++part) {
        auto* chip = new theme::Chip({}, bar);
        chip->setObjectName(QStringLiteral("nodesPart%1").arg(part));
        chip->setCheckable(true);
        connect(chip, &QAbstractButton::clicked, this, [this, part] {
            setPart(static_cast<Part>(part));
        });
        m_parts[static_cast<std::size_t>(part)] = chip;
        row->addWidget(chip);
    }
    row->addStretch(1);
    m_form = new theme::SegmentedControl(bar);
    m_form->addSegment(tr("Table"), QStringLiteral("table"));
    m_form->addSegment(tr("Map"), QStringLiteral("zone"));
    m_form->setObjectName(QStringLiteral("nodesForm"));
    m_form->setAccessibleName(tr("Table or map"));
    m_form->setToolTip(tr("Table or map (F6)"));
    connect(m_form, &theme::SegmentedControl::currentChanged, this, &NodesPage::refreshRows);
    row->addWidget(m_form);
    m_add = new QPushButton(theme::icon(QStringLiteral("plus")), tr("Add node…"), bar);
    m_add->setObjectName(QStringLiteral("addNode"));
    m_add->setAccessibleName(tr("Add node"));
    m_add->setFixedHeight(24);
    connect(m_add, &QPushButton::clicked, this, &NodesPage::addRequested);
    row->addWidget(m_add);
    return bar;
}

QWidget* NodesPage::makeFigures()
{
    m_figureRow = new QWidget(this);
    m_figureRow->setFixedHeight(kFigureHeight);
    auto* row = new QHBoxLayout(m_figureRow);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    for (std::size_t at = 0; at < m_figures.size(); ++at) {
        if (at > 0) {
            row->addWidget(new theme::Hairline(Qt::Vertical, m_figureRow));
        }
        Figure& figure = m_figures[at];
        auto* cell = new QVBoxLayout;
        cell->setContentsMargins(kMargin, 7, 6, 7);
        cell->setSpacing(1);
        figure.title = new QLabel(m_figureRow);
        theme::setText(*figure.title, theme::Role::Caption, theme::TextColor::Text3);
        cell->addWidget(figure.title);
        auto* line = new QHBoxLayout;
        line->setSpacing(7);
        figure.figure = new theme::FigureLabel(theme::Role::FigureLarge, m_figureRow);
        line->addWidget(figure.figure);
        figure.note = new QLabel(m_figureRow);
        theme::setText(*figure.note, theme::Role::Caption, theme::TextColor::Text3);
        figure.note->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
        line->addWidget(figure.note, 1);
        cell->addLayout(line);
        row->addLayout(cell, 1);
    }
    return m_figureRow;
}

QWidget* NodesPage::makeCharts()
{
    m_chartRow = new QWidget(this);
    m_chartRow->setFixedHeight(kChartHeight);
    auto* column = new QVBoxLayout(m_chartRow);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(new theme::Hairline(Qt::Horizontal, m_chartRow));
    auto* row = new QHBoxLayout;
    row->setSpacing(0);
    const std::array<QString, 3> titles = {
        tr("Requests / s by zone"), tr("CPU, % of a core"), tr("Open connections")};
    for (std::size_t at = 0; at < m_charts.size(); ++at) {
        if (at > 0) {
            row->addWidget(new theme::Hairline(Qt::Vertical, m_chartRow));
        }
        auto* inside = new QVBoxLayout;
        inside->setContentsMargins(kMargin - 2, 4, kMargin - 4, 2);
        auto* chart = new charts::TimeChart(charts::ChartKind::Lines, titles[at], m_chartRow);
        inside->addWidget(chart);
        row->addLayout(inside, 1);
        m_charts[at] = chart;
        connect(chart, &charts::TimeChart::cursorMoved, this, [this](auto time_us) {
            for (charts::TimeChart* other : m_charts) {
                other->setCursorTime(time_us);
            }
        });
    }
    column->addLayout(row, 1);
    return m_chartRow;
}

QWidget* NodesPage::makeEmpty()
{
    m_empty = new QWidget(this);
    auto* column = new QVBoxLayout(m_empty);
    column->addStretch();
    m_emptyText = new QLabel(m_empty);
    theme::setText(*m_emptyText, theme::Role::Body, theme::TextColor::Text2);
    m_emptyText->setAlignment(Qt::AlignCenter);
    m_emptyText->setWordWrap(true);
    column->addWidget(m_emptyText);
    m_showAll = new QPushButton(tr("Show all nodes"), m_empty);
    m_showAll->setObjectName(QStringLiteral("nodesShowAll"));
    connect(m_showAll, &QPushButton::clicked, this, [this] {
        m_find->clear();
        setPart(All);
    });
    column->addSpacing(8);
    column->addWidget(m_showAll, 0, Qt::AlignCenter);
    column->addStretch();
    return m_empty;
}

void NodesPage::focusFind()
{
    m_find->setFocus(Qt::ShortcutFocusReason);
    m_find->selectAll();
}

void NodesPage::toggleForm() { m_form->setCurrent(1 - m_form->current()); }

void NodesPage::select(const QString& node)
{
    m_table->setCurrentNode(node);
    onSelected(node);
}

void NodesPage::onSelected(const QString& node)
{
    if (m_selected == node) {
        return;
    }
    m_selected = node;
    m_table->setCurrentNode(node);
    m_map->setCurrentNode(node);
    Q_EMIT nodeSelected(node);
}

void NodesPage::setPart(Part part)
{
    m_part = part;
    for (int at = 0; at < PartCount; ++at) {
        m_parts[static_cast<std::size_t>(at)]->setChecked(at == part);
    }
    refresh();
}

void NodesPage::refresh()
{
    refreshParts();
    if (!isVisible() && m_model->nodeCount() > 0) {
        return; // Nobody looks; showing it refreshes.
    }
    refreshFigures();
    refreshRows();
    refreshCharts();
}

void NodesPage::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    refresh();
}

void NodesPage::paintEvent(QPaintEvent* event)
{
    QPainter painter(this);
    painter.fillRect(event->rect(), theme::tokens().panel);
}

void NodesPage::refreshParts()
{
    const bridge::FleetSummary& summary = m_nodes.summary();
    const std::array<QString, PartCount> words = {
        tr("All %1").arg(summary.nodes),
        tr("Attention %1").arg(summary.attention),
        tr("Gateways %1").arg(summary.gateways)};
    for (std::size_t at = 0; at < words.size(); ++at) {
        m_parts[at]->setText(words[at]);
        m_parts[at]->setAccessibleName(words[at]);
    }
}

bool NodesPage::isInPart(const bridge::NodeRow& node) const
{
    switch (m_part) {
    case Attention:
        return bridge::needsAttention(bridge::verdictOf(node, m_nodes.now_us()));
    case Gateways:
        return node.role == bridge::NodeRoleKind::Gateway;
    case All:
    case PartCount:
        break;
    }
    return true;
}

QStringList NodesPage::namesShown() const
{
    QSet<QString> names;
    for (const bridge::NodeRow& node : m_nodes.nodes()) {
        names << node.name << node.zone;
    }
    names.remove(QString());
    QStringList sorted(names.begin(), names.end());
    sorted.sort(Qt::CaseInsensitive);
    return sorted;
}

void NodesPage::refreshRows()
{
    const bridge::FindLanguage& find = m_find->language();
    const bool isFinding = !find.isEmpty() && find.isValid();
    const std::vector<bridge::NodeRow>& nodes = m_nodes.nodes();
    std::vector<bridge::NodeRow> shown;
    int matching = 0;
    for (const bridge::NodeRow& node : nodes) {
        const bool isFound = !isFinding || find.matches(bridge::NodeSubject(node, m_tags));
        matching += isFound ? 1 : 0;
        if (isFound && isInPart(node)) {
            shown.push_back(node);
        }
    }
    m_find->setMatches(matching, static_cast<int>(nodes.size()));
    const bool isHeld = m_table->isVisible() && m_table->underMouse();
    m_model->setNodes(shown, isHeld ? NodesModel::Order::Held : NodesModel::Order::Free);
    const bool isMap = m_form->current() == 1;
    if (isMap) {
        std::map<QString, const bridge::NodeRow*> byName;
        for (const bridge::NodeRow& node : shown) {
            byName[node.name] = &node;
        }
        std::vector<bridge::NodeRow> ordered;
        for (const QString& name : m_model->names()) {
            ordered.push_back(*byName.at(name));
        }
        m_map->setNodes(std::move(ordered));
    }
    m_stack->setCurrentIndex(shown.empty() ? 2 : isMap ? 1 : 0);
    m_emptyText->setText(
        nodes.empty()
            ? tr("This mesh has no nodes. Add one with its admin address, or start the mesh.")
            : tr("No node matches.")
    );
    m_showAll->setVisible(!nodes.empty());
    m_note->setText(
        m_nodes.isLive()
            ? tr("Order is held while the pointer is in the table. Rates are requests a node "
                 "answers; hatched time has no data.")
            : tr("As of %1, by what was measured in the window before. What a node ran, its "
                 "version and its memory are not recorded.")
                  .arg(dateTimeText(m_nodes.now_us()))
    );
    m_note->setVisible(!shown.empty() && (!isMap || !m_nodes.isLive()));
    const bool isKnown = std::any_of(nodes.begin(), nodes.end(), [this](const auto& node) {
        return node.name == m_selected;
    });
    if (!isKnown && !nodes.empty()) {
        // The one that wants somebody to look, or the first.
        const auto urgent =
            std::max_element(nodes.begin(), nodes.end(), [this](const auto& a, const auto& b) {
                return bridge::verdictOf(a, m_nodes.now_us())
                       < bridge::verdictOf(b, m_nodes.now_us());
            });
        select(urgent->name);
    }
}

void NodesPage::refreshFigures()
{
    const bridge::FleetSummary& s = m_nodes.summary();
    const theme::Tokens& t = theme::tokens();
    const QColor warning = t.of(theme::State::Degraded).text;
    const auto ofAll = [&s](int part) { return tr("%1 of %2").arg(part).arg(s.nodes); };
    const auto set = [this](
                         std::size_t at,
                         const QString& title,
                         const QString& figure,
                         const QString& note,
                         const QColor& color = {}
                     ) {
        m_figures[at].title->setText(title);
        m_figures[at].figure->setText(figure);
        m_figures[at].figure->setColor(color);
        m_figures[at].note->setText(note);
        m_figures[at].note->setToolTip(note);
    };
    const QString silent = s.silent.isEmpty()     ? tr("all answer")
                           : s.silent.size() == 1 ? tr("%1 silent").arg(s.silent.front())
                                                  : tr("%1 silent").arg(s.silent.size());
    set(0,
        tr("Reporting"),
        ofAll(s.reporting),
        s.reporting == s.nodes ? tr("all answer") : silent,
        s.reporting < s.nodes ? warning : QColor());
    const int waiting = s.nodes - s.converged;
    set(1,
        s.revision > 0 ? tr("Revision %1").arg(s.revision) : tr("Revision"),
        m_nodes.isLive() ? ofAll(s.converged) : QStringLiteral("–"),
        !m_nodes.isLive() ? tr("not recorded")
        : waiting > 0     ? tr("%n wait(s)", nullptr, waiting)
                          : tr("converged"));
    set(2,
        tr("Traffic in"),
        rateText(s.rpsIn) + QStringLiteral("\u202F/s"),
        tr("%n gateway(s)", nullptr, s.gateways));
    set(3,
        tr("Connections"),
        countText(s.connections),
        m_nodes.isLive() ? tr("%1 upstream").arg(countText(s.upstreamConnections)) : QString());
    const std::int64_t left = s.certificateEnd_us - m_nodes.now_us();
    const bool isSoon = s.certificateEnd_us > 0 && left < bridge::kCertificateWarning_us;
    set(4,
        tr("Certificates"),
        s.certificateEnd_us == 0 ? QStringLiteral("–")
        : left <= 0              ? tr("over")
                                 : spanText(left),
        s.certificateEnd_us == 0 ? tr("none shown") : tr("soonest, %1").arg(s.certificateNode),
        isSoon ? warning : QColor());
    set(5,
        tr("Version"),
        s.version.isEmpty() ? QStringLiteral("–") : s.version,
        s.otherVersions > 0   ? tr("other on %1").arg(s.otherVersions)
        : s.version.isEmpty() ? QString()
                              : tr("on all"));
}

void NodesPage::refreshCharts()
{
    std::map<QString, charts::ChartLine> zones;
    charts::ChartLine median{tr("median"), 5, charts::ChartLine::Fill::No, {}};
    charts::ChartLine highest{tr("highest"), 2, charts::ChartLine::Fill::No, {}};
    charts::ChartLine client{tr("client"), 0, charts::ChartLine::Fill::No, {}};
    charts::ChartLine upstream{tr("upstream"), 5, charts::ChartLine::Fill::No, {}};
    for (const bridge::FleetSecond& second : m_nodes.fleet()) {
        if (second.time_us > m_nodes.now_us()) {
            break; // It goes on while a pause stands still.
        }
        for (const auto& [zone, rps] : second.rpsOfZone) {
            charts::ChartLine& line = zones[zone];
            line.name = zone.isEmpty() ? tr("none") : zone;
            line.points.emplace_back(second.time_us, rps);
        }
        median.points.emplace_back(second.time_us, second.cpuMedian.value_or(0));
        highest.points.emplace_back(second.time_us, second.cpuHighest.value_or(0));
        client.points.emplace_back(second.time_us, second.connections);
        upstream.points.emplace_back(second.time_us, second.upstreamConnections);
    }
    std::vector<charts::ChartLine> lines;
    for (auto& [zone, line] : zones) {
        line.color = static_cast<int>(lines.size());
        if (lines.size() < 6) {
            lines.push_back(std::move(line));
        }
    }
    const charts::TimeSpan span{m_nodes.now_us() - kChartSpan_us, m_nodes.now_us()};
    m_charts[0]->setLines(std::move(lines), kMicro, span);
    m_charts[1]->setLines({std::move(median), std::move(highest)}, kMicro, span);
    m_charts[2]->setLines({std::move(client), std::move(upstream)}, kMicro, span);
    auto markers = m_session.markers(span.begin_us, span.end_us);
    std::erase_if(markers, [](const bridge::Marker& marker) {
        return marker.kind != bridge::Marker::Kind::Revision
               && marker.kind != bridge::Marker::Kind::Node
               && (marker.kind != bridge::Marker::Kind::Push || !bridge::isOnAxis(marker));
    });
    shortenLabels(markers);
    for (charts::TimeChart* chart : m_charts) {
        chart->setMarkers(markers);
    }
}

} // namespace mesh::pages
