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

// A form made from a schema alone: sections, one row a field, records inside the record as sections
// of their own. Children (routes, targets) and what tools write (ids, times) have no row.
//
// It owns no state: it shows the record it was given and says what a person wants changed. Keys the
// schema does not know are listed at the end and never touched.
class SchemaForm : public QWidget
{
    Q_OBJECT

public:
    explicit SchemaForm(QWidget* parent = nullptr);

    // Builds the rows anew when the schema is another one.
    void setSchema(const model::Schema& schema);
    void foldAnew() { m_isFresh = true; } // The next record is another object.
    // `base` null: the object is new.
    void setRecord(const model::Value& record, const model::Value* base);
    // Paths relative to the record, as validate() gives them. Those that fit no row come back.
    std::vector<config::Problem> setProblems(const std::vector<config::Problem>& problems);

    // Unfolds what hides it and gives it the focus. The nearest row of a path that has none.
    void focusField(const std::string& path);
    [[nodiscard]] std::vector<FormRow*> rows() const;
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
        bool isOptional;
    };
    void addFields(const model::Schema& schema, const std::string& path, FormSection* into);
    void addRecord(const model::Field& field, const std::string& path, const QString& prefix);
    void addRow(const model::Field& field, const std::string& path, FormSection& section);
    // Sections (not records) where nothing is set, General apart.
    void foldDefaults(const model::Value& record);
    void showUnknown(const model::Value& record);
    [[nodiscard]] FormRow* nearestRow(const std::string& path) const;

    const model::Schema* m_schema = nullptr;
    QVBoxLayout* m_column;
    QWidget* m_rowsHolder = nullptr;
    QVBoxLayout* m_rowsColumn = nullptr;
    std::map<std::string, FormRow*> m_rows;
    std::vector<FormRow*> m_order;
    std::map<FormRow*, FormSection*> m_sectionOf;
    std::vector<RecordSection> m_records;
    std::vector<FormSection*> m_plain; // Named sections of fields, General apart.
    FormSection* m_other = nullptr;
    QLabel* m_otherText = nullptr;
    model::Value m_base;
    bool m_isNew = false;
    bool m_isFirstRecord = true;
    bool m_isFresh = false; // The rows were made anew: what is default folds.
};

} // namespace mesh::forms
