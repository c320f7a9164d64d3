// Goal: a route test says what a node would do with a request, and for every other route the first
// thing of it that did not hold.
// Method: documents as text, compiled; answers compared with the router's own.
#include "proxyengine/config/explain_route.h"

#include "proxyengine/base/limits.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/config/compile.h"

#include <QTest>

#include <fmt/format.h>

namespace mesh::config {

constexpr const char* kShop = R"(_format_version: "3.0"
services:
- name: cart
  host: cart
  path: /api
  resilience: {timeout: 2s, retry: {attempts: 3}}
  routes:
  - {name: cart, hosts: [shop.test], paths: [/cart]}
  - {name: cart-items, hosts: [shop.test], paths: [/cart/items]}
  - {name: cart-post, hosts: [shop.test], paths: [/cart], methods: [POST]}
  - {name: cart-beta, hosts: [shop.test], paths: [/cart], headers: {x-beta: ["yes"]}}
- name: old
  host: 127.0.0.1
  port: 9
  routes:
  - {name: secure, paths: [/secure], protocols: [https]}
  - {name: pattern, paths: ["~/order/[0-9]+$"]}
  - name: shared
    paths: [/shared]
    split: [{service: cart, weight: 95}, {service: old, weight: 5}]
routes:
- {name: nowhere, paths: [/nowhere]}
upstreams:
- name: cart
  targets: [{target: "10.0.0.3:7001"}, {target: "10.0.0.4:7001"}]
)";

class ExplainRouteTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theWinnerIsToldWithWhatHeld();
    void losersAreToldNearestFirst_data();
    void losersAreToldNearestFirst();
    void answersOfTheNodesOwnAreTold_data();
    void answersOfTheNodesOwnAreTold();
    void aSplitHasItsShares();
    void badQuestionsNameTheMember_data();
    void badQuestionsNameTheMember();
    void textIsReadAsARequest();
    void manyLosersAreCountedNotTold();
    void theRouterAgreesOnEveryPath();

private:
    static Result<RouteExplanation> ask(const RouteQuestion& question, const char* text = kShop);
    static RouteQuestion get(const std::string& path);
    static std::string reasonOf(const RouteExplanation& told, const std::string& route);
};

Result<RouteExplanation> ExplainRouteTest::ask(const RouteQuestion& question, const char* text)
{
    const DecodeResult decoded = decode(text);
    const CompileResult compiled = compile(decoded.document, "");
    if (compiled.snapshot == nullptr) {
        return fail(ErrorCode::Internal, "the test's document does not compile");
    }
    return explainRoute(decoded.document, *compiled.snapshot, question);
}

RouteQuestion ExplainRouteTest::get(const std::string& path)
{
    RouteQuestion question;
    question.host = "Shop.Test:8000";
    question.path = path;
    return question;
}

std::string ExplainRouteTest::reasonOf(const RouteExplanation& told, const std::string& route)
{
    const auto found = std::ranges::find(told.losers, route, &LostRoute::route);
    return found == told.losers.end() ? std::string("it is not among the losers")
                                      : found->criterion + ": " + found->reason;
}

void ExplainRouteTest::theWinnerIsToldWithWhatHeld()
{
    const auto told = ask(get("/cart//items/7?x=1"));

    QVERIFY2(told.has_value(), told ? "" : told.error().message.c_str());
    QCOMPARE(told->ownStatus, 0);
    QCOMPARE(told->listener, std::string("gateway"));
    QCOMPARE(told->normalPath, std::string("/cart/items/7"));
    QCOMPARE(told->route, std::string("cart-items"));
    QCOMPARE(told->routePlace, std::string("services[0].routes[1]"));
    const std::vector<std::string> held = {"host shop.test", "path prefix /cart/items"};
    QCOMPARE(told->criteria, held);
    QCOMPARE(told->goals.size(), 1U);
    QCOMPARE(told->goals[0].service, std::string("cart"));
    QCOMPARE(told->goals[0].upstream, std::string("cart"));
    const std::vector<std::string> targets = {"10.0.0.3:7001", "10.0.0.4:7001"};
    QCOMPARE(told->goals[0].targets, targets);
    QCOMPARE(told->goals[0].sentPath, std::string("/api/7?x=1"));
    const std::vector<std::string> policies = {"timeout 2s", "3 attempts (service:cart)"};
    QCOMPARE(told->policies, policies);
    QCOMPARE(told->losers.size(), 7U);
}

void ExplainRouteTest::losersAreToldNearestFirst_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("winner");
    QTest::addColumn<QString>("loser");
    QTest::addColumn<QString>("reason");

    const auto row = [](const char* path, const char* winner, const char* loser, const char* why) {
        QTest::addRow("%s against %s at %s", winner, loser, path)
            << QString::fromLatin1(path) << QString::fromLatin1(winner)
            << QString::fromLatin1(loser) << QString::fromLatin1(why);
    };
    row("/cart/items",
        "cart-items",
        "cart",
        "priority: would take it too, but cart-items goes first: its path prefix is longer");
    row("/cart", "cart", "cart-post", "method: asks for method POST, the request has GET");
    row("/cart",
        "cart",
        "cart-beta",
        "header: asks for header x-beta: yes, which the request does not have");
    row("/cart", "cart", "pattern", "path: asks for path ~/order/[0-9]+$, the request has /cart");
    row("/order/12", "pattern", "cart", "path: asks for path /cart, the request has /order/12");
}

