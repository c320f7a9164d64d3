#pragma once

#include <QAbstractButton>
#include <QWidget>

class QLabel;
class QPushButton;
class QToolButton;

namespace mesh::bridge {
class RehearsalSession;
}
namespace mesh::theme {
class Chip;
class ElidedLabel;
} // namespace mesh::theme

namespace mesh::pages {

// The one step of the mode: rehearse, or cancel with how far it is. In the colour of simulation.
class RehearseButton : public QAbstractButton
{
    Q_OBJECT

public:
    explicit RehearseButton(QWidget* parent);

    // Share 0..1 while running; negative: at rest.
    void setProgress(double share, const QString& words);
    void setTitle(const QString& title);
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    double m_share = -1;
    QString m_words;
};

// SIMULATION, the scenario's name and menu, what it runs on, its luck, and the run button.
class RehearseBar : public QWidget
{
    Q_OBJECT

public:
    RehearseBar(bridge::RehearsalSession& session, QWidget* parent);

    void refresh();
    void setScenarioFolder(const QString& folder);
    // The shipped zone loss when it is of this mesh; false: there is none that fits.
    bool openStartScenario();
    void setTextShown(bool isShown);
    [[nodiscard]] RehearseButton& runButton() { return *m_run; }
    [[nodiscard]] QToolButton& nameButton() { return *m_name; }

Q_SIGNALS:
    void runRequested();
    void cancelRequested();
    void textToggled(bool isShown);
    void failed(const QString& what, const QString& why);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void showScenarioMenu();
    void showLuckMenu();
    void openFile(const QString& path);
    void saveFile();

    bridge::RehearsalSession& m_session;
    QToolButton* m_name;
    theme::ElidedLabel* m_promise;
    theme::Chip* m_source;
    theme::Chip* m_luck;
    QPushButton* m_text;
    RehearseButton* m_run;
    QString m_folder;
};

} // namespace mesh::pages
