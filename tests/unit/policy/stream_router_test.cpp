// Goal: which stream route takes a connection: addresses, ranges, ports, server names, and the
// order of the gateway's priorities.
// Method: routes by hand, one question each.
#include "proxyengine/policy/stream_router.h"

#include <QTest>

namespace mesh::policy {

using model::AddressMatch;
using model::Protocol;
using model::Route;

namespace {

Route routeOf(std::vector<Protocol> protocols)
{
    Route route;
    route.protocols = std::move(protocols);
    return route;
}

StreamView viewOf(StreamKind kind, std::string_view destination, std::uint16_t port)
{
    StreamView view;
    view.kind = kind;
    view.sourceIp = *IpAddress::parse("10.1.2.3");
    view.sourcePort = 40'000;
    view.destinationIp = *IpAddress::parse(destination);
    view.destinationPort = port;
    return view;
}

std::optional<std::size_t> matchOf(const std::vector<Route>& routes, const StreamView& view)
{
    std::vector<const Route*> pointers;
    for (const Route& route : routes) {
        pointers.push_back(&route);
    }
    return StreamRouter::make(pointers).match(view);
}

} // namespace

class StreamRouterTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aRangeHoldsWhatBeginsWithItsBits_data();
    void aRangeHoldsWhatBeginsWithItsBits();
    void theDestinationPortDecides();
    void aSourceRangeDecides();
    void onlyRoutesOfTheProtocolMatch_data();
    void onlyRoutesOfTheProtocolMatch();
    void serverNamesMatchExactlyOrByTheirEnds_data();
    void serverNamesMatchExactlyOrByTheirEnds();
    void moreExactAddressesWin_data();
    void moreExactAddressesWin();
    void equalOnesGoToTheOlderThenTheLowerIdThenTheEarlier();
    void aServerNameIsWantedOnlyWhereItCouldMatter();
    void elementsOfOneListAreAlternatives();
};

void StreamRouterTest::aRangeHoldsWhatBeginsWithItsBits_data()
{
    QTest::addColumn<QByteArray>("range");
    QTest::addColumn<QByteArray>("address");
    QTest::addColumn<bool>("isInside");
    const auto row = [](const char* range, const char* address, bool isInside) {
        QTest::addRow("%s in %s", address, range)
            << QByteArray(range) << QByteArray(address) << isInside;
    };
    row("10.0.0.0/8", "10.255.0.1", true);
    row("10.0.0.0/8", "11.0.0.1", false);
    row("10.0.0.77/8", "10.1.1.1", true);
    row("192.168.4.0/22", "192.168.7.255", true);
    row("192.168.4.0/22", "192.168.8.0", false);
    row("127.0.0.1", "127.0.0.1", true);
    row("127.0.0.1", "127.0.0.2", false);
    row("127.0.0.1", "::ffff:127.0.0.1", true);
    row("0.0.0.0/0", "8.8.8.8", true);
    row("0.0.0.0/0", "::1", false);
    row("::/0", "::1", true);
    row("::/0", "8.8.8.8", false);
    row("fd00::/9", "fd7f::1", true);
    row("fd00::/9", "fd80::1", false);
    row("::1", "::1", true);
}

void StreamRouterTest::aRangeHoldsWhatBeginsWithItsBits()
{
    QFETCH(const QByteArray, range);
    QFETCH(const QByteArray, address);
    QFETCH(const bool, isInside);
    const auto parsed = IpRange::parse(range.toStdString());
    QVERIFY(parsed.has_value());
    QCOMPARE(parsed->contains(*IpAddress::parse(address.toStdString())), isInside);
    QVERIFY(!IpRange::parse("10.0.0.0/33").has_value());
    QVERIFY(!IpRange::parse("10.0.0.0/").has_value());
    QVERIFY(!IpRange::parse("10.0.0/8").has_value());
    QVERIFY(!IpRange::parse("fd00::/129").has_value());
    QVERIFY(!IpRange::parse("fd00::/-1").has_value());
}

