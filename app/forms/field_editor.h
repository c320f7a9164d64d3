#pragma once

#include "proxyengine/model/schema.h"

#include <QStringList>
#include <QWidget>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace mesh::forms {

// The names of all objects in the document being edited, by the plural of their kind ("services").
using ObjectNames = std::map<std::string, QStringList, std::less<>>;

// How much of a row an editor wants: the control column alone, or the hint's column too.
enum class EditorWidth : std::uint8_t { Control, Wide };

// Shows and edits the value of one field. One class per kind of field; makeFieldEditor() chooses.
//
// An absent value shows the default quietly. What a person types is handed on as it is, also when
// it is wrong: the draft keeps it and says what is wrong with it at this field.
class FieldEditor : public QWidget
{
    Q_OBJECT

public:
    explicit FieldEditor(const model::Field& field, QWidget* parent = nullptr);

    [[nodiscard]] const model::Field& field() const { return m_field; }
    [[nodiscard]] virtual EditorWidth editorWidth() const { return EditorWidth::Control; }

    // Null: absent. Never emits edited(); leaves the text alone while it already says this value.
    virtual void setValue(const model::Value* value) = 0;
    virtual void setMarkedWrong(bool isWrong);
    // For editors of fields that name other objects.
    virtual void setNames(const ObjectNames& names);

Q_SIGNALS:
    void edited(const mesh::model::Value& value); // Null: back to the default.
    void focused();

protected:
    // The control that takes the focus: named after the key, described by the schema.
    void describe(QWidget& control);
    [[nodiscard]] QWidget* control() const { return m_control; }
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    const model::Field& m_field;
    QWidget* m_control = nullptr;
};

[[nodiscard]] FieldEditor* makeFieldEditor(const model::Field& field, QWidget* parent);

// "connect_timeout" -> "connectTimeout": the object name.
[[nodiscard]] QString objectNameOf(std::string_view key);

// The label, help and section texts of schemas, translated when the language has them.
[[nodiscard]] QString translated(std::string_view text);

// Help, type, unit, range and default, for tool tips.
[[nodiscard]] QString describeField(const model::Field& field);

} // namespace mesh::forms
