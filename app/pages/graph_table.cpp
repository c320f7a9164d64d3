#include "app/pages/graph_table.h"

#include "app/bridge/mesh_session.h"
#include "app/pages/table_view.h"
#include "app/pages/texts.h"
#include "app/theme/controls.h"

#include <QLabel>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <utility>
#include <vector>

namespace mesh::pages {
namespace {

using bridge::FindOperand;
using Kind = TableColumn::Kind;

constexpr int kFailureRow = static_cast<int>(theme::State::Failure);
constexpr int kStaleRow = static_cast<int>(theme::State::Stale);

int rowStateOf(bridge::HealthState state)
{
    const int row = static_cast<int>(stateOf(state));
    return row == kFailureRow || row == kStaleRow ? row : -1;
}

// The worst first when sorted down.
double severity(bridge::HealthState state)
{
    switch (state) {
    case bridge::HealthState::Failure:
        return 5;
    case bridge::HealthState::Stale:
        return 4;
    case bridge::HealthState::Degraded:
        return 3;
    case bridge::HealthState::NoData:
        return 2;
    case bridge::HealthState::Idle:
        return 1;
    case bridge::HealthState::Healthy:
        break;
    }
    return 0;
}

GridCell stateCell(bridge::HealthState state)
{
    GridCell cell;
    cell.text = wordOf(state);
    cell.number = severity(state);
    cell.state = static_cast<int>(stateOf(state));
    cell.values = {bridge::findWord(state)};
    return cell;
}

GridCell figureCell(const QString& text, std::optional<double> number)
{
    GridCell cell;
    cell.text = text;
    cell.number = number;
    return cell;
}

GridCell rateCell(const bridge::Figures& figures)
{
    const bool isActive = figures.rps > 0 || figures.requests > 0;
    return figureCell(
        isActive ? rateText(figures.rps) : rateText(0),
        isActive ? std::optional(figures.rps) : std::nullopt
    );
}

GridCell errorCell(const bridge::Figures& figures)
{
    const auto percent =
        figures.errorRatio ? std::optional(*figures.errorRatio * 100) : std::nullopt;
    return figureCell(percentText(figures.errorRatio), percent);
}

GridCell latencyCell(std::optional<double> milliseconds)
{
    return figureCell(millisecondsText(milliseconds), milliseconds);
}

GridCell textCell(const QString& text, const QStringList& values = {})
{
    GridCell cell;
    cell.text = text;
    cell.values = values;
    return cell;
}

const std::vector<bridge::EntityRow>& entitiesOf(const bridge::MeshSession& session)
{
    return session.topology().entities;
}

class EntitySource : public TableSource
{
public:
    EntitySource(const bridge::MeshSession& session, std::shared_ptr<bridge::FindTags> tags)
        : m_session(session)
        , m_tags(std::move(tags))
    {}

    [[nodiscard]] std::vector<GridColumn> columns() const override
    {
        return {
            {GraphTable::tr("Service"), 180, Kind::Text, FindOperand::Name},
            {GraphTable::tr("State"), 110, Kind::State, FindOperand::State},
            {GraphTable::tr("Kind"), 80, Kind::Text, FindOperand::Kind},
            {GraphTable::tr("Version"), 110, Kind::Text, FindOperand::Version},
            {GraphTable::tr("Zones"), 70, Kind::Text, FindOperand::Zone},
            {GraphTable::tr("rps"), 80, Kind::Number, FindOperand::Rate},
            {GraphTable::tr("err %"), 70, Kind::Number, FindOperand::Errors},
            {GraphTable::tr("p95 ms"), 80, Kind::Number, FindOperand::P95},
            {GraphTable::tr("Instances"), 80, Kind::Number, FindOperand::Instances},
            {GraphTable::tr("Why"), 0}};
    }
    [[nodiscard]] int count() const override
    {
        return static_cast<int>(entitiesOf(m_session).size());
    }
    [[nodiscard]] QString key(int row) const override { return at(row).id; }
    [[nodiscard]] int rowState(int row) const override { return rowStateOf(at(row).state); }
    [[nodiscard]] bool matches(int row, const bridge::FindLanguage& find) const override
    {
        return find.matches(bridge::EntitySubject(at(row), *m_tags));
    }
    [[nodiscard]] GridCell cell(int row, int column) const override
    {
        const bridge::EntityRow& entity = at(row);
        switch (column) {
        case 0:
            return textCell(entity.name);
        case 1:
            return stateCell(entity.state);
        case 2:
            return textCell(wordOf(entity.kind), {entity.id.section(u':', 0, 0)});
        case 3:
            return textCell(
                entity.version, entity.version.split(QStringLiteral(" · "), Qt::SkipEmptyParts)
            );
        case 4:
            return textCell(entity.zones.join(QStringLiteral(", ")), entity.zones);
        case 5:
            return rateCell(entity.figures);
        case 6:
            return errorCell(entity.figures);
        case 7:
            return latencyCell(entity.figures.p95_ms);
        case 8: {
            const auto count = entity.instances.size();
            return figureCell(QString::number(count), static_cast<double>(count));
        }
        default:
            return textCell(entity.why);
        }
    }

private:
    [[nodiscard]] const bridge::EntityRow& at(int row) const
    {
        return entitiesOf(m_session)[static_cast<std::size_t>(row)];
    }

