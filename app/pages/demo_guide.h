#pragma once

#include "proxyengine/model/document.h"

#include <QSet>
#include <QStringList>
#include <QWidget>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

class QLabel;
class QPushButton;

namespace mesh::bridge {
class MeshSession;
class RolloutSession;
} // namespace mesh::bridge
namespace mesh::forms {
class Draft;
}
namespace mesh::theme {
class ElidedLabel;
}

namespace mesh::pages {

class StepNumber;

enum class DemoStep : std::uint8_t { Find, Why, Shift, Push, Undo };
inline constexpr int kDemoStepCount = 5;

// What there is to do in the demo, in the order of DemoStep.
[[nodiscard]] QStringList demoSteps();

// A strip that leads through the demo: the steps, the one that is next, and how it is done.
//
// It only watches. A step is done when its effect is there: something unhealthy is selected, one of
// its instances is chosen, the draft has another weight, every node was read back with it, and with
// what ran before. Steps may be done in any order but the last two, which need the one before.
// Hidden until begin().
class DemoGuide : public QWidget
{
    Q_OBJECT

public:
    DemoGuide(
        bridge::MeshSession& session,
        bridge::RolloutSession& rollout,
        forms::Draft& draft,
        QWidget* parent
    );

    void begin(); // From the first step, also when it was in the middle.
    void end();
    [[nodiscard]] bool isDone(DemoStep step) const;
    // The first that is not done; nothing when all are.
    [[nodiscard]] std::optional<DemoStep> next() const;

public Q_SLOTS:
    void onInstanceChosen(const QString& instance);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void watch();
    void onSelection();
    void onDraft();
    void onRollout();
    void complete(DemoStep step);
    void refresh();

    bridge::MeshSession& m_session;
    bridge::RolloutSession& m_rollout;
    forms::Draft& m_draft;
    std::array<StepNumber*, kDemoStepCount> m_numbers{};
    QLabel* m_title;
    theme::ElidedLabel* m_how;
    QPushButton* m_hide;
    std::array<bool, kDemoStepCount> m_done{};
    QSet<QString> m_found; // What was selected while it was unhealthy; it may recover meanwhile.
    std::unique_ptr<const model::Document> m_before; // What ran when the weight was shifted.
    bool m_isRunning = false;
};

} // namespace mesh::pages
