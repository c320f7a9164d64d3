#pragma once

#include <QWidget>

#include <array>

class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QPlainTextEdit;
class QPushButton;
class QRadioButton;
class QSpinBox;
class QVBoxLayout;

namespace mesh::bridge {
class RolloutSession;
}
namespace mesh::theme {
class Note;
}

namespace mesh::pages {

// How the reviewed change goes to the nodes: message, waves, gates, and the one button that sends.
class ReviewPlan : public QWidget
{
    Q_OBJECT

public:
    ReviewPlan(bridge::RolloutSession& session, QWidget* parent);

    void refresh();
    void setEnvironment(const QString& tag); // "PROD"
    void focusMessage();
    [[nodiscard]] QPushButton& pushButton() { return *m_push; }

Q_SIGNALS:
    void pushRequested();

protected:
    void showEvent(QShowEvent* event) override;

private:
    QWidget* makePlan();
    void addGateRow(QVBoxLayout& column, const QString& words, QWidget* input);
    void makeGates(QVBoxLayout& column);
    void fillWaves();
    void writeGates();

    bridge::RolloutSession& m_session;
    QString m_environment;
    bool m_isFilling = false;
    QLabel* m_default;
    QLabel* m_messageLabel;
    QPlainTextEdit* m_message;
    std::array<QRadioButton*, 3> m_kinds{};
    std::array<QLabel*, 3> m_counts{};
    QWidget* m_waves = nullptr;
    QVBoxLayout* m_waveRows = nullptr;
    QSpinBox* m_bake = nullptr;
    QDoubleSpinBox* m_errors = nullptr;
    QSpinBox* m_p95 = nullptr;
    QSpinBox* m_ejections = nullptr;
    QComboBox* m_rejections = nullptr;
    QComboBox* m_then = nullptr;
    theme::Note* m_note = nullptr;
    QLabel* m_noteTitle = nullptr;
    QLabel* m_noteText = nullptr;
    QLabel* m_why = nullptr;
    QPushButton* m_push = nullptr;
};

} // namespace mesh::pages
