#include "app/pages/nodes_model.h"

#include "app/pages/texts.h"
#include "app/theme/tables.h"
#include "app/theme/theme.h"

#include <QHash>

#include <algorithm>
#include <array>
#include <limits>

namespace mesh::pages {

namespace {

using bridge::NodeRow;
using bridge::NodeVerdict;

constexpr quintptr kZoneId = std::numeric_limits<quintptr>::max();
constexpr std::int64_t kMinute_us = 60LL * 1'000'000;
constexpr std::int64_t kDay_us = 24LL * 3600 * 1'000'000;
constexpr double kMegabyte = 1'000'000;

QString dash() { return QStringLiteral("–"); }

bool isHeard(const NodeRow& node)
{
    return node.age_ms >= 0 && node.state != bridge::NodeState::Stale
           && node.state != bridge::NodeState::Unreachable
           && node.state != bridge::NodeState::Stopped;
}

// Compares as people count: runs of digits by their number, letters without case. Not QCollator,
// whose numeric mode does nothing in the C locale.
int naturalOrder(const QString& a, const QString& b)
{
    qsizetype i = 0;
    qsizetype j = 0;
    const auto skipped = [](const QString& text, qsizetype from, bool (QChar::*is)() const) {
        while (from < text.size() && (text[from].*is)()) {
            ++from;
        }
        return from;
    };
    while (i < a.size() && j < b.size()) {
        if (a[i].isDigit() && b[j].isDigit()) {
            const qsizetype endA = skipped(a, i, &QChar::isDigit);
            const qsizetype endB = skipped(b, j, &QChar::isDigit);
            while (i < endA - 1 && a[i] == u'0') {
                ++i;
            }
            while (j < endB - 1 && b[j] == u'0') {
                ++j;
            }
            const int compared = endA - i != endB - j
                                     ? (endA - i < endB - j ? -1 : 1)
                                     : a.mid(i, endA - i).compare(b.mid(j, endB - j));
            if (compared != 0) {
                return compared;
            }
            i = endA;
            j = endB;
            continue;
        }
        const QChar left = a[i++].toLower();
        const QChar right = b[j++].toLower();
        if (left != right) {
            return left < right ? -1 : 1;
        }
    }
    if (a.size() - i != b.size() - j) {
        return a.size() - i < b.size() - j ? -1 : 1;
    }
    return a.compare(b);
}

// What a column sorts by, for the columns whose text does not sort as their value.
double numberOf(const NodeRow& node, int column, std::int64_t now_us)
{
    switch (column) {
    case NodesModel::State:
        return -static_cast<double>(bridge::verdictOf(node, now_us));
    case NodesModel::Revision:
        return static_cast<double>(node.revision);
    case NodesModel::Rate:
    case NodesModel::History:
        return isHeard(node) ? node.rps : -1;
    case NodesModel::Errors:
        return node.errorRatio.value_or(-1);
    case NodesModel::Cpu:
        return isHeard(node) ? node.cpuPercent : -1;
    case NodesModel::Memory:
        return static_cast<double>(node.memoryBytes);
    case NodesModel::Certificate:
        return node.certificateEnd_us == 0 ? std::numeric_limits<double>::max()
                                           : static_cast<double>(node.certificateEnd_us);
    default:
        return 0;
    }
}

QString certificateText(const NodeRow& node, std::int64_t now_us)
{
    if (node.certificateEnd_us == 0) {
        return dash();
    }
    const std::int64_t left = node.certificateEnd_us - now_us;
    return left <= 0        ? NodesModel::tr("over")
           : left < kDay_us ? spanText(left)
                            : QStringLiteral("%1\u202Fd").arg(left / kDay_us);
}

QString addressOf(const NodeRow& node)
{
    QString address = node.address;
    for (const QLatin1String scheme : {QLatin1String("https://"), QLatin1String("http://")}) {
        if (address.startsWith(scheme)) {
            address.remove(0, scheme.size());
        }
    }
    return address;
}

} // namespace

theme::State stateOf(NodeVerdict verdict)
{
    switch (verdict) {
    case NodeVerdict::Healthy:
        return theme::State::Healthy;
    case NodeVerdict::NotStarted:
        return theme::State::NoData;
    case NodeVerdict::Starting:
    case NodeVerdict::Stopped:
        return theme::State::Idle;
    case NodeVerdict::Silent:
        return theme::State::Stale;
    case NodeVerdict::Unreachable:
    case NodeVerdict::CertificateOver:
        return theme::State::Failure;
    case NodeVerdict::Behind:
    case NodeVerdict::Maintenance:
    case NodeVerdict::Draining:
    case NodeVerdict::CertificateSoon:
    case NodeVerdict::Drifted:
        break;
    }
    return theme::State::Degraded;
}

QString spanText(std::int64_t length_us)
{
    constexpr std::int64_t kSecond_us = 1'000'000;
    if (length_us < 2 * kMinute_us) {
        return QStringLiteral("%1\u202Fs").arg(length_us / kSecond_us);
    }
    if (length_us < 120 * kMinute_us) {
        return QStringLiteral("%1\u202Fmin").arg(length_us / kMinute_us);
    }
    return length_us < 2 * kDay_us ? QStringLiteral("%1\u202Fh").arg(length_us / kMinute_us / 60)
                                   : QStringLiteral("%1\u202Fd").arg(length_us / kDay_us);
}

QString bytesText(std::uint64_t bytes)
{
    if (bytes == 0) {
        return dash();
    }
    const double megabytes = static_cast<double>(bytes) / kMegabyte;
    return QStringLiteral("%1\u202FMB").arg(megabytes, 0, 'f', megabytes < 10 ? 1 : 0);
}

QString verdictText(const NodeRow& node, std::int64_t now_us)
{
    switch (bridge::verdictOf(node, now_us)) {
    case NodeVerdict::Healthy:
        return NodesModel::tr("healthy");
    case NodeVerdict::NotStarted:
        return NodesModel::tr("not started");
    case NodeVerdict::Starting:
        return NodesModel::tr("starting");
    case NodeVerdict::Behind:
        return NodesModel::tr("behind");
    case NodeVerdict::Maintenance:
        return NodesModel::tr("maintenance");
    case NodeVerdict::Draining:
        return NodesModel::tr("draining");
    case NodeVerdict::CertificateSoon:
        return NodesModel::tr("cert %1").arg(certificateText(node, now_us));
    case NodeVerdict::Drifted:
        return NodesModel::tr("drifted");
    case NodeVerdict::Stopped:
        return NodesModel::tr("stopped");
    case NodeVerdict::Silent:
        return node.lastFrame_us == 0
                   ? NodesModel::tr("silent")
                   : NodesModel::tr("silent %1")
                         .arg(spanText(std::max<std::int64_t>(0, now_us - node.lastFrame_us)));
    case NodeVerdict::Unreachable:
        return NodesModel::tr("unreachable");
    case NodeVerdict::CertificateOver:
        break;
    }
    return NodesModel::tr("cert over");
}

NodesModel::NodesModel(const bridge::NodesSession& nodes, QObject* parent)
    : QAbstractItemModel(parent)
    , m_nodes(nodes)
{}

void NodesModel::sort(std::vector<NodeRow>& nodes) const
{
    const bool isText = m_sortColumn == Name || m_sortColumn == Role || m_sortColumn == Address;
    const bool isDescending = m_sortOrder == Qt::DescendingOrder;
    const std::int64_t now_us = m_nodes.now_us();
    const auto textOf = [this](const NodeRow& node) {
        return m_sortColumn == Role      ? QString::number(static_cast<int>(node.role))
               : m_sortColumn == Address ? addressOf(node)
                                         : node.name;
    };
    std::stable_sort(nodes.begin(), nodes.end(), [&](const NodeRow& a, const NodeRow& b) {
        const NodeRow& first = isDescending ? b : a;
        const NodeRow& second = isDescending ? a : b;
        if (!isText) {
            const double left = numberOf(first, m_sortColumn, now_us);
            const double right = numberOf(second, m_sortColumn, now_us);
            if (left != right) {
                return left < right;
            }
            return naturalOrder(a.name, b.name) < 0;
        }
        const int compared = naturalOrder(textOf(first), textOf(second));
        return compared != 0 ? compared < 0 : naturalOrder(a.name, b.name) < 0;
    });
}

std::vector<NodesModel::Zone> NodesModel::grouped(const std::vector<NodeRow>& nodes) const
{
    std::vector<Zone> zones;
    QHash<QString, std::size_t> placeOf;
    for (const NodeRow& node : nodes) {
        const auto known = placeOf.find(node.zone);
        if (known == placeOf.end()) {
            placeOf.insert(node.zone, zones.size());
            zones.push_back({node.zone, {node}});
        } else {
            zones[*known].nodes.push_back(node);
        }
    }
    std::sort(zones.begin(), zones.end(), [](const Zone& a, const Zone& b) {
        return naturalOrder(a.name, b.name) < 0;
    });
    for (Zone& zone : zones) {
        sort(zone.nodes);
    }
    return zones;
}

void NodesModel::keepOrder(std::vector<Zone>& zones) const
{
    for (Zone& zone : zones) {
        const auto shown = std::find_if(m_zones.begin(), m_zones.end(), [&](const Zone& known) {
            return known.name == zone.name;
        });
        if (shown == m_zones.end()) {
            continue;
        }
        QHash<QString, int> placeOf;
        for (const NodeRow& node : shown->nodes) {
            placeOf.insert(node.name, static_cast<int>(placeOf.size()));
        }
        const auto last = static_cast<int>(placeOf.size());
        std::stable_sort(
            zone.nodes.begin(),
            zone.nodes.end(),
            [&](const NodeRow& a, const NodeRow& b) {
                return placeOf.value(a.name, last) < placeOf.value(b.name, last);
            }
        );
    }
}

bool NodesModel::isSameShape(const std::vector<Zone>& zones) const
{
    return std::equal(
        zones.begin(),
        zones.end(),
        m_zones.begin(),
        m_zones.end(),
        [](const Zone& a, const Zone& b) {
            return a.name == b.name
                   && std::equal(
                       a.nodes.begin(),
                       a.nodes.end(),
                       b.nodes.begin(),
                       b.nodes.end(),
                       [](const NodeRow& x, const NodeRow& y) { return x.name == y.name; }
                   );
        }
    );
}

void NodesModel::setNodes(const std::vector<NodeRow>& nodes, Order order)
{
    std::vector<Zone> zones = grouped(nodes);
    if (order == Order::Held) {
        keepOrder(zones);
    }
    if (!isSameShape(zones)) {
        beginResetModel();
        m_zones = std::move(zones);
        endResetModel();
        Q_EMIT zonesChanged();
        return;
    }
    m_zones = std::move(zones);
    for (int zone = 0; zone < rowCount(); ++zone) {
        const QModelIndex parent = index(zone, 0);
        Q_EMIT dataChanged(parent, parent);
        const int last = rowCount(parent) - 1;
        if (last >= 0) {
            Q_EMIT dataChanged(index(0, 0, parent), index(last, ColumnCount - 1, parent));
        }
    }
}

void NodesModel::setSortColumn(int column, Qt::SortOrder order)
{
    m_sortColumn = column;
    m_sortOrder = order;
    std::vector<NodeRow> nodes;
    for (const Zone& zone : m_zones) {
        nodes.insert(nodes.end(), zone.nodes.begin(), zone.nodes.end());
    }
    setNodes(nodes, Order::Free);
}

QModelIndex NodesModel::indexOf(const QString& node) const
{
    for (std::size_t zone = 0; zone < m_zones.size(); ++zone) {
        const auto& nodes = m_zones[zone].nodes;
        const auto found = std::find_if(nodes.begin(), nodes.end(), [&](const NodeRow& row) {
            return row.name == node;
        });
        if (found != nodes.end()) {
            return index(
                static_cast<int>(found - nodes.begin()), 0, index(static_cast<int>(zone), 0)
            );
        }
    }
    return {};
}

const NodeRow* NodesModel::nodeAt(const QModelIndex& index) const
{
    if (!index.isValid() || index.internalId() == kZoneId) {
        return nullptr;
    }
    return &m_zones[index.internalId()].nodes[static_cast<std::size_t>(index.row())];
}

int NodesModel::nodeCount() const
{
    std::size_t count = 0;
    for (const Zone& zone : m_zones) {
        count += zone.nodes.size();
    }
    return static_cast<int>(count);
}

QStringList NodesModel::names() const
{
    QStringList names;
    for (const Zone& zone : m_zones) {
        for (const NodeRow& node : zone.nodes) {
            names.append(node.name);
        }
    }
    return names;
}

QModelIndex NodesModel::index(int row, int column, const QModelIndex& parent) const
{
    if (!hasIndex(row, column, parent)) {
        return {};
    }
    return parent.isValid() ? createIndex(row, column, static_cast<quintptr>(parent.row()))
                            : createIndex(row, column, kZoneId);
}

QModelIndex NodesModel::parent(const QModelIndex& index) const
{
    if (!index.isValid() || index.internalId() == kZoneId) {
        return {};
    }
    return createIndex(static_cast<int>(index.internalId()), 0, kZoneId);
}

int NodesModel::rowCount(const QModelIndex& parent) const
{
    if (!parent.isValid()) {
        return static_cast<int>(m_zones.size());
    }
    const bool isZone = parent.internalId() == kZoneId && parent.column() == 0;
    return isZone ? static_cast<int>(m_zones[static_cast<std::size_t>(parent.row())].nodes.size())
                  : 0;
}

int NodesModel::columnCount(const QModelIndex& /*parent*/) const { return ColumnCount; }

QVariant NodesModel::headerData(int section, Qt::Orientation side, int role) const
{
    if (side != Qt::Horizontal || section < 0 || section >= ColumnCount) {
        return {};
    }
    if (role == Qt::DisplayRole) {
        const std::array<QString, ColumnCount> titles = {
            tr("Node"),
            tr("State"),
            tr("Role"),
            tr("Address"),
            tr("Rev"),
            tr("rps"),
            tr("15 min"),
            tr("err %"),
            tr("CPU"),
            tr("Memory"),
            tr("Certificate")};
        return titles[static_cast<std::size_t>(section)];
    }
    const bool isNumber = section == Rate || section >= Errors;
    return role == Qt::TextAlignmentRole ? QVariant::fromValue(
               Qt::Alignment((isNumber ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter)
           )
                                         : QVariant();
}

QVariant NodesModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) {
        return {};
    }
    const NodeRow* const node = nodeAt(index);
    return node != nullptr
               ? nodeValue(*node, index.column(), role)
               : zoneValue(m_zones[static_cast<std::size_t>(index.row())], index.column(), role);
}

