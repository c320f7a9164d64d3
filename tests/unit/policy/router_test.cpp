#include "proxyengine/policy/router.h"

#include "proxyengine/policy/route_priority.h"
#include "proxyengine/policy/route_rule.h"

#include <QTest>

#include <array>
#include <string>
#include <vector>

// Goal: priority words as published, each kind of matcher, the order between routes, and refusals.
// Method: routes are written as one line of text, requests too.
namespace mesh::policy {

using model::Route;

class RouterTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void computesPriorityWords();
    void splitsPathsByKindAndLength();
    void matches_data();
    void matches();
    void tellsHowMuchOfThePathMatched();
    void prefersTheOlderOfEquals();
    void namesWhatItRefuses();
    void findsNothingWhenEmpty();
    void givesTheGroupsOfTheExpressionThatMatched();
};

namespace {

QList<QByteArray> parts(const QByteArray& text, char separator)
{
    return text.isEmpty() ? QList<QByteArray>() : text.split(separator);
}

std::vector<std::string> strings(const QByteArray& commas)
{
    std::vector<std::string> out;
    for (const QByteArray& part : parts(commas, ',')) {
        out.push_back(part.toStdString());
    }
    return out;
}

// "hosts=a,b paths=/x headers=k:v|w methods=GET snis=s priority=5"
Route makeRoute(const QByteArray& line)
{
    Route route;
    for (const QByteArray& field : parts(line, ' ')) {
        const auto at = field.indexOf('=');
        const QByteArray key = field.left(at);
        const QByteArray value = field.mid(at + 1);
        if (key == "hosts") {
            route.hosts = strings(value);
        } else if (key == "paths") {
            route.paths = strings(value);
        } else if (key == "methods") {
            route.methods = strings(value);
        } else if (key == "snis") {
            route.snis = strings(value);
        } else if (key == "priority") {
            route.regexPriority = value.toLongLong();
        } else if (key == "created") {
            route.createdAt = value.toLongLong();
        } else if (key == "id") {
            route.id = value.toStdString();
        } else if (key == "headers") {
            for (const QByteArray& header : parts(value, ',')) {
                const auto colon = header.indexOf(':');
                model::HeaderMatch match{header.left(colon).toStdString(), {}};
                for (const QByteArray& option : parts(header.mid(colon + 1), '|')) {
                    match.values.push_back(option.toStdString());
                }
                route.headers.push_back(match);
            }
        }
    }
    return route;
}

struct Asked
{
    std::vector<Router::Refusal> refusals;
    std::optional<RouteMatch> match;
};

// Routes are separated by ';'. The request: "GET x.com:80 /path k:v k2:v2", "-" for no host; an
// "sni:" header stands for TLS with that name.
Asked ask(const QByteArray& routesText, const QByteArray& requestText)
{
    std::vector<Route> routes;
    for (const QByteArray& line : parts(routesText, ';')) {
        routes.push_back(makeRoute(line.trimmed()));
    }
    std::vector<const Route*> pointers;
    for (const Route& route : routes) {
        pointers.push_back(&route);
    }
    Asked asked;
    const Router router = Router::make(pointers, asked.refusals);

    const QList<QByteArray> words = requestText.split(' ');
    const auto colon = words[1].indexOf(':');
    const std::string method = words[0].toStdString();
    const std::string host =
        words[1] == "-" ? "" : (colon < 0 ? words[1] : words[1].left(colon)).toStdString();
    const std::string path = words[2].toStdString();
    std::vector<std::pair<std::string, std::string>> texts;
    std::string sni;
    bool isTls = false;
    for (const QByteArray& word : words.mid(3)) {
        const auto at = word.indexOf(':');
        if (word.startsWith("sni:")) {
            isTls = true;
            sni = word.mid(at + 1).toStdString();
        } else {
            texts.emplace_back(word.left(at).toStdString(), word.mid(at + 1).toStdString());
        }
    }
    std::vector<HeaderView> headers;
    for (const auto& [name, value] : texts) {
        headers.push_back({name, value});
    }
    RequestView request;
    request.method = method;
    request.host = host;
    request.port = colon < 0 ? std::uint16_t{80} : words[1].mid(colon + 1).toUShort();
    request.path = path;
    request.sni = sni;
    request.isTls = isTls;
    request.headers = headers.data();
    request.headerCount = headers.size();
    asked.match = router.match(request);
    return asked;
}

std::uint64_t wordOf(const QByteArray& line)
{
    const Route route = makeRoute(line);
    return priorityWord(route, splitPaths(route).front());
}

} // namespace

