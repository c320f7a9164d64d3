#include "proxyengine/policy/path.h"

#include <QTest>

#include <string>

// Goal: the vectors of the gateway's path handling, and that unsafe paths are refused.
// Method: tables; every row is an input and what must come of it.
namespace mesh::policy {

class PathTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void normalizes_data();
    void normalizes();
    void keepsRunsOfSlashesWhenAsked();
    void returnsTheInputWhenItIsNormal();
    void refuses_data();
    void refuses();
    void escapes_data();
    void escapes();
    void joins_data();
    void joins();
};

namespace {

QByteArray toBytes(std::string_view text)
{
    return {text.data(), static_cast<qsizetype>(text.size())};
}

std::string normal(const QByteArray& raw)
{
    std::string buffer;
    const std::string input = raw.toStdString();
    const auto path = normalizePath(input, buffer);
    return path ? std::string(*path) : std::string("refused: ") + std::string(toText(path.error()));
}

} // namespace

void PathTest::normalizes_data()
{
    QTest::addColumn<QByteArray>("raw");
    QTest::addColumn<QByteArray>("expected");

    const auto row = [](const char* raw, const char* expected) {
        QTest::newRow(raw) << QByteArray(raw) << QByteArray(expected);
    };
    row("/", "/");
    row("/a%2fb%2Fc/", "/a%2Fb%2Fc/");
    row("/%6B%6f%6e%67", "/kong");
    row("/%2E", "/");
    row("/./", "/");
    row("/..", "/");
    row("/../", "/");
    row("/./.././../", "/");
    row("/a/b/c/./../../g", "/a/g");
    row("mid/content=5/../6", "mid/6");
    row("/a//b//", "/a/b/");
    row("/endel%C3%B8st", "/endel\xC3\xB8st");
    row("/%C3%A4/a/%2e./a%2E//a/%2e/./a/../a/%2e%2E/%5f%99%af%2f%2F",
        "/\xC3\xA4/a./a/_\x99\xAF%2F%2F");
    row("/%20%21%23%24%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3D%3F%40%5B%5D",
        "/ %21%23%24%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3D%3F%40%5B%5D");
    row("/a/..", "/");
    row("/a/b/..", "/a/");
    row("/a/b/.", "/a/b/");
    row("/a/.b", "/a/.b");
    row("/a/...", "/a/...");
    row("/a%", "/a%");
    row("/a%4", "/a%4");
    row("/a%zz", "/a%zz");
    row("/a%5cb", "/a%5Cb");
    row("/%2e%2e/%2e%2e/etc/passwd", "/etc/passwd");
}

void PathTest::normalizes()
{
    QFETCH(const QByteArray, raw);
    QFETCH(const QByteArray, expected);

    QCOMPARE(toBytes(normal(raw)), expected);
}

void PathTest::keepsRunsOfSlashesWhenAsked()
{
    std::string buffer;
    const auto path = normalizePath("//", buffer, Slashes::Keep);

    QVERIFY(path.has_value());
    QCOMPARE(toBytes(*path), QByteArray("//"));
}

void PathTest::returnsTheInputWhenItIsNormal()
{
    const std::string raw = "/cart/items.json";
    std::string buffer;
    const auto path = normalizePath(raw, buffer);

    QVERIFY(path.has_value());
    QCOMPARE(static_cast<const void*>(path->data()), static_cast<const void*>(raw.data()));
}

void PathTest::refuses_data()
{
    QTest::addColumn<QByteArray>("raw");
    QTest::addColumn<QByteArray>("why");

    QTest::newRow("escaped zero") << QByteArray("/a%00b") << QByteArray("control byte");
    QTest::newRow("escaped line feed") << QByteArray("/a%0ab") << QByteArray("control byte");
    QTest::newRow("escaped delete") << QByteArray("/%7F") << QByteArray("control byte");
    QTest::newRow("raw tab") << QByteArray("/a\tb") << QByteArray("control byte");
    QTest::newRow("raw backslash") << QByteArray("/a\\b") << QByteArray("backslash");
    QTest::newRow("lone tail byte") << QByteArray("/\x99") << QByteArray("UTF-8");
    QTest::newRow("overlong slash") << QByteArray("/\xC0\xAF") << QByteArray("UTF-8");
    QTest::newRow("surrogate") << QByteArray("/\xED\xA0\x80") << QByteArray("UTF-8");
    QTest::newRow("cut sequence") << QByteArray("/\xE2\x82") << QByteArray("UTF-8");
}

