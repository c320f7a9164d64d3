// Goal: the index finds the same stream route as reading all of them in order of priority.
// Method: a reference that reads the routes' texts itself, bit by bit; routes and connections are
//         drawn from small alphabets, so that they meet often.
#include "proxyengine/policy/stream_router.h"

#include <QTest>

#include <rapidcheck.h>

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace mesh::policy {

using model::AddressMatch;
using model::Protocol;
using model::Route;

class PolicyStreamRouterProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void findsWhatALinearScanFinds();
};

namespace {

const std::vector<std::string> kIps = {"10.0.0.1", "10.0.0.2", "10.0.1.1", "10.128.0.1", "fd00::1"};
const std::vector<std::string> kRanges = {
    "10.0.0.1", "10.0.0.0/24", "10.0.0.0/9", "0.0.0.0/0", "fd00::/8", "::/0"};
const std::vector<std::string> kNames = {"a.x", "b.x", "a.b.x", "a.y", ""};
const std::vector<std::string> kPatterns = {"a.x", "b.x", "*.x", "*.b.x", "a.*", "A.Y."};
const std::vector<std::vector<Protocol>> kProtocols = {
    {Protocol::Tcp},
    {Protocol::Tls},
    {Protocol::Tcp, Protocol::Tls},
    {Protocol::TlsPassthrough},
    {Protocol::Udp},
    {Protocol::Tcp, Protocol::Udp}};

// The bits of an address as text, with its family before them.
std::string bitsOfIp(const std::string& text)
{
    std::array<unsigned char, 16> bytes{};
    const bool isFour = text.find(':') == std::string::npos;
    inet_pton(isFour ? AF_INET : AF_INET6, text.c_str(), bytes.data());
    std::string bits = isFour ? "4" : "6";
    for (int at = 0; at < (isFour ? 32 : 128); ++at) {
        const unsigned byte = bytes[static_cast<std::size_t>(at / 8)];
        bits += ((byte >> static_cast<unsigned>(7 - at % 8)) & 1U) != 0 ? '1' : '0';
    }
    return bits;
}

bool isInside(const std::string& range, const std::string& ip)
{
    const std::size_t slash = range.find('/');
    const std::string base = bitsOfIp(range.substr(0, slash));
    std::size_t count = base.size();
    if (slash != std::string::npos) {
        count = static_cast<std::size_t>(std::stoi(range.substr(slash + 1))) + 1;
    }
    return bitsOfIp(ip).substr(0, count) == base.substr(0, count);
}

struct Connection
{
    StreamKind kind = StreamKind::Plain;
    std::string source;
    std::string destination;
    std::uint16_t sourcePort = 0;
    std::uint16_t destinationPort = 0;
    std::string name;
};

bool isIn(const std::vector<AddressMatch>& matches, const std::string& ip, std::uint16_t port)
{
    return matches.empty() || std::ranges::any_of(matches, [&](const AddressMatch& match) {
               return (!match.ip || isInside(*match.ip, ip))
                      && (!match.port || *match.port == port);
           });
}

bool isNamed(const Route& route, const std::string& name)
{
    return route.snis.empty() || std::ranges::any_of(route.snis, [&](std::string pattern) {
               std::ranges::transform(pattern, pattern.begin(), [](char c) {
                   return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
               });
               if (pattern.ends_with('.')) {
                   pattern.pop_back();
               }
               if (pattern.starts_with('*')) {
                   return name.ends_with(pattern.substr(1));
               }
               if (pattern.ends_with('*')) {
                   pattern.pop_back();
                   return name.starts_with(pattern);
               }
               return name == pattern;
           });
}

bool has(const Route& route, Protocol protocol)
{
    return std::ranges::find(route.protocols, protocol) != route.protocols.end();
}

bool takes(const Route& route, const Connection& connection)
{
    bool isRight = false;
    bool isTls = false;
    switch (connection.kind) {
    case StreamKind::Plain:
        isRight = has(route, Protocol::Tcp);
        break;
    case StreamKind::TlsEnded:
        isRight = has(route, Protocol::Tcp) || has(route, Protocol::Tls);
        isTls = true;
        break;
    case StreamKind::TlsPassing:
        isRight = has(route, Protocol::Tcp) || has(route, Protocol::TlsPassthrough);
        isTls = true;
        break;
    case StreamKind::Datagrams:
        isRight = has(route, Protocol::Udp);
        break;
    }
    return isRight && (!isTls || isNamed(route, connection.name))
           && isIn(route.sources, connection.source, connection.sourcePort)
           && isIn(route.destinations, connection.destination, connection.destinationPort);
}

// Three numbers in order of importance, as the sheet says them in words.
std::array<int, 3> rankOf(const Route& route)
{
    const auto nibble = [](const std::vector<AddressMatch>& matches) {
        bool hasIp = false;
        bool hasPort = false;
        bool hasRange = false;
        for (const AddressMatch& match : matches) {
            const bool isRange = match.ip && match.ip->find('/') != std::string::npos;
            hasRange = hasRange || isRange;
            hasIp = hasIp || (match.ip && !isRange);
            hasPort = hasPort || match.port;
        }
        return (hasIp ? 8 : 0) + (hasPort ? 4 : 0) + (hasRange ? 1 : 0);
    };
    const bool isFirst =
        !route.snis.empty() || (!route.sources.empty() && !route.destinations.empty());
    return {isFirst ? 1 : 0, nibble(route.sources), nibble(route.destinations)};
}

std::optional<std::size_t> scan(const std::vector<Route>& routes, const Connection& connection)
{
    std::optional<std::size_t> best;
    for (std::size_t at = 0; at < routes.size(); ++at) {
        if (takes(routes[at], connection)
            && (!best || rankOf(routes[at]) > rankOf(routes[*best]))) {
            best = at;
        }
    }
    return best;
}

std::vector<AddressMatch> drawMatches()
{
    std::vector<AddressMatch> matches;
    const int count = *rc::gen::inRange(0, 3);
    for (int at = 0; at < count; ++at) {
        AddressMatch match;
        const int what = *rc::gen::inRange(0, 3);
        if (what != 1) {
            match.ip = *rc::gen::elementOf(kRanges);
        }
        if (what != 0) {
            match.port = *rc::gen::inRange<std::uint16_t>(1, 4);
        }
        matches.push_back(std::move(match));
    }
    return matches;
}

Route drawRoute()
{
    Route route;
    route.protocols = *rc::gen::elementOf(kProtocols);
    route.sources = drawMatches();
    route.destinations = drawMatches();
    const bool mayBeNamed = has(route, Protocol::Tls) || has(route, Protocol::TlsPassthrough);
    const int names = mayBeNamed ? *rc::gen::inRange(0, 3) : 0;
    for (int at = 0; at < names; ++at) {
        route.snis.push_back(*rc::gen::elementOf(kPatterns));
    }
    return route;
}

Connection drawConnection()
{
    Connection connection;
    connection.kind = *rc::gen::element(
        StreamKind::Plain, StreamKind::TlsEnded, StreamKind::TlsPassing, StreamKind::Datagrams
    );
    connection.source = *rc::gen::elementOf(kIps);
    connection.destination = *rc::gen::elementOf(kIps);
    connection.sourcePort = *rc::gen::inRange<std::uint16_t>(1, 4);
    connection.destinationPort = *rc::gen::inRange<std::uint16_t>(1, 4);
    connection.name = *rc::gen::elementOf(kNames);
    return connection;
}

} // namespace

