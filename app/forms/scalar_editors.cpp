#include "app/forms/scalar_editors.h"

#include "app/forms/value_path.h"
#include "app/theme/controls.h"
#include "app/theme/theme.h"

#include <QCompleter>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QPainter>
#include <QSignalBlocker>

#include <algorithm>

namespace mesh::forms {
namespace {

QHBoxLayout* fill(QWidget& editor)
{
    auto* layout = new QHBoxLayout(&editor);
    layout->setContentsMargins(0, 0, 0, 0);
    return layout;
}

QString toQString(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

// Names, addresses and paths are longer than numbers.
bool isLongText(const model::Field& field)
{
    using model::Format;
    return field.kind == model::Kind::Text
           && (field.format == Format::Url || field.format == Format::Pem
               || field.format == Format::Uuid);
}

} // namespace

UnitLineEdit::UnitLineEdit(const QString& unit, QWidget* parent)
    : QLineEdit(parent)
    , m_unit(unit)
{
    if (!unit.isEmpty()) {
        const QFontMetrics metrics(theme::font(theme::Role::Caption));
        setTextMargins(0, 0, metrics.horizontalAdvance(unit) + 8, 0);
    }
}

void UnitLineEdit::paintEvent(QPaintEvent* event)
{
    QLineEdit::paintEvent(event);
    if (m_unit.isEmpty()) {
        return;
    }
    QPainter painter(this);
    painter.setFont(theme::font(theme::Role::Caption));
    painter.setPen(theme::tokens().text3);
    painter.drawText(rect().adjusted(0, 0, -9, 0), Qt::AlignRight | Qt::AlignVCenter, m_unit);
}

PercentEdit::PercentEdit(QWidget* parent)
    : UnitLineEdit(QStringLiteral("%"), parent)
{}

void PercentEdit::keyPressEvent(QKeyEvent* event)
{
    constexpr double kPage = 10;
    double step = 0;
    switch (event->key()) {
    case Qt::Key_Up:
        step = 1;
        break;
    case Qt::Key_Down:
        step = -1;
        break;
    case Qt::Key_PageUp:
        step = kPage;
        break;
    case Qt::Key_PageDown:
        step = -kPage;
        break;
    default:
        UnitLineEdit::keyPressEvent(event);
        return;
    }
    const QString shown = text().isEmpty() ? placeholderText() : text();
    setText(QString::number(std::clamp(shown.toDouble() + step, 0.0, 100.0)));
    Q_EMIT textEdited(text());
}

void PercentEdit::paintEvent(QPaintEvent* event)
{
    UnitLineEdit::paintEvent(event);
    bool isNumber = false;
    const double share = text().isEmpty() ? 0 : text().toDouble(&isNumber);
    if (!isNumber || share <= 0 || share > 100) {
        return;
    }
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    const theme::Tokens& t = theme::tokens();
    painter.setBrush(isEnabled() ? t.accent : t.textDisabled);
    constexpr double kInset = 5;
    const double width = (this->width() - 2 * kInset) * share / 100;
    painter.drawRoundedRect(QRectF(kInset, height() - 3.5, width, 2), 1, 1);
}

LineEditor::LineEditor(const model::Field& field, QWidget* parent)
    : FieldEditor(field, parent)
    , m_edit(new UnitLineEdit(toQString(field.unit), this))
{
    fill(*this)->addWidget(m_edit);
    describe(*m_edit);
    m_edit->setPlaceholderText(QString::fromStdString(toDisplay(field.defaultValue)));
    if (field.isSecret) {
        m_edit->setEchoMode(QLineEdit::Password);
    }
    connect(m_edit, &QLineEdit::textEdited, this, [this](const QString& text) {
        Q_EMIT edited(valueOfText(text, this->field().kind));
    });
}

EditorWidth LineEditor::editorWidth() const
{
    return isLongText(field()) ? EditorWidth::Wide : EditorWidth::Control;
}

void LineEditor::setNames(const ObjectNames& names)
{
    const auto known = names.find(field().reference);
    if (field().reference.empty() || known == names.end()) {
        return;
    }
    auto* completer = new QCompleter(known->second, m_edit);
    completer->setFilterMode(Qt::MatchContains);
    m_edit->setCompleter(completer); // The edit deletes the one before, which it is the parent of.
    connect(completer, qOverload<const QString&>(&QCompleter::activated), this, [this] {
        Q_EMIT edited(valueOfText(m_edit->text(), field().kind));
    });
}

void LineEditor::setValue(const model::Value* value)
{
    const QString text = value != nullptr ? QString::fromStdString(toDisplay(*value)) : QString();
    if (m_edit->text() == text) {
        return;
    }
    // "1.50" is the same number as "1.5": what is being typed is not rewritten under the cursor.
    const model::Value typed = valueOfText(m_edit->text(), field().kind);
    if (m_edit->hasFocus() && value != nullptr && typed == *value) {
        return;
    }
    m_edit->setText(text);
}

BoolEditor::BoolEditor(const model::Field& field, QWidget* parent)
    : FieldEditor(field, parent)
    , m_switch(new theme::Switch(this))
{
    auto* layout = fill(*this);
    layout->addWidget(m_switch);
    layout->addStretch();
    m_switch->setCheckable(true);
    describe(*m_switch);
    connect(m_switch, &QAbstractButton::clicked, this, [this](bool isOn) {
        const model::Value& fallback = this->field().defaultValue;
        const bool isDefault = fallback.isBool() && fallback.toBool() == isOn;
        Q_EMIT edited(isDefault ? model::Value() : model::Value(isOn));
    });
}

void BoolEditor::setValue(const model::Value* value)
{
    const model::Value& shown = value != nullptr ? *value : field().defaultValue;
    m_switch->setChecked(shown.isBool() && shown.toBool());
}

ChoiceEditor::ChoiceEditor(const model::Field& field, QWidget* parent)
    : FieldEditor(field, parent)
    , m_combo(new QComboBox(this))
{
    fill(*this)->addWidget(m_combo);
    describe(*m_combo);
    m_combo->setFocusPolicy(Qt::StrongFocus);
    m_combo->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_combo->setMinimumContentsLength(8);
    if (field.defaultValue.isNull() && !field.isRequired) {
        m_combo->addItem(tr("not set"), QString());
    }
    for (const std::string_view choice : field.choices) {
        m_combo->addItem(toQString(choice), toQString(choice));
    }
    connect(m_combo, &QComboBox::activated, this, [this](int index) {
        const std::string choice = m_combo->itemData(index).toString().toStdString();
        const model::Value& fallback = this->field().defaultValue;
        const bool isDefault = choice.empty() || (fallback.isString() && fallback.text() == choice);
        Q_EMIT edited(isDefault ? model::Value() : model::Value(choice));
    });
}

void ChoiceEditor::setValue(const model::Value* value)
{
    const model::Value& shown = value != nullptr ? *value : field().defaultValue;
    const QString text = QString::fromStdString(toDisplay(shown));
    int index = m_combo->findData(text);
    if (index < 0 && !text.isEmpty()) {
        m_combo->addItem(text, text); // A value the schema does not know is shown, not replaced.
        index = m_combo->count() - 1;
    }
    const QSignalBlocker blocker(m_combo);
    m_combo->setCurrentIndex(index);
}

model::Value valueOfText(const QString& text, model::Kind kind)
{
    const QString trimmed = text.trimmed();
    if (trimmed.isEmpty()) {
        return {};
    }
    bool isNumber = false;
    const qlonglong whole = trimmed.toLongLong(&isNumber);
    const bool wantsNumber = kind == model::Kind::Int || kind == model::Kind::Number
                             || kind == model::Kind::Milliseconds || kind == model::Kind::Seconds;
    // A duration without a unit is a number in the file too: the message is about the unit.
    if (isNumber && (wantsNumber || kind == model::Kind::DurationText)) {
        return model::Value(static_cast<std::int64_t>(whole));
    }
    const double real = trimmed.toDouble(&isNumber);
    if (isNumber && wantsNumber && kind != model::Kind::Int) {
        return model::Value(real);
    }
    return model::Value(trimmed.toStdString());
}

} // namespace mesh::forms
