#include "app/fleet/stages.h"

#include "proxyengine/config/codec.h"
#include "proxyengine/model/objects.h"

#include <QTest>

#include <string>

// Make before break: what a route will need stands before the route does, and goes after it.
namespace mesh::fleet {
namespace {

model::Document documentOf(const std::string& text)
{
    config::DecodeResult decoded = config::decode("_format_version: \"3.0\"\n" + text);
    for (const config::Problem& problem : decoded.problems) {
        if (problem.severity == config::Severity::Error) {
            qFatal("%s", config::toText(problem, "test").c_str());
        }
    }
    return std::move(decoded.document);
}

// Services, routes and upstreams of each stage by name.
QString namesOf(const std::vector<model::Document>& stages)
{
    QStringList text;
    for (const model::Document& stage : stages) {
        QStringList names;
        for (const char* const kind : {"services", "routes", "upstreams", "targets"}) {
            for (const model::ObjectRef& ref : model::objectsOf(stage, kind)) {
                names.append(QString::fromStdString(ref.name));
            }
        }
        text.append(names.join(QLatin1Char(' ')));
    }
    return text.join(QLatin1String(" | "));
}

const std::string kOld = R"(
services: [{name: old, host: old, routes: [{name: old-route, paths: [/a]}]}]
upstreams: [{name: old, targets: [{target: "10.0.0.1:80"}]}]
)";
const std::string kNew = R"(
services: [{name: new, host: new, routes: [{name: new-route, paths: [/a]}]}]
upstreams: [{name: new, targets: [{target: "10.0.0.2:80"}]}]
)";

} // namespace

class StagesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void addsThenSwitchesThenRemoves();
    void isOneStageWhenNothingIsAddedOrRemoved();
    void isOneStageWhenNoRouteSwitches();
    void endsWithTheDocumentItself();
};

void StagesTest::addsThenSwitchesThenRemoves()
{
    const auto stages = stagesOf(documentOf(kOld), documentOf(kNew));

    QCOMPARE(
        namesOf(stages),
        QStringLiteral(
            "old new old-route old new 10.0.0.1:80 10.0.0.2:80 | "
            "old new new-route old new 10.0.0.1:80 10.0.0.2:80 | new new-route new 10.0.0.2:80"
        )
    );
}

void StagesTest::isOneStageWhenNothingIsAddedOrRemoved()
{
    const model::Document after =
        documentOf("services: [{name: old, host: old, routes: [{name: old-route, paths: [/b]}]}]\n"
                   "upstreams: [{name: old, targets: [{target: \"10.0.0.1:80\"}]}]\n");

    QCOMPARE(stagesOf(documentOf(kOld), after).size(), std::size_t{1});
}

void StagesTest::isOneStageWhenNoRouteSwitches()
{
    const model::Document after =
        documentOf("services: [{name: old, host: old, routes: [{name: old-route, paths: [/a]}]}]\n"
                   "upstreams: [{name: old, targets: [{target: \"10.0.0.2:80\"}]}]\n");

    QCOMPARE(stagesOf(documentOf(kOld), after).size(), std::size_t{1});
}

void StagesTest::endsWithTheDocumentItself()
{
    const model::Document after = documentOf(kNew);

    QCOMPARE(config::hashOf(stagesOf(documentOf(kOld), after).back()), config::hashOf(after));
    QCOMPARE(stagesOf(after, after).size(), std::size_t{1});
}

} // namespace mesh::fleet

QTEST_APPLESS_MAIN(mesh::fleet::StagesTest)
#include "stages_test.moc"
