#pragma once

#include "app/forms/field_editor.h"

#include <QComboBox>
#include <QLineEdit>

namespace mesh::theme {
class Switch;
}

namespace mesh::forms {

// A line edit with the field's unit at its right end.
class UnitLineEdit : public QLineEdit
{
    Q_OBJECT

public:
    explicit UnitLineEdit(const QString& unit, QWidget* parent = nullptr);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QString m_unit;
};

// Per cent as a number: Up and Down step by one, Page up and Page down by ten, within 0 and 100.
class PercentEdit : public UnitLineEdit
{
    Q_OBJECT

public:
    explicit PercentEdit(QWidget* parent = nullptr);

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
};

// Text, numbers and durations: one line. Empty means the default, which shows as placeholder.
class LineEditor : public FieldEditor
{
    Q_OBJECT

public:
    LineEditor(const model::Field& field, QWidget* parent);

    [[nodiscard]] EditorWidth editorWidth() const override;
    void setValue(const model::Value* value) override;
    void setNames(const ObjectNames& names) override;

private:
    UnitLineEdit* m_edit;
};

class BoolEditor : public FieldEditor
{
    Q_OBJECT

public:
    BoolEditor(const model::Field& field, QWidget* parent);

    void setValue(const model::Value* value) override;

private:
    theme::Switch* m_switch;
};

// One of the field's choices. Choosing the default leaves the field out of the file.
class ChoiceEditor : public FieldEditor
{
    Q_OBJECT

public:
    ChoiceEditor(const model::Field& field, QWidget* parent);

    void setValue(const model::Value* value) override;

private:
    QComboBox* m_combo;
};

// The value a text stands for in a field: a number where the field wants one and the text is one.
// Anything else stays text, so that the draft can say what is wrong with it. Null: empty text.
[[nodiscard]] model::Value valueOfText(const QString& text, model::Kind kind);

} // namespace mesh::forms
