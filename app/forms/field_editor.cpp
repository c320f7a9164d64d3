#include "app/forms/field_editor.h"

#include "app/forms/list_editors.h"
#include "app/forms/policy_editors.h"
#include "app/forms/scalar_editors.h"
#include "app/forms/split_editor.h"
#include "app/forms/value_path.h"
#include "app/theme/controls.h"

#include <QCoreApplication>
#include <QEvent>

namespace mesh::forms {

FieldEditor::FieldEditor(const model::Field& field, QWidget* parent)
    : QWidget(parent)
    , m_field(field)
{}

void FieldEditor::setMarkedWrong(bool isWrong)
{
    if (m_control != nullptr) {
        theme::setFieldState(
            *m_control, isWrong ? theme::FieldState::Error : theme::FieldState::Normal
        );
    }
}

void FieldEditor::setNames(const ObjectNames& names) { Q_UNUSED(names) }

void FieldEditor::describe(QWidget& control)
{
    m_control = &control;
    control.setObjectName(objectNameOf(m_field.key));
    control.setAccessibleName(translated(m_field.label));
    control.setAccessibleDescription(translated(m_field.help));
    control.setToolTip(describeField(m_field));
    control.installEventFilter(this);
    setFocusProxy(&control);
}

bool FieldEditor::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::FocusIn) {
        Q_EMIT focused();
    }
    // A wheel over a form scrolls the form; it must not change a value nobody looked at.
    if (event->type() == QEvent::Wheel && m_control != nullptr && !m_control->hasFocus()) {
        event->ignore();
        return true;
    }
    return QWidget::eventFilter(watched, event);
}

FieldEditor* makeFieldEditor(const model::Field& field, QWidget* parent)
{
    switch (field.kind) {
    case model::Kind::Bool:
        return new BoolEditor(field, parent);
    case model::Kind::Choice:
        return new ChoiceEditor(field, parent);
    case model::Kind::List:
        if (field.element != model::Kind::Record) {
            return new TokenEditor(field, parent);
        }
        if (isSplit(field)) {
            return new SplitEditor(field, parent);
        }
        return new YamlEditor(field, parent);
    case model::Kind::Map:
    case model::Kind::Points:
    case model::Kind::Script:
    case model::Kind::Record:
        return new YamlEditor(field, parent);
    case model::Kind::Int:
    case model::Kind::Number:
        if (isPercent(field)) {
            return new PercentEditor(field, parent);
        }
        return new LineEditor(field, parent);
    case model::Kind::Text:
        if (field.format == model::Format::HedgeDelay) {
            return new DelayEditor(field, parent);
        }
        return new LineEditor(field, parent);
    case model::Kind::Milliseconds:
    case model::Kind::Seconds:
    case model::Kind::DurationText:
        return new LineEditor(field, parent);
    }
    return new LineEditor(field, parent);
}

QString objectNameOf(std::string_view key)
{
    QString name;
    bool isUpper = false;
    for (const char letter : key) {
        if (letter == '_') {
            isUpper = !name.isEmpty();
            continue;
        }
        const QChar character = QLatin1Char(letter);
        name += isUpper ? character.toUpper() : character;
        isUpper = false;
    }
    return name;
}

QString translated(std::string_view text)
{
    const QByteArray source(text.data(), static_cast<qsizetype>(text.size()));
    return QCoreApplication::translate("Schema", source.constData());
}

QString describeField(const model::Field& field)
{
    QStringList lines;
    if (!field.help.empty()) {
        lines << translated(field.help);
    }
    lines << QString::fromStdString(model::describeType(field));
    if (!field.unit.empty()) {
        const auto unit =
            QString::fromUtf8(field.unit.data(), static_cast<qsizetype>(field.unit.size()));
        lines << QCoreApplication::translate("FieldEditor", "Unit: %1").arg(unit);
    }
    if (!field.defaultValue.isNull()) {
        lines << QCoreApplication::translate("FieldEditor", "Default: %1")
                     .arg(QString::fromStdString(toDisplay(field.defaultValue)));
    }
    return lines.join(u'\n');
}

} // namespace mesh::forms
