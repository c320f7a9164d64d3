// Goal: forms and text edit one draft; what nobody touched keeps every byte.
// Method: the demo mesh and a small document with every shape of field, opened in every form.
#include "app/forms/child_table.h"
#include "app/forms/draft.h"
#include "app/forms/list_editors.h"
#include "app/forms/scalar_editors.h"
#include "app/forms/schema_form.h"
#include "app/forms/value_path.h"
#include "proxyengine/config/codec.h"

#include <QFile>
#include <QLineEdit>
#include <QTableWidget>
#include <QTest>

#include <algorithm>

namespace mesh::forms {

namespace {

constexpr const char* kSmall = R"(_format_version: "3.0"
services:
- name: cart
  host: cart
  connect_timeout: 2000
  routes:
  - name: cart
    paths: [/cart]
    methods: [GET, POST]
upstreams:
- name: cart
  algorithm: least-connections
  healthchecks:
    active:
      http_path: /ready
      healthy: {interval: 5, successes: 2}
  targets:
  - {target: "10.0.0.1:7001", weight: 50, tags: [zone:a]}
)";

model::Document decoded(const QByteArray& text)
{
    config::DecodeResult result = config::decode(text.toStdString());
    for (const config::Problem& problem : result.problems) {
        qWarning("%s", config::toText(problem, "fixture").c_str());
    }
    return std::move(result.document);
}

QByteArray storefront()
{
    QFile file(QStringLiteral(MESH_SOURCE_DIR "/resources/demo/storefront.yaml"));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

void collect(const std::vector<DraftObject>& objects, std::vector<DraftObject>& all)
{
    for (const DraftObject& object : objects) {
        all.push_back(object);
        collect(object.children, all);
    }
}

// The path of the first object of a kind.
std::string firstOf(const Draft& draft, std::string_view kind)
{
    std::vector<DraftObject> all;
    collect(draft.objects(), all);
    for (const DraftObject& object : all) {
        if (object.kind->plural == kind) {
            return object.path;
        }
    }
    return {};
}

// The lines in which two texts differ, "-old" and "+new".
QStringList difference(const QString& before, const QString& after)
{
    QStringList old = before.split(u'\n');
    QStringList now = after.split(u'\n');
    QStringList lines;
    while (!old.isEmpty() && !now.isEmpty() && old.first() == now.first()) {
        old.removeFirst();
        now.removeFirst();
    }
    while (!old.isEmpty() && !now.isEmpty() && old.last() == now.last()) {
        old.removeLast();
        now.removeLast();
    }
    for (const QString& line : old) {
        lines << u'-' + line.trimmed();
    }
    for (const QString& line : now) {
        lines << u'+' + line.trimmed();
    }
    return lines;
}

} // namespace

class FormsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void openingEveryObjectChangesNothing_data();
    void openingEveryObjectChangesNothing();
    void oneFieldChangesOneLine();
    void aRevertedFieldRestoresTheText();
    void wrongValuesStayAndAreMarkedAtTheirField();
    void textAndFormFollowEachOther();
    void unknownKeysSurviveAnEdit();
    void tokensCountWithoutEnter();
    void undoAndRedoReturnToEqualStates();
    void jsonAndBackIsTheSameText();
    void everyEditorHasAnAccessibleName();
    void targetsAreEditedInTheirTable();
};

void FormsTest::openingEveryObjectChangesNothing_data()
{
    QTest::addColumn<QByteArray>("text");

    QTest::newRow("a small document") << QByteArray(kSmall);
    QTest::newRow("the demo mesh") << storefront();
}

