#include "proxyengine/policy/hash_key.h"

#include "proxyengine/base/hash.h"

#include <QTest>

#include <set>

// Goal: the hash is that of what the file names, and only a missing thing falls back.
namespace mesh::policy {

class HashKeyTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void takesWhatTheRuleNames_data();
    void takesWhatTheRuleNames();
    void fallsBackOnlyWhenNothingIsThere();
    void bothMissingMeansAnyHost();
    void aMissingCookieIsMadeUp();
    void findsCookies_data();
    void findsCookies();
};

namespace {

using model::HashOn;

const std::vector<HeaderView> kHeaders{
    {"Host", "shop"},
    {"X-User", "ada"},
    {"x-many", "a"},
    {"X-Empty", ""},
    {"Cookie", "theme=dark; session=abc"},
    {"X-Many", "b"}};

const std::vector<UriCapture> kCaptures{{"", "books"}, {"id", "42"}};

HashInput makeInput()
{
    HashInput input;
    input.clientIp = "10.1.2.3";
    input.path = "/books/42";
    input.query = "a=1&user=bob&user=eve&flag&=x";
    input.headers = kHeaders;
    input.captures = kCaptures;
    return input;
}

} // namespace

void HashKeyTest::takesWhatTheRuleNames_data()
{
    QTest::addColumn<int>("on");
    QTest::addColumn<QByteArray>("name");
    QTest::addColumn<QByteArray>("hashed"); // Null: nothing.
    const auto row = [](const char* title, HashOn on, const char* name, QByteArray hashed) {
        QTest::newRow(title) << static_cast<int>(on) << QByteArray(name) << hashed;
    };
    row("none", HashOn::None, "", {});
    row("ip", HashOn::Ip, "", "10.1.2.3");
    row("path", HashOn::Path, "", "/books/42");
    row("header", HashOn::Header, "x-USER", "ada");
    row("header given twice", HashOn::Header, "X-Many", "a, b");
    row("empty header", HashOn::Header, "X-Empty", {});
    row("missing header", HashOn::Header, "X-None", {});
    row("cookie", HashOn::Cookie, "session", "abc");
    row("first of two arguments", HashOn::QueryArg, "user", "bob");
    row("argument without value", HashOn::QueryArg, "flag", {});
    row("missing argument", HashOn::QueryArg, "b", {});
    row("capture by name", HashOn::UriCapture, "id", "42");
    row("capture by number", HashOn::UriCapture, "1", "books");
    row("named capture by number", HashOn::UriCapture, "2", "42");
    row("capture beyond the last", HashOn::UriCapture, "3", {});
    row("capture 0", HashOn::UriCapture, "0", {});
    row("unknown capture", HashOn::UriCapture, "name", {});
    row("nobody authenticated", HashOn::Consumer, "", {});
}

void HashKeyTest::takesWhatTheRuleNames()
{
    QFETCH(const int, on);
    QFETCH(const QByteArray, name);
    QFETCH(const QByteArray, hashed);
    HashRule rule;
    rule.on = static_cast<HashOn>(on);
    rule.name = name.toStdString();
    Random random(Seed{1});

    const HashVerdict verdict = hashOf(rule, makeInput(), random);

    QVERIFY(!verdict.cookie.has_value());
    QCOMPARE(verdict.hash.has_value(), !hashed.isNull());
    if (verdict.hash) {
        QCOMPARE(*verdict.hash, xxh64(hashed.toStdString()));
    }
}

void HashKeyTest::fallsBackOnlyWhenNothingIsThere()
{
    HashRule rule;
    rule.on = HashOn::Consumer;
    rule.fallback = HashOn::Header;
    rule.fallbackName = "X-User";
    Random random(Seed{1});
    HashInput input = makeInput();

    QCOMPARE(hashOf(rule, input, random).hash.value_or(0), xxh64("ada"));
    input.credential = "key-7";
    QCOMPARE(hashOf(rule, input, random).hash.value_or(0), xxh64("key-7"));
    input.consumer = "grace";
    QCOMPARE(hashOf(rule, input, random).hash.value_or(0), xxh64("grace"));
}

void HashKeyTest::bothMissingMeansAnyHost()
{
    HashRule rule;
    rule.on = HashOn::Header;
    rule.name = "X-None";
    rule.fallback = HashOn::QueryArg;
    rule.fallbackName = "none";
    Random random(Seed{1});

    QVERIFY(!hashOf(rule, makeInput(), random).hash.has_value());
}

void HashKeyTest::aMissingCookieIsMadeUp()
{
    HashRule rule;
    rule.on = HashOn::Cookie;
    rule.name = "route";
    rule.cookiePath = "/shop";
    rule.fallback = HashOn::Ip; // Never reached.
    Random random(Seed{1});

    std::set<std::string> texts;
    for (int i = 0; i < 100; ++i) {
        const HashVerdict verdict = hashOf(rule, makeInput(), random);
        QVERIFY(verdict.cookie.has_value() && verdict.hash.has_value());
        const std::string value(verdict.cookie->value.begin(), verdict.cookie->value.end());
        QCOMPARE(value.find_first_not_of("0123456789abcdef"), std::string::npos);
        QCOMPARE(verdict.hash.value_or(0), xxh64(value));
        QCOMPARE(
            setCookieText(*verdict.cookie),
            "route=" + value + "; Path=/shop; HttpOnly; SameSite=Lax"
        );
        texts.insert(value);

        // The client that sends it back gets the same hash and no cookie.
        const std::string header = "route=" + value;
        const std::vector<HeaderView> headers{{"cookie", header}};
        HashInput input = makeInput();
        input.headers = headers;
        const HashVerdict again = hashOf(rule, input, random);
        QVERIFY(!again.cookie.has_value());
        QCOMPARE(again.hash, verdict.hash);
    }
    QCOMPARE(texts.size(), std::size_t{100});
}

void HashKeyTest::findsCookies_data()
{
    QTest::addColumn<QByteArray>("header");
    QTest::addColumn<QByteArray>("value"); // Null: none.
    QTest::newRow("alone") << QByteArray("a=1") << QByteArray("1");
    QTest::newRow("last") << QByteArray("b=2; a=1") << QByteArray("1");
    QTest::newRow("without space") << QByteArray("b=2;a=1;c=3") << QByteArray("1");
    QTest::newRow("first of two") << QByteArray("a=1; a=2") << QByteArray("1");
    QTest::newRow("empty") << QByteArray("a=") << QByteArray("");
    QTest::newRow("with an equals sign") << QByteArray("a=x=y") << QByteArray("x=y");
    QTest::newRow("other case") << QByteArray("A=1") << QByteArray();
    QTest::newRow("part of a name") << QByteArray("ba=1; aa=2") << QByteArray();
    QTest::newRow("no value") << QByteArray("a; ;;=") << QByteArray();
    QTest::newRow("nothing") << QByteArray("") << QByteArray();
}

void HashKeyTest::findsCookies()
{
    QFETCH(const QByteArray, header);
    QFETCH(const QByteArray, value);
    const std::string text = header.toStdString();
    const std::vector<HeaderView> headers{{"Cookie", text}};

    const auto found = cookieOf(headers, "a");

    QCOMPARE(found.has_value(), !value.isNull());
    QCOMPARE(std::string(found.value_or("")), value.toStdString());
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::HashKeyTest)
#include "hash_key_test.moc"
