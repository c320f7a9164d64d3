#include "app/forms/policy_editors.h"

#include "app/forms/scalar_editors.h"
#include "app/forms/value_path.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QSignalBlocker>

namespace mesh::forms {
namespace {

constexpr double kPercentMax = 100;
constexpr const char* kPercentileFirst = "95"; // Envoy's and Finagle's usual choice.
constexpr const char* kTimeFirst = "250ms";

bool isPercentile(const QString& text) { return text.startsWith(u'p'); }

} // namespace

bool isPercent(const model::Field& field)
{
    return field.unit == "%" && field.max && *field.max <= kPercentMax;
}

PercentEditor::PercentEditor(const model::Field& field, QWidget* parent)
    : FieldEditor(field, parent)
    , m_edit(new PercentEdit(this))
{
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_edit);
    describe(*m_edit);
    m_edit->setPlaceholderText(QString::fromStdString(toDisplay(field.defaultValue)));
    connect(m_edit, &QLineEdit::textEdited, this, [this](const QString& text) {
        Q_EMIT edited(valueOfText(text, this->field().kind));
    });
}

void PercentEditor::setValue(const model::Value* value)
{
    const QString text = value != nullptr ? QString::fromStdString(toDisplay(*value)) : QString();
    const bool isTyping = m_edit->hasFocus() && value != nullptr
                          && valueOfText(m_edit->text(), field().kind) == *value;
    if (m_edit->text() != text && !isTyping) {
        m_edit->setText(text);
    }
}

DelayEditor::DelayEditor(const model::Field& field, QWidget* parent)
    : FieldEditor(field, parent)
    , m_way(new QComboBox(this))
    , m_edit(new QLineEdit(this))
{
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(6);
    m_way->addItem(tr("percentile"));
    m_way->addItem(tr("time"));
    m_way->setFocusPolicy(Qt::StrongFocus);
    m_way->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_way->setMinimumContentsLength(5);
    layout->addWidget(m_way, 3);
    layout->addWidget(m_edit, 2);
    describe(*m_edit);
    m_way->setObjectName(m_edit->objectName() + QStringLiteral("Way"));
    m_way->setAccessibleName(tr("%1: percentile or time").arg(m_edit->accessibleName()));
    m_way->setToolTip(tr("A percentile of the latencies measured here, or a time"));
    m_way->installEventFilter(this);
    connect(m_way, &QComboBox::activated, this, [this](int way) {
        m_edit->setText(QString::fromLatin1(way == Percentile ? kPercentileFirst : kTimeFirst));
        emitEdited();
    });
    connect(m_edit, &QLineEdit::textEdited, this, &DelayEditor::emitEdited);
}

void DelayEditor::setValue(const model::Value* value)
{
    const bool isDefault = value == nullptr || value->isNull();
    const model::Value& shown = isDefault ? field().defaultValue : *value;
    const QString text = QString::fromStdString(toDisplay(shown));
    const bool isShare = isPercentile(text);
    const QString number = isShare ? text.mid(1) : text;
    {
        const QSignalBlocker blocker(m_way);
        m_way->setCurrentIndex(isShare ? Percentile : Time);
    }
    m_edit->setPlaceholderText(isDefault ? number : QString());
    const QString wanted = isDefault ? QString() : number;
    if (m_edit->text() != wanted) {
        m_edit->setText(wanted);
    }
}

void DelayEditor::emitEdited()
{
    const QString text = m_edit->text().trimmed();
    if (text.isEmpty()) {
        Q_EMIT edited(model::Value());
        return;
    }
    const bool isShare = m_way->currentIndex() == Percentile;
    Q_EMIT edited(
        isShare ? model::Value("p" + text.toStdString())
                : valueOfText(text, model::Kind::DurationText)
    );
}

} // namespace mesh::forms
