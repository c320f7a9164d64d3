#include "app/forms/schema_form.h"

#include "app/forms/value_path.h"
#include "app/theme/controls.h"

#include <QVBoxLayout>

#include <algorithm>
#include <utility>

namespace mesh::forms {
namespace {

using model::Value;

bool hasRow(const model::Field& field) { return !field.isChild && !field.isAutomatic; }

bool isOptionalRecord(const model::Field& field)
{
    return field.kind == model::Kind::Record && field.defaultValue.isNull() && !field.isRequired;
}

bool isNested(const model::Field& field)
{
    return field.kind == model::Kind::Record && field.record != nullptr;
}

bool holdsRecords(const model::Schema& schema)
{
    for (const model::Field& field : schema.fields()) {
        if (isNested(field)) {
            return true;
        }
    }
    return false;
}

QString toQString(const std::string& text) { return QString::fromStdString(text); }

} // namespace

SchemaForm::SchemaForm(QWidget* parent)
    : QWidget(parent)
    , m_column(new QVBoxLayout(this))
{
    m_column->setContentsMargins(0, 8, 0, 16);
    m_column->setSpacing(0);
}

void SchemaForm::setSchema(const model::Schema& schema)
{
    if (m_schema == &schema) {
        return;
    }
    m_schema = &schema;
    delete m_rowsHolder; // With all rows; widgets of the old kind mean nothing for the new one.
    m_rows.clear();
    m_order.clear();
    m_sectionOf.clear();
    m_records.clear();
    m_plain.clear();
    m_rowsHolder = new QWidget(this);
    m_rowsColumn = new QVBoxLayout(m_rowsHolder);
    m_rowsColumn->setContentsMargins(0, 0, 0, 0);
    m_rowsColumn->setSpacing(0);
    m_column->insertWidget(0, m_rowsHolder);
    m_isFirstRecord = true;
    addFields(schema, {}, nullptr);
    m_isFresh = true;
    m_other = new FormSection(tr("Other fields"), tr("kept as they are"), m_rowsHolder);
    m_otherText = new QLabel(m_other);
    theme::setText(*m_otherText, theme::Role::Code, theme::TextColor::Text2);
    m_otherText->setContentsMargins(kFormMargin, 4, 24, 4);
    m_other->rows().addWidget(m_otherText);
    m_rowsColumn->addWidget(m_other);
    m_other->hide();
}

void SchemaForm::addFields(const model::Schema& schema, const std::string& path, FormSection* into)
{
    std::map<std::string_view, FormSection*> sections;
    for (const model::Field& field : schema.fields()) {
        if (!hasRow(field) || isNested(field)) {
            continue;
        }
        FormSection* section = into;
        if (section == nullptr) {
            FormSection*& named = sections[field.section];
            if (named == nullptr) {
                const QString title =
                    field.section.empty() ? tr("General") : translated(field.section);
                named = new FormSection(title, {}, m_rowsHolder);
                m_rowsColumn->addWidget(named);
                if (!field.section.empty() && title != tr("General")) {
                    m_plain.push_back(named);
                }
            }
            section = named;
        }
        addRow(field, joinPath(path, field.key), *section);
    }
    for (const model::Field& field : schema.fields()) {
        if (hasRow(field) && isNested(field)) {
            addRecord(field, joinPath(path, field.key), {});
        }
    }
}

void SchemaForm::addRecord(
    const model::Field& field, const std::string& path, const QString& prefix
)
{
    const QString own = translated(field.label);
    const QString title = prefix.isEmpty() ? own : tr("%1 · %2").arg(prefix, own);
    auto* section = new FormSection(title, translated(field.help), m_rowsHolder);
    m_rowsColumn->addWidget(section);
    const bool isOptional = isOptionalRecord(field);
    if (isOptional) {
        section->addSwitch(objectNameOf(field.key) + QStringLiteral("Switch"));
        connect(section, &FormSection::switched, this, [this, path, section](bool isOn) {
            section->setFolded(!isOn);
            Q_EMIT edited(path, isOn ? Value(Value::Map{}) : Value());
        });
    }
    m_records.push_back({section, path, isOptional});
    for (const model::Field& inner : field.record->fields()) {
        if (hasRow(inner) && !isNested(inner)) {
            addRow(inner, joinPath(path, inner.key), *section);
        }
    }
    for (const model::Field& inner : field.record->fields()) {
        if (hasRow(inner) && isNested(inner)) {
            addRecord(inner, joinPath(path, inner.key), title);
        }
    }
    section->setFolded(!prefix.isEmpty() || holdsRecords(*field.record));
    if (holdsRecords(*field.record) && section->rows().count() == 0) {
        section->setFolded(false);
    }
}

void SchemaForm::addRow(const model::Field& field, const std::string& path, FormSection& section)
{
    auto* row = new FormRow(field, path, &section);
    section.rows().addWidget(row);
    m_rows[path] = row;
    m_order.push_back(row);
    m_sectionOf[row] = &section;
    connect(row, &FormRow::edited, this, &SchemaForm::edited);
    connect(row, &FormRow::focused, this, &SchemaForm::fieldFocused);
}

void SchemaForm::setRecord(const Value& record, const Value* base)
{
    m_isNew = base == nullptr;
    m_base = base != nullptr ? *base : Value();
    for (FormRow* row : m_order) {
        row->setValues(valueAt(record, row->path()), valueAt(m_base, row->path()), m_isNew);
    }
    for (const RecordSection& part : m_records) {
        const bool isPresent = valueAt(record, part.path) != nullptr;
        if (part.isOptional) {
            part.section->setSwitchedOn(isPresent);
        }
    }
    if (std::exchange(m_isFresh, false)) {
        foldDefaults(record);
    }
    showUnknown(record);
}

void SchemaForm::foldDefaults(const Value& record)
{
    for (FormSection* section : m_plain) {
        const bool isSet = std::any_of(m_order.begin(), m_order.end(), [&](FormRow* row) {
            return m_sectionOf[row] == section && valueAt(record, row->path()) != nullptr;
        });
        section->setFolded(!isSet);
    }
}

std::vector<config::Problem> SchemaForm::setProblems(const std::vector<config::Problem>& problems)
{
    std::map<FormRow*, QString> errors;
    std::vector<config::Problem> rest;
    for (const config::Problem& problem : problems) {
        FormRow* row = nearestRow(problem.path);
        if (row == nullptr || problem.severity == config::Severity::Info) {
            rest.push_back(problem);
            continue;
        }
        if (!errors.contains(row)) {
            errors[row] = toQString(problem.message);
        }
    }
    for (FormRow* row : m_order) {
        const auto found = errors.find(row);
        row->setError(found != errors.end() ? found->second : QString());
        if (found != errors.end()) {
            m_sectionOf[row]->setFolded(false); // A problem is never hidden.
        }
    }
    return rest;
}

void SchemaForm::focusField(const std::string& path)
{
    if (FormRow* row = nearestRow(path)) {
        m_sectionOf[row]->setFolded(false);
        row->editor().setFocus(Qt::OtherFocusReason);
    }
}

std::vector<FormRow*> SchemaForm::rows() const { return m_order; }

FormRow* SchemaForm::nearestRow(const std::string& path) const
{
    for (std::string part = path; !part.empty();) {
        const auto found = m_rows.find(part);
        if (found != m_rows.end()) {
            return found->second;
        }
        const auto cut = part.find_last_of(".[");
        part = cut == std::string::npos ? std::string() : part.substr(0, cut);
    }
    return nullptr;
}

void SchemaForm::showUnknown(const Value& record)
{
    QStringList unknown;
    if (record.isMap()) {
        for (const Value::Member& member : record.map()) {
            if (m_schema->field(member.key) == nullptr) {
                unknown << toQString(member.key + ": " + toDisplay(member.value)).left(80);
            }
        }
    }
    m_other->setVisible(!unknown.isEmpty());
    m_otherText->setText(unknown.join(u'\n'));
}

} // namespace mesh::forms