void StreamRouterTest::theDestinationPortDecides()
{
    std::vector<Route> routes(3, routeOf({Protocol::Tcp}));
    routes[0].destinations = {AddressMatch{std::nullopt, 5432}};
    routes[1].destinations = {AddressMatch{std::nullopt, 6379}};
    routes[2].destinations = {AddressMatch{"10.0.0.9", std::nullopt}};
    const auto at = [&](std::string_view ip, std::uint16_t port) {
        return matchOf(routes, viewOf(StreamKind::Plain, ip, port));
    };
    QCOMPARE(at("10.0.0.1", 5432), std::optional<std::size_t>(0));
    QCOMPARE(at("10.0.0.1", 6379), std::optional<std::size_t>(1));
    QCOMPARE(at("10.0.0.9", 80), std::optional<std::size_t>(2));
    QCOMPARE(at("10.0.0.1", 80), std::optional<std::size_t>());
}

void StreamRouterTest::aSourceRangeDecides()
{
    std::vector<Route> routes(2, routeOf({Protocol::Tcp}));
    routes[0].sources = {AddressMatch{"10.1.0.0/16", std::nullopt}};
    routes[1].sources = {AddressMatch{"10.2.0.0/16", std::nullopt}};
    StreamView view = viewOf(StreamKind::Plain, "10.0.0.1", 80);
    QCOMPARE(matchOf(routes, view), std::optional<std::size_t>(0));
    view.sourceIp = *IpAddress::parse("10.2.9.9");
    QCOMPARE(matchOf(routes, view), std::optional<std::size_t>(1));
    view.sourceIp = *IpAddress::parse("10.3.9.9");
    QCOMPARE(matchOf(routes, view), std::optional<std::size_t>());
}

void StreamRouterTest::onlyRoutesOfTheProtocolMatch_data()
{
    QTest::addColumn<int>("protocol");
    QTest::addColumn<QByteArray>("kinds"); // p plain, e TLS ended, t TLS passing, u datagrams.
    QTest::newRow("tcp") << int(Protocol::Tcp) << QByteArray("pet");
    QTest::newRow("tls") << int(Protocol::Tls) << QByteArray("e");
    QTest::newRow("tls_passthrough") << int(Protocol::TlsPassthrough) << QByteArray("t");
    QTest::newRow("udp") << int(Protocol::Udp) << QByteArray("u");
    QTest::newRow("http") << int(Protocol::Http) << QByteArray();
}

void StreamRouterTest::onlyRoutesOfTheProtocolMatch()
{
    QFETCH(const int, protocol);
    QFETCH(const QByteArray, kinds);
    Route route = routeOf({static_cast<Protocol>(protocol)});
    route.destinations = {AddressMatch{std::nullopt, 443}};
    QByteArray taken;
    const auto ask = [&](char letter, StreamKind kind) {
        if (matchOf({route}, viewOf(kind, "10.0.0.1", 443))) {
            taken.append(letter);
        }
    };
    ask('p', StreamKind::Plain);
    ask('e', StreamKind::TlsEnded);
    ask('t', StreamKind::TlsPassing);
    ask('u', StreamKind::Datagrams);
    QCOMPARE(taken, kinds);
}

void StreamRouterTest::serverNamesMatchExactlyOrByTheirEnds_data()
{
    QTest::addColumn<QByteArray>("pattern");
    QTest::addColumn<QByteArray>("name");
    QTest::addColumn<bool>("isTaken");
    QTest::newRow("equal") << QByteArray("a.example") << QByteArray("a.example") << true;
    QTest::newRow("other") << QByteArray("a.example") << QByteArray("b.example") << false;
    QTest::newRow("dot at the end") << QByteArray("a.example.") << QByteArray("a.example") << true;
    QTest::newRow("upper case") << QByteArray("A.Example") << QByteArray("a.example") << true;
    QTest::newRow("suffix") << QByteArray("*.example") << QByteArray("a.b.example") << true;
    QTest::newRow("suffix alone") << QByteArray("*.example") << QByteArray("example") << false;
    QTest::newRow("prefix") << QByteArray("db.*") << QByteArray("db.eu.example") << true;
    QTest::newRow("no name") << QByteArray("a.example") << QByteArray() << false;
}

void StreamRouterTest::serverNamesMatchExactlyOrByTheirEnds()
{
    QFETCH(const QByteArray, pattern);
    QFETCH(const QByteArray, name);
    QFETCH(const bool, isTaken);
    Route route = routeOf({Protocol::TlsPassthrough});
    route.snis = {pattern.toStdString()};
    const std::string text = name.toStdString();
    StreamView view = viewOf(StreamKind::TlsPassing, "10.0.0.1", 443);
    view.serverName = text;
    QCOMPARE(matchOf({route}, view).has_value(), isTaken);
}

