// Goal: a request made here and signed by an authority is a certificate that members of the mesh
// believe, with the identity that was asked for; what is wrong with a request is said.
// Method: requests and authorities of the code under test, read back by it.
#include "proxyengine/tls/enrolment.h"

#include "proxyengine/tls/context.h"

#include <QTest>

namespace mesh::tls {
namespace {

const WallTime kNow = WallTime(std::chrono::seconds(1'800'000'000));
constexpr Duration kDay = std::chrono::hours(24);

} // namespace

class EnrolmentTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aSignedRequestCarriesItsIdentity()
    {
        const auto authority = makeAuthority("shop mesh", kNow, 365 * kDay);
        const auto request = makeRequest("vm-3", "spiffe://shop.local/node/vm-3");
        QVERIFY(authority);
        QVERIFY(request);

        const auto signedPem = signRequest(request->requestPem, *authority, kNow, 30 * kDay);

        QVERIFY(signedPem);
        const auto facts = checkCertificate({*signedPem, request->keyPem, {}, {}, {}});
        QVERIFY(facts);
        QCOMPARE(facts->identity, std::string("spiffe://shop.local/node/vm-3"));
        QCOMPARE(facts->subject, std::string("CN=vm-3"));
        QVERIFY(!facts->isAuthority);
        QVERIFY(facts->notAfter == kNow + 30 * kDay);
        QVERIFY(facts->notBefore < kNow);
    }

    void aRequestWithoutIdentityHasItsNameAsDnsName()
    {
        const auto authority = makeAuthority("shop mesh", kNow, 365 * kDay);
        const auto request = makeRequest("console.shop", {});
        QVERIFY(authority);
        QVERIFY(request);

        const auto signedPem = signRequest(request->requestPem, *authority, kNow, kDay);

        QVERIFY(signedPem);
        const auto facts = readAuthorities(*signedPem);
        QVERIFY(facts);
        QCOMPARE(facts->front().names, std::vector<std::string>{"console.shop"});
    }

    void anAuthorityCanBeTrusted()
    {
        const auto authority = makeAuthority("shop mesh", kNow, kDay);
        QVERIFY(authority);

        ClientOptions options;
        options.caPem = authority->chainPem;

        QVERIFY(ClientContext::make(options));
        QVERIFY(readAuthorities(authority->chainPem)->front().isAuthority);
    }

    void whatIsNoRequestIsRefused()
    {
        const auto authority = makeAuthority("shop mesh", kNow, kDay);
        QVERIFY(authority);

        QVERIFY(!signRequest("-----BEGIN NOTHING-----", *authority, kNow, kDay));
        QVERIFY(!signRequest(authority->chainPem, *authority, kNow, kDay));
    }

    void aRequestThatWasChangedIsRefused()
    {
        const auto authority = makeAuthority("shop mesh", kNow, kDay);
        const auto mine = makeRequest("vm-3", {});
        QVERIFY(authority);
        QVERIFY(mine);
        // One letter of the name within the signed part: "vm-3" stands in base64 in the first line.
        std::string changed = mine->requestPem;
        const std::size_t at = changed.find('\n') + 30;
        changed[at] = changed[at] == 'A' ? 'B' : 'A';

        QVERIFY(!signRequest(changed, *authority, kNow, kDay));
    }

    void aKeyOfAnotherAuthorityIsRefused()
    {
        const auto one = makeAuthority("one", kNow, kDay);
        const auto other = makeAuthority("other", kNow, kDay);
        const auto request = makeRequest("vm-3", {});
        QVERIFY(one && other && request);

        const auto answer = signRequest(
            request->requestPem, {one->chainPem, other->keyPem, {}, {}, {}}, kNow, kDay
        );

        QVERIFY(!answer);
        QCOMPARE(answer.error().code, ErrorCode::Tls);
    }

    void namesThatCannotBeAreRefused()
    {
        QVERIFY(!makeRequest("", {}));
        QVERIFY(!makeRequest(std::string(65, 'a'), {}));
        QVERIFY(!makeRequest("vm-3", "https://shop.local/vm-3"));
    }
};

} // namespace mesh::tls

QTEST_APPLESS_MAIN(mesh::tls::EnrolmentTest)
#include "enrolment_test.moc"