    const bridge::MeshSession& m_session;
    std::shared_ptr<bridge::FindTags> m_tags;
};

class EdgeSource : public TableSource
{
public:
    explicit EdgeSource(const bridge::MeshSession& session)
        : m_session(session)
    {}

    [[nodiscard]] std::vector<GridColumn> columns() const override
    {
        return {
            {GraphTable::tr("Calls from"), 180, Kind::Text, FindOperand::Source},
            {GraphTable::tr("To"), 180, Kind::Text, FindOperand::Target},
            {GraphTable::tr("State"), 110, Kind::State, FindOperand::State},
            {GraphTable::tr("Protocol"), 110, Kind::Text, FindOperand::Protocol},
            {GraphTable::tr("mTLS"), 80, Kind::Text, FindOperand::Mtls},
            {GraphTable::tr("rps"), 80, Kind::Number, FindOperand::Rate},
            {GraphTable::tr("err %"), 70, Kind::Number, FindOperand::Errors},
            {GraphTable::tr("p50 ms"), 80, Kind::Number, FindOperand::P50},
            {GraphTable::tr("p95 ms"), 80, Kind::Number, FindOperand::P95},
            {GraphTable::tr("p99 ms"), 80, Kind::Number, FindOperand::P99},
            {GraphTable::tr("Policies"), 0, Kind::Text, FindOperand::Policy}};
    }
    [[nodiscard]] int count() const override
    {
        return static_cast<int>(m_session.topology().edges.size());
    }
    [[nodiscard]] QString key(int row) const override
    {
        return at(row).source + QStringLiteral(" -> ") + at(row).target;
    }
    [[nodiscard]] int rowState(int row) const override { return rowStateOf(at(row).state); }
    [[nodiscard]] bool matches(int row, const bridge::FindLanguage& find) const override
    {
        return find.matches(bridge::EdgeSubject(at(row)));
    }
    [[nodiscard]] GridCell cell(int row, int column) const override
    {
        const bridge::EdgeRow& edge = at(row);
        switch (column) {
        case 0:
            return textCell(nameOf(edge.source));
        case 1:
            return textCell(nameOf(edge.target));
        case 2:
            return stateCell(edge.state);
        case 3:
            return textCell(edge.protocol);
        case 4:
            return textCell(lockWord(edge.lock));
        case 5:
            return rateCell(edge.figures);
        case 6:
            return errorCell(edge.figures);
        case 7:
            return latencyCell(edge.figures.p50_ms);
        case 8:
            return latencyCell(edge.figures.p95_ms);
        case 9:
            return latencyCell(edge.figures.p99_ms);
        default: {
            QStringList words;
            for (const bridge::PolicyRow& policy : edge.policies) {
                words << policy.text;
            }
            return textCell(words.join(QStringLiteral(", ")), words);
        }
        }
    }

private:
    [[nodiscard]] const bridge::EdgeRow& at(int row) const
    {
        return m_session.topology().edges[static_cast<std::size_t>(row)];
    }
    // As the filter writes them.
    static QString lockWord(bridge::EdgeLock lock)
    {
        const bridge::EdgeRow edge = [lock] {
            bridge::EdgeRow row;
            row.lock = lock;
            return row;
        }();
        return bridge::EdgeSubject(edge).value(FindOperand::Mtls, {}).texts.value(0);
    }