void ExplainRouteTest::losersAreToldNearestFirst()
{
    QFETCH(const QString, path);
    QFETCH(const QString, winner);
    QFETCH(const QString, loser);
    QFETCH(const QString, reason);

    const auto told = ask(get(path.toStdString()));

    QVERIFY(told.has_value());
    QCOMPARE(QString::fromStdString(told->route), winner);
    QCOMPARE(QString::fromStdString(reasonOf(*told, loser.toStdString())), reason);
    bool hasFar = false; // Those that fail at the host come behind all others.
    for (const LostRoute& lost : told->losers) {
        QVERIFY(!hasFar || lost.criterion == "host");
        hasFar = hasFar || lost.criterion == "host";
    }
}

void ExplainRouteTest::answersOfTheNodesOwnAreTold_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<int>("status");
    QTest::addColumn<QString>("route");

    QTest::newRow("no route") << QStringLiteral("/else") << 404 << QString();
    QTest::newRow("wants https") << QStringLiteral("/secure") << 426 << QStringLiteral("secure");
    QTest::newRow("no service") << QStringLiteral("/nowhere") << 503 << QStringLiteral("nowhere");
}

void ExplainRouteTest::answersOfTheNodesOwnAreTold()
{
    QFETCH(const QString, path);
    QFETCH(const int, status);
    QFETCH(const QString, route);

    const auto told = ask(get(path.toStdString()));

    QVERIFY(told.has_value());
    QCOMPARE(told->ownStatus, status);
    QCOMPARE(QString::fromStdString(told->route), route);
    QVERIFY(told->goals.empty());

    RouteQuestion secured = get("/secure");
    secured.scheme = "https";
    QCOMPARE(ask(secured)->ownStatus, 0);
}

void ExplainRouteTest::aSplitHasItsShares()
{
    const auto told = ask(get("/shared"));

    QVERIFY(told.has_value());
    QCOMPARE(told->goals.size(), 2U);
    QCOMPARE(told->goals[0].service, std::string("cart"));
    QCOMPARE(told->goals[0].weight, 95U);
    QCOMPARE(told->goals[1].service, std::string("old"));
    QCOMPARE(told->goals[1].weight, 5U);
}

void ExplainRouteTest::badQuestionsNameTheMember_data()
{
    QTest::addColumn<QString>("member");

    for (const char* member : {"scheme", "path", "host", "listener", "headers"}) {
        QTest::newRow(member) << QString::fromLatin1(member);
    }
}

void ExplainRouteTest::badQuestionsNameTheMember()
{
    QFETCH(const QString, member);
    RouteQuestion question = get("/cart");
    if (member == QLatin1String("scheme")) {
        question.scheme = "ftp";
    } else if (member == QLatin1String("path")) {
        question.path = "/a%00b";
    } else if (member == QLatin1String("host")) {
        question.host = "shop.test:http";
    } else if (member == QLatin1String("listener")) {
        question.listener = "outbound";
    } else {
        question.headers.assign(kQuestionHeadersMax + 1, {"x-a", "1"});
    }

    const auto told = ask(question);

    QVERIFY(!told.has_value());
    QVERIFY2(
        QString::fromStdString(told.error().message).startsWith(member + QLatin1Char(':')),
        told.error().message.c_str()
    );
}

void ExplainRouteTest::textIsReadAsARequest()
{
    const auto full = parseRouteQuestion("POST https://shop.test:8443/cart?x=1");
    const auto bare = parseRouteQuestion("shop.test");

    QVERIFY(full && bare);
    QCOMPARE(full->method, std::string("POST"));
    QCOMPARE(full->scheme, std::string("https"));
    QCOMPARE(full->host, std::string("shop.test:8443"));
    QCOMPARE(full->path, std::string("/cart?x=1"));
    QCOMPARE(bare->method, std::string("GET"));
    QCOMPARE(bare->path, std::string("/"));
    for (const char* bad : {"GET ftp://a/b", "get http://a/b", "GET http://a/b c", " /x"}) {
        QVERIFY2(!parseRouteQuestion(bad), bad);
    }
}

void ExplainRouteTest::manyLosersAreCountedNotTold()
{
    std::string text = "_format_version: \"3.0\"\nroutes:\n";
    const std::size_t count = kRouteCandidatesMax + 10;
    for (std::size_t at = 0; at < count; ++at) {
        text += fmt::format("- {{name: r{}, paths: [/p{}]}}\n", at, at);
    }

    const auto told = ask(get("/p1"), text.c_str());

    QVERIFY(told.has_value());
    QCOMPARE(told->losers.size(), kRouteCandidatesMax);
    QCOMPARE(told->losersLeftOut, 9U);
    QCOMPARE(told->losers.front().criterion, std::string("path"));
}

// What is told held and what the router took are found by different code.
void ExplainRouteTest::theRouterAgreesOnEveryPath()
{
    for (const char* path :
         {"/", "/cart", "/cart/", "/cartx", "/cart/items", "/order/1", "/order/x", "/shared/a"}) {
        for (const char* method : {"GET", "POST"}) {
            RouteQuestion question = get(path);
            question.method = method;
            const auto told = ask(question);
            QVERIFY(told.has_value());
            QCOMPARE(told->ownStatus == 404, told->criteria.empty());
            for (const LostRoute& lost : told->losers) {
                QVERIFY2(told->ownStatus != 404 || lost.criterion != "priority", path);
            }
        }
    }
}

} // namespace mesh::config

QTEST_APPLESS_MAIN(mesh::config::ExplainRouteTest)
#include "explain_route_test.moc"
