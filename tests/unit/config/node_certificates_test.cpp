// Goal: the certificates a node shows are found with their uses, the soonest end first.
// Method: a document with certificates made here.
#include "proxyengine/config/node_certificates.h"

#include "proxyengine/tls/enrolment.h"

#include <QTest>

namespace mesh::config {
namespace {

const WallTime kNow = WallTime(std::chrono::seconds(1'800'000'000));
constexpr Duration kDay = std::chrono::hours(24);

model::Certificate certificateOf(const std::string& id, const std::string& identity, int days)
{
    const auto authority = tls::makeAuthority("shop", kNow, 365 * kDay);
    const auto request = tls::makeRequest(id, identity);
    model::Certificate made;
    made.id = id;
    made.key = request->keyPem;
    made.cert = tls::signRequest(request->requestPem, *authority, kNow, days * kDay).value_or("");
    return made;
}

model::Document shop()
{
    model::Document document;
    document.certificates = {
        certificateOf("c-node", "spiffe://shop.local/node/vm-1", 60),
        certificateOf("c-cart", "spiffe://shop.local/cart", 18),
        certificateOf("c-web", {}, 90)};
    model::Node sidecar;
    sidecar.name = "vm-1";
    sidecar.role = model::NodeRole::Sidecar;
    sidecar.certificate = "c-node";
    model::Node gateway;
    gateway.name = "edge-1";
    document.nodes = {sidecar, gateway};
    model::Workload cart;
    cart.name = "cart-1";
    cart.node = "vm-1";
    cart.certificate = "c-cart";
    document.workloads = {cart};
    return document;
}

} // namespace

class NodeCertificatesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aSidecarShowsItsOwnAndThoseOfItsWorkloads()
    {
        const auto found = certificatesOf(shop(), "vm-1");

        QCOMPARE(found.size(), std::size_t{2});
        QCOMPARE(found[0].use, std::string("workload cart-1"));
        QCOMPARE(found[0].identity, std::string("spiffe://shop.local/cart"));
        QVERIFY(found[0].notAfter == kNow + 18 * kDay);
        QCOMPARE(found[1].use, std::string("node"));
    }

    void aGatewayShowsWhatNobodyUsesAsIdentity()
    {
        const auto found = certificatesOf(shop(), "edge-1");

        QCOMPARE(found.size(), std::size_t{1});
        QCOMPARE(found[0].id, std::string("c-web"));
        QCOMPARE(found[0].use, std::string("gateway"));
    }

    void anUnknownNodeShowsNothing() { QVERIFY(certificatesOf(shop(), "vm-9").empty()); }

    void textThatIsNoCertificateIsLeftOut()
    {
        model::Document document = shop();
        document.certificates[1].cert = "nothing";

        QCOMPARE(certificatesOf(document, "vm-1").size(), std::size_t{1});
    }
};

} // namespace mesh::config

QTEST_APPLESS_MAIN(mesh::config::NodeCertificatesTest)
#include "node_certificates_test.moc"
