#include "app/fleet/merge.h"

#include "proxyengine/config/codec.h"

#include <QTest>

#include <string>

// Two people change one fleet: what meets is told, what does not meet stands beside each other.
namespace mesh::fleet {
namespace {

constexpr std::string_view kBase = R"(_format_version: "3.0"
services:
- name: cart
  host: cart.example
  resilience: {timeout: 2s, retry: {attempts: 2}}
  routes: [{name: cart, paths: [/cart]}]
- {name: stock, host: stock.example, routes: [{name: stock, paths: [/stock]}]}
upstreams:
- {name: pool, targets: [{target: "10.0.0.1:80"}]}
)";

std::string replaced(std::string text, std::string_view what, std::string_view with)
{
    const std::size_t at = text.find(what);
    return at == std::string::npos ? "not there" : text.replace(at, what.size(), with);
}

model::Document documentOf(std::string_view text)
{
    config::DecodeResult decoded = config::decode(text);
    for (const config::Problem& problem : decoded.problems) {
        if (problem.severity == config::Severity::Error) {
            qFatal("%s", config::toText(problem, "test").c_str());
        }
    }
    return std::move(decoded.document);
}

model::Document baseWith(std::string_view what, std::string_view with)
{
    return documentOf(replaced(std::string(kBase), what, with));
}

std::string conflictsOf(const Merge& merge)
{
    std::string text;
    for (const MergeConflict& conflict : merge.conflicts) {
        text += conflict.object.kind + "/" + conflict.object.name + ":" + conflict.path + " ";
    }
    return text;
}

constexpr std::string_view kStock =
    "- {name: stock, host: stock.example, routes: [{name: stock, paths: [/stock]}]}\n";

} // namespace

class MergeTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void keepsWhatOnlyIChanged();
    void takesFieldsOfOneObjectFromBothSides();
    void tellsAFieldThatBothChanged();
    void findsNoConflictWhereBothDidTheSame();
    void tellsADeletionOfWhatTheOtherChanged_data();
    void tellsADeletionOfWhatTheOtherChanged();
    void tellsARouteAddedToAServiceThatWasDeleted();
    void takesOnlyTheChangesAskedFor();
    void refusesAChangeWithoutTheOneItNeeds();
    void refusesAnObjectThatDoesNotChange();
};

void MergeTest::keepsWhatOnlyIChanged()
{
    const model::Document base = documentOf(kBase);
    const model::Document mine = baseWith("timeout: 2s", "timeout: 3s");

    QCOMPARE(config::hashOf(merge(base, mine, base).merged), config::hashOf(mine));
    QCOMPARE(config::hashOf(merge(base, base, mine).merged), config::hashOf(mine));
}

void MergeTest::takesFieldsOfOneObjectFromBothSides()
{
    const Merge merged = merge(
        documentOf(kBase),
        baseWith("timeout: 2s", "timeout: 3s"),
        baseWith("attempts: 2", "attempts: 4")
    );

    QCOMPARE(conflictsOf(merged), "");
    QCOMPARE(
        config::hashOf(merged.merged),
        config::hashOf(
            baseWith("timeout: 2s, retry: {attempts: 2}", "timeout: 3s, retry: {attempts: 4}")
        )
    );
}

void MergeTest::tellsAFieldThatBothChanged()
{
    const model::Document mine = baseWith("timeout: 2s", "timeout: 3s");
    const Merge merged = merge(documentOf(kBase), mine, baseWith("timeout: 2s", "timeout: 4s"));

    QCOMPARE(conflictsOf(merged), "services/cart:resilience.timeout ");
    QCOMPARE(merged.conflicts[0].theirs == model::Value("4s"), true);
    QCOMPARE(merged.conflicts[0].base == model::Value("2s"), true);
    QCOMPARE(config::hashOf(merged.merged), config::hashOf(mine));
}

void MergeTest::findsNoConflictWhereBothDidTheSame()
{
    const model::Document both = baseWith(kStock, "- {name: shop, host: shop.example}\n");
    const Merge merged = merge(documentOf(kBase), both, both);

    QCOMPARE(conflictsOf(merged), "");
    QCOMPARE(config::hashOf(merged.merged), config::hashOf(both));
}

void MergeTest::tellsADeletionOfWhatTheOtherChanged_data()
{
    QTest::addColumn<bool>("isMineDeleted");
    QTest::newRow("I deleted it") << true;
    QTest::newRow("they deleted it") << false;
}

void MergeTest::tellsADeletionOfWhatTheOtherChanged()
{
    QFETCH(bool, isMineDeleted);
    const model::Document deleted = baseWith(kStock, "");
    const model::Document changed = baseWith("host: stock.example", "host: other.example");
    const model::Document& mine = isMineDeleted ? deleted : changed;

    const Merge merged = merge(documentOf(kBase), mine, isMineDeleted ? changed : deleted);

    QCOMPARE(conflictsOf(merged), "services/stock: ");
    QCOMPARE(merged.merged.services.size(), mine.services.size());
}

void MergeTest::tellsARouteAddedToAServiceThatWasDeleted()
{
    const model::Document grown = baseWith(
        "[{name: stock, paths: [/stock]}]",
        "[{name: stock, paths: [/stock]}, {name: new, paths: [/n]}]"
    );
    const model::Document deleted = baseWith(kStock, "");

    const Merge theirsGrew = merge(documentOf(kBase), deleted, grown);
    const Merge iGrew = merge(documentOf(kBase), grown, deleted);

    QCOMPARE(conflictsOf(theirsGrew), "routes/new: ");
    QCOMPARE(conflictsOf(iGrew), "services/stock: ");
    QCOMPARE(iGrew.merged.services.size(), std::size_t{2});
}

void MergeTest::takesOnlyTheChangesAskedFor()
{
    const model::Document before = documentOf(kBase);
    const model::Document after = baseWith("timeout: 2s, retry: {attempts: 2}", "timeout: 9s");
    const model::Document both = documentOf(replaced(
        replaced(std::string(kBase), "timeout: 2s, retry: {attempts: 2}", "timeout: 9s"),
        "10.0.0.1:80",
        "10.0.0.2:80"
    ));

    const auto only = withChanges(before, both, {{"services", "cart", ""}});

    QVERIFY(only.has_value());
    QCOMPARE(config::hashOf(*only), config::hashOf(after));
}

void MergeTest::refusesAChangeWithoutTheOneItNeeds()
{
    const model::Document after = baseWith(
        kStock,
        std::string(kStock)
            + "- {name: new, host: new.example, routes: [{name: new, paths: [/n]}]}\n"
    );

    const auto partial = withChanges(documentOf(kBase), after, {{"routes", "new", "new"}});

    QVERIFY(!partial.has_value());
    QCOMPARE(partial.error().message, "routes/new/new: nothing named 'new' can hold routes");
}

void MergeTest::refusesAnObjectThatDoesNotChange()
{
    const model::Document base = documentOf(kBase);

    const auto none = withChanges(base, base, {{"services", "cart", ""}});

    QVERIFY(!none.has_value());
    QCOMPARE(none.error().code == ErrorCode::NotFound, true);
    QCOMPARE(none.error().message, "services/cart does not change");
}

} // namespace mesh::fleet

QTEST_APPLESS_MAIN(mesh::fleet::MergeTest)
#include "merge_test.moc"
