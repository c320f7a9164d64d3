#pragma once

#include <QString>

#include <cstdint>

namespace mesh::bridge {
class MeshSession;
}
namespace mesh::shell {
class MainWindow;
}

namespace mesh::console {

// Brings the demo mesh to what a picture of the mode Rollout shows, step by step, with the calls a
// person's clicks make: an edit, its review, a push that goes on, or a history of pushes.
class Staging
{
public:
    // scene: "review", "current" or "history".
    Staging(bridge::MeshSession& session, shell::MainWindow& window, const QString& scene);

    // Takes the next step when its time has come; true once the scene stands.
    [[nodiscard]] bool isReady();
    [[nodiscard]] QString waitsFor() const;

private:
    enum class Step : std::uint8_t { Edit, Review, Push, Watch, Diff, Done };
    void edit();
    bool push();

    bridge::MeshSession& m_session;
    shell::MainWindow& m_window;
    QString m_scene;
    Step m_step = Step::Edit;
    int m_pushes = 0;
    QString m_problem;
};

} // namespace mesh::console
