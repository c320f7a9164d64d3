#pragma once

#include <QString>
#include <QWidget>

#include <cstdint>

class QComboBox;
class QLabel;
class QPushButton;
class QStackedWidget;
class QTabBar;

namespace mesh::bridge {
class RehearsalSession;
}
namespace mesh::forms {
class ConfigTextEdit;
}

namespace mesh::pages {

class ComparePane;
class StabilityMap;
class VerdictView;

enum class VerdictTab : std::uint8_t { Verdict, Compare, Stability, Text };

// The right side of the mode: verdict, comparison, stability map, the scenario's text; below them
// what to do with the result.
class VerdictPane : public QWidget
{
    Q_OBJECT

public:
    VerdictPane(bridge::RehearsalSession& session, QWidget* parent);

    void setTab(VerdictTab tab);
    [[nodiscard]] VerdictTab tab() const;
    void setPlayhead(double second);
    void setDraftChanged(bool isChanged);
    void goToLine(int line); // Of the text, which is shown.
    [[nodiscard]] forms::ConfigTextEdit& text() { return *m_text; }
    [[nodiscard]] VerdictView& verdict() { return *m_verdict; }
    [[nodiscard]] StabilityMap& map() { return *m_map; }
    [[nodiscard]] QPushButton& primaryButton() { return *m_primary; }
    [[nodiscard]] const QLabel& problemLabel() const { return *m_problem; }

Q_SIGNALS:
    void tabChanged(mesh::pages::VerdictTab tab);
    void reviewRequested(); // The draft as it is.
    void policyChosen(const QString& variant);
    void exportRequested();
    void mapRequested();
    void cancelRequested();
    void cellActivated(double load, double length_s);

private:
    QWidget* makeVerdict();
    QWidget* makeMap();
    QWidget* makeText();
    void refreshRun();
    void refreshText();
    void refreshMap();
    void refreshPrimary();

    bridge::RehearsalSession& m_session;
    QTabBar* m_tabs;
    QStackedWidget* m_stack;
    VerdictView* m_verdict = nullptr;
    QComboBox* m_variant = nullptr;
    QWidget* m_variantRow = nullptr;
    ComparePane* m_compare = nullptr;
    StabilityMap* m_map = nullptr;
    QPushButton* m_mapRun = nullptr;
    QLabel* m_mapWords = nullptr;
    forms::ConfigTextEdit* m_text = nullptr;
    QLabel* m_problem = nullptr;
    QPushButton* m_primary;
    QPushButton* m_export;
    bool m_isDraftChanged = false;
};

} // namespace mesh::pages
