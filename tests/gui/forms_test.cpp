// Goal: forms and text edit one draft; what nobody touched keeps every byte.
// Method: the demo mesh and a small document with every shape of field, opened in every form.
#include "app/forms/child_table.h"
#include "app/forms/draft.h"
#include "app/forms/list_editors.h"
#include "app/forms/policy_editors.h"
#include "app/forms/scalar_editors.h"
#include "app/forms/schema_form.h"
#include "app/forms/value_path.h"
#include "proxyengine/config/codec.h"

#include <QAbstractButton>
#include <QComboBox>
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

// Every field of every traffic policy, none at its default.
constexpr const char* kPolicies = R"(_format_version: "3.0"
services:
- name: cart
  host: cart
  resilience:
    timeout: 2s
    per_try_timeout: 500ms
    retry:
      on: [connect-failure, 5xx, reset, retriable-status-codes, retriable-headers]
      attempts: 3
      statuses: [429, 503]
      headers: {x-retry: ["yes"]}
      non_idempotent: true
      retry_after: false
      max_body_bytes: 1024
      backoff: {base: 10ms, max: 100ms}
      budget: {percent: 30, min_concurrent: 5}
    hedge: {after: p90, max: 2}
    breaker:
      error_ratio: 0.4
      slow_ratio: 0.6
      slow: 2s
      min_requests: 30
      window: 20s
      open: 6s
      probes: 4
      ramp: 12s
      fallback: {status: 502, body: "later", content_type: text/html}
    mirror: {service: cart-v2, percent: 1, max_body_bytes: 2048}
    fault:
      delay: {time: 200ms, percent: 5}
      abort: {status: 500, percent: 1}
    rate_limits:
    - {requests: 100, per: 10s, burst: 20, by: ip}
    - {requests: 5, algorithm: sliding-window, by: header, header: x-tenant, status: 503}
    adaptive_concurrency:
      min_rtt_interval: 30s
      min_rtt_requests: 60
      min_concurrency: 5
      max_concurrency: 500
      buffer: 30
      update_interval: 200ms
    priority: high
    version: v2
  routes:
  - name: cart
    paths: [/cart]
    resilience: {timeout: 1s}
    split:
    - {service: cart, weight: 95}
    - {service: cart-v2, weight: 5}
    split_sticky: {by: header, name: x-user}
- name: cart-v2
  host: cart
  resilience:
    breaker: {fallback: {service: cart-v3}}
    hedge: {after: 30ms}
- name: cart-v3
  host: cart
upstreams:
- name: cart
  algorithm: least-requests
  slow_start: 30s
  outlier_detection:
    consecutive_5xx: 3
    consecutive_gateway_failure: 4
    split_local_origin: true
    consecutive_local_origin_failure: 6
    enforcing_consecutive_5xx: 90
    enforcing_consecutive_gateway_failure: 10
    enforcing_consecutive_local_origin_failure: 80
    interval: 5s
    base_ejection: 15s
    max_ejection: 150s
    ejection_jitter: 1s
    max_ejection_percent: 30
    success_rate: {minimum_hosts: 4, request_volume: 90, stdev_factor: 2.1, enforcing: 90}
    failure_percentage: {threshold: 80, minimum_hosts: 4, request_volume: 40, enforcing: 70}
    uneject_on_active_success: false
  limits:
    max_connections: 512
    max_pending: 256
    max_requests: 300
    max_retries: 5
    max_connections_per_target: 100
    high: {max_connections: 10, max_pending: 11, max_requests: 12, max_retries: 2}
  locality: {prefer_local_zone: false, failover: [b, c], panic_percent: 40, overprovisioning: 150}
  targets:
  - {target: "10.0.0.1:7001", tags: [zone:a, version:v1]}
  - {target: "10.0.0.2:7001", tags: [zone:b, version:v2]}
  - {target: "10.0.0.3:7001", tags: [zone:c, version:v2]}
mesh:
  name: shop
  overload: {max_requests: 1000, shed_from: 70, max_loop_lag: 90ms}
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
    void theFixtureOfPoliciesIsComplete();
    void aSwitchWritesAnEmptyRecordAndTakesItOut();
    void aFieldGoneTakesItsEmptyRecordWithIt();
    void sectionsWithValuesAreOpen();
    void elementsOfAListComeAndGo();
    void aDelayIsAPercentileOrATime();
    void percentStepsByKeys();
    void oneFieldOfAPolicyChangesOneLine();

private:
    // A form over one object whose edits go into the draft, as on the page.
    void bind(SchemaForm& form, Draft& draft, const std::string& path, const model::Schema& schema);
};

