#pragma once

#include "app/bridge/nodes_session.h"
#include "app/theme/tokens.h"

#include <QAbstractItemModel>
#include <QString>

#include <cstdint>
#include <vector>

namespace mesh::pages {

// How a verdict looks and reads: "silent 7 min".
[[nodiscard]] theme::State stateOf(bridge::NodeVerdict verdict);
[[nodiscard]] QString verdictText(const bridge::NodeRow& node, std::int64_t now_us);
// "7 min", "41 s", "3 h"; of a length of time that is not negative.
[[nodiscard]] QString spanText(std::int64_t length_us);
[[nodiscard]] QString bytesText(std::uint64_t bytes); // "57 MB"; "–" for 0.

// Nodes below their zones, as the table of the mode Nodes shows them.
//
// Zones and nodes are sorted as people count (vm-2 before vm-10), or by the column asked for within
// each zone. While the order is held, known nodes keep their places and new ones come last.
class NodesModel : public QAbstractItemModel
{
    Q_OBJECT

public:
    enum Column : int {
        Name,
        State,
        Role,
        Address,
        Revision,
        Rate,
        History,
        Errors,
        Cpu,
        Memory,
        Certificate,
        ColumnCount
    };
    enum Role : int {
        KeyRole = Qt::UserRole + 40, // The node's name; of a zone: empty.
        ShareRole, // Of the bar in Cpu, 0..1.
        ZoneNoteRole, // "6 nodes · 16 instances · 961 rps", of a zone's first cell.
    };
    enum class Order : std::uint8_t { Free, Held };

    NodesModel(const bridge::NodesSession& nodes, QObject* parent);

    void setNodes(const std::vector<bridge::NodeRow>& nodes, Order order);
    void setSortColumn(int column, Qt::SortOrder order);
    [[nodiscard]] QModelIndex indexOf(const QString& node) const;
    [[nodiscard]] const bridge::NodeRow* nodeAt(const QModelIndex& index) const; // Null: a zone.
    [[nodiscard]] int nodeCount() const;
    // The names as they stand, zone by zone.
    [[nodiscard]] QStringList names() const;

    [[nodiscard]] QModelIndex index(int row, int column, const QModelIndex& parent = {})
        const override;
    [[nodiscard]] QModelIndex parent(const QModelIndex& index) const override;
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation side, int role) const override;

Q_SIGNALS:
    void zonesChanged(); // After a reset: rows that span columns have to be told again.

private:
    struct Zone
    {
        QString name;
        std::vector<bridge::NodeRow> nodes;
    };
    [[nodiscard]] std::vector<Zone> grouped(const std::vector<bridge::NodeRow>& nodes) const;
    void keepOrder(std::vector<Zone>& zones) const;
    void sort(std::vector<bridge::NodeRow>& nodes) const;
    [[nodiscard]] bool isSameShape(const std::vector<Zone>& zones) const;
    [[nodiscard]] QVariant zoneValue(const Zone& zone, int column, int role) const;
    [[nodiscard]] QVariant nodeValue(const bridge::NodeRow& node, int column, int role) const;
    [[nodiscard]] QString textOf(const bridge::NodeRow& node, int column) const;

    const bridge::NodesSession& m_nodes;
    std::vector<Zone> m_zones;
    int m_sortColumn = Name;
    Qt::SortOrder m_sortOrder = Qt::AscendingOrder;
};

} // namespace mesh::pages
