#pragma once

#include "app/forms/field_editor.h"

#include <QLabel>
#include <QWidget>

#include <string>

class QAbstractButton;
class QToolButton;
class QVBoxLayout;

namespace mesh::forms {

// Geometry of a form: label column, control column, the rest for hints; a gutter for change bars.
inline constexpr int kFormMargin = 28;
inline constexpr int kLabelWidth = 178;
inline constexpr int kControlWidth = 150;
inline constexpr int kColumnGap = 14;
inline constexpr int kRowHeight = 34;
inline constexpr int kSectionHeight = 30;
inline constexpr int kNestingIndent = 16; // Of labels, for every record inside a record.

// One field: change bar, label, editor, and a hint that says the most important of: what is wrong,
// what it was, that it is the default, what it is for. The row keeps its height meanwhile.
class FormRow : public QWidget
{
    Q_OBJECT

public:
    // depth: how many records the field's record stands inside of.
    FormRow(const model::Field& field, std::string path, int depth, QWidget* parent);

    [[nodiscard]] const std::string& path() const { return m_path; } // Relative to the record.
    [[nodiscard]] FieldEditor& editor() { return *m_editor; }
    [[nodiscard]] bool isChanged() const { return m_isChanged; }
    [[nodiscard]] const QString& error() const { return m_error; }

    // Null: absent. `base`: what was there before the edits; `isNew`: the object was not there.
    void setValues(const model::Value* value, const model::Value* base, bool isNew);
    void setError(const QString& message); // Empty: none.

Q_SIGNALS:
    void edited(const std::string& path, const mesh::model::Value& value);
    void focused(const std::string& path);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void layOut(int depth);
    void updateHint();
    [[nodiscard]] QString wasText() const;
    void onLink(const QString& link);

    const model::Field& m_field;
    std::string m_path;
    FieldEditor* m_editor;
    QLabel* m_label;
    QLabel* m_hint;
    model::Value m_value;
    model::Value m_base;
    bool m_isChanged = false;
    QString m_error;
};

// A title with a chevron that folds what is below it, a line of help (folded: what is set), and at
// the right a switch for a record that may be absent or a button. Sections may stand in sections.
class FormSection : public QWidget
{
    Q_OBJECT

public:
    FormSection(const QString& title, const QString& caption, QWidget* parent);
    // A section inside another one, indented; added to its rows.
    FormSection(const QString& title, const QString& caption, FormSection& outer);

    [[nodiscard]] QVBoxLayout& rows() { return *m_rows; }
    void setCaption(const QString& caption);
    void setSummary(const QString& summary); // Stands for the caption while folded.
    // Shows a switch; toggled by a person only.
    void addSwitch(const QString& objectName);
    void setSwitchedOn(bool isOn);
    void addHeaderWidget(QWidget* widget);
    void setFolded(bool isFolded);
    [[nodiscard]] bool isFolded() const { return m_isFolded; }
    void reveal(); // Unfolds it and those it stands in.
    [[nodiscard]] int depth() const { return m_depth; }
    [[nodiscard]] const QString& title() const { return m_title; }

Q_SIGNALS:
    void switched(bool isOn);

private:
    QWidget* m_header;
    QWidget* m_body;
    QVBoxLayout* m_rows;
    QLabel* m_caption;
    QToolButton* m_chevron;
    QAbstractButton* m_switch = nullptr;
    void build(const QString& title);
    void showCaption();

    FormSection* m_outer = nullptr;
    int m_depth = 0;
    QString m_title;
    QString m_help;
    QString m_summary;
    bool m_isFolded = false;
};

} // namespace mesh::forms
