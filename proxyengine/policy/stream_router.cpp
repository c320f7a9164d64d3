#include "proxyengine/policy/stream_router.h"

#include "proxyengine/policy/route_rule.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

namespace mesh::policy {
namespace {

using model::AddressMatch;
using model::Protocol;
using model::Route;

std::uint64_t bitsOf(const std::vector<AddressMatch>& matches)
{
    std::uint64_t bits = 0;
    for (const AddressMatch& match : matches) {
        if (match.ip) {
            bits |= match.ip->find('/') == std::string::npos ? 8U : 1U;
        }
        bits |= match.port ? 4U : 0U;
    }
    return bits;
}

struct AddressRule
{
    std::optional<IpRange> range;
    std::optional<std::uint16_t> port;

    [[nodiscard]] bool matches(const IpAddress& ip, std::uint16_t number) const
    {
        return (!range || range->contains(ip)) && (!port || *port == number);
    }
};

// A record whose address cannot be read matches nothing; validation has refused it before.
std::vector<AddressRule> rulesOf(const std::vector<AddressMatch>& matches)
{
    std::vector<AddressRule> rules;
    for (const AddressMatch& match : matches) {
        AddressRule rule{std::nullopt, match.port};
        if (match.ip) {
            rule.range = IpRange::parse(*match.ip);
            if (!rule.range) {
                continue;
            }
        }
        rules.push_back(rule);
    }
    return rules;
}

constexpr unsigned bitOf(Protocol protocol) { return 1U << static_cast<unsigned>(protocol); }

unsigned protocolsOf(const Route& route)
{
    unsigned bits = 0;
    for (const Protocol protocol : route.protocols) {
        bits |= bitOf(protocol);
    }
    return bits;
}

constexpr unsigned kStreamBits = bitOf(Protocol::Tcp) | bitOf(Protocol::Tls)
                                 | bitOf(Protocol::TlsPassthrough) | bitOf(Protocol::Udp);

// The protocols of a route that takes a stream of this kind.
constexpr unsigned bitsFor(StreamKind kind)
{
    switch (kind) {
    case StreamKind::Plain:
        return bitOf(Protocol::Tcp);
    case StreamKind::TlsEnded:
        return bitOf(Protocol::Tls) | bitOf(Protocol::Tcp);
    case StreamKind::TlsPassing:
        return bitOf(Protocol::TlsPassthrough) | bitOf(Protocol::Tcp);
    case StreamKind::Datagrams:
        return bitOf(Protocol::Udp);
    }
    return 0;
}

constexpr bool isTls(StreamKind kind)
{
    return kind == StreamKind::TlsEnded || kind == StreamKind::TlsPassing;
}

bool isAnyMatched(const std::vector<AddressRule>& rules, const IpAddress& ip, std::uint16_t port)
{
    return std::ranges::any_of(rules, [&](const AddressRule& rule) {
        return rule.matches(ip, port);
    });
}

struct StreamRule
{
    std::size_t route = 0;
    unsigned protocols = 0;
    std::vector<AddressRule> sources;
    std::vector<AddressRule> destinations;
    std::vector<HostPattern> names;
    bool hasSources = false;
    bool hasDestinations = false;

    [[nodiscard]] bool takesAddresses(const StreamView& stream) const
    {
        return (!hasSources || isAnyMatched(sources, stream.sourceIp, stream.sourcePort))
               && (!hasDestinations
                   || isAnyMatched(destinations, stream.destinationIp, stream.destinationPort));
    }

    [[nodiscard]] bool takes(const StreamView& stream) const
    {
        const bool isNamed = names.empty() || !isTls(stream.kind)
                             || std::ranges::any_of(names, [&](const HostPattern& name) {
                                    return name.matches(stream.serverName);
                                });
        return (protocols & bitsFor(stream.kind)) != 0 && isNamed && takesAddresses(stream);
    }
};

// Ranks in ascending order, which is descending priority.
using Ranks = std::vector<std::uint32_t>;

// The order of equal words: the older, the lower id, the earlier.
bool isBefore(const Route& a, const Route& b)
{
    const auto age = [](const Route& route) {
        return route.createdAt.value_or(std::numeric_limits<std::int64_t>::max());
    };
    if (age(a) != age(b)) {
        return age(a) < age(b);
    }
    return a.id.value_or("") < b.id.value_or("");
}

} // namespace

struct StreamRouter::Compiled
{
    std::vector<StreamRule> rules; // By rank.
    // Every rule stands where a stream that it takes looks: by server name when it has any, for
    // streams without TLS also by port, when all its destinations have one, or else in `anywhere`.
    std::unordered_map<std::string, Ranks> byName;
    std::unordered_map<std::string, Ranks> bySuffix;
    std::unordered_map<std::string, Ranks> byPrefix;
    std::unordered_map<std::uint16_t, Ranks> byPort;
    Ranks anywhere;
    Ranks passing; // Rules with tls_passthrough.

