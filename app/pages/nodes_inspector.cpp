#include "app/pages/nodes_inspector.h"

#include "app/bridge/mesh_session.h"
#include "app/charts/time_chart.h"
#include "app/pages/nodes_model.h"
#include "app/pages/rows_table.h"
#include "app/pages/texts.h"
#include "app/pages/write_guard.h"
#include "app/theme/controls.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QGridLayout>
#include <QHeaderView>
#include <QLabel>
#include <QMenu>
#include <QPainter>
#include <QPushButton>
#include <QScrollArea>
#include <QStackedWidget>
#include <QTabBar>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cstdlib>

namespace mesh::pages {

namespace {

using Kind = TableColumn::Kind;

constexpr int kInspectorWidth = 376;
constexpr int kMargin = 16;

RowsTable* makeTable(
    const QString& objectName,
    const QString& name,
    std::vector<TableColumn> columns,
    QWidget* parent
)
{
    auto* table = new RowsTable(name, std::move(columns), parent);
    table->setObjectName(objectName);
    return table;
}

} // namespace

NodesInspector::NodesInspector(
    bridge::MeshSession& session, const bridge::NodesSession& nodes, QWidget* parent
)
    : QWidget(parent)
    , m_session(session)
    , m_nodes(nodes)
{
    setObjectName(QStringLiteral("nodesInspector"));
    setAccessibleName(tr("Selected node"));
    setMinimumWidth(300);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(1, 12, 0, 12);
    column->setSpacing(0);
    m_empty = new QLabel(tr("Select a node to see what it runs and measures."), this);
    theme::setText(*m_empty, theme::Role::Body, theme::TextColor::Text2);
    m_empty->setWordWrap(true);
    m_empty->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    m_empty->setContentsMargins(kMargin, 8, kMargin, 0);
    column->addWidget(m_empty, 1);
    m_body = new QWidget(this);
    auto* body = new QVBoxLayout(m_body);
    body->setContentsMargins(0, 0, 0, 0);
    body->setSpacing(0);
    body->addWidget(makeHead());
    body->addSpacing(10);
    auto* noteRow = new QVBoxLayout;
    noteRow->setContentsMargins(kMargin, 0, kMargin, 0);
    noteRow->addWidget(makeNote());
    m_answer = new QLabel(m_body);
    m_answer->setObjectName(QStringLiteral("nodeAnswer"));
    m_answer->setWordWrap(true);
    m_answer->hide();
    noteRow->addWidget(m_answer);
    body->addLayout(noteRow);
    m_tabs = new QTabBar(m_body);
    m_tabs->setObjectName(QStringLiteral("nodeTabs"));
    m_tabs->setAccessibleName(tr("What is shown of the node"));
    m_tabs->setDrawBase(false);
    m_tabs->setExpanding(false);
    m_tabs->setUsesScrollButtons(false);
    m_tabs->setElideMode(Qt::ElideNone);
    for (const QString& title :
         {tr("Overview"), tr("Configuration"), tr("Targets"), tr("Certificates")}) {
        m_tabs->addTab(title);
    }
    auto* tabRow = new QHBoxLayout;
    tabRow->setContentsMargins(kMargin - 8, 4, 0, 0);
    tabRow->addWidget(m_tabs);
    tabRow->addStretch();
    body->addLayout(tabRow);
    body->addWidget(new theme::Hairline(Qt::Horizontal, m_body));
    m_pages = new QStackedWidget(m_body);
    m_pages->addWidget(makeOverview());
    m_pages->addWidget(makeConfiguration());
    m_pages->addWidget(makeTargets());
    m_certificates = makeTable(
        QStringLiteral("nodeCertificates"),
        tr("Certificates"),
        {{tr("Use"), 120}, {tr("Identity"), 0}, {tr("Ends in"), 76, Kind::Number}},
        m_pages
    );
    m_pages->addWidget(m_certificates);
    body->addWidget(m_pages, 1);
    column->addWidget(m_body, 1);
    connect(m_tabs, &QTabBar::currentChanged, this, [this](int tab) {
        m_pages->setCurrentIndex(tab);
        refresh();
    });
    using bridge::MeshSession;
    connect(&nodes, &bridge::NodesSession::changed, this, &NodesInspector::refresh);
    connect(&session, &MeshSession::nodeCommandFinished, this, &NodesInspector::onCommandFinished);
    refresh();
}

QSize NodesInspector::sizeHint() const { return {kInspectorWidth, 600}; }

QSize NodesInspector::minimumSizeHint() const { return {minimumWidth(), 200}; }

QWidget* NodesInspector::makeHead()
{
    auto* head = new QWidget(m_body);
    auto* row = new QHBoxLayout(head);
    row->setContentsMargins(kMargin, 0, kMargin - 6, 0);
    row->setSpacing(10);
    m_title = new QLabel(head);
    m_title->setObjectName(QStringLiteral("nodeTitle"));
    theme::setText(*m_title, theme::Role::Title);
    row->addWidget(m_title);
    m_state = new theme::Chip({}, head);
    m_state->setFocusPolicy(Qt::NoFocus);
    row->addWidget(m_state);
    row->addStretch();
    m_menuButton = new QToolButton(head);
    m_menuButton->setObjectName(QStringLiteral("nodeMenu"));
    m_menuButton->setIcon(theme::icon(QStringLiteral("kebab")));
    m_menuButton->setToolTip(tr("What can be asked of the node"));
    m_menuButton->setAccessibleName(m_menuButton->toolTip());
    m_menuButton->setPopupMode(QToolButton::InstantPopup);
    theme::setButtonRole(*m_menuButton, theme::ButtonRole::Ghost);
    row->addWidget(m_menuButton);
    makeMenu();
    return head;
}

void NodesInspector::makeMenu()
{
    m_menu = new QMenu(this);
    const auto add = [this](QMenu& menu, const char* name, const QString& text, auto run) {
        QAction* action = menu.addAction(text);
        action->setObjectName(QLatin1String(name));
        connect(action, &QAction::triggered, this, run);
    };
    add(*m_menu, "node.try", tr("Connect anew"), [this] { m_session.tryNode(m_node); });
    add(*m_menu, "node.restore", tr("Send the newest revision…"), [this] { restore(); });
    add(*m_menu, "node.adopt", tr("Adopt what it runs…"), [this] { adopt(); });
    m_menu->addSeparator();
    QMenu& levels = *m_menu->addMenu(tr("Log level"));
    for (const QString& level :
         {QStringLiteral("debug"),
          QStringLiteral("info"),
          QStringLiteral("warn"),
          QStringLiteral("error"),
          QStringLiteral("off")}) {
        QAction* action = levels.addAction(level);
        action->setObjectName(QStringLiteral("node.log.") + level);
        connect(action, &QAction::triggered, this, [this, level] {
            m_session.setNodeLogLevel(m_node, level);
        });
        guardWrite(*action, m_session, bridge::WriteAction::ConfigureNode);
    }
    m_menu->addSeparator();
    m_maintenance = m_menu->addAction(QString());
    m_maintenance->setObjectName(QStringLiteral("node.maintenance"));
    connect(m_maintenance, &QAction::triggered, this, &NodesInspector::toggleMaintenance);
    add(*m_menu, "node.drain", tr("Drain and stop…"), [this] { drain(); });
    for (QAction* action : m_menu->actions()) {
        if (action->objectName() != QLatin1String("node.try") && !action->isSeparator()) {
            const bool isDrain = action->objectName() == QLatin1String("node.drain");
            guardWrite(
                *action,
                m_session,
                isDrain ? bridge::WriteAction::Drain : bridge::WriteAction::ConfigureNode
            );
        }
    }
    m_menuButton->setMenu(m_menu);
}

QWidget* NodesInspector::makeNote()
{
    m_note = new theme::Note(theme::State::Stale, m_body);
    m_note->setObjectName(QStringLiteral("nodeNote"));
    auto* column = new QVBoxLayout(m_note);
    column->setSpacing(4);
    m_noteTitle = new QLabel(m_note);
    theme::setText(*m_noteTitle, theme::Role::SmallStrong);
    m_noteTitle->setObjectName(QStringLiteral("nodeNoteTitle"));
    m_noteText = new QLabel(m_note);
    theme::setText(*m_noteText, theme::Role::Small, theme::TextColor::Text2);
    m_noteText->setWordWrap(true);
    column->addWidget(m_noteTitle);
    column->addWidget(m_noteText);
    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(8);
    const auto addButton = [&](const char* name, const QString& text, const QString& icon) {
        auto* button = new QPushButton(text, m_note);
        button->setObjectName(QLatin1String(name));
        button->setAccessibleName(text);
        button->setFixedHeight(24);
        if (!icon.isEmpty()) {
            button->setIcon(theme::icon(icon));
            button->setIconSize({13, 13});
        }
        buttons->addWidget(button);
        return button;
    };
    m_try = addButton("tryNode", tr("Try now"), QStringLiteral("refresh"));
    m_adopt = addButton("adoptNode", tr("Adopt…"), {});
    m_restore = addButton("restoreNode", tr("Restore…"), {});
    buttons->addStretch();
    column->addLayout(buttons);
    guardWrite(*m_adopt, m_session, bridge::WriteAction::EditDraft);
    guardWrite(*m_restore, m_session, bridge::WriteAction::ConfigureNode);
    connect(m_try, &QPushButton::clicked, this, [this] { m_session.tryNode(m_node); });
    connect(m_adopt, &QPushButton::clicked, this, &NodesInspector::adopt);
    connect(m_restore, &QPushButton::clicked, this, &NodesInspector::restore);
    return m_note;
}

QLabel* NodesInspector::addSection(QVBoxLayout& column, const QString& title)
{
    auto* label = new QLabel(title, this);
    theme::setText(*label, theme::Role::SmallStrong, theme::TextColor::Text2);
    label->setContentsMargins(kMargin, 10, kMargin, 2);
    column.addWidget(label);
    return label;
}

QWidget* NodesInspector::makeFacts()
{
    auto* facts = new QWidget(this);
    auto* grid = new QGridLayout(facts);
    grid->setContentsMargins(kMargin, 0, kMargin, 6);
    grid->setHorizontalSpacing(12);
    grid->setVerticalSpacing(7);
    grid->setColumnMinimumWidth(0, 100);
    grid->setColumnStretch(1, 1);
    const std::array<QString, FactCount> titles = {
        tr("Role"),
        tr("Admin"),
        tr("Identity"),
        tr("Version"),
        tr("Running"),
        tr("Waiting"),
        tr("Process"),
        tr("Clock")};
    for (int fact = 0; fact < FactCount; ++fact) {
        const auto at = static_cast<std::size_t>(fact);
        auto* title = new QLabel(titles[at], facts);
        theme::setText(*title, theme::Role::Small, theme::TextColor::Text3);
        const bool isCode = fact == Admin || fact == Identity;
        m_facts[at] =
            new theme::ElidedLabel(isCode ? theme::Role::CodeSmall : theme::Role::Small, facts);
        m_facts[at]->setAccessibleName(titles[at]);
        grid->addWidget(title, fact, 0);
        grid->addWidget(m_facts[at], fact, 1);
    }
    return facts;
}

QWidget* NodesInspector::makeOverview()
{
    auto* content = new QWidget(this);
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(0, 0, 0, 8);
    column->setSpacing(2);
    addSection(*column, tr("Node"));
    column->addWidget(makeFacts());
    column->addWidget(new theme::Hairline(Qt::Horizontal, content));
    auto* chartRow = new QVBoxLayout;
    chartRow->setContentsMargins(kMargin, 6, kMargin, 4);
    m_chart =
        new charts::TimeChart(charts::ChartKind::Lines, tr("Requests / s, this node"), content);
    chartRow->addWidget(m_chart);
    column->addLayout(chartRow);
    column->addWidget(new theme::Hairline(Qt::Horizontal, content));
    m_instancesTitle = addSection(*column, tr("Instances behind it"));
    m_instances = makeTable(
        QStringLiteral("nodeInstances"),
        tr("Instances behind it"),
        {{tr("Instance"), 0, Kind::State},
         {tr("Service"), 100},
         {tr("rps"), 64, Kind::Number},
         {tr("err %"), 56, Kind::Number}},
        content
    );
    column->addWidget(m_instances);
    m_eventsTitle = addSection(*column, tr("Last events"));
    m_events = makeTable(
        QStringLiteral("nodeEvents"),
        tr("Last events of the node"),
        {{tr("Time"), 76}, {tr("What"), 0}},
        content
    );
    for (RowsTable* table : {m_instances, m_events}) {
        table->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
        table->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
        table->horizontalHeader()->hide();
    }
    column->addWidget(m_events);
    column->addStretch();
    auto* scroll = new QScrollArea(this);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setWidget(content);
    scroll->viewport()->setAutoFillBackground(false);
    content->setAutoFillBackground(false);
    return scroll;
}

QWidget* NodesInspector::makeConfiguration()
{
    auto* page = new QWidget(this);
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(0, 4, 0, 0);
    m_valuesNote = new QLabel(page);
    theme::setText(*m_valuesNote, theme::Role::Caption, theme::TextColor::Text3);
    m_valuesNote->setWordWrap(true);
    m_valuesNote->setContentsMargins(kMargin, 4, kMargin, 4);
    column->addWidget(m_valuesNote);
    m_values = makeTable(
        QStringLiteral("nodeValues"),
        tr("Effective configuration"),
        {{tr("Value of"), 0}, {tr("Value"), 110}, {tr("From"), 96}},
        page
    );
    column->addWidget(m_values, 1);
    return page;
}

QWidget* NodesInspector::makeTargets()
{
    auto* page = new QWidget(this);
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(0, 4, 0, 0);
    m_targets = makeTable(
        QStringLiteral("nodeTargets"),
        tr("Targets as the node sees them"),
        {{tr("Target"), 0}, {tr("State"), 88, Kind::State}, {tr("Why"), 120}},
        page
    );
    column->addWidget(m_targets, 1);
    auto* row = new QHBoxLayout;
    row->setContentsMargins(kMargin, 8, kMargin, 0);
    row->setSpacing(8);
    using bridge::TargetOverride;
    const std::array<std::pair<QString, TargetOverride>, 3> choices = {
        {{tr("Send nothing"), TargetOverride::Unhealthy},
         {tr("Take for healthy"), TargetOverride::Healthy},
         {tr("By its checks"), TargetOverride::None}}};
    for (std::size_t at = 0; at < choices.size(); ++at) {
        auto* button = new QPushButton(choices[at].first, page);
        button->setObjectName(QStringLiteral("override%1").arg(at));
        button->setAccessibleName(choices[at].first);
        button->setFixedHeight(26);
        connect(button, &QPushButton::clicked, this, [this, health = choices[at].second] {
            overrideTarget(health);
        });
        guardWrite(*button, m_session, bridge::WriteAction::ConfigureNode);
        row->addWidget(button);
        m_overrides[at] = button;
    }
    row->addStretch();
    column->addLayout(row);
    connect(m_targets, &RowsTable::keySelected, this, &NodesInspector::refreshTargets);
    return page;
}

void NodesInspector::paintEvent(QPaintEvent* event)
{
    Q_UNUSED(event)
    QPainter painter(this);
    const theme::Tokens& t = theme::tokens();
    painter.fillRect(rect(), t.panel);
    painter.fillRect(QRect(0, 0, 1, height()), t.border);
}

} // namespace mesh::pages