void FormsTest::openingEveryObjectChangesNothing_data()
{
    QTest::addColumn<QByteArray>("text");

    QTest::newRow("a small document") << QByteArray(kSmall);
    QTest::newRow("every traffic policy") << QByteArray(kPolicies);
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

void FormsTest::bind(
    SchemaForm& form, Draft& draft, const std::string& path, const model::Schema& schema
)
{
    form.setSchema(schema);
    form.setRecord(*valueAt(draft.tree(), path), valueAt(draft.baseTree(), path));
    connect(
        &form,
        &SchemaForm::edited,
        &draft,
        [&form, &draft, path](const std::string& field, const model::Value& value) {
            draft.editValue(joinPath(path, field), value);
            form.setRecord(*valueAt(draft.tree(), path), valueAt(draft.baseTree(), path));
        }
    );
}

namespace {

// Paths of fields that have a row and that the tree does not hold.
void collectMissing(
    const model::Schema& schema,
    const model::Value* value,
    const std::string& path,
    QStringList& out
)
{
    for (const model::Field& field : schema.fields()) {
        if (field.isChild || field.isAutomatic) {
            continue;
        }
        const model::Value* member = value != nullptr ? value->find(field.key) : nullptr;
        const std::string own = joinPath(path, field.key);
        if (member == nullptr) {
            out << QString::fromStdString(own);
        } else if (field.kind == model::Kind::Record && field.record != nullptr) {
            collectMissing(*field.record, member, own, out);
        }
    }
}

} // namespace

// A policy field that is added to a schema has to be added here, and so to the test that opening
// it changes nothing.
void FormsTest::theFixtureOfPoliciesIsComplete()
{
    Draft draft;
    draft.load(decoded(kPolicies));
    QVERIFY(!draft.hasErrors());
    QStringList missing;
    const model::Value& tree = draft.tree();
    collectMissing(
        model::schemaOf<model::Resilience>(), valueAt(tree, "services[0].resilience"), {}, missing
    );
    collectMissing(
        model::schemaOf<model::OutlierDetection>(),
        valueAt(tree, "upstreams[0].outlier_detection"),
        {},
        missing
    );
    collectMissing(
        model::schemaOf<model::Limits>(), valueAt(tree, "upstreams[0].limits"), {}, missing
    );
    collectMissing(
        model::schemaOf<model::Locality>(), valueAt(tree, "upstreams[0].locality"), {}, missing
    );
    collectMissing(model::schemaOf<model::Overload>(), valueAt(tree, "mesh.overload"), {}, missing);
    missing.removeAll(QStringLiteral("breaker.fallback.service")); // In the second service.
    QVERIFY2(missing.isEmpty(), qPrintable(missing.join(u' ')));
}

void FormsTest::aSwitchWritesAnEmptyRecordAndTakesItOut()
{
    Draft draft;
    draft.load(decoded(kSmall));
    const QString before = draft.text();
    SchemaForm form;
    bind(form, draft, firstOf(draft, "services"), model::schemaOf<model::Service>());
    auto* all = form.findChild<QAbstractButton*>(QStringLiteral("resilienceSwitch"));
    auto* breaker = form.findChild<QAbstractButton*>(QStringLiteral("breakerSwitch"));
    QVERIFY(all != nullptr && breaker != nullptr);
    QVERIFY(!all->isChecked());
    QVERIFY(!breaker->isEnabledTo(&form)); // Inside of what is off.
    QVERIFY(form.section("resilience")->isFolded());

    all->click();
    QVERIFY(!form.section("resilience")->isFolded());
    breaker->click();

    QCOMPARE(
        difference(before, draft.text()),
        (QStringList{QStringLiteral("+resilience:"), QStringLiteral("+breaker: {}")})
    );
    QVERIFY(draft.document().has_value());
    QCOMPARE(draft.document()->services[0].resilience->breaker->minRequests, 20);

    all->click();
    QCOMPARE(draft.text(), before);
    QVERIFY(!draft.isChanged());
}

void FormsTest::aFieldGoneTakesItsEmptyRecordWithIt()
{
    Draft draft;
    draft.load(decoded(
        "_format_version: \"3.0\"\nservices:\n- name: a\n  host: a\n  resilience:\n    retry: {}\n"
    ));
    const QString before = draft.text();
    SchemaForm form;
    bind(form, draft, firstOf(draft, "services"), model::schemaOf<model::Service>());
    auto* base = form.section("resilience.retry.backoff")->findChild<QLineEdit*>();
    QVERIFY(base != nullptr);

    QTest::keyClicks(base, QStringLiteral("5ms"));
    QVERIFY(draft.text().contains(QStringLiteral("base: 5ms")));
    base->selectAll();
    QTest::keyClick(base, Qt::Key_Delete);

    QCOMPARE(draft.text(), before);
}

void FormsTest::sectionsWithValuesAreOpen()
{
    Draft draft;
    draft.load(decoded(kSmall));
    SchemaForm form;
    bind(form, draft, firstOf(draft, "upstreams"), model::schemaOf<model::Upstream>());

    QVERIFY(!form.section("healthchecks")->isFolded());
    QVERIFY(!form.section("healthchecks.active.healthy")->isFolded());
    QVERIFY(form.section("healthchecks.passive")->isFolded());
    QVERIFY(form.section("outlier_detection")->isFolded());
    auto* checks = form.findChild<QAbstractButton*>(QStringLiteral("healthchecksSwitch"));
    QVERIFY(checks != nullptr && checks->isChecked());
}

void FormsTest::elementsOfAListComeAndGo()
{
    Draft draft;
    draft.load(decoded(kSmall));
    const QString before = draft.text();
    SchemaForm form;
    bind(form, draft, firstOf(draft, "services"), model::schemaOf<model::Service>());
    form.findChild<QAbstractButton*>(QStringLiteral("resilienceSwitch"))->click();
    auto* add = form.findChild<QAbstractButton*>(QStringLiteral("rateLimitsAdd"));
    QVERIFY(add != nullptr);

    add->click();
    QVERIFY2(!draft.hasErrors(), qPrintable(draft.text()));
    QCOMPARE(draft.document()->services[0].resilience->rateLimits.size(), std::size_t(1));
    add->click();
    QVERIFY(form.section("resilience.rate_limits[1]") != nullptr);
    for (const char* name : {"rateLimitsRemove0", "rateLimitsRemove0"}) {
        form.findChild<QAbstractButton*>(QString::fromLatin1(name))->click();
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    }
    QVERIFY(form.section("resilience.rate_limits[0]") == nullptr);
    form.findChild<QAbstractButton*>(QStringLiteral("resilienceSwitch"))->click();
    QCOMPARE(draft.text(), before);
}

void FormsTest::aDelayIsAPercentileOrATime()
{
    const model::Field& field = *model::schemaOf<model::Hedge>().field("after");
    DelayEditor editor(field, nullptr);
    model::Value last;
    connect(&editor, &FieldEditor::edited, this, [&last](const model::Value& value) {
        last = value;
    });
    auto* way = editor.findChild<QComboBox*>();
    auto* line = editor.findChild<QLineEdit*>();
    const model::Value share("p90");
    editor.setValue(&share);
    QCOMPARE(way->currentIndex(), 0);
    QCOMPARE(line->text(), QStringLiteral("90"));

    way->setCurrentIndex(1);
    Q_EMIT way->activated(1);
    QCOMPARE(last.text(), std::string("250ms"));
    QVERIFY(model::validate(field, last).empty());
    line->selectAll();
    QTest::keyClicks(line, QStringLiteral("30ms"));
    QCOMPARE(last.text(), std::string("30ms"));
    line->clear();
    QTest::keyClick(line, Qt::Key_Backspace);
    way->setCurrentIndex(0);
    Q_EMIT way->activated(0);
    QCOMPARE(last.text(), std::string("p95"));
    QVERIFY(model::validate(field, last).empty());
}

void FormsTest::percentStepsByKeys()
{
    const model::Field& field =
        *model::schemaOf<model::OutlierDetection>().field("max_ejection_percent");
    QVERIFY(isPercent(field));
    PercentEditor editor(field, nullptr);
    model::Value last;
    connect(&editor, &FieldEditor::edited, this, [&last](const model::Value& value) {
        last = value;
    });
    auto* line = editor.findChild<QLineEdit*>();

    QTest::keyClick(line, Qt::Key_Up); // From the default, 10.
    QCOMPARE(last.toNumber(), 11.0);
    QTest::keyClick(line, Qt::Key_PageDown);
    QTest::keyClick(line, Qt::Key_PageDown);
    QCOMPARE(last.toNumber(), 0.0);
}

void FormsTest::oneFieldOfAPolicyChangesOneLine()
{
    Draft draft;
    draft.load(decoded(kPolicies));
    const QString before = draft.text();
    SchemaForm form;
    bind(form, draft, firstOf(draft, "upstreams"), model::schemaOf<model::Upstream>());
    auto* edit = form.section("outlier_detection")
                     ->findChild<QLineEdit*>(QStringLiteral("maxEjectionPercent"));
    QVERIFY(edit != nullptr);

    QTest::keyClick(edit, Qt::Key_Up);

    QCOMPARE(
        difference(before, draft.text()),
        (QStringList{
            QStringLiteral("-max_ejection_percent: 30"),
            QStringLiteral("+max_ejection_percent: 31")})
    );
}

} // namespace mesh::forms

QTEST_MAIN(mesh::forms::FormsTest)
#include "forms_test.moc"