void PolicyStreamRouterProperty::findsWhatALinearScanFinds()
{
    const bool holds = rc::check("the index agrees with a scan", [] {
        std::vector<Route> routes;
        const int count = *rc::gen::inRange(0, 12);
        for (int at = 0; at < count; ++at) {
            routes.push_back(drawRoute());
        }
        std::vector<const Route*> pointers;
        for (const Route& route : routes) {
            pointers.push_back(&route);
        }
        const StreamRouter router = StreamRouter::make(pointers);
        for (int at = 0; at < 8; ++at) {
            const Connection connection = drawConnection();
            StreamView view;
            view.kind = connection.kind;
            view.sourceIp = *IpAddress::parse(connection.source);
            view.destinationIp = *IpAddress::parse(connection.destination);
            view.sourcePort = connection.sourcePort;
            view.destinationPort = connection.destinationPort;
            view.serverName = connection.name;
            RC_ASSERT(router.match(view) == scan(routes, connection));
            const bool isWanted = std::ranges::any_of(routes, [&](const Route& route) {
                return has(route, Protocol::TlsPassthrough)
                       && isIn(route.sources, connection.source, connection.sourcePort)
                       && isIn(
                           route.destinations, connection.destination, connection.destinationPort
                       );
            });
            RC_ASSERT(router.wantsServerName(view) == isWanted);
        }
    });
    QVERIFY(holds);
}

} // namespace mesh::policy

QTEST_APPLESS_MAIN(mesh::policy::PolicyStreamRouterProperty)
#include "policy_stream_router_property.moc"
