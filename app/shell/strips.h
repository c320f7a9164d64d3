#pragma once

#include <QAbstractButton>
#include <QColor>
#include <QString>
#include <QWidget>

#include <array>
#include <cstdint>
#include <vector>

class QLabel;
class QPushButton;

namespace mesh::bridge {
class MeshSession;
}

namespace mesh::shell {

// One statement of the honesty strip: a sign and a few words in their colours.
class StripItem : public QWidget
{
    Q_OBJECT

public:
    enum class Sign : std::uint8_t { None, Dot, Icon };
    enum class Weight : std::uint8_t { Regular, Strong, Capitals };
    struct Part
    {
        QString text;
        QColor color;
        Weight weight = Weight::Regular;
    };

    explicit StripItem(QWidget* parent);

    void setSign(Sign sign, const QColor& color, const QString& iconName = {});
    void setParts(std::vector<Part> parts);
    void setSeparated(bool hasLine); // A hairline at the left.
    [[nodiscard]] QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    [[nodiscard]] double widthOf(const Part& part) const;
    Sign m_sign = Sign::None;
    QColor m_color;
    QString m_icon;
    std::vector<Part> m_parts;
    bool m_isSeparated = false;
};

// What the mode Rehearse says in the honesty strip.
struct SimulationStatus
{
    bool isShown = false;
    bool isRunning = false;
    double second = 0; // Of the virtual clock, at the playhead.
};

// The bottom line of the window: how far what is shown can be trusted.
class HonestyStrip : public QWidget
{
    Q_OBJECT

public:
    HonestyStrip(bridge::MeshSession& session, QWidget* parent);
    void refresh();
    void setSimulation(const SimulationStatus& status);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void refreshLive();
    void refreshNodes();
    void refreshFaults();

    bridge::MeshSession& m_session;
    StripItem* m_simulation;
    StripItem* m_live;
    StripItem* m_nodes;
    StripItem* m_revision;
    StripItem* m_draft;
    StripItem* m_faults;
    StripItem* m_engine;
    StripItem* m_document;
    QPushButton* m_stop;
    SimulationStatus m_status;
};

enum class Pane : std::uint8_t { Problems, Events, Tap, Rollout, Revisions, Alerts };
inline constexpr int kPaneCount = 6;

// "Alt 1 Problems 2": opens or closes one bottom pane.
class PaneButton : public QAbstractButton
{
    Q_OBJECT

public:
    PaneButton(const QString& key, const QString& title, QWidget* parent);
    void setNote(const QString& note, const QColor& color); // After the title.
    [[nodiscard]] QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QString m_key;
    QString m_note;
    QColor m_noteColor;
};

// The titles of the bottom panes, 28 px; the head of the bottom dock.
class PaneStrip : public QWidget
{
    Q_OBJECT

public:
    explicit PaneStrip(QWidget* parent = nullptr);

    // -1: all are closed.
    void setOpenPane(int pane);
    void setNote(Pane pane, const QString& note, const QColor& color);
    [[nodiscard]] QSize sizeHint() const override;

Q_SIGNALS:
    void paneToggled(mesh::shell::Pane pane);
    void closeRequested();

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    std::array<PaneButton*, kPaneCount> m_buttons{};
    QAbstractButton* m_fold;
};

} // namespace mesh::shell
