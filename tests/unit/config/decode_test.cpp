#include "proxyengine/base/hash.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/config/codec.h"

#include <QTest>

namespace mesh::config {

class DecodeTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void anEmptyTextHasNoVersion_data()
    {
        QTest::addColumn<QString>("text");
        for (const char* const text : {"", "{}", "[]", "just text", "42", "# comment\n"}) {
            QTest::newRow(text) << QString::fromLatin1(text);
        }
    }

    void anEmptyTextHasNoVersion()
    {
        QFETCH(QString, text);
        QVERIFY(hasErrors(decode(text.toStdString()).problems));
    }

    void theHashIsThatOfTheCanonicalJson()
    {
        const DecodeResult result =
            decode("_format_version: '3.0'\nservices: [{name: b, host: x}, {name: a, host: y}]\n");
        QVERIFY(result.problems.empty());
        const std::string json = toJson(result.document);
        QCOMPARE(
            json,
            std::string(R"({"_format_version":"3.0","services":[{"name":"a","host":"y"},)"
                        R"({"name":"b","host":"x"}]})")
        );
        QCOMPARE(hashOf(result.document), sha256Hex(json));
        QCOMPARE(hashOf(decode(json).document), hashOf(result.document));
    }

    void masksSecretsWhenAsked()
    {
        model::Document document;
        model::Certificate& certificate = document.certificates.emplace_back();
        certificate.cert = "-----BEGIN CERTIFICATE-----\n";
        certificate.key = "-----BEGIN PRIVATE KEY-----\nsecret\n";
        QVERIFY(toYaml(document, Secrets::Masked).find("secret") == std::string::npos);
        QVERIFY(toJson(document, Secrets::Masked).find("***") != std::string::npos);
        QVERIFY(toYaml(document).find("secret") != std::string::npos);
    }

    void validatesDocumentsThatWereBuilt()
    {
        model::Document document;
        model::Service& service = document.services.emplace_back();
        service.name = "a";
        service.port = 0;
        service.routes.emplace_back().paths = {"/a//b"};
        const std::vector<Problem> problems = validate(document);
        QCOMPARE(problems.size(), std::size_t{2});
        QCOMPARE(problems[0].path, std::string("services[0].host"));
        QCOMPARE(problems[0].code, ErrorCode::MissingField);
        QCOMPARE(problems[1].path, std::string("services[0].routes[0].paths[0]"));
        QVERIFY(!problems[1].place.has_value());
    }

    void keepsTheFirstThousandProblems()
    {
        std::string text = "_format_version: '3.0'\nservices:\n";
        for (std::size_t at = 0; at < kConfigProblemsMax + 100; ++at) {
            text += "- {}\n";
        }
        QCOMPARE(decode(text).problems.size(), kConfigProblemsMax);
    }

    void problemsOfMovedRoutesKeepTheirPlace()
    {
        const DecodeResult result = decode("_format_version: '3.0'\n"
                                           "services: [{name: a, host: x}]\n"
                                           "routes:\n"
                                           "- {name: top, service: a, paths: [/t]}\n"
                                           "- {name: bad, service: a, paths: ['~/(']}\n");
        QCOMPARE(result.problems.size(), std::size_t{1});
        QCOMPARE(result.problems[0].path, std::string("routes[1].paths[0]"));
        QVERIFY((*result.problems[0].place == LineColumn{5, 35}));
        QCOMPARE(result.document.services[0].routes.size(), std::size_t{2});
    }

    void everyUnsupportedKeySaysSo_data()
    {
        QTest::addColumn<QString>("key");
        for (const char* const key :
             {"consumers",
              "consumer_groups",
              "vaults",
              "keys",
              "key_sets",
              "permissions",
              "_plugin_configs",
              "acls"}) {
            QTest::newRow(key) << QString::fromLatin1(key);
        }
    }

    void everyUnsupportedKeySaysSo()
    {
        QFETCH(QString, key);
        const std::string text = "_format_version: '3.0'\n" + key.toStdString() + ": []\n";
        const DecodeResult result = decode(text);
        QCOMPARE(result.problems.size(), std::size_t{1});
        QCOMPARE(result.problems[0].code, ErrorCode::Unsupported);
        QVERIFY((*result.problems[0].place == LineColumn{2, 1}));
    }
};

} // namespace mesh::config

QTEST_APPLESS_MAIN(mesh::config::DecodeTest)
#include "decode_test.moc"
