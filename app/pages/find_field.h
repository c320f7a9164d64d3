#pragma once

#include "app/bridge/find_language.h"

#include <QLineEdit>

#include <functional>

class QLabel;

namespace mesh::bridge {
class MeshSession;
}

namespace mesh::pages {

// A line in the find language: green when it means something here, amber when it is not finished,
// matches nothing or asks what these rows do not have, red when it is wrong. Tab completes, Down
// opens what was asked before.
class FindField : public QLineEdit
{
    Q_OBJECT

public:
    // The history is kept in the document, one for all fields. scopes: of the rows it filters.
    FindField(bridge::MeshSession& session, bridge::FindScopes scopes, QWidget* parent);

    // Names that completion offers as values.
    void setNames(std::function<QStringList()> names);
    // Expressions that the history opens with.
    void setPresets(const QStringList& presets);
    void setScopes(bridge::FindScopes scopes);
    [[nodiscard]] const bridge::FindLanguage& language() const { return m_language; }
    // How many rows match, of all; shown inside the field while there is a text.
    void setMatches(int count, int total);
    // Narrows the text by one more term.
    void narrow(const QString& term);

Q_SIGNALS:
    void expressionChanged(); // The text has another meaning, or none.

protected:
    bool event(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

private:
    void read();
    void tint();
    bool complete();
    void offer(const bridge::FindCompletion& completion);
    void put(const bridge::FindCompletion& completion, const QString& word);
    void showHistory();
    void remember();
    [[nodiscard]] QStringList history() const;

    bridge::MeshSession& m_session;
    bridge::FindScopes m_scopes;
    bridge::FindLanguage m_language;
    std::function<QStringList()> m_names;
    QStringList m_presets;
    QString m_help; // The tool tip while nothing is wrong.
    QLabel* m_note;
    int m_count = 0;
    int m_total = 0;
};

} // namespace mesh::pages
