#include "app/forms/schema_form.h"

#include "app/forms/split_editor.h"
#include "app/forms/value_path.h"
#include "app/theme/controls.h"
#include "app/theme/icons.h"

#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>

namespace mesh::forms {
namespace {

using model::Value;

bool hasRow(const model::Field& field) { return !field.isChild && !field.isAutomatic; }

// Off and absent are the same for these: optional records, and health checks, which do nothing
// unless something is set.
bool isOffWhenAbsent(const model::Field& field)
{
    const bool isOptional = field.defaultValue.isNull() && !field.isRequired;
    return isOptional || field.record == &model::schemaOf<model::Healthchecks>();
}

bool isNested(const model::Field& field)
{
    return field.kind == model::Kind::Record && field.record != nullptr;
}

bool isRecordList(const model::Field& field)
{
    return field.kind == model::Kind::List && field.element == model::Kind::Record
           && field.record != nullptr && !isSplit(field);
}

bool isLeaf(const model::Field& field) { return !isNested(field) && !isRecordList(field); }

std::string elementPath(const std::string& path, std::size_t index)
{
    return path + "[" + std::to_string(index) + "]";
}

// An element of a list that begins with what its schema demands.
Value newElement(const model::Schema& schema)
{
    Value element(Value::Map{});
    for (const model::Field& field : schema.fields()) {
        if (field.isRequired && field.kind == model::Kind::Int) {
            element.set(field.key, Value(static_cast<int>(field.min.value_or(1))));
        }
    }
    return element;
}

// What is set, in a few words: "timeout 2s · retry · breaker".
QString summaryOf(const Value& value)
{
    constexpr qsizetype kPartsMax = 4;
    QStringList parts;
    if (value.isList()) {
        return SchemaForm::tr("%n in this list", nullptr, static_cast<int>(value.list().size()));
    }
    if (!value.isMap()) {
        return {};
    }
    for (const Value::Member& member : value.map()) {
        QString words = QString::fromStdString(member.key).replace(u'_', u' ');
        const bool isSmall = !member.value.isMap() && !member.value.isList();
        if (isSmall) {
            words += u' ' + QString::fromStdString(toDisplay(member.value)).left(24);
        }
        parts << words;
    }
    if (parts.size() > kPartsMax) {
        parts = parts.mid(0, kPartsMax) << QStringLiteral("…");
    }
    return parts.join(QStringLiteral(" · "));
}

bool holdsValues(const Value* value)
{
    if (value == nullptr || value->isNull()) {
        return false;
    }
    return !(value->isMap() && value->map().empty()) && !(value->isList() && value->list().empty());
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
    m_lists.clear();
    m_plain.clear();
    m_rowsHolder = new QWidget(this);
    m_rowsColumn = new QVBoxLayout(m_rowsHolder);
    m_rowsColumn->setContentsMargins(0, 0, 0, 0);
    m_rowsColumn->setSpacing(0);
    m_column->insertWidget(0, m_rowsHolder);
    addFields(schema);
    m_isFresh = true;
    m_other = new FormSection(tr("Other fields"), tr("kept as they are"), m_rowsHolder);
    m_otherText = new QLabel(m_other);
    theme::setText(*m_otherText, theme::Role::Code, theme::TextColor::Text2);
    m_otherText->setContentsMargins(kFormMargin, 4, 24, 4);
    m_other->rows().addWidget(m_otherText);
    m_rowsColumn->addWidget(m_other);
    m_other->hide();
}

void SchemaForm::setNames(const ObjectNames& names)
{
    if (names == m_names) {
        return;
    }
    m_names = names;
    for (FormRow* row : m_order) {
        row->editor().setNames(m_names);
    }
}

void SchemaForm::addFields(const model::Schema& schema)
{
    std::map<std::string_view, FormSection*> sections;
    for (const model::Field& field : schema.fields()) {
        if (!hasRow(field) || !isLeaf(field)) {
            continue;
        }
        FormSection*& section = sections[field.section];
        if (section == nullptr) {
            const QString title = field.section.empty() ? tr("General") : translated(field.section);
            section = &makeSection(title, {}, nullptr);
            if (!field.section.empty() && title != tr("General")) {
                m_plain.push_back(section);
            }
        }
        addRow(field, std::string(field.key), *section);
    }
    for (const model::Field& field : schema.fields()) {
        if (hasRow(field) && isNested(field)) {
            addRecord(field, std::string(field.key), nullptr);
        } else if (hasRow(field) && isRecordList(field)) {
            addList(field, std::string(field.key), nullptr);
        }
    }
}

FormSection& SchemaForm::makeSection(const QString& title, const QString& help, FormSection* outer)
{
    if (outer != nullptr) {
        return *new FormSection(title, help, *outer);
    }
    auto* section = new FormSection(title, help, m_rowsHolder);
    m_rowsColumn->addWidget(section);
    return *section;
}

void SchemaForm::addContent(const model::Schema& schema, const std::string& path, FormSection& into)
{
    for (const model::Field& field : schema.fields()) {
        if (hasRow(field) && isLeaf(field)) {
            addRow(field, joinPath(path, field.key), into);
        }
    }
    for (const model::Field& field : schema.fields()) {
        if (hasRow(field) && isNested(field)) {
            addRecord(field, joinPath(path, field.key), &into);
        } else if (hasRow(field) && isRecordList(field)) {
            addList(field, joinPath(path, field.key), &into);
        }
    }
}

void SchemaForm::addRecord(const model::Field& field, const std::string& path, FormSection* outer)
{
    FormSection* section = &makeSection(translated(field.label), translated(field.help), outer);
    const bool hasSwitch = isOffWhenAbsent(field);
    if (hasSwitch) {
        section->addSwitch(objectNameOf(field.key) + QStringLiteral("Switch"));
        connect(section, &FormSection::switched, this, [this, path, section](bool isOn) {
            section->setFolded(!isOn);
            Q_EMIT edited(path, isOn ? Value(Value::Map{}) : Value());
        });
    }
    m_records.push_back({section, path, hasSwitch, !hasSwitch && !field.isRequired});
    addContent(*field.record, path, *section);
}

void SchemaForm::addList(const model::Field& field, const std::string& path, FormSection* outer)
{
    FormSection* section = &makeSection(translated(field.label), translated(field.help), outer);
    auto* add = new QPushButton(tr("Add"), section);
    add->setObjectName(objectNameOf(field.key) + QStringLiteral("Add"));
    add->setAccessibleName(tr("Add to %1").arg(translated(field.label)));
    add->setToolTip(translated(field.help));
    add->setIcon(theme::icon(QStringLiteral("plus")));
    add->setIconSize({12, 12});
    add->setFixedHeight(24);
    section->addHeaderWidget(add);
    connect(add, &QPushButton::clicked, this, [this, path] { appendTo(path); });
    m_lists.push_back({section, &field, path});
}

void SchemaForm::appendTo(const std::string& path)
{
    for (const ListSection& list : m_lists) {
        if (list.path == path) {
            const Value* old = valueAt(m_record, path);
            Value value = old != nullptr && old->isList() ? *old : Value(Value::List{});
            value.list().push_back(newElement(*list.field->record));
            list.section->reveal();
            Q_EMIT edited(path, value);
            return;
        }
    }
}

void SchemaForm::addRow(const model::Field& field, const std::string& path, FormSection& section)
{
    auto* row = new FormRow(field, path, section.depth(), &section);
    row->editor().setNames(m_names);
    section.rows().addWidget(row);
    m_rows[path] = row;
    m_order.push_back(row);
    m_sectionOf[row] = &section;
    connect(row, &FormRow::edited, this, &SchemaForm::onEdited);
    connect(row, &FormRow::focused, this, &SchemaForm::fieldFocused);
}

// A field that goes back to its default takes the records with it that hold nothing else, so that
// what was never there is not there afterwards either.
void SchemaForm::onEdited(const std::string& path, const Value& value)
{
    std::string place = path;
    while (value.isNull()) {
        const auto cut = place.rfind('.');
        const std::string outer = cut == std::string::npos ? std::string() : place.substr(0, cut);
        const Value* holder = outer.empty() ? nullptr : valueAt(m_record, outer);
        const auto part = std::find_if(m_records.begin(), m_records.end(), [&](const auto& record) {
            return record.path == outer;
        });
        const bool isEmptied = holder != nullptr && holder->isMap() && holder->map().size() == 1
                               && valueAt(m_record, place) != nullptr;
        if (part == m_records.end() || !part->mayVanish || !isEmptied) {
            break;
        }
        const Value* before = valueAt(m_base, outer);
        if (before != nullptr && before->isMap() && before->map().empty()) {
            break; // It was there, empty, before anybody touched it.
        }
        place = outer;
    }
    Q_EMIT edited(place, value);
}

void SchemaForm::addElement(ListSection& list)
{
    const std::size_t index = list.shown++;
    const std::string path = elementPath(list.path, index);
    const QString title = tr("%1 %2").arg(translated(list.field->label)).arg(index + 1);
    auto* section = new FormSection(title, {}, *list.section);
    section->setObjectName(QStringLiteral("element"));
    auto* remove = new QToolButton(section);
    theme::setButtonRole(*remove, theme::ButtonRole::Ghost);
    remove->setObjectName(objectNameOf(list.field->key) + QStringLiteral("Remove%1").arg(index));
    remove->setAccessibleName(tr("Remove %1").arg(title));
    remove->setToolTip(remove->accessibleName());
    remove->setIcon(theme::icon(QStringLiteral("trash")));
    remove->setIconSize({13, 13});
    section->addHeaderWidget(remove);
    connect(remove, &QToolButton::clicked, this, [this, path, listPath = list.path] {
        const Value* all = valueAt(m_record, listPath);
        const bool isLast = all != nullptr && all->isList() && all->list().size() == 1;
        onEdited(isLast ? listPath : path, Value());
    });
    m_records.push_back({section, path, false, false});
    const model::Schema& schema = *list.field->record;
    addContent(schema, path, *section); // May make lists of its own; `list` is not used after.
}

void SchemaForm::dropElement(ListSection& list)
{
    const std::string path = elementPath(list.path, --list.shown);
    const auto isInside = [&path](const std::string& other) {
        return other.compare(0, path.size(), path) == 0;
    };
    std::erase_if(m_order, [&](FormRow* row) { return isInside(row->path()); });
    std::erase_if(m_sectionOf, [&](const auto& entry) { return isInside(entry.first->path()); });
    std::erase_if(m_rows, [&](const auto& entry) { return isInside(entry.first); });
    FormSection* section = this->section(path);
    std::erase_if(m_records, [&](const RecordSection& part) { return isInside(part.path); });
    std::erase_if(m_lists, [&](const ListSection& other) { return isInside(other.path); });
    section->hide();
    section->deleteLater(); // The button that removed it may still be on the stack.
}

void SchemaForm::showElements(const Value& record)
{
    // By index: elements may bring lists of their own.
    for (std::size_t i = 0; i < m_lists.size(); ++i) {
        const Value* value = valueAt(record, m_lists[i].path);
        const std::size_t wanted = value != nullptr && value->isList() ? value->list().size() : 0;
        while (m_lists[i].shown < wanted) {
            addElement(m_lists[i]);
        }
        while (m_lists[i].shown > wanted) {
            dropElement(m_lists[i]);
        }
    }
}

void SchemaForm::setRecord(const Value& record, const Value* base)
{
    m_isNew = base == nullptr;
    m_base = base != nullptr ? *base : Value();
    m_record = record;
    showElements(record);
    for (FormRow* row : m_order) {
        row->setValues(valueAt(record, row->path()), valueAt(m_base, row->path()), m_isNew);
    }
    for (const RecordSection& part : m_records) {
        if (part.hasSwitch) {
            part.section->setSwitchedOn(valueAt(record, part.path) != nullptr);
        }
    }
    showSummaries();
    if (std::exchange(m_isFresh, false)) {
        foldDefaults();
    }
    showUnknown();
}

void SchemaForm::showSummaries()
{
    for (const RecordSection& part : m_records) {
        const Value* value = valueAt(m_record, part.path);
        part.section->setSummary(value != nullptr ? summaryOf(*value) : QString());
    }
    for (const ListSection& list : m_lists) {
        const Value* value = valueAt(m_record, list.path);
        list.section->setSummary(holdsValues(value) ? summaryOf(*value) : QString());
    }
}

void SchemaForm::foldDefaults()
{
    for (FormSection* section : m_plain) {
        const bool isSet = std::any_of(m_order.begin(), m_order.end(), [&](FormRow* row) {
            return m_sectionOf[row] == section && valueAt(m_record, row->path()) != nullptr;
        });
        section->setFolded(!isSet);
    }
    for (const RecordSection& part : m_records) {
        const Value* value = valueAt(m_record, part.path);
        const bool isOn = part.hasSwitch && value != nullptr;
        part.section->setFolded(!isOn && !holdsValues(value));
    }
    for (const ListSection& list : m_lists) {
        list.section->setFolded(!holdsValues(valueAt(m_record, list.path)));
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
            m_sectionOf[row]->reveal(); // A problem is never hidden.
        }
    }
    return rest;
}

void SchemaForm::focusField(const std::string& path)
{
    if (FormRow* row = nearestRow(path)) {
        m_sectionOf[row]->reveal();
        row->editor().setFocus(Qt::OtherFocusReason);
    }
}

std::vector<FormRow*> SchemaForm::rows() const { return m_order; }

FormSection* SchemaForm::section(const std::string& path) const
{
    for (const RecordSection& part : m_records) {
        if (part.path == path) {
            return part.section;
        }
    }
    for (const ListSection& list : m_lists) {
        if (list.path == path) {
            return list.section;
        }
    }
    return nullptr;
}

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

void SchemaForm::showUnknown()
{
    QStringList unknown;
    if (m_record.isMap()) {
        for (const Value::Member& member : m_record.map()) {
            if (m_schema->field(member.key) == nullptr) {
                unknown << toQString(member.key + ": " + toDisplay(member.value)).left(80);
            }
        }
    }
    m_other->setVisible(!unknown.isEmpty());
    m_otherText->setText(unknown.join(u'\n'));
}

} // namespace mesh::forms