void PathTest::refuses()
{
    QFETCH(const QByteArray, raw);
    QFETCH(const QByteArray, why);

    const std::string answer = normal(raw);
    QVERIFY2(toBytes(answer).startsWith("refused: "), answer.c_str());
    QVERIFY2(toBytes(answer).contains(why), answer.c_str());
}

void PathTest::escapes_data()
{
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<QByteArray>("expected");

    QTest::newRow("space") << QByteArray("/a b/c d") << QByteArray("/a%20b/c%20d");
    QTest::newRow("four bytes") << QByteArray("/a\xF0\x9F\x98\x80") << QByteArray("/a%F0%9F%98%80");
    QTest::newRow("all that stays") << QByteArray("/!#$%&'()*+,/:;=?@[]AZaz09-_.~")
                                    << QByteArray("/!#$%&'()*+,/:;=?@[]AZaz09-_.~");
    QTest::newRow("quotes") << QByteArray("/\"<>`{|}^") << QByteArray("/%22%3C%3E%60%7B%7C%7D%5E");
}

void PathTest::escapes()
{
    QFETCH(const QByteArray, path);
    QFETCH(const QByteArray, expected);
    std::string buffer;

    QCOMPARE(toBytes(escapePath(path.toStdString(), buffer)), expected);
}

void PathTest::joins_data()
{
    QTest::addColumn<QByteArray>("service");
    QTest::addColumn<QByteArray>("route"); // Empty: the route has no paths.
    QTest::addColumn<bool>("strip");
    QTest::addColumn<QByteArray>("request"); // Before normalisation.
    QTest::addColumn<QByteArray>("expected");

    const auto row = [](const char* service,
                        const char* route,
                        bool strip,
                        const char* request,
                        const char* expected) {
        const QByteArray name =
            QByteArray(service) + " " + route + (strip ? " t " : " f ") + request;
        QTest::newRow(name.constData()) << QByteArray(service) << QByteArray(route) << strip
                                        << QByteArray(request) << QByteArray(expected);
    };
    row("/", "/route", true, "/routereq", "/req");
    row("/srv/", "/rou", true, "/rou", "/srv");
    row("/service", "/route", true, "/route", "/service");
    row("/service", "/route", true, "/route/", "/service/");
    row("/service", "/route", false, "/routereq", "/service/routereq");
    row("/service/", "/route", true, "/route", "/service");
    row("/service", "/route", true, "/route./req", "/service/req");
    row("/service", "/route", true, "/route%2E%2E/req", "/service/req");
    row("/service", "/route", false, "/route%2e/req", "/service/route./req");
    row("/srv", "/rou", true, "/roureq", "/srv/req");
    row("/", "/", true, "/get", "/get");
    row("/", "/", false, "/get", "/get");
    row("/", "/", true, "/", "/");
    row("/", "", true, "/get/x", "/get/x");
    row("/base", "", true, "/", "/base");
    row("/base", "", true, "/get", "/base/get");
    row("/base", "", false, "/", "/base");
    row("/base/", "", false, "/get", "/base/get");
    row("/base/", "/cart/", true, "/cart/", "/base/");
    row("/base/", "/cart", true, "/cart/7", "/base/7");
}

void PathTest::joins()
{
    QFETCH(const QByteArray, service);
    QFETCH(const QByteArray, route);
    QFETCH(const bool, strip);
    QFETCH(const QByteArray, request);
    QFETCH(const QByteArray, expected);
    std::string buffer;
    const std::string path = normal(request);
    const std::string servicePath = service.toStdString();

    const std::string_view joined = joinUpstreamPath(
        servicePath,
        path,
        static_cast<std::size_t>(route.size()),
        strip ? StripPath::Yes : StripPath::No,
        buffer
    );

    QCOMPARE(toBytes(joined), expected);
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::PathTest)
#include "path_test.moc"
