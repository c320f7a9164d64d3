#include "app/pages/inspector_tables.h"

#include "app/forms/value_path.h"
#include "app/pages/texts.h"
#include "proxyengine/model/objects.h"

#include <QCoreApplication>

#include <algorithm>
#include <array>
#include <functional>

namespace mesh::pages {
namespace {

using Kind = TableColumn::Kind;

constexpr std::size_t kTapShown = 100;

QString tr(const char* text) { return QCoreApplication::translate("InspectorTables", text); }

bool isLoud(bridge::InstanceState state)
{
    return state == bridge::InstanceState::Ejected || state == bridge::InstanceState::Down
           || state == bridge::InstanceState::Frozen;
}

int rowStateOf(bridge::InstanceState state)
{
    if (isLoud(state)) {
        return static_cast<int>(theme::State::Failure);
    }
    return state == bridge::InstanceState::Stale ? static_cast<int>(theme::State::Stale) : -1;
}

QString toQString(const std::string& text) { return QString::fromStdString(text); }

// One row for every leaf of a record: "healthchecks.active.timeout" and its value.
void addLeaves(
    const model::Value& value,
    const QString& path,
    const QString& origin,
    std::vector<TableRow>& out
)
{
    if (value.isMap()) {
        for (const model::Value::Member& member : value.map()) {
            const QString key = toQString(member.key);
            const QString below = path.isEmpty() ? key : path + u'.' + key;
            addLeaves(member.value, below, origin, out);
        }
        return;
    }
    TableRow row;
    row.key = origin + u'/' + path;
    row.cells = {{path}, {toQString(forms::toDisplay(value))}, {origin}};
    out.push_back(std::move(row));
}

// The worst has the lowest.
int rankOf(bridge::HealthState state)
{
    using State = bridge::HealthState;
    constexpr std::array<State, 6> kOrder = {
        State::Failure, State::Degraded, State::Stale, State::Healthy, State::Idle, State::NoData};
    return static_cast<int>(std::find(kOrder.begin(), kOrder.end(), state) - kOrder.begin());
}

} // namespace

RowsTable* makeServiceTable(QWidget* parent)
{
    using Kind = TableColumn::Kind;
    auto* table = new RowsTable(
        tr("Services"),
        {{tr("Service"), 0, Kind::State},
         {tr("rps"), 52, Kind::Number},
         {tr("err %"), 52, Kind::Number},
         {tr("p95"), 52, Kind::Number}},
        parent
    );
    table->setObjectName(QStringLiteral("worstServices"));
    return table;
}

std::vector<TableRow> serviceRows(const bridge::Topology& topology)
{
    std::vector<const bridge::EntityRow*> order;
    for (const bridge::EntityRow& entity : topology.entities) {
        order.push_back(&entity);
    }
    std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
        const int rankA = rankOf(a->state);
        const int rankB = rankOf(b->state);
        return rankA != rankB ? rankA < rankB : a->figures.rps > b->figures.rps;
    });
    std::vector<TableRow> rows;
    for (const bridge::EntityRow* entity : order) {
        TableRow row;
        row.key = entity->id;
        const QString why = entity->why.isEmpty() ? wordOf(entity->state) : entity->why;
        row.cells = {
            {entity->name, static_cast<int>(stateOf(entity->state)), -1, why},
            {rateText(entity->figures.rps)},
            {percentText(entity->figures.errorRatio)},
            {millisecondsText(entity->figures.p95_ms)}};
        rows.push_back(std::move(row));
    }
    return rows;
}

RowsTable* makeInstanceTable(QWidget* parent)
{
    auto* table = new RowsTable(
        tr("Instances"),
        {{tr("Instance"), 0},
         {tr("Zone"), 46},
         {tr("rps"), 52, Kind::Number},
         {tr("err %"), 52, Kind::Number},
         {tr("p95 ms"), 58, Kind::Number}},
        parent
    );
    table->setObjectName(QStringLiteral("instances"));
    return table;
}

RowsTable* makeEndpointTable(QWidget* parent)
{
    auto* table = new RowsTable(
        tr("Endpoints"),
        {{tr("Instance"), 104},
         {tr("State"), 74},
         {tr("Why"), 170},
         {tr("Address"), 116},
         {tr("Zone"), 40},
         {tr("Version"), 56},
         {tr("rps"), 50, Kind::Number},
         {tr("Requests"), 64, Kind::Number}},
        parent
    );
    table->setObjectName(QStringLiteral("endpoints"));
    return table;
}

