#pragma once

#include "app/forms/form_row.h"
#include "proxyengine/config/problem.h"
#include "proxyengine/model/schema.h"

#include <QWidget>

#include <map>
#include <string>
#include <vector>

class QVBoxLayout;

namespace mesh::forms {

// A form made from a schema alone: sections, one row a field, records as sections inside the
// section of their record, lists of records as sections with one section an element. Children
// (routes, targets) and what tools write (ids, times) have no row.
//
// A record that may be absent has a switch: on writes it empty, so that everything in it is
// default; off takes it out. A record that may not be absent but holds nothing any more is taken
// out too. It owns no state: it shows the record it was given and says what a person wants changed.
// Keys the schema does not know are listed at the end and never touched.
class SchemaForm : public QWidget
{
    Q_OBJECT

public:
    explicit SchemaForm(QWidget* parent = nullptr);

    // Builds the rows anew when the schema is another one.
    void setSchema(const model::Schema& schema);
    void foldAnew() { m_isFresh = true; } // The next record is another object.
    // For fields that name other objects.
    void setNames(const ObjectNames& names);
    // `base` null: the object is new.
    void setRecord(const model::Value& record, const model::Value* base);
    // Paths relative to the record, as validate() gives them. Those that fit no row come back.
    std::vector<config::Problem> setProblems(const std::vector<config::Problem>& problems);

    // Unfolds what hides it and gives it the focus. The nearest row of a path that has none.
    void focusField(const std::string& path);
    [[nodiscard]] std::vector<FormRow*> rows() const;
    // Null: no section of this record or list.
    [[nodiscard]] FormSection* section(const std::string& path) const;
    // Below the rows, for tables of children.
    [[nodiscard]] QVBoxLayout& column() { return *m_column; }

Q_SIGNALS:
    void edited(const std::string& path, const mesh::model::Value& value);
    void fieldFocused(const std::string& path);

private:
    struct RecordSection
    {
        FormSection* section;
        std::string path;
        bool hasSwitch;
        bool mayVanish; // Taken out of the file when nothing is set in it.
    };
    struct ListSection
    {
        FormSection* section;
        const model::Field* field;
        std::string path;
        std::size_t shown = 0; // Elements that have rows.
    };
    void addFields(const model::Schema& schema);
    // The rows of a record, then what stands inside it.
    void addContent(const model::Schema& schema, const std::string& path, FormSection& into);
    FormSection& makeSection(const QString& title, const QString& help, FormSection* outer);
    void addRecord(const model::Field& field, const std::string& path, FormSection* outer);
    void addList(const model::Field& field, const std::string& path, FormSection* outer);
    void addRow(const model::Field& field, const std::string& path, FormSection& section);
    void showElements(const model::Value& record);
    void addElement(ListSection& list);
    void dropElement(ListSection& list);
    void onEdited(const std::string& path, const model::Value& value);
    void appendTo(const std::string& path);
    // What holds values unfolds, the rest folds; General stays.
    void foldDefaults();
    void showSummaries();
    void showUnknown();
    [[nodiscard]] FormRow* nearestRow(const std::string& path) const;

    const model::Schema* m_schema = nullptr;
    QVBoxLayout* m_column;
    QWidget* m_rowsHolder = nullptr;
    QVBoxLayout* m_rowsColumn = nullptr;
    std::map<std::string, FormRow*> m_rows;
    std::vector<FormRow*> m_order;
    std::map<FormRow*, FormSection*> m_sectionOf;
    std::vector<RecordSection> m_records;
    std::vector<ListSection> m_lists;
    std::vector<FormSection*> m_plain; // Named sections of fields, General apart.
    FormSection* m_other = nullptr;
    QLabel* m_otherText = nullptr;
    ObjectNames m_names;
    model::Value m_record;
    model::Value m_base;
    bool m_isNew = false;
    bool m_isFresh = false; // The rows were made anew: what is default folds.
};

} // namespace mesh::forms