void FormsTest::openingEveryObjectChangesNothing()
{
    QFETCH(const QByteArray, text);
    const model::Document document = decoded(text);
    Draft draft;
    draft.load(document);
    const QString before = draft.text();
    SchemaForm form;
    int edits = 0;
    connect(&form, &SchemaForm::edited, this, [&edits] { ++edits; });

    std::vector<DraftObject> all;
    collect(draft.objects(), all);
    for (const DraftObject& object : all) {
        const model::Value* record = valueAt(draft.tree(), object.path);
        QVERIFY2(record != nullptr, object.path.c_str());
        form.setSchema(*object.kind->schema);
        form.setRecord(*record, draft.baseRecord(object));
        for (const FormRow* row : form.rows()) {
            QVERIFY2(!row->isChanged(), row->path().c_str());
        }
    }

    QVERIFY(all.size() > 3);
    QCOMPARE(edits, 0);
    QCOMPARE(draft.text(), before);
    QCOMPARE(before.toStdString(), config::toYaml(document));
    QVERIFY(!draft.isChanged());
    QVERIFY(draft.document().has_value());
    QCOMPARE(config::toYaml(*draft.document()), config::toYaml(document));
}

void FormsTest::oneFieldChangesOneLine()
{
    Draft draft;
    draft.load(decoded(storefront()));
    const QString before = draft.text();
    const std::string upstream = firstOf(draft, "upstreams");
    QVERIFY(!upstream.empty());

    draft.editValue(upstream + ".tags", model::Value(model::Value::List{model::Value("edited")}));

    QCOMPARE(difference(before, draft.text()).size(), 1);
    QCOMPARE(draft.changes().size(), std::size_t(1));
    QCOMPARE(draft.changedLineNumbers().size(), 1);
}

void FormsTest::aRevertedFieldRestoresTheText()
{
    Draft draft;
    draft.load(decoded(kSmall));
    const QString before = draft.text();
    const std::string service = firstOf(draft, "services");
    draft.editValue(service + ".connect_timeout", model::Value(3000));
    QVERIFY(draft.isChanged());

    draft.editValue(service + ".connect_timeout", model::Value(2000));

    QCOMPARE(draft.text(), before);
    QVERIFY(!draft.isChanged());
}

void FormsTest::wrongValuesStayAndAreMarkedAtTheirField()
{
    Draft draft;
    draft.load(decoded(kSmall));
    const std::string service = firstOf(draft, "services");
    draft.editValue(service + ".port", model::Value("eighty"));

    QVERIFY(draft.hasErrors());
    QVERIFY(draft.text().contains(QStringLiteral("eighty")));
    SchemaForm form;
    form.setSchema(model::schemaOf<model::Service>());
    form.setRecord(*valueAt(draft.tree(), service), nullptr);
    std::vector<config::Problem> own;
    for (config::Problem problem : draft.problems()) {
        QVERIFY(problem.place.has_value());
        problem.path = problem.path.substr(service.size() + 1);
        own.push_back(problem);
    }
    QVERIFY(form.setProblems(own).empty());
    const auto rows = form.rows();
    const auto port = std::find_if(rows.begin(), rows.end(), [](const FormRow* row) {
        return row->path() == "port";
    });
    QVERIFY(port != rows.end());
    QVERIFY(!(*port)->error().isEmpty());
}

void FormsTest::textAndFormFollowEachOther()
{
    Draft draft;
    draft.load(decoded(kSmall));
    QString text = draft.text();
    draft.editText(text.replace(
        QStringLiteral("connect_timeout: 2000"), QStringLiteral("connect_timeout: 2500")
    ));
    SchemaForm form;
    form.setSchema(model::schemaOf<model::Service>());
    const std::string service = firstOf(draft, "services");
    form.setRecord(*valueAt(draft.tree(), service), nullptr);
    auto* edit = form.findChild<QLineEdit*>(QStringLiteral("connectTimeout"));
    QVERIFY(edit != nullptr);
    QCOMPARE(edit->text(), QStringLiteral("2500"));
    connect(
        &form,
        &SchemaForm::edited,
        &draft,
        [&](const std::string& path, const model::Value& value) {
            draft.editValue(joinPath(service, path), value);
        }
    );

    edit->selectAll();
    QTest::keyClicks(edit, QStringLiteral("750"));

    QVERIFY(draft.text().contains(QStringLiteral("connect_timeout: 750")));
    QVERIFY(draft.document().has_value());
}