RowsTable* makeRoutesTable(QWidget* parent)
{
    auto* table = new RowsTable(
        tr("Routes"),
        {{tr("Route"), 110}, {tr("Paths"), 110}, {tr("Hosts"), 0}, {tr("Methods"), 60}},
        parent
    );
    table->setObjectName(QStringLiteral("routes"));
    return table;
}

RowsTable* makePolicyTable(QWidget* parent)
{
    auto* table = new RowsTable(
        tr("Policy"), {{tr("Setting"), 150}, {tr("Value"), 0}, {tr("From"), 70}}, parent
    );
    table->setObjectName(QStringLiteral("policy"));
    return table;
}

RowsTable* makeTapTable(QWidget* parent)
{
    auto* table = new RowsTable(
        tr("Requests"),
        {{tr("Time"), 62},
         {tr("Status"), 46, Kind::Number},
         {tr("Request"), 0},
         {tr("ms"), 44, Kind::Number}},
        parent
    );
    table->setObjectName(QStringLiteral("inspectorTap"));
    return table;
}

RowsTable* makeHistoryTable(QWidget* parent)
{
    auto* table = new RowsTable(tr("History"), {{tr("Time"), 62}, {tr("What"), 0}}, parent);
    table->setObjectName(QStringLiteral("history"));
    return table;
}

std::vector<TableRow> instanceRows(const std::vector<bridge::InstanceRow>& instances)
{
    std::vector<TableRow> rows;
    for (const bridge::InstanceRow& instance : instances) {
        const int error = instance.figures.errorRatio.value_or(0) > 0.001
                              ? static_cast<int>(theme::State::Failure)
                              : -1;
        const QString about =
            wordOf(instance.state)
            + (instance.reason.isEmpty() ? QString() : QStringLiteral(": ") + instance.reason);
        TableRow row;
        row.key = instance.id;
        row.state = rowStateOf(instance.state);
        row.cells = {
            {instance.id, -1, static_cast<int>(pipOf(instance.state)), about},
            {instance.zone},
            {rateText(instance.figures.rps)},
            {percentText(instance.figures.errorRatio), error},
            {millisecondsText(instance.figures.p95_ms)}};
        rows.push_back(std::move(row));
    }
    return rows;
}

QString whyOf(const bridge::InstanceRow& instance)
{
    if (!instance.reason.isEmpty() || instance.suppressed.isEmpty()) {
        return instance.reason;
    }
    return tr("ejection suppressed: %1").arg(instance.suppressed);
}