void RouterTest::computesPriorityWords()
{
    QCOMPARE(wordOf("paths=/a"), 0x2000000000000002U);
    QCOMPARE(wordOf("hosts=x.com"), 0x3000000000000000U);
    QCOMPARE(wordOf("hosts=*.x.com paths=/ab"), 0x4000000000000003U);
    QCOMPARE(wordOf("hosts=x methods=GET paths=~/r priority=5"), 0x7008000000280000U);
    QCOMPARE(wordOf("headers=a:1,b:2"), 0x2020000000000000U);
}

void RouterTest::splitsPathsByKindAndLength()
{
    const std::vector<PathGroup> groups = splitPaths(makeRoute("paths=/a,/bb,~/x,/c,~/y"));

    QCOMPARE(groups.size(), std::size_t{3});
    QVERIFY(groups[0].isRegex);
    QCOMPARE(groups[0].paths, (std::vector<std::size_t>{2, 4}));
    QCOMPARE(groups[1].prefixBytes, std::size_t{3});
    QCOMPARE(groups[2].paths, (std::vector<std::size_t>{0, 3}));
}

void RouterTest::matches_data()
{
    QTest::addColumn<QByteArray>("routes");
    QTest::addColumn<QByteArray>("request");
    QTest::addColumn<int>("expected"); // Index of the route; -1: none.

    const auto row = [](const char* name, const char* routes, const char* request, int expected) {
        QTest::newRow(name) << QByteArray(routes) << QByteArray(request) << expected;
    };
    row("longest prefix", "paths=/;paths=/cart;paths=/ca", "GET - /cart/7", 1);
    row("prefix by bytes", "paths=/route", "GET - /routereq", 0);
    row("no prefix", "paths=/route", "GET - /rout", -1);
    row("regex before prefix", "paths=/cart/items;paths=~/cart", "GET - /cart/items", 1);
    row("regex priority", "paths=~/a priority=1;paths=~/a/b priority=2", "GET - /a/b", 1);
    row("regex is anchored", "paths=~/b", "GET - /a/b", -1);
    row("anchored in every branch", "paths=~/a|/b", "GET - /c/b", -1);
    row("named group", "paths=~/u/(?<id>[0-9]+)$", "GET - /u/77", 0);
    row("more fields win",
        "paths=/cart/items/all;paths=/cart methods=GET",
        "GET - /cart/items/all",
        1);
    row("method differs", "paths=/cart;paths=/cart methods=POST", "GET - /cart", 0);
    row("host", "hosts=a.com;hosts=b.com", "GET b.com /", 1);
    row("host of another port", "hosts=a.com:8080", "GET a.com:80 /", -1);
    row("host and port", "hosts=a.com:8080", "GET a.com:8080 /", 0);
    row("host in capitals", "hosts=A.com", "GET a.com /", 0);
    row("wildcard at the left", "hosts=*.a.com", "GET x.y.a.com /", 0);
    row("wildcard is not the name", "hosts=*.a.com", "GET a.com /", -1);
    row("wildcard at the right", "hosts=a.*", "GET a.co.uk /", 0);
    row("plain host before wildcard", "hosts=*.com;hosts=a.com", "GET a.com /", 1);
    row("plain host before wildcard and long path",
        "hosts=*.com paths=/long/path;hosts=a.com paths=/l",
        "GET a.com /long/path",
        1);
    row("one wildcard among hosts", "hosts=a.com,*.b.com;hosts=a.com", "GET a.com /", 1);
    row("header", "headers=x-v:1;headers=x-v:2", "GET - / X-V:2", 1);
    row("header without case", "headers=x-v:Blue", "GET - / x-v:bLUE", 0);
    row("any line of a header", "headers=x-v:2", "GET - / x-v:1 x-v:2", 0);
    row("all headers", "headers=a:1,b:2", "GET - / a:1", -1);
    row("one of the values", "headers=a:1|2", "GET - / a:2", 0);
    row("header regex", "headers=a:~*^v[0-9]+$", "GET - / a:V12", 0);
    row("header regex elsewhere", "headers=a:~*^v[0-9]+$", "GET - / a:w12", -1);
    row("more headers win", "headers=a:1;headers=a:1,b:2", "GET - / a:1 b:2", 1);
    row("sni", "snis=a.com;snis=b.com", "GET - / sni:b.com", 1);
    row("sni with a dot", "snis=b.com.", "GET - / sni:b.com", 0);
    row("sni wildcard", "snis=*.b.com", "GET - / sni:x.b.com", 0);
    row("sni does not matter without TLS", "snis=a.com", "GET - /", 0);
    row("the first in the file", "paths=/a;paths=/a", "GET - /a", 0);
    row("a refused route is not there", "paths=~/(;paths=/", "GET - /(", 1);
}