void FormsTest::unknownKeysSurviveAnEdit()
{
    Draft draft;
    draft.load(decoded(kSmall));
    QString text = draft.text();
    const QString odd = QStringLiteral("connect_timeout: 2000\n  future_field: 7");
    draft.editText(text.replace(QStringLiteral("connect_timeout: 2000"), odd));

    draft.editValue(firstOf(draft, "services") + ".retries", model::Value(2));

    QVERIFY(draft.text().contains(QStringLiteral("future_field: 7")));
    QVERIFY(draft.text().contains(QStringLiteral("retries: 2")));
}

void FormsTest::tokensCountWithoutEnter()
{
    const model::Field* field = model::schemaOf<model::Route>().field("paths");
    QVERIFY(field != nullptr);
    TokenEditor editor(*field, nullptr);
    model::Value last;
    connect(&editor, &FieldEditor::edited, this, [&last](const model::Value& value) {
        last = value;
    });
    auto* line = editor.findChild<QLineEdit*>();

    QTest::keyClicks(line, QStringLiteral("/a,/b"));

    QCOMPARE(toDisplay(last), std::string("/a, /b"));
    QTest::keyClick(line, Qt::Key_Return);
    QTest::keyClick(line, Qt::Key_Backspace);
    QTest::keyClick(line, Qt::Key_Backspace);
    QCOMPARE(toDisplay(last), std::string("/a, /"));
}

void FormsTest::undoAndRedoReturnToEqualStates()
{
    Draft draft;
    draft.load(decoded(kSmall));
    const QString before = draft.text();
    draft.editValue(firstOf(draft, "services") + ".retries", model::Value(1));
    draft.editText(draft.text() + QStringLiteral("\n"));
    const QString after = draft.text();

    draft.undoStack()->undo();
    draft.undoStack()->undo();
    QCOMPARE(draft.text(), before);

    draft.undoStack()->redo();
    draft.undoStack()->redo();
    QCOMPARE(draft.text(), after);
}

void FormsTest::jsonAndBackIsTheSameText()
{
    Draft draft;
    draft.load(decoded(storefront()));
    const QString yaml = draft.text();

    QVERIFY(draft.setTextForm(config::TextForm::Json));
    QVERIFY(draft.text().startsWith(u'{'));
    QVERIFY(!draft.hasErrors());
    QVERIFY(!draft.isChanged());
    QVERIFY(draft.setTextForm(config::TextForm::Yaml));

    QCOMPARE(draft.text(), yaml);
}

void FormsTest::everyEditorHasAnAccessibleName()
{
    for (const model::EntityKind& kind : model::entityKinds()) {
        SchemaForm form;
        form.setSchema(*kind.schema);
        for (FormRow* row : form.rows()) {
            const QWidget* control = row->editor().focusProxy();
            QVERIFY2(control != nullptr, row->path().c_str());
            QVERIFY2(!control->accessibleName().isEmpty(), row->path().c_str());
            QVERIFY2(!control->objectName().isEmpty(), row->path().c_str());
            QVERIFY2(!control->toolTip().isEmpty(), row->path().c_str());
        }
    }
}

void FormsTest::targetsAreEditedInTheirTable()
{
    Draft draft;
    draft.load(decoded(kSmall));
    const auto objects = draft.objects();
    const auto upstream = std::find_if(objects.begin(), objects.end(), [](const auto& object) {
        return object.kind->plural == "upstreams";
    });
    QVERIFY(upstream != objects.end());
    ChildTable table(*model::entityKind("targets"), nullptr);
    table.setObject(draft, *upstream);
    connect(&table, &ChildTable::edited, &draft, &Draft::editValue);
    const QString before = draft.text();

    table.table().item(0, 3)->setText(QStringLiteral("70"));

    QVERIFY(draft.document().has_value());
    QCOMPARE(draft.document()->upstreams.front().targets.front().weight, 70);
    QCOMPARE(difference(before, draft.text()).size(), 2);
}

} // namespace mesh::forms

QTEST_MAIN(mesh::forms::FormsTest)
#include "forms_test.moc"