QVariant NodesModel::zoneValue(const Zone& zone, int column, int role) const
{
    if (column != Name) {
        return {};
    }
    if (role == Qt::DisplayRole || role == Qt::AccessibleTextRole) {
        return zone.name.isEmpty() ? tr("no zone") : tr("zone %1").arg(zone.name);
    }
    if (role != ZoneNoteRole) {
        return {};
    }
    int instances = 0;
    int reporting = 0;
    double rps = 0;
    for (const NodeRow& node : zone.nodes) {
        instances += node.workloads;
        reporting += isHeard(node) ? 1 : 0;
        rps += isHeard(node) ? node.rps : 0;
    }
    const auto count = static_cast<int>(zone.nodes.size());
    QString rate = tr("%1 rps").arg(rateText(rps));
    if (reporting < count) {
        rate = tr("%1 from %2 reporting").arg(rate).arg(reporting);
    }
    return tr("%n node(s)", nullptr, count) + QStringLiteral(" · ")
           + tr("%n instance(s)", nullptr, instances) + QStringLiteral(" · ") + rate;
}

QString NodesModel::textOf(const NodeRow& node, int column) const
{
    const bool isKnown = isHeard(node);
    switch (column) {
    case Name:
        return node.name;
    case State:
        return verdictText(node, m_nodes.now_us());
    case Role:
        return node.role == bridge::NodeRoleKind::Gateway ? tr("gateway") : tr("sidecar");
    case Address:
        return addressOf(node);
    case Revision:
        return node.revision > 0     ? QString::number(node.revision)
               : node.hash.isEmpty() ? dash()
                                     : tr("other");
    case Rate:
        return isKnown ? rateText(node.rps) : dash();
    case Errors:
        return isKnown ? percentText(node.errorRatio) : dash();
    case Cpu:
        return isKnown ? QStringLiteral("%1\u202F%").arg(node.cpuPercent, 0, 'f', 0) : dash();
    case Memory:
        return isKnown ? bytesText(node.memoryBytes) : dash();
    case Certificate:
        return certificateText(node, m_nodes.now_us());
    default:
        return {};
    }
}