    void add(std::uint32_t rank);
    void addByAddress(std::uint32_t rank);
};

void StreamRouter::Compiled::addByAddress(std::uint32_t rank)
{
    const StreamRule& rule = rules[rank];
    const bool haveAllPorts =
        rule.hasDestinations && std::ranges::all_of(rule.destinations, [](const AddressRule& each) {
            return each.port.has_value();
        });
    if (!haveAllPorts) {
        anywhere.push_back(rank);
        return;
    }
    for (const AddressRule& each : rule.destinations) {
        Ranks& ranks = byPort[*each.port];
        if (ranks.empty() || ranks.back() != rank) {
            ranks.push_back(rank);
        }
    }
}

void StreamRouter::Compiled::add(std::uint32_t rank)
{
    const StreamRule& rule = rules[rank];
    bool isIndexed = !rule.names.empty();
    for (const HostPattern& name : rule.names) {
        switch (name.kind) {
        case HostPattern::Kind::Exact:
            byName[name.text].push_back(rank);
            break;
        case HostPattern::Kind::Suffix:
            bySuffix[name.text].push_back(rank);
            break;
        case HostPattern::Kind::Prefix:
            byPrefix[name.text].push_back(rank);
            break;
        case HostPattern::Kind::Any:
            isIndexed = false;
            break;
        }
    }
    const unsigned withoutTls = bitOf(Protocol::Tcp) | bitOf(Protocol::Udp);
    if (!isIndexed || (rule.protocols & withoutTls) != 0) {
        addByAddress(rank);
    }
    if ((rule.protocols & bitOf(Protocol::TlsPassthrough)) != 0) {
        passing.push_back(rank);
    }
}

std::uint64_t streamPriorityWord(const Route& route)
{
    const bool hasBoth = !route.sources.empty() && !route.destinations.empty();
    const std::uint64_t first = !route.snis.empty() || hasBoth ? 1U : 0U;
    return (first << 61U) | (bitsOf(route.sources) << 4U) | bitsOf(route.destinations);
}

StreamRouter::StreamRouter()
    : m_compiled(std::make_unique<const Compiled>())
{}
StreamRouter::StreamRouter(std::unique_ptr<const Compiled> compiled)
    : m_compiled(std::move(compiled))
{}
StreamRouter::StreamRouter(StreamRouter&&) noexcept = default;
StreamRouter& StreamRouter::operator=(StreamRouter&&) noexcept = default;
StreamRouter::~StreamRouter() = default;

StreamRouter StreamRouter::make(const std::vector<const Route*>& routes)
{
    std::vector<std::size_t> order;
    for (std::size_t at = 0; at < routes.size(); ++at) {
        if ((protocolsOf(*routes[at]) & kStreamBits) != 0) {
            order.push_back(at);
        }
    }
    std::ranges::stable_sort(order, [&routes](std::size_t a, std::size_t b) {
        const std::uint64_t first = streamPriorityWord(*routes[a]);
        const std::uint64_t second = streamPriorityWord(*routes[b]);
        return first != second ? first > second : isBefore(*routes[a], *routes[b]);
    });
    auto compiled = std::make_unique<Compiled>();
    for (const std::size_t at : order) {
        const Route& route = *routes[at];
        StreamRule rule;
        rule.route = at;
        rule.protocols = protocolsOf(route);
        rule.sources = rulesOf(route.sources);
        rule.destinations = rulesOf(route.destinations);
        rule.hasSources = !route.sources.empty();
        rule.hasDestinations = !route.destinations.empty();
        for (std::string_view name : route.snis) {
            name.remove_suffix(name.ends_with('.') ? 1 : 0);
            if (auto pattern = HostPattern::make(name)) {
                rule.names.push_back(*std::move(pattern));
            }
        }
        compiled->rules.push_back(std::move(rule));
        compiled->add(static_cast<std::uint32_t>(compiled->rules.size() - 1));
    }
    return StreamRouter(std::move(compiled));
}

std::optional<std::size_t> StreamRouter::match(const StreamView& stream) const
{
    const Compiled& compiled = *m_compiled;
    std::uint32_t best = static_cast<std::uint32_t>(compiled.rules.size());
    const auto lookThrough = [&](const Ranks& ranks) {
        for (const std::uint32_t rank : ranks) {
            if (rank >= best) {
                return;
            }
            if (compiled.rules[rank].takes(stream)) {
                best = rank;
                return;
            }
        }
    };
    const auto lookUp = [&](const auto& index, const auto& key) {
        if (const auto found = index.find(key); found != index.end()) {
            lookThrough(found->second);
        }
    };
    if (isTls(stream.kind) && !stream.serverName.empty()) {
        const std::string name(stream.serverName);
        lookUp(compiled.byName, name);
        for (std::size_t dot = name.find('.'); dot != std::string::npos;
             dot = name.find('.', dot + 1)) {
            lookUp(compiled.bySuffix, name.substr(dot));
            lookUp(compiled.byPrefix, name.substr(0, dot + 1));
        }
    }
    lookUp(compiled.byPort, stream.destinationPort);
    lookThrough(compiled.anywhere);
    if (best == compiled.rules.size()) {
        return std::nullopt;
    }
    return compiled.rules[best].route;
}

bool StreamRouter::wantsServerName(const StreamView& stream) const
{
    return std::ranges::any_of(m_compiled->passing, [&](std::uint32_t rank) {
        return m_compiled->rules[rank].takesAddresses(stream);
    });
}

} // namespace mesh::policy
