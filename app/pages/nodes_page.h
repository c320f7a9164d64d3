#pragma once

#include "app/bridge/find_subjects.h"
#include "app/bridge/nodes_session.h"

#include <QString>
#include <QWidget>

#include <array>
#include <cstdint>
#include <vector>

class QLabel;
class QPushButton;
class QStackedWidget;

namespace mesh::charts {
class TimeChart;
}
namespace mesh::theme {
class Chip;
class FigureLabel;
class SegmentedControl;
} // namespace mesh::theme

namespace mesh::pages {

class FindField;
class NodesMap;
class NodesModel;
class NodesTable;

// The mode Nodes: what the nodes are together, each of them by zone as a table or a map, and the
// last quarter of an hour of all. Silent nodes keep their row and lose their figures. While time is
// turned back, as it was then.
class NodesPage : public QWidget
{
    Q_OBJECT

public:
    NodesPage(bridge::MeshSession& session, bridge::NodesSession& nodes, QWidget* parent);

    void focusFind(); // Ctrl+F.
    void toggleForm(); // F6: table or map.
    void select(const QString& node);
    [[nodiscard]] const QString& selected() const { return m_selected; }
    [[nodiscard]] NodesModel& model() { return *m_model; }

Q_SIGNALS:
    void nodeSelected(const QString& node);
    void addRequested(); // "Add node…".

protected:
    void showEvent(QShowEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    enum Part : int { All, Attention, Gateways, PartCount };
    struct Figure
    {
        QLabel* title = nullptr;
        theme::FigureLabel* figure = nullptr;
        QLabel* note = nullptr;
    };
    static constexpr int kFigures = 6;

    QWidget* makeBar();
    QWidget* makeFigures();
    QWidget* makeCharts();
    QWidget* makeEmpty();
    void refresh();
    void refreshRows();
    void refreshParts();
    void refreshFigures();
    void refreshCharts();
    void setPart(Part part);
    void onSelected(const QString& node);
    [[nodiscard]] bool isInPart(const bridge::NodeRow& node) const;
    [[nodiscard]] QStringList namesShown() const; // That completion offers.

    bridge::MeshSession& m_session;
    bridge::NodesSession& m_nodes;
    bridge::FindTags m_tags;
    FindField* m_find = nullptr;
    std::array<theme::Chip*, PartCount> m_parts{};
    theme::SegmentedControl* m_form = nullptr;
    QPushButton* m_add = nullptr;
    std::array<Figure, kFigures> m_figures{};
    QWidget* m_figureRow = nullptr;
    NodesModel* m_model;
    NodesTable* m_table = nullptr;
    NodesMap* m_map = nullptr;
    QStackedWidget* m_stack = nullptr;
    QLabel* m_note = nullptr;
    QWidget* m_empty = nullptr;
    QLabel* m_emptyText = nullptr;
    QPushButton* m_showAll = nullptr;
    QWidget* m_chartRow = nullptr;
    std::array<charts::TimeChart*, 3> m_charts{};
    Part m_part = All;
    QString m_selected;
};

} // namespace mesh::pages