    const bridge::MeshSession& m_session;
};

class InstanceSource : public TableSource
{
public:
    InstanceSource(const bridge::MeshSession& session, std::shared_ptr<bridge::FindTags> tags)
        : m_session(session)
        , m_tags(std::move(tags))
    {}

    // Owed before each refresh: which entity has which row.
    void index()
    {
        m_places.clear();
        const auto& entities = entitiesOf(m_session);
        for (std::size_t i = 0; i < entities.size(); ++i) {
            for (std::size_t j = 0; j < entities[i].instances.size(); ++j) {
                m_places.emplace_back(i, j);
            }
        }
    }

    [[nodiscard]] std::vector<GridColumn> columns() const override
    {
        return {
            {GraphTable::tr("Instance"), 180, Kind::Text, FindOperand::Name},
            {GraphTable::tr("Service"), 150, Kind::Text, FindOperand::Service},
            {GraphTable::tr("State"), 110, Kind::State, FindOperand::State},
            {GraphTable::tr("Zone"), 60, Kind::Text, FindOperand::Zone},
            {GraphTable::tr("Version"), 80, Kind::Text, FindOperand::Version},
            {GraphTable::tr("Address"), 150, Kind::Text, FindOperand::Address},
            {GraphTable::tr("rps"), 80, Kind::Number, FindOperand::Rate},
            {GraphTable::tr("err %"), 70, Kind::Number, FindOperand::Errors},
            {GraphTable::tr("p95 ms"), 80, Kind::Number, FindOperand::P95},
            {GraphTable::tr("Why"), 0}};
    }
    [[nodiscard]] int count() const override { return static_cast<int>(m_places.size()); }
    [[nodiscard]] QString key(int row) const override
    {
        return entityAt(row).id + QStringLiteral(" / ") + at(row).id;
    }
    [[nodiscard]] int rowState(int row) const override
    {
        return at(row).state == bridge::InstanceState::Down ? kFailureRow : -1;
    }
    [[nodiscard]] bool matches(int row, const bridge::FindLanguage& find) const override
    {
        return find.matches(bridge::InstanceSubject(at(row), *m_tags));
    }
    [[nodiscard]] GridCell cell(int row, int column) const override
    {
        const bridge::InstanceRow& instance = at(row);
        switch (column) {
        case 0:
            return textCell(instance.id);
        case 1:
            return textCell(entityAt(row).name);
        case 2: {
            GridCell cell = textCell(wordOf(instance.state));
            cell.values =
                bridge::InstanceSubject(instance, *m_tags).value(FindOperand::State, {}).texts;
            cell.number = static_cast<double>(instance.state);
            cell.state = static_cast<int>(
                instance.state == bridge::InstanceState::Up      ? theme::State::Healthy
                : instance.state == bridge::InstanceState::Stale ? theme::State::Stale
                : instance.state == bridge::InstanceState::Down  ? theme::State::Failure
                                                                 : theme::State::Degraded
            );
            return cell;
        }
        case 3:
            return textCell(instance.zone);
        case 4:
            return textCell(instance.version);
        case 5:
            return textCell(instance.address);
        case 6:
            return rateCell(instance.figures);
        case 7:
            return errorCell(instance.figures);
        case 8:
            return latencyCell(instance.figures.p95_ms);
        default:
            return textCell(instance.reason);
        }
    }

private:
    // A topology that was replaced since index() may have fewer rows.
    [[nodiscard]] const bridge::EntityRow& entityAt(int row) const
    {
        static const bridge::EntityRow kNone;
        const std::size_t entity = m_places[static_cast<std::size_t>(row)].first;
        return entity < entitiesOf(m_session).size() ? entitiesOf(m_session)[entity] : kNone;
    }
    [[nodiscard]] const bridge::InstanceRow& at(int row) const
    {
        static const bridge::InstanceRow kNone;
        const bridge::EntityRow& entity = entityAt(row);
        const std::size_t place = m_places[static_cast<std::size_t>(row)].second;
        return place < entity.instances.size() ? entity.instances[place] : kNone;
    }