void RouterTest::matches()
{
    QFETCH(const QByteArray, routes);
    QFETCH(const QByteArray, request);
    QFETCH(const int, expected);

    const Asked asked = ask(routes, request);

    QCOMPARE(asked.match ? static_cast<int>(asked.match->route) : -1, expected);
}

void RouterTest::tellsHowMuchOfThePathMatched()
{
    QCOMPARE(ask("paths=/cart", "GET - /cart/7").match->matchedPathBytes, std::size_t{5});
    QCOMPARE(ask("paths=~/c[a-z]+", "GET - /cart/7").match->matchedPathBytes, std::size_t{5});
    QCOMPARE(ask("paths=/,/c", "GET - /cart/7").match->matchedPathBytes, std::size_t{2});
    QCOMPARE(ask("methods=GET", "GET - /cart/7").match->matchedPathBytes, std::size_t{0});
}

void RouterTest::prefersTheOlderOfEquals()
{
    QCOMPARE(ask("paths=/a created=9;paths=/a created=7", "GET - /a").match->route, std::size_t{1});
    QCOMPARE(ask("paths=/a id=b;paths=/a id=a", "GET - /a").match->route, std::size_t{1});
    QCOMPARE(ask("paths=/a;paths=/a created=7", "GET - /a").match->route, std::size_t{1});
}

void RouterTest::namesWhatItRefuses()
{
    const Asked asked =
        ask("paths=/ok;paths=/x,~/(?=look);headers=a:~*[;hosts=a*b;paths=~/x priority=-1",
            "GET - /x");

    QCOMPARE(asked.refusals.size(), std::size_t{4});
    QCOMPARE(asked.refusals[0].route, std::size_t{1});
    QCOMPARE(QByteArray::fromStdString(asked.refusals[0].field), QByteArray("paths[1]"));
    QVERIFY(asked.refusals[0].message.find("invalid regex") != std::string::npos);
    QCOMPARE(QByteArray::fromStdString(asked.refusals[1].field), QByteArray("headers.a"));
    QCOMPARE(QByteArray::fromStdString(asked.refusals[2].field), QByteArray("hosts[0]"));
    QCOMPARE(QByteArray::fromStdString(asked.refusals[3].field), QByteArray("regex_priority"));
    QVERIFY(!asked.match); // The whole route is left out, also its path that is no regex.
}

void RouterTest::findsNothingWhenEmpty()
{
    const Router router;
    RequestView request;
    request.path = "/";

    QVERIFY(!router.match(request));
}

void RouterTest::givesTheGroupsOfTheExpressionThatMatched()
{
    model::Route route;
    route.paths = {"/plain", "~/users/(?<user>[a-z]+)/(\\d+)(x)?$"};
    std::vector<Router::Refusal> refusals;
    const Router router = Router::make({&route}, refusals);
    QVERIFY(refusals.empty());
    RequestView request;
    request.method = "GET";
    request.path = "/users/ann/17";
    const auto match = router.match(request);
    QVERIFY(match && match->pattern != nullptr);
    std::array<UriCapture, Pattern::kCapturesMax> groups;
    QCOMPARE(match->pattern->captures(request.path, groups), std::size_t{3});
    QVERIFY(groups[0].name == "user" && groups[0].value == "ann");
    QVERIFY(groups[1].name.empty() && groups[1].value == "17");
    QVERIFY(groups[2].value.empty());

    std::array<UriCapture, 1> few;
    QCOMPARE(match->pattern->captures(request.path, few), std::size_t{1});
    request.path = "/plain";
    QVERIFY(router.match(request)->pattern == nullptr);
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::RouterTest)
#include "router_test.moc"
