#include "proxyengine/model/format.h"

#include "proxyengine/model/schema.h"

#include <QTest>

namespace mesh::model {

class FormatTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void textsAreChecked_data()
    {
        QTest::addColumn<int>("format");
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("message");
        const auto row = [](Format format, const char* text, const char* message = "") {
            QTest::addRow("%d %s", static_cast<int>(format), text)
                << static_cast<int>(format) << QString::fromUtf8(text)
                << QString::fromUtf8(message);
        };
        row(Format::Name, "cart-v2.1_x~");
        row(Format::Name, "müller");
        row(Format::Name,
            "a b",
            "invalid value 'a b': it must only contain alphanumeric and '., -, _, ~' characters");
        row(Format::Tag, "zone:a b");
        row(Format::Tag,
            "a,b",
            "invalid tag 'a,b': expected printable ascii (except ',' and '/') or valid utf-8");
        row(Format::Uuid, "11111111-1111-4111-8111-111111111111");
        row(Format::Uuid, "11111111", "expected a valid UUID");
        row(Format::Host, "a.example");
        row(Format::Host, "10.0.0.1");
        row(Format::Host, "::1");
        row(Format::Host, "a:80", "must not have a port");
        row(Format::Host, "a..b", "invalid hostname: a..b");
        row(Format::HostPort, "a:80");
        row(Format::HostPort, "[::1]:80");
        row(Format::HostPort, "a:x", "invalid hostname: a:x");
        row(Format::Address, "a:80");
        row(Format::Address, "a", "needs a port, as in 127.0.0.1:8080");
        row(Format::Address, "a:70000", "invalid hostname: a:70000");
        row(Format::WildcardHost, "*.example.com:80");
        row(Format::WildcardHost, "example.*");
        row(Format::WildcardHost, "*.a.*", "only one wildcard must be specified");
        row(Format::WildcardHost, "a.*.b", "wildcard must be leftmost or rightmost label");
        row(Format::WildcardHost, "a*.b", "wildcard must be leftmost or rightmost label");
        row(Format::WildcardSni, "*.example.com");
        row(Format::WildcardSni, "a:80", "must not have a port");
        row(Format::WildcardSni, "10.0.0.1", "must not be an IP: 10.0.0.1");
        row(Format::UpstreamName, "orders.internal");
        row(Format::UpstreamName, "10.0.0.1", "Invalid name ('10.0.0.1'); no ip addresses allowed");
        row(Format::UpstreamName, "a:80", "Invalid name ('a:80'); no port allowed");
        row(Format::UpstreamName, "a/b", "Invalid name ('a/b'); must be a valid hostname");
        row(Format::Path, "/a/b%20c");
        row(Format::Path, "a", "should start with: /");
        row(Format::Path, "/a//b", "must not have empty segments");
        row(Format::Path,
            "/a b",
            "invalid path: '/a b' (characters outside of the reserved list of RFC 3986 found)");
        row(Format::Path, "/a%2x", "invalid url-encoded value: '%2x'");
        row(Format::RouterPath, "~/a/(\\d+)");
        row(Format::RouterPath, "~a", "should start with: / (fixed path) or ~/ (regexed path)");
        row(Format::Method, "PATCH");
        row(Format::Method, "get", "invalid value: get");
        row(Format::HeaderName, "X-User");
        row(Format::HeaderName, "X User", "bad header name 'X User', it must be a token of RFC 7230"
        );
        row(Format::IpOrCidr, "10.0.0.0/8");
        row(Format::IpOrCidr, "fe80::/64");
        row(Format::IpOrCidr, "10.0.0.0/33", "invalid ip or cidr range: '10.0.0.0/33'");
        row(Format::Url, "https://10.0.0.2:8444");
        row(Format::Url, "unix:///run/mesh.sock");
        row(Format::Url, "10.0.0.2:8444", "missing scheme in url");
        row(Format::Url, "http:///x", "missing host in url");
        row(Format::Pem, "x", "expected a PEM text");
    }

    void textsAreChecked()
    {
        QFETCH(int, format);
        QFETCH(QString, text);
        QFETCH(QString, message);
        QCOMPARE(
            QString::fromStdString(checkFormat(static_cast<Format>(format), text.toStdString())),
            message
        );
    }

    void longTextsAreRefused()
    {
        QVERIFY(!checkFormat(Format::Name, std::string(10'000, 'a')).empty());
        QVERIFY(!checkFormat(Format::HeaderName, std::string(300, 'a')).empty());
    }

    void addressesAreSplitAndJoined()
    {
        QCOMPARE(splitHostPort("a:80")->host, std::string("a"));
        QCOMPARE(*splitHostPort("a:80")->port, std::uint16_t{80});
        QCOMPARE(splitHostPort("[::1]:80")->host, std::string("::1"));
        QVERIFY(!splitHostPort("::1")->port.has_value());
        QVERIFY(!splitHostPort("[::1").has_value());
        QVERIFY(!splitHostPort("a:99999").has_value());
        QVERIFY(!splitHostPort("").has_value());
        QCOMPARE(joinHostPort("::1", 80), std::string("[::1]:80"));
        QCOMPARE(withDefaultPort("a"), std::string("a:8000"));
        QCOMPARE(withDefaultPort("a:1"), std::string("a:1"));
        QCOMPARE(withDefaultPort("a:x"), std::string("a:x"));
    }
};

} // namespace mesh::model

QTEST_APPLESS_MAIN(mesh::model::FormatTest)
#include "format_test.moc"
