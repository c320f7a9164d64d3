#pragma once

#include "app/bridge/alerts.h"

#include <QDialog>
#include <QWidget>

#include <cstdint>
#include <vector>

class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;

namespace mesh::bridge {
class AlertWatch;
class MeshSession;
} // namespace mesh::bridge

namespace mesh::pages {

class FindField;
class RowsTable;

// What fires, since when and why; silence with a reason and an end; rules and webhook behind a
// button.
class AlertsView : public QWidget
{
    Q_OBJECT

public:
    AlertsView(bridge::MeshSession& session, bridge::AlertWatch& watch, QWidget* parent);

    void refresh();
    [[nodiscard]] RowsTable& table() { return *m_table; }

Q_SIGNALS:
    void entitySelected(const QString& id);

private:
    void silence();
    void editRules();
    [[nodiscard]] const bridge::AlertRow* current() const;

    bridge::MeshSession& m_session;
    bridge::AlertWatch& m_watch;
    QLabel* m_sum;
    QPushButton* m_silence;
    QPushButton* m_rules;
    RowsTable* m_table;
    std::vector<bridge::AlertRow> m_rows;
};

// Asks why and for how long.
class SilenceDialog : public QDialog
{
    Q_OBJECT

public:
    SilenceDialog(const bridge::AlertRow& row, QWidget* parent);
    // From `now_us`; the author is the caller's.
    [[nodiscard]] bridge::AlertSilence silence(std::int64_t now_us) const;

private:
    bridge::AlertRow m_row;
    QLineEdit* m_reason;
    QComboBox* m_span;
    QComboBox* m_scope;
};

// The rules in a list, the chosen one as a form, the webhook below.
class AlertRulesDialog : public QDialog
{
    Q_OBJECT

public:
    AlertRulesDialog(bridge::MeshSession& session, bridge::AlertWatch& watch, QWidget* parent);

private:
    void makeForm(QWidget& form);
    void refreshList();
    void showRule(int index);
    void readForm();
    void add(bridge::AlertKind kind);
    void removeCurrent();
    void keep();

    bridge::MeshSession& m_session;
    bridge::AlertWatch& m_watch;
    std::vector<bridge::AlertRule> m_rules;
    int m_current = -1;
    bool m_isShowing = false;
    RowsTable* m_list;
    QWidget* m_form;
    QLineEdit* m_name = nullptr;
    FindField* m_filter = nullptr;
    QComboBox* m_isOn = nullptr;
    QComboBox* m_state = nullptr;
    QSpinBox* m_holds = nullptr;
    QDoubleSpinBox* m_objective = nullptr;
    QSpinBox* m_requests = nullptr;
    QLabel* m_says = nullptr;
    QLineEdit* m_webhook = nullptr;
    QLabel* m_problem = nullptr;
    QPushButton* m_keep = nullptr;
};

} // namespace mesh::pages
