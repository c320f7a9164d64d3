#include "proxyengine/policy/router.h"

#include "proxyengine/base/hash.h"
#include "proxyengine/policy/prefix_tree.h"
#include "proxyengine/policy/route_priority.h"
#include "proxyengine/policy/route_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <tuple>

namespace mesh::policy {

namespace {

constexpr std::uint32_t kNoRank = std::numeric_limits<std::uint32_t>::max();

// A group of a route: the unit of the order.
struct Entry
{
    std::size_t route = 0; // As given to make().
    std::size_t rule = 0;
    std::vector<std::size_t> patterns; // Of a regex group, in the order of the file.
    PathGroup group;
    std::uint64_t priority = 0;
};

// The routes of one host, or those that ask for none.
struct Bucket
{
    PrefixTree prefixes;
    std::vector<RouteItem> others; // Without paths, or with regular expressions; by rank.
};

struct BucketDraft
{
    std::vector<PrefixTree::Entry> prefixes;
    std::vector<RouteItem> others;
};

// Buckets by host, open addressing, at most half full.
class HostIndex
{
public:
    HostIndex() = default;
    explicit HostIndex(std::map<std::string, BucketDraft> drafts)
        : m_slots(drafts.empty() ? 0 : std::bit_ceil(drafts.size() * 2), kEmpty)
    {
        m_hosts.reserve(drafts.size());
        for (auto& [host, draft] : drafts) {
            std::size_t slot = xxh3(host, kSeed) & (m_slots.size() - 1);
            while (m_slots[slot] != kEmpty) {
                slot = (slot + 1) & (m_slots.size() - 1);
            }
            m_slots[slot] = static_cast<std::uint32_t>(m_hosts.size());
            m_hosts.push_back(
                {host, {PrefixTree(std::move(draft.prefixes)), std::move(draft.others)}}
            );
        }
    }

    [[nodiscard]] bool isEmpty() const { return m_hosts.empty(); }

    [[nodiscard]] const Bucket* find(std::string_view host) const
    {
        if (m_hosts.empty()) {
            return nullptr;
        }
        std::size_t slot = xxh3(host, kSeed) & (m_slots.size() - 1);
        for (; m_slots[slot] != kEmpty; slot = (slot + 1) & (m_slots.size() - 1)) {
            const Host& found = m_hosts[m_slots[slot]];
            if (found.name == host) {
                return &found.bucket;
            }
        }
        return nullptr;
    }

private:
    static constexpr std::uint32_t kEmpty = kNoRank;
    static constexpr std::uint64_t kSeed = 0x6d657368; // Any; the order of slots decides nothing.

    struct Host
    {
        std::string name;
        Bucket bucket;
    };

    std::vector<std::uint32_t> m_slots; // A power of two.
    std::vector<Host> m_hosts;
};

} // namespace

struct Router::Compiled
{
    std::vector<Entry> entries; // By falling priority: the rank is the place.
    std::vector<std::size_t> routes; // Of the entries, close together: most requests need no more.
    std::vector<RouteRule> rules;
    std::vector<Pattern> patterns;
    Bucket anyHost;
    HostIndex exactHosts;
    HostIndex suffixHosts; // ".x.com"
    HostIndex prefixHosts; // "x."
};

namespace {

// The search of one request: the best rank so far, and what it took of the path.
class Search
{
public:
    Search(const RequestView& request, const Router::Compiled& compiled)
        : m_request(request)
        , m_compiled(compiled)
    {}

    void lookThrough(const Bucket& bucket)
    {
        bucket.prefixes.walk(
            m_request.path,
            [this](std::span<const RouteItem> items, std::size_t bytes) {
                lookThrough(items, bytes);
            }
        );
        lookThrough(bucket.others, 0);
    }

    [[nodiscard]] std::optional<RouteMatch> result() const
    {
        if (m_rank == kNoRank) {
            return std::nullopt;
        }
        return RouteMatch{m_compiled.routes[m_rank], m_matched.bytes, m_matched.pattern};
    }

private:
    // Items are sorted by rank, so the first that holds is the best of them.
    void lookThrough(std::span<const RouteItem> items, std::size_t prefixBytes)
    {
        for (const RouteItem& item : items) {
            if (item.rank >= m_rank) {
                return;
            }
            if (item.port != 0 && item.port != m_request.port) {
                continue;
            }
            if (item.isPlain) {
                m_rank = item.rank;
                m_matched = {prefixBytes, nullptr};
                return;
            }
            const Entry& entry = m_compiled.entries[item.rank];
            if (!m_compiled.rules[entry.rule].matches(m_request)) {
                continue;
            }
            if (const auto matched = matchPath(entry, prefixBytes)) {
                m_rank = item.rank;
                m_matched = *matched;
                return;
            }
        }
    }

