#pragma once

#include <QAbstractButton>
#include <QWidget>

#include <array>
#include <cstdint>

namespace mesh::shell {

enum class Mode : std::uint8_t { Topology, Edit, Rehearse, Rollout, Nodes, Findings, Settings };
inline constexpr int kModeCount = 7;

[[nodiscard]] QString modeTitle(Mode mode);
// "topology": as on the command line and in stored settings.
[[nodiscard]] QString modeKey(Mode mode);

// One item of the rail: icon above its name, a bar at the left when it is the current one.
class RailButton : public QAbstractButton
{
    Q_OBJECT

public:
    RailButton(const QString& iconName, const QString& title, QWidget* parent);

    void setCount(int count); // 0: no badge.
    void setProgress(const QString& words); // "2/3" in accent; empty: none.
    [[nodiscard]] QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QString m_icon;
    int m_count = 0;
    QString m_progress;
};

// The modes of the window, 64 px wide, Settings at the foot.
class ModeRail : public QWidget
{
    Q_OBJECT

public:
    explicit ModeRail(QWidget* parent = nullptr);

    void setMode(Mode mode);
    void setFindings(int count);
    void setSilentNodes(int count);
    void setRollout(const QString& words); // Wave of waves; empty: nothing is being pushed.

Q_SIGNALS:
    void modeChosen(mesh::shell::Mode mode);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    std::array<RailButton*, kModeCount> m_buttons{};
};

} // namespace mesh::shell
