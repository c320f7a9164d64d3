#pragma once

#include "app/forms/field_editor.h"

#include <QLineEdit>
#include <QPlainTextEdit>
#include <QStringList>

#include <vector>

namespace mesh::forms {

// A list of scalars as tokens. What stands in the line counts at once, without Enter: the list is
// the tokens and the unfinished one. A comma, Enter or leaving the field starts the next token;
// Backspace in an empty line takes the last one back for editing.
class TokenEditor : public FieldEditor
{
    Q_OBJECT

public:
    TokenEditor(const model::Field& field, QWidget* parent);

    [[nodiscard]] EditorWidth editorWidth() const override { return EditorWidth::Wide; }
    void setValue(const model::Value* value) override;
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] bool hasHeightForWidth() const override { return true; }
    [[nodiscard]] int heightForWidth(int width) const override;

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;

private:
    [[nodiscard]] QStringList all() const;
    [[nodiscard]] int arrange(int width, std::vector<QRect>* chips, QRect* line) const;
    void emitEdited();
    void closeToken();
    void place();

    QStringList m_tokens;
    QLineEdit* m_line;
    std::vector<QRect> m_rects;
};

// Maps, lists of records and other shapes without a form of their own: a few lines of YAML. Text
// that does not parse is kept here and marked; it enters the draft when it parses.
class YamlEditor : public FieldEditor
{
    Q_OBJECT

public:
    YamlEditor(const model::Field& field, QWidget* parent);

    [[nodiscard]] EditorWidth editorWidth() const override { return EditorWidth::Wide; }
    void setValue(const model::Value* value) override;

private:
    void fitHeight();
    void onTextChanged();

    QPlainTextEdit* m_text;
    model::Value m_shown;
};

} // namespace mesh::forms