    struct Matched
    {
        std::size_t bytes = 0; // Of the path.
        const Pattern* pattern = nullptr;
    };

    [[nodiscard]] std::optional<Matched> matchPath(const Entry& entry, std::size_t prefixBytes)
        const
    {
        if (!entry.group.isRegex) {
            return Matched{prefixBytes, nullptr};
        }
        for (const std::size_t pattern : entry.patterns) {
            if (const auto bytes = m_compiled.patterns[pattern].prefixOf(m_request.path)) {
                return Matched{*bytes, &m_compiled.patterns[pattern]};
            }
        }
        return std::nullopt;
    }

    const RequestView& m_request;
    const Router::Compiled& m_compiled;
    std::uint32_t m_rank = kNoRank;
    Matched m_matched;
};

bool isHttp(const model::Route& route)
{
    using model::Protocol;
    return std::ranges::any_of(route.protocols, [](Protocol protocol) {
        return protocol == Protocol::Http || protocol == Protocol::Https
               || protocol == Protocol::Grpc || protocol == Protocol::Grpcs;
    });
}

// Higher priority, then older, then lower id, then earlier in the file. A route without a time or
// an id is younger, and higher, than one with.
bool isBefore(const Entry& a, const Entry& b, const std::vector<const model::Route*>& routes)
{
    if (a.priority != b.priority) {
        return a.priority > b.priority;
    }
    const auto key = [&routes](const Entry& entry) {
        const model::Route& route = *routes[entry.route];
        return std::tuple(
            route.createdAt.value_or(std::numeric_limits<std::int64_t>::max()),
            !route.id,
            route.id ? std::string_view(*route.id) : std::string_view(),
            entry.route
        );
    };
    return key(a) < key(b);
}

} // namespace

namespace {

// Everything that make() gathers before the order is known.
struct Draft
{
    const std::vector<const model::Route*>& routes;
    std::vector<Entry> entries;
    std::vector<RouteRule> rules;
    std::vector<Pattern> patterns;
    std::vector<std::vector<HostPattern>> hosts; // By rule; empty: any host.

    // Adds a route, or its refusals and nothing else.
    void add(std::size_t index, std::vector<Router::Refusal>& refusals)
    {
        const model::Route& route = *routes[index];
        const std::size_t refusedBefore = refusals.size();
        RouteRule rule = makeRule(index, route, refusals);
        std::vector<HostPattern> hostPatterns = makeHosts(index, route, refusals);
        std::vector<std::pair<std::size_t, Pattern>> regexes;
        for (std::size_t i = 0; i < route.paths.size(); ++i) {
            if (!route.paths[i].starts_with('~')) {
                continue;
            }
            auto pattern =
                Pattern::make(std::string_view(route.paths[i]).substr(1), Pattern::Case::Sensitive);
            if (pattern) {
                regexes.emplace_back(i, std::move(*pattern));
            } else {
                refusals.push_back({index, fmt::format("paths[{}]", i), pattern.error().message});
            }
        }
        if (route.regexPriority < 0
            || route.regexPriority > std::numeric_limits<std::int32_t>::max()) {
            refusals.push_back({index, "regex_priority", "value should be between 0 and 2147483647"}
            );
        }
        if (refusals.size() != refusedBefore) {
            return;
        }

        for (PathGroup& group : splitPaths(route)) {
            Entry entry;
            entry.route = index;
            entry.rule = rules.size();
            entry.priority = priorityWord(route, group);
            for (std::size_t i = 0; group.isRegex && i < regexes.size(); ++i) {
                entry.patterns.push_back(patterns.size() + i);
            }
            entry.group = std::move(group);
            entries.push_back(std::move(entry));
        }
        for (auto& [path, pattern] : regexes) {
            patterns.push_back(std::move(pattern));
        }
        rules.push_back(std::move(rule));
        hosts.push_back(std::move(hostPatterns));
    }

