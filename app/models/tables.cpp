#include "app/models/tables.h"

#include "app/bridge/format.h"

#include <optional>

namespace mesh::models {

namespace {

constexpr Qt::Alignment kRight = Qt::AlignRight | Qt::AlignVCenter;
constexpr Qt::Alignment kLeft = Qt::AlignLeft | Qt::AlignVCenter;

QString translated(const char* text)
{
    return QCoreApplication::translate("mesh::models::Words", text);
}

QString toWord(bridge::HealthState state)
{
    switch (state) {
    case bridge::HealthState::Healthy:
        return translated("healthy");
    case bridge::HealthState::Degraded:
        return translated("degraded");
    case bridge::HealthState::Failure:
        return translated("failure");
    case bridge::HealthState::Idle:
        return translated("idle");
    case bridge::HealthState::NoData:
        return translated("no data");
    case bridge::HealthState::Stale:
        return translated("stale");
    }
    return {};
}

QString toWord(bridge::InstanceState state)
{
    switch (state) {
    case bridge::InstanceState::Up:
        return translated("up");
    case bridge::InstanceState::Ejected:
        return translated("ejected");
    case bridge::InstanceState::Draining:
        return translated("draining");
    case bridge::InstanceState::Starting:
        return translated("starting");
    case bridge::InstanceState::Stale:
        return translated("stale");
    case bridge::InstanceState::Down:
        return translated("down");
    case bridge::InstanceState::Frozen:
        return translated("frozen");
    }
    return {};
}

QString toWord(bridge::Marker::Kind kind)
{
    switch (kind) {
    case bridge::Marker::Kind::Revision:
        return translated("revision");
    case bridge::Marker::Kind::Push:
        return translated("push");
    case bridge::Marker::Kind::Fault:
        return translated("fault");
    case bridge::Marker::Kind::HealthChange:
        return translated("health");
    case bridge::Marker::Kind::Ejection:
        return translated("ejection");
    case bridge::Marker::Kind::Node:
        return translated("node");
    case bridge::Marker::Kind::Alert:
        return translated("alert");
    case bridge::Marker::Kind::Policy:
        return translated("policy");
    }
    return {};
}

QString toWord(bridge::ProblemSeverity severity)
{
    switch (severity) {
    case bridge::ProblemSeverity::Error:
        return translated("error");
    case bridge::ProblemSeverity::Warning:
        return translated("warning");
    case bridge::ProblemSeverity::Info:
        return translated("info");
    }
    return {};
}

// Nothing sorts below every value.
QVariant toSortable(const std::optional<double>& value) { return value.value_or(-1.0); }

std::optional<double> rateOf(const bridge::Figures& figures)
{
    return figures.requests == 0 ? std::nullopt : std::optional(figures.rps);
}

// Columns of rate, errors and p95, the same in every table of traffic.
template <typename Row>
void addFigures(std::vector<Column<Row>>& columns)
{
    columns.push_back(
        {translated("rps"),
         [](const Row& row) { return bridge::formatRate(rateOf(row.figures)); },
         [](const Row& row) { return toSortable(rateOf(row.figures)); },
         kRight}
    );
    columns.push_back(
        {translated("Errors"),
         [](const Row& row) { return bridge::formatRatio(row.figures.errorRatio); },
         [](const Row& row) { return toSortable(row.figures.errorRatio); },
         kRight}
    );
    columns.push_back(
        {translated("p95"),
         [](const Row& row) { return bridge::formatDuration(row.figures.p95_ms); },
         [](const Row& row) { return toSortable(row.figures.p95_ms); },
         kRight}
    );
}

std::vector<Column<bridge::EntityRow>> entityColumns()
{
    using Row = bridge::EntityRow;
    std::vector<Column<Row>> columns = {
        {translated("Name"), [](const Row& row) { return row.name; }, {}, kLeft},
        {translated("State"),
         [](const Row& row) { return toWord(row.state); },
         [](const Row& row) { return static_cast<int>(row.state); },
         kLeft},
        {translated("Version"), [](const Row& row) { return row.version; }, {}, kLeft},
        {translated("Zones"),
         [](const Row& row) { return row.zones.join(QStringLiteral(", ")); },
         {},
         kLeft},
        {translated("Instances"),
         [](const Row& row) { return static_cast<int>(row.instances.size()); },
         {},
         kRight}};
    addFigures(columns);
    columns.push_back({translated("Why"), [](const Row& row) { return row.why; }, {}, kLeft});
    return columns;
}

std::vector<Column<bridge::EdgeRow>> edgeColumns()
{
    using Row = bridge::EdgeRow;
    std::vector<Column<Row>> columns = {
        {translated("From"), [](const Row& row) { return row.source.section(u':', 1); }, {}, kLeft},
        {translated("To"), [](const Row& row) { return row.target.section(u':', 1); }, {}, kLeft},
        {translated("State"),
         [](const Row& row) { return toWord(row.state); },
         [](const Row& row) { return static_cast<int>(row.state); },
         kLeft}};
    addFigures(columns);
    return columns;
}

std::vector<Column<bridge::InstanceRow>> instanceColumns()
{
    using Row = bridge::InstanceRow;
    std::vector<Column<Row>> columns = {
        {translated("Instance"), [](const Row& row) { return row.id; }, {}, kLeft},
        {translated("State"),
         [](const Row& row) { return toWord(row.state); },
         [](const Row& row) { return static_cast<int>(row.state); },
         kLeft},
        {translated("Zone"), [](const Row& row) { return row.zone; }, {}, kLeft},
        {translated("Version"), [](const Row& row) { return row.version; }, {}, kLeft}};
    addFigures(columns);
    columns.push_back({translated("Reason"), [](const Row& row) { return row.reason; }, {}, kLeft});
    return columns;
}

std::vector<Column<bridge::Marker>> eventColumns()
{
    using Row = bridge::Marker;
    return {
        {translated("Time"),
         [](const Row& row) { return bridge::formatTime(row.begin_us); },
         [](const Row& row) { return static_cast<qlonglong>(row.begin_us); },
         kLeft},
        {translated("Kind"), [](const Row& row) { return toWord(row.kind); }, {}, kLeft},
        {translated("Event"), [](const Row& row) { return row.label; }, {}, kLeft},
        {translated("Details"), [](const Row& row) { return row.detail; }, {}, kLeft}};
}

std::vector<Column<bridge::ProblemRow>> problemColumns()
{
    using Row = bridge::ProblemRow;
    return {
        {translated("Severity"),
         [](const Row& row) { return toWord(row.severity); },
         [](const Row& row) { return static_cast<int>(row.severity); },
         kLeft},
        {translated("Problem"), [](const Row& row) { return row.message; }, {}, kLeft},
        {translated("Path"), [](const Row& row) { return row.path; }, {}, kLeft},
        {translated("Line"),
         [](const Row& row) {
             return row.line == 0 ? bridge::noValueText() : QString::number(row.line);
         },
         [](const Row& row) { return row.line; },
         kRight},
        {translated("Where"), [](const Row& row) { return row.origin; }, {}, kLeft}};
}

std::vector<Column<bridge::RevisionRow>> revisionColumns()
{
    using Row = bridge::RevisionRow;
    constexpr int kHashShown = 8;
    return {
        {translated("Revision"),
         [](const Row& row) { return QString::number(row.id); },
         [](const Row& row) { return static_cast<qlonglong>(row.id); },
         kRight},
        {translated("Time"),
         [](const Row& row) { return bridge::formatTime(row.time_us); },
         [](const Row& row) { return static_cast<qlonglong>(row.time_us); },
         kLeft},
        {translated("Author"), [](const Row& row) { return row.author; }, {}, kLeft},
        {translated("Message"), [](const Row& row) { return row.message; }, {}, kLeft},
        {translated("Hash"), [](const Row& row) { return row.hash.left(kHashShown); }, {}, kLeft},
        {translated("State"),
         [](const Row& row) { return row.isRunning ? translated("running") : QString(); },
         {},
         kLeft}};
}

} // namespace

EntityTableModel::EntityTableModel(QObject* parent)
    : RowTableModel(
        entityColumns(), [](const bridge::EntityRow& row) { return row.id; }, parent
    )
{}

EdgeTableModel::EdgeTableModel(QObject* parent)
    : RowTableModel(
        edgeColumns(),
        [](const bridge::EdgeRow& row) { return row.source + QStringLiteral(" -> ") + row.target; },
        parent
    )
{}

InstanceTableModel::InstanceTableModel(QObject* parent)
    : RowTableModel(
        instanceColumns(), [](const bridge::InstanceRow& row) { return row.id; }, parent
    )
{}

EventsModel::EventsModel(QObject* parent)
    : RowTableModel(
        eventColumns(),
        [](const bridge::Marker& row) {
            return QString::number(row.begin_us) + u' ' + row.label + u' ' + row.subject + u' '
                   + row.detail;
        },
        parent
    )
{}

ProblemsModel::ProblemsModel(QObject* parent)
    : RowTableModel(
        problemColumns(),
        [](const bridge::ProblemRow& row) {
            return row.origin + u' ' + QString::number(row.line) + u' '
                   + QString::number(row.column) + u' ' + row.path + u' ' + row.message;
        },
        parent
    )
{}

RevisionsModel::RevisionsModel(QObject* parent)
    : RowTableModel(
        revisionColumns(),
        [](const bridge::RevisionRow& row) { return QString::number(row.id); },
        parent
    )
{}

} // namespace mesh::models
