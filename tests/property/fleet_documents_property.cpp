#include "app/fleet/merge.h"
#include "app/fleet/stages.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/model/diff.h"

#include <QTest>

#include <fmt/format.h>
#include <rapidcheck.h>

#include <string>

// Merging, picking changes and stages over random documents of few names, so that changes meet.
namespace mesh::fleet {
namespace {

bool flip() { return *rc::gen::inRange(0, 2) == 1; }
int below(int count) { return *rc::gen::inRange(0, count); }

// Services s0..s3 with routes r0..r2, upstreams u0..u2 with targets; each there or not.
model::Document anyDocument()
{
    model::Document document;
    for (int at = 0; at < 3; ++at) {
        if (flip()) {
            model::Upstream upstream;
            upstream.name = fmt::format("u{}", at);
            upstream.slots = 100 + below(3);
            for (int each = 0; each < 3; ++each) {
                if (flip()) {
                    model::Target target;
                    target.target = fmt::format("10.0.{}.{}:80", at, each);
                    target.weight = 50 + below(2);
                    upstream.targets.push_back(target);
                }
            }
            document.upstreams.push_back(upstream);
        }
    }
    int routeNumber = 0;
    for (int at = 0; at < 4; ++at) {
        if (flip()) {
            model::Service service;
            service.name = fmt::format("s{}", at);
            service.host = fmt::format("u{}", below(3));
            service.retries = below(3);
            if (flip()) {
                service.resilience.emplace();
                service.resilience->timeout = std::chrono::seconds(1 + below(3));
            }
            for (int each = below(3); each > 0; --each) {
                model::Route route;
                route.name = fmt::format("r{}", routeNumber++);
                route.paths = {fmt::format("/{}", below(3))};
                service.routes.push_back(route);
            }
            document.services.push_back(service);
        }
    }
    return document;
}

model::Document validDocument()
{
    model::Document document = anyDocument();
    RC_PRE(!config::hasErrors(config::validate(document)));
    return document;
}

std::vector<model::ObjectRef> refsOf(const std::vector<model::ObjectChange>& changes)
{
    std::vector<model::ObjectRef> refs;
    for (const model::ObjectChange& change : changes) {
        refs.push_back(change.object);
    }
    return refs;
}

} // namespace

class FleetDocumentsProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void mergeWithAnUnchangedSideIsTheOther();
    void mergeOfTheSameHasNoConflict();
    void mergeTakesEveryChangeThatMeetsNone();
    void allChangesLeadToTheOther();
    void everyStageIsValidAndTheLastIsTheEnd();
};

void FleetDocumentsProperty::mergeWithAnUnchangedSideIsTheOther()
{
    QVERIFY(rc::check([] {
        const model::Document base = anyDocument();
        const model::Document other = anyDocument();
        const Merge mine = merge(base, other, base);
        const Merge theirs = merge(base, base, other);
        RC_ASSERT(mine.conflicts.empty());
        RC_ASSERT(config::hashOf(mine.merged) == config::hashOf(other));
        RC_ASSERT(theirs.conflicts.empty());
        RC_ASSERT(config::hashOf(theirs.merged) == config::hashOf(other));
    }));
}

void FleetDocumentsProperty::mergeOfTheSameHasNoConflict()
{
    QVERIFY(rc::check([] {
        const model::Document other = anyDocument();
        const Merge both = merge(anyDocument(), other, other);
        RC_ASSERT(both.conflicts.empty());
        RC_ASSERT(config::hashOf(both.merged) == config::hashOf(other));
    }));
}

void FleetDocumentsProperty::mergeTakesEveryChangeThatMeetsNone()
{
    QVERIFY(rc::check([] {
        const model::Document base = anyDocument();
        const model::Document mine = anyDocument();
        const model::Document theirs = anyDocument();
        const Merge merged = merge(base, mine, theirs);
        const Merge swapped = merge(base, theirs, mine);
        RC_ASSERT(merged.conflicts.empty() == swapped.conflicts.empty());
        if (merged.conflicts.empty()) {
            RC_ASSERT(config::hashOf(merged.merged) == config::hashOf(swapped.merged));
        }
    }));
}

void FleetDocumentsProperty::allChangesLeadToTheOther()
{
    QVERIFY(rc::check([] {
        const model::Document before = anyDocument();
        const model::Document after = validDocument();
        const auto all = withChanges(before, after, refsOf(model::diff(before, after)));
        RC_ASSERT(all.has_value());
        RC_ASSERT(config::hashOf(*all) == config::hashOf(after));
    }));
}

void FleetDocumentsProperty::everyStageIsValidAndTheLastIsTheEnd()
{
    QVERIFY(rc::check([] {
        const model::Document before = validDocument();
        const model::Document after = validDocument();
        const std::vector<model::Document> stages = stagesOf(before, after);
        RC_ASSERT(stages.size() <= 3U);
        RC_ASSERT(config::hashOf(stages.back()) == config::hashOf(after));
        for (const model::Document& stage : stages) {
            RC_ASSERT(!config::hasErrors(config::validate(stage)));
            RC_ASSERT(&stage == &stages.back() || config::hashOf(stage) != config::hashOf(before));
        }
        // Whatever a route of the first stage goes to has been there before or is new beside it.
        for (const model::Service& service : before.services) {
            const auto names = model::objectsOf(stages.front(), "services");
            RC_ASSERT(
                stages.size() == 1
                || std::ranges::any_of(
                    names, [&](const model::ObjectRef& ref) { return ref.name == service.name; }
                )
            );
        }
    }));
}

} // namespace mesh::fleet

QTEST_APPLESS_MAIN(mesh::fleet::FleetDocumentsProperty)
#include "fleet_documents_property.moc"