    static std::vector<HostPattern> makeHosts(
        std::size_t index, const model::Route& route, std::vector<Router::Refusal>& refusals
    )
    {
        std::vector<HostPattern> patterns;
        for (std::size_t i = 0; i < route.hosts.size(); ++i) {
            if (auto pattern = HostPattern::make(route.hosts[i])) {
                patterns.push_back(*std::move(pattern));
            } else {
                refusals.push_back(
                    {index, fmt::format("hosts[{}]", i), "a wildcard is *.name or name.*"}
                );
            }
        }
        return patterns;
    }
};

// The buckets of all hosts while they fill, in the order of ranks.
struct Drafts
{
    BucketDraft any;
    std::map<std::string, BucketDraft> exact;
    std::map<std::string, BucketDraft> suffix;
    std::map<std::string, BucketDraft> prefix;

    BucketDraft& of(const HostPattern& host)
    {
        switch (host.kind) {
        case HostPattern::Kind::Exact:
            return exact[host.text];
        case HostPattern::Kind::Suffix:
            return suffix[host.text];
        case HostPattern::Kind::Prefix:
            return prefix[host.text];
        case HostPattern::Kind::Any:
            break;
        }
        return any;
    }
};

void fill(BucketDraft& bucket, const Entry& entry, const model::Route& route, RouteItem item)
{
    if (entry.group.isRegex || entry.group.paths.empty()) {
        bucket.others.push_back(item);
        return;
    }
    for (const std::size_t path : entry.group.paths) {
        bucket.prefixes.emplace_back(route.paths[path], item);
    }
}

} // namespace

Router::Router()
    : m_compiled(std::make_unique<const Compiled>())
{}
Router::Router(std::unique_ptr<const Compiled> compiled)
    : m_compiled(std::move(compiled))
{}
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;
Router::~Router() = default;

Router Router::make(const std::vector<const model::Route*>& routes, std::vector<Refusal>& refusals)
{
    Draft draft{routes, {}, {}, {}, {}};
    for (std::size_t i = 0; i < routes.size(); ++i) {
        if (isHttp(*routes[i])) {
            draft.add(i, refusals);
        }
    }
    std::ranges::stable_sort(draft.entries, [&routes](const Entry& a, const Entry& b) {
        return isBefore(a, b, routes);
    });

    Drafts drafts;
    for (std::uint32_t rank = 0; rank < draft.entries.size(); ++rank) {
        const Entry& entry = draft.entries[rank];
        const model::Route& route = *routes[entry.route];
        const bool isPlain = !entry.group.isRegex && draft.rules[entry.rule].takesAll();
        if (draft.hosts[entry.rule].empty()) {
            fill(drafts.any, entry, route, {rank, 0, isPlain});
        }
        for (const HostPattern& host : draft.hosts[entry.rule]) {
            fill(drafts.of(host), entry, route, {rank, host.port, isPlain});
        }
    }

    auto compiled = std::make_unique<Compiled>();
    compiled->routes.reserve(draft.entries.size());
    for (const Entry& entry : draft.entries) {
        compiled->routes.push_back(entry.route);
    }
    compiled->entries = std::move(draft.entries);
    compiled->rules = std::move(draft.rules);
    compiled->patterns = std::move(draft.patterns);
    compiled->anyHost = {PrefixTree(std::move(drafts.any.prefixes)), std::move(drafts.any.others)};
    compiled->exactHosts = HostIndex(std::move(drafts.exact));
    compiled->suffixHosts = HostIndex(std::move(drafts.suffix));
    compiled->prefixHosts = HostIndex(std::move(drafts.prefix));
    return Router(std::move(compiled));
}

std::optional<RouteMatch> Router::match(const RequestView& request) const
{
    const Compiled& compiled = *m_compiled;
    Search search(request, compiled);
    // Routes with a host first: they usually outrank the others, whose regular expressions are then
    // not even tried.
    if (const Bucket* bucket = compiled.exactHosts.find(request.host)) {
        search.lookThrough(*bucket);
    }
    if (!compiled.suffixHosts.isEmpty() || !compiled.prefixHosts.isEmpty()) {
        for (std::size_t dot = request.host.find('.'); dot != std::string_view::npos;
             dot = request.host.find('.', dot + 1)) {
            if (const Bucket* bucket = compiled.suffixHosts.find(request.host.substr(dot))) {
                search.lookThrough(*bucket);
            }
            if (const Bucket* bucket = compiled.prefixHosts.find(request.host.substr(0, dot + 1))) {
                search.lookThrough(*bucket);
            }
        }
    }
    search.lookThrough(compiled.anyHost);
    return search.result();
}

} // namespace mesh::policy
