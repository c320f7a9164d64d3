#pragma once

#include "app/forms/field_editor.h"

class QComboBox;
class QLineEdit;

namespace mesh::forms {

class PercentEdit;

// True for a number of per cent between 0 and 100.
[[nodiscard]] bool isPercent(const model::Field& field);

// Per cent: the number, and as much of the field's lower edge filled as the share is.
class PercentEditor : public FieldEditor
{
    Q_OBJECT

public:
    PercentEditor(const model::Field& field, QWidget* parent);

    void setValue(const model::Value* value) override;

private:
    PercentEdit* m_edit;
};

// A delay that is a time ("250ms") or a percentile of what was measured ("p95"): which of the two,
// and its number. One text in the file.
class DelayEditor : public FieldEditor
{
    Q_OBJECT

public:
    DelayEditor(const model::Field& field, QWidget* parent);

    void setValue(const model::Value* value) override;

private:
    enum Way : int { Percentile, Time };
    void emitEdited();

    QComboBox* m_way;
    QLineEdit* m_edit;
};

} // namespace mesh::forms