void StreamRouterTest::moreExactAddressesWin_data()
{
    QTest::addColumn<QByteArray>("winner");
    QTest::addColumn<QByteArray>("loser");
    // s source, d destination, each: a address, p port, r range; n server name.
    QTest::newRow("address over port") << QByteArray("da") << QByteArray("dp");
    QTest::newRow("port over range") << QByteArray("dp") << QByteArray("dr");
    QTest::newRow("source over destination") << QByteArray("sr") << QByteArray("da dp");
    QTest::newRow("both over one") << QByteArray("sr dr") << QByteArray("sa sp");
    QTest::newRow("server name over addresses") << QByteArray("n") << QByteArray("sa sp");
    QTest::newRow("name and address over name") << QByteArray("n dp") << QByteArray("n");
}

void StreamRouterTest::moreExactAddressesWin()
{
    QFETCH(const QByteArray, winner);
    QFETCH(const QByteArray, loser);
    const auto make = [](const QByteArray& words) {
        Route route = routeOf({Protocol::Tls});
        for (const QByteArray& word : words.split(' ')) {
            if (word == "n") {
                route.snis = {"a.example"};
                continue;
            }
            const bool isSource = word.startsWith('s');
            AddressMatch match;
            if (word.endsWith('p')) {
                match.port = isSource ? 40'000 : 443;
            } else {
                match.ip = isSource ? "10.1.2.3" : "10.0.0.1";
                *match.ip += word.endsWith('r') ? "/24" : "";
            }
            (isSource ? route.sources : route.destinations).push_back(match);
        }
        return route;
    };
    StreamView view = viewOf(StreamKind::TlsEnded, "10.0.0.1", 443);
    view.serverName = "a.example";
    QCOMPARE(matchOf({make(loser), make(winner)}, view), std::optional<std::size_t>(1));
    QCOMPARE(matchOf({make(winner), make(loser)}, view), std::optional<std::size_t>(0));
}

void StreamRouterTest::equalOnesGoToTheOlderThenTheLowerIdThenTheEarlier()
{
    Route route = routeOf({Protocol::Tcp});
    route.destinations = {AddressMatch{std::nullopt, 443}};
    std::vector<Route> routes(3, route);
    const StreamView view = viewOf(StreamKind::Plain, "10.0.0.1", 443);
    QCOMPARE(matchOf(routes, view), std::optional<std::size_t>(0));
    routes[1].id = "b";
    routes[2].id = "a";
    routes[0].id = "c";
    QCOMPARE(matchOf(routes, view), std::optional<std::size_t>(2));
    routes[1].createdAt = 5;
    QCOMPARE(matchOf(routes, view), std::optional<std::size_t>(1));
}

void StreamRouterTest::aServerNameIsWantedOnlyWhereItCouldMatter()
{
    Route passing = routeOf({Protocol::TlsPassthrough});
    passing.snis = {"a.example"};
    passing.destinations = {AddressMatch{std::nullopt, 443}};
    Route plain = routeOf({Protocol::Tcp});
    plain.destinations = {AddressMatch{std::nullopt, 5432}};
    const StreamRouter router = StreamRouter::make({&passing, &plain});
    QVERIFY(router.wantsServerName(viewOf(StreamKind::Plain, "10.0.0.1", 443)));
    QVERIFY(!router.wantsServerName(viewOf(StreamKind::Plain, "10.0.0.1", 5432)));
}

void StreamRouterTest::elementsOfOneListAreAlternatives()
{
    Route route = routeOf({Protocol::Tcp});
    route.destinations = {
        AddressMatch{"10.0.0.1", std::uint16_t{80}}, AddressMatch{"10.0.0.2", std::uint16_t{81}}};
    const auto takes = [&](std::string_view ip, std::uint16_t port) {
        return matchOf({route}, viewOf(StreamKind::Plain, ip, port)).has_value();
    };
    QVERIFY(takes("10.0.0.1", 80));
    QVERIFY(takes("10.0.0.2", 81));
    QVERIFY(!takes("10.0.0.1", 81));
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::StreamRouterTest)
#include "stream_router_test.moc"