QVariant NodesModel::nodeValue(const NodeRow& node, int column, int role) const
{
    const NodeVerdict verdict = bridge::verdictOf(node, m_nodes.now_us());
    switch (role) {
    case Qt::DisplayRole:
        return textOf(node, column);
    case Qt::AccessibleTextRole:
        return column == History ? tr("requests of the last 15 minutes") : textOf(node, column);
    case KeyRole:
        return node.name;
    case ShareRole:
        return column == Cpu && isHeard(node) ? QVariant(node.cpuPercent / 100) : QVariant();
    case theme::kStrongRole:
        return column == Name;
    case Qt::FontRole:
        return column == Address ? QVariant(theme::font(theme::Role::CodeSmall)) : QVariant();
    case theme::kStateRole:
        if (column == State) {
            return static_cast<int>(stateOf(verdict));
        }
        if (column == Revision && !node.hash.isEmpty() && !node.isConverged) {
            return static_cast<int>(theme::State::Degraded);
        }
        if (column == Certificate && verdict == NodeVerdict::CertificateOver) {
            return static_cast<int>(theme::State::Failure);
        }
        if (column == Certificate && node.certificateEnd_us != 0
            && node.certificateEnd_us - m_nodes.now_us() < bridge::kCertificateWarning_us) {
            return static_cast<int>(theme::State::Degraded);
        }
        return {};
    case Qt::ToolTipRole:
        if (column == Revision) {
            return node.hash;
        }
        if (column == State && node.clockOffset_ms) {
            return tr("last report %1; its clock is %2 ms off")
                .arg(clockText(node.lastFrame_us))
                .arg(*node.clockOffset_ms);
        }
        return column == Address ? QVariant(node.address) : QVariant();
    default:
        return {};
    }
}

} // namespace mesh::pages
