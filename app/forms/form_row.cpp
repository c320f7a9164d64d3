#include "app/forms/form_row.h"

#include "app/forms/value_path.h"
#include "app/theme/controls.h"
#include "app/theme/icons.h"
#include "app/theme/theme.h"

#include <QGridLayout>
#include <QPainter>
#include <QRegularExpression>
#include <QToolButton>
#include <QVBoxLayout>

#include <utility>

namespace mesh::forms {
namespace {

constexpr int kBarX = 16;
constexpr int kBarHeight = 24;

QString escaped(const QString& text) { return text.toHtmlEscaped(); }

bool isWholeNumber(const model::Value& value) { return value.isInt(); }

} // namespace

FormRow::FormRow(const model::Field& field, std::string path, int depth, QWidget* parent)
    : QWidget(parent)
    , m_field(field)
    , m_path(std::move(path))
    , m_editor(makeFieldEditor(field, this))
    , m_label(new QLabel(translated(field.label), this))
    , m_hint(new QLabel(this))
{
    layOut(depth);
    theme::setText(*m_label, theme::Role::Body, theme::TextColor::Text2);
    m_label->setBuddy(m_editor);
    m_label->setToolTip(describeField(field));
    m_hint->setTextFormat(Qt::RichText);
    m_hint->setWordWrap(true);
    m_hint->setTextInteractionFlags(Qt::LinksAccessibleByMouse | Qt::LinksAccessibleByKeyboard);
    m_hint->setObjectName(objectNameOf(field.key) + QStringLiteral("Hint"));
    m_hint->setAccessibleName(tr("%1, note").arg(translated(field.label)));
    m_hint->setFocusPolicy(Qt::NoFocus);
    connect(m_editor, &FieldEditor::edited, this, [this](const model::Value& value) {
        Q_EMIT edited(m_path, value);
    });
    connect(m_editor, &FieldEditor::focused, this, [this] { Q_EMIT focused(m_path); });
    connect(m_hint, &QLabel::linkActivated, this, &FormRow::onLink);
}

void FormRow::layOut(int depth)
{
    auto* grid = new QGridLayout(this);
    const int indent = depth * kNestingIndent;
    grid->setContentsMargins(kFormMargin + indent, 3, 24, 3);
    grid->setHorizontalSpacing(kColumnGap);
    grid->setVerticalSpacing(2);
    m_label->setFixedWidth(kLabelWidth - indent);
    const bool isTall = m_editor->editorWidth() == EditorWidth::Wide;
    grid->addWidget(m_label, 0, 0, isTall ? Qt::AlignTop : Qt::AlignVCenter);
    m_label->setMinimumHeight(isTall ? 28 : 0);
    if (m_editor->editorWidth() == EditorWidth::Control) {
        m_editor->setFixedWidth(kControlWidth);
        grid->addWidget(m_editor, 0, 1, Qt::AlignVCenter);
        grid->addWidget(m_hint, 0, 2, Qt::AlignVCenter);
    } else {
        grid->addWidget(m_editor, 0, 1, 1, 2);
        grid->addWidget(m_hint, 1, 1, 1, 2);
    }
    grid->setColumnStretch(2, 1);
    setMinimumHeight(kRowHeight);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
}

void FormRow::setValues(const model::Value* value, const model::Value* base, bool isNew)
{
    m_value = value != nullptr ? *value : model::Value();
    m_base = base != nullptr ? *base : model::Value();
    m_isChanged = !isNew && !(m_value == m_base);
    m_editor->setValue(value);
    updateHint();
    update();
}

void FormRow::setError(const QString& message)
{
    if (message == m_error) {
        return;
    }
    m_error = message;
    m_editor->setMarkedWrong(!message.isEmpty());
    m_editor->focusProxy()->setAccessibleDescription(
        message.isEmpty() ? translated(m_field.help) : message
    );
    updateHint();
}

QString FormRow::wasText() const
{
    if (m_base.isNull()) {
        const QString fallback = QString::fromStdString(toDisplay(m_field.defaultValue));
        return fallback.isEmpty() ? tr("was not set") : tr("was default");
    }
    QString text = QString::fromStdString(toDisplay(m_base));
    if (!m_field.unit.empty()) {
        text +=
            u' '
            + QString::fromUtf8(m_field.unit.data(), static_cast<qsizetype>(m_field.unit.size()));
    }
    //: Beside a changed field; %1 is the value before the change.
    return tr("was %1").arg(QStringLiteral("<s>%1</s>").arg(escaped(text.left(60))));
}

void FormRow::updateHint()
{
    const bool isWrong = !m_error.isEmpty();
    theme::setText(
        *m_label, theme::Role::Body, isWrong ? theme::TextColor::Failure : theme::TextColor::Text2
    );
    QStringList parts;
    if (isWrong) {
        parts << QStringLiteral("<b>%1</b>").arg(escaped(m_error));
        if (m_field.kind == model::Kind::DurationText && isWholeNumber(m_value)) {
            const QString fix = QString::number(m_value.toInt()) + u's';
            parts << QStringLiteral("<a href=\"fix\">%1</a>").arg(tr("Use %1").arg(fix));
        }
    }
    if (m_isChanged) {
        if (!isWrong) {
            parts << wasText();
        }
        parts << QStringLiteral("<a href=\"revert\">%1</a>").arg(tr("Revert"));
    }
    if (parts.isEmpty()) {
        const bool isDefault = m_value.isNull();
        const bool hasDefault = !m_field.defaultValue.isNull();
        const bool isList = m_field.kind == model::Kind::List;
        if (isDefault && hasDefault && !isList) {
            parts << tr("default");
        }
        if (!m_field.help.empty()) {
            parts << escaped(translated(m_field.help));
        }
    }
    theme::setText(
        *m_hint, theme::Role::Caption, isWrong ? theme::TextColor::Failure : theme::TextColor::Text3
    );
    m_hint->setText(parts.join(QStringLiteral(" · ")));
    m_hint->setToolTip(isWrong ? m_error : describeField(m_field));
}

void FormRow::onLink(const QString& link)
{
    if (link == QStringLiteral("revert")) {
        Q_EMIT edited(m_path, m_base);
    } else if (m_value.isInt()) {
        Q_EMIT edited(m_path, model::Value(std::to_string(m_value.toInt()) + "s"));
    }
}

void FormRow::paintEvent(QPaintEvent* event)
{
    Q_UNUSED(event)
    if (!m_isChanged && m_error.isEmpty()) {
        return;
    }
    QPainter painter(this);
    const bool isWrong = !m_error.isEmpty() && !m_isChanged;
    const int y = std::max(0, (std::min(height(), kRowHeight) - kBarHeight) / 2);
    painter.fillRect(
        kBarX,
        y,
        3,
        kBarHeight,
        isWrong ? theme::tokens().of(theme::State::Failure).text : theme::tokens().accent
    );
}

FormSection::FormSection(const QString& title, const QString& caption, QWidget* parent)
    : QWidget(parent)
    , m_header(new QWidget(this))
    , m_body(new QWidget(this))
    , m_rows(new QVBoxLayout(m_body))
    , m_caption(new QLabel(caption, m_header))
    , m_chevron(new QToolButton(m_header))
    , m_title(title)
    , m_help(caption)
{
    build(title);
}

FormSection::FormSection(const QString& title, const QString& caption, FormSection& outer)
    : QWidget(outer.m_body)
    , m_header(new QWidget(this))
    , m_body(new QWidget(this))
    , m_rows(new QVBoxLayout(m_body))
    , m_caption(new QLabel(caption, m_header))
    , m_chevron(new QToolButton(m_header))
    , m_outer(&outer)
    , m_depth(outer.m_depth + 1)
    , m_title(title)
    , m_help(caption)
{
    build(title);
    outer.m_rows->addWidget(this);
}

void FormSection::build(const QString& title)
{
    auto* column = new QVBoxLayout(this);
    const int air = m_depth == 0 ? 6 : 1;
    column->setContentsMargins(0, air, 0, air);
    column->setSpacing(0);
    column->addWidget(m_header);
    column->addWidget(m_body);
    m_rows->setContentsMargins(0, 0, 0, 0);
    m_rows->setSpacing(0);

    m_header->setFixedHeight(kSectionHeight);
    auto* row = new QHBoxLayout(m_header);
    row->setContentsMargins(kFormMargin - 4 + m_depth * kNestingIndent, 0, 24, 0);
    row->setSpacing(4);
    theme::setButtonRole(*m_chevron, theme::ButtonRole::Ghost);
    m_chevron->setIconSize({12, 12});
    m_chevron->setFixedSize(20, 20);
    m_chevron->setAccessibleName(tr("Fold %1").arg(title));
    m_chevron->setToolTip(tr("Fold or unfold %1").arg(title));
    row->addWidget(m_chevron);
    auto* label = new QLabel(title, m_header);
    theme::setText(*label, m_depth == 0 ? theme::Role::BodyStrong : theme::Role::BodyMedium);
    row->addWidget(label);
    row->addSpacing(6);
    theme::setText(*m_caption, theme::Role::Caption, theme::TextColor::Text3);
    m_caption->setMinimumWidth(10);
    m_caption->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    row->addWidget(m_caption, 1);
    connect(m_chevron, &QToolButton::clicked, this, [this] { setFolded(!m_isFolded); });
    setFolded(false);
}

void FormSection::setCaption(const QString& caption)
{
    m_help = caption;
    showCaption();
}

void FormSection::setSummary(const QString& summary)
{
    m_summary = summary;
    showCaption();
}

void FormSection::showCaption()
{
    m_caption->setText(m_isFolded && !m_summary.isEmpty() ? m_summary : m_help);
    m_caption->setToolTip(m_caption->text());
}

void FormSection::reveal()
{
    for (FormSection* section = this; section != nullptr; section = section->m_outer) {
        section->setFolded(false);
    }
}

void FormSection::addSwitch(const QString& objectName)
{
    auto* control = new theme::Switch(m_header);
    control->setCheckable(true);
    control->setObjectName(objectName);
    control->setAccessibleName(tr("%1, on or off").arg(m_title));
    control->setToolTip(tr("On: with its defaults. Off: not in the file."));
    m_switch = control;
    m_header->layout()->addWidget(control);
    connect(control, &QAbstractButton::clicked, this, &FormSection::switched);
}

void FormSection::setSwitchedOn(bool isOn)
{
    if (m_switch != nullptr) {
        m_switch->setChecked(isOn);
    }
    m_body->setEnabled(isOn);
}

void FormSection::addHeaderWidget(QWidget* widget) { m_header->layout()->addWidget(widget); }

void FormSection::setFolded(bool isFolded)
{
    m_isFolded = isFolded;
    m_body->setVisible(!isFolded);
    m_chevron->setIcon(
        theme::icon(isFolded ? QStringLiteral("chevron-right") : QStringLiteral("chevron-down"))
    );
    showCaption();
}

} // namespace mesh::forms