std::vector<TableRow> endpointRows(const std::vector<bridge::InstanceRow>& instances)
{
    std::vector<TableRow> rows;
    for (const bridge::InstanceRow& instance : instances) {
        TableRow row;
        row.key = instance.id;
        row.state = rowStateOf(instance.state);
        row.cells = {
            {instance.id, -1, static_cast<int>(pipOf(instance.state))},
            {wordOf(instance.state), -1, -1, instance.reason},
            {whyOf(instance)},
            {instance.address},
            {instance.zone},
            {instance.version},
            {rateText(instance.figures.rps)},
            {countText(instance.figures.requests)}};
        rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<TableRow> routeRows(const model::Document& document, const QString& service)
{
    std::vector<TableRow> rows;
    for (const model::ObjectRef& ref : model::objectsOf(document, "routes")) {
        const model::Value record = model::objectAt(document, ref, model::Defaults::Omitted);
        const model::Value* named = record.find("service");
        const QString owner = toQString(
            !ref.parent.empty() ? ref.parent
                                : (named != nullptr ? forms::toDisplay(*named) : std::string())
        );
        if (!service.isEmpty() && owner != service) {
            continue;
        }
        const auto text = [&record](std::string_view key) {
            const model::Value* value = record.find(key);
            return value != nullptr ? toQString(forms::toDisplay(*value)) : QStringLiteral("any");
        };
        TableRow row;
        row.key = owner + u'/' + toQString(ref.name);
        row.cells = {{toQString(ref.name)}, {text("paths")}, {text("hosts")}, {text("methods")}};
        rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<TableRow> policyRows(const model::Document& document, const QString& service)
{
    std::vector<TableRow> rows;
    const std::string name = service.toStdString();
    const model::Value own =
        model::objectAt(document, {"services", name, {}}, model::Defaults::Left);
    if (!own.isNull()) {
        addLeaves(own, {}, tr("service"), rows);
    }
    const model::Value* host = own.find("host");
    const std::string upstream = host != nullptr && host->isString() ? host->text() : name;
    const model::Value pool =
        model::objectAt(document, {"upstreams", upstream, {}}, model::Defaults::Left);
    if (!pool.isNull()) {
        addLeaves(pool, {}, tr("upstream"), rows);
    }
    return rows;
}

std::vector<TableRow> tapRows(const std::vector<bridge::TapRow>& tap, const QString& subject)
{
    std::vector<TableRow> rows;
    const EdgeEnds ends = edgeEnds(subject);
    const QString service = nameOf(ends.target.isEmpty() ? subject : ends.target);
    const bool isGateway = subject.startsWith(QStringLiteral("gateway:"));
    for (auto request = tap.rbegin(); request != tap.rend() && rows.size() < kTapShown; ++request) {
        const bool fits = service.isEmpty() || request->service == service
                          || (isGateway && request->node == service);
        const bool fitsSource = ends.source.isEmpty() || request->source == nameOf(ends.source)
                                || request->source == ends.source;
        if (!fits || !fitsSource) {
            continue;
        }
        const bool isBad = request->status == 0 || request->status >= 500;
        const QString status =
            request->status > 0 ? QString::number(request->status) : QStringLiteral("–");
        TableRow row;
        row.key =
            request->requestId.isEmpty() ? QString::number(request->time_us) : request->requestId;
        row.cells = {
            {clockText(request->time_us)},
            {status, isBad ? static_cast<int>(theme::State::Failure) : -1},
            {QStringLiteral("%1 %2%3").arg(request->method, request->host, request->path)},
            {millisecondsText(request->latency_ms)}};
        rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<TableRow> historyRows(const bridge::MeshSession& session, const QString& subject)
{
    struct Line
    {
        std::int64_t time;
        TableRow row;
    };
    std::vector<Line> lines;
    for (const bridge::Marker& event : session.events()) {
        if (subject.isEmpty() || event.subject.isEmpty() || event.subject == subject) {
            TableRow row;
            row.key = QString::number(event.begin_us) + event.label;
            row.cells = {
                {clockText(event.begin_us), -1, -1, dateTimeText(event.begin_us)},
                {event.detail.isEmpty() ? event.label
                                        : event.label + QStringLiteral(" · ") + event.detail}};
            lines.push_back({event.begin_us, std::move(row)});
        }
    }
    std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
        return a.time > b.time;
    });
    std::vector<TableRow> rows;
    for (Line& line : lines) {
        rows.push_back(std::move(line.row));
    }
    return rows;
}

QString worstReason(const std::vector<bridge::InstanceRow>& instances)
{
    for (const bridge::InstanceRow& instance : instances) {
        if (isLoud(instance.state)) {
            const QString text =
                instance.reason.isEmpty() ? wordOf(instance.state) : instance.reason;
            return QStringLiteral("%1: %2").arg(instance.id, text);
        }
    }
    for (const bridge::InstanceRow& instance : instances) {
        if (!instance.suppressed.isEmpty()) {
            return QStringLiteral("%1: %2").arg(instance.id, whyOf(instance));
        }
    }
    return {};
}

bridge::Figures entryFigures(const bridge::Topology& topology)
{
    bridge::Figures sum;
    double largest = -1;
    std::uint64_t errors = 0;
    for (const bridge::EntityRow& entity : topology.entities) {
        if (!entity.isEntry) {
            continue;
        }
        sum.rps += entity.figures.rps;
        sum.requests += entity.figures.requests;
        errors += entity.figures.errors;
        if (entity.figures.rps > largest) {
            largest = entity.figures.rps;
            sum.p50_ms = entity.figures.p50_ms;
            sum.p95_ms = entity.figures.p95_ms;
            sum.p99_ms = entity.figures.p99_ms;
            sum.amplification = entity.figures.amplification;
        }
    }
    sum.errors = errors;
    if (sum.requests > 0) {
        sum.errorRatio = static_cast<double>(errors) / static_cast<double>(sum.requests);
    }
    return sum;
}

bridge::HealthState worstState(const bridge::Topology& topology)
{
    const auto worst = std::min_element(
        topology.entities.begin(),
        topology.entities.end(),
        [](const auto& a, const auto& b) { return rankOf(a.state) < rankOf(b.state); }
    );
    return worst != topology.entities.end() ? worst->state : bridge::HealthState::NoData;
}

QString meshSummary(const bridge::Topology& topology)
{
    std::array<int, theme::kStateCount> counts{};
    for (const bridge::EntityRow& entity : topology.entities) {
        ++counts[static_cast<std::size_t>(entity.state)];
    }
    QStringList parts;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] > 0) {
            parts << QStringLiteral("%1 %2").arg(counts[i]).arg(
                wordOf(static_cast<bridge::HealthState>(i)).toLower()
            );
        }
    }
    return parts.isEmpty() ? tr("Nothing reports yet.") : parts.join(QStringLiteral(", "));
}

} // namespace mesh::pages