    const bridge::MeshSession& m_session;
    std::shared_ptr<bridge::FindTags> m_tags;
    std::vector<std::pair<std::size_t, std::size_t>> m_places;
};

} // namespace

GraphTable::GraphTable(bridge::MeshSession& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_tags(std::make_shared<bridge::FindTags>(*session.document()))
    , m_choice(new theme::SegmentedControl(this))
    , m_stack(new QStackedWidget(this))
{
    setObjectName(QStringLiteral("graphTable"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_stack);
    auto instances = std::make_unique<InstanceSource>(session, m_tags);
    m_index = [source = instances.get()] { source->index(); };
    m_index();
    m_tables[0] =
        new TableView(tr("Services"), std::make_unique<EntitySource>(session, m_tags), m_stack);
    m_tables[1] = new TableView(tr("Calls"), std::make_unique<EdgeSource>(session), m_stack);
    m_tables[2] = new TableView(tr("Instances"), std::move(instances), m_stack);
    const QStringList names = {
        QStringLiteral("serviceTable"),
        QStringLiteral("edgeTable"),
        QStringLiteral("instanceTable")};
    for (int i = 0; i < kGraphRowsCount; ++i) {
        TableView* table = m_tables[static_cast<std::size_t>(i)];
        table->setObjectName(names[i]);
        m_stack->addWidget(table);
        connect(table, &TableView::filterWanted, this, &GraphTable::filterWanted);
        const auto withoutInstance = [](const QString& key) {
            return key.section(QStringLiteral(" / "), 0, 0);
        };
        connect(table, &TableView::keySelected, this, [this, withoutInstance](const QString& key) {
            Q_EMIT keySelected(withoutInstance(key));
        });
        connect(table, &TableView::keyActivated, this, [this, withoutInstance](const QString& key) {
            Q_EMIT keyActivated(withoutInstance(key));
        });
    }
    m_choice->setObjectName(QStringLiteral("graphRows"));
    m_choice->setAccessibleName(tr("Services, calls or instances"));
    m_choice->addSegment(tr("Services"));
    m_choice->addSegment(tr("Calls"));
    m_choice->addSegment(tr("Instances"));
    connect(m_choice, &theme::SegmentedControl::currentChanged, this, [this](int index) {
        m_stack->setCurrentIndex(index);
        m_tables[static_cast<std::size_t>(index)]->addToFoot(*m_choice);
        refresh();
        Q_EMIT rowsChanged();
    });
    m_tables[0]->addToFoot(*m_choice);
    setFocusProxy(m_tables[0]);
    connect(&session, &bridge::MeshSession::documentChanged, this, [this] {
        *m_tags = bridge::FindTags(*m_session.document());
    });
}

// Only the table in front is read; the others are when they come to the front.
void GraphTable::refresh()
{
    m_index();
    m_tables[static_cast<std::size_t>(m_choice->current())]->refresh();
}

void GraphTable::setFilter(const bridge::FindLanguage& find, const bridge::FindLanguage& hide)
{
    const QString text = find.canonical() + u'\n' + hide.canonical();
    if (text == m_filter) {
        return; // The rows hold still under the pointer.
    }
    m_filter = text;
    m_index();
    for (TableView* table : m_tables) {
        table->model().setFilter(find, hide);
    }
    m_tables[static_cast<std::size_t>(m_choice->current())]->setFilter(find, hide);
}

void GraphTable::setRows(GraphRows rows) { m_choice->setCurrent(static_cast<int>(rows)); }

GraphRows GraphTable::rows() const { return static_cast<GraphRows>(m_choice->current()); }

void GraphTable::setCurrentKey(const QString& key) { table(rows()).setCurrentKey(key); }

TableView& GraphTable::table(GraphRows rows) { return *m_tables[static_cast<std::size_t>(rows)]; }

int GraphTable::matching() { return table(rows()).model().matching(); }

int GraphTable::total() { return table(rows()).model().total(); }

bridge::FindScopes GraphTable::scopes() const { return 1U << static_cast<unsigned>(rows()); }

} // namespace mesh::pages
