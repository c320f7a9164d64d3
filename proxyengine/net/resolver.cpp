#include "proxyengine/net/resolver.h"

#include "proxyengine/base/handles.h"

#include <ares.h>
#include <fmt/format.h>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/time.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <type_traits>
#include <utility>

namespace mesh::net {
namespace {

constexpr int kTries = 3;

std::string lowerOf(std::string_view text)
{
    std::string lower(text);
    for (char& letter : lower) {
        letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    }
    return lower;
}

std::vector<SocketAddress> withPorts(
    const std::vector<SocketAddress>& addresses, std::uint16_t port
)
{
    std::vector<SocketAddress> result;
    result.reserve(addresses.size());
    for (const SocketAddress& address : addresses) {
        result.push_back(address.withPort(port));
    }
    return result;
}

using ChannelPtr = std::unique_ptr<std::remove_pointer_t<ares_channel>, FreeWith<ares_destroy>>;
using AddressesPtr = std::unique_ptr<ares_addrinfo, FreeWith<ares_freeaddrinfo>>;

} // namespace

struct Resolver::State
{
    // One of c-ares' sockets.
    class Socket final : public FdHandler
    {
    public:
        Socket(State& state, ares_socket_t number)
            : m_state(state)
            , m_number(number)
        {}
        void onReady(Ready ready) override
        {
            m_state.process(
                ready.canRead() ? m_number : ARES_SOCKET_BAD,
                ready.canWrite() ? m_number : ARES_SOCKET_BAD
            );
        }

    private:
        State& m_state;
        ares_socket_t m_number;
    };

    struct Waiting
    {
        QueryId query;
        std::uint16_t port;
        ResolveFunction onResolved;
    };

    // A name that was asked for: being queried, or answered and valid for a while.
    struct Entry
    {
        bool isQuerying = false;
        TimePoint validUntil{};
        Result<std::vector<SocketAddress>> answer;
        std::vector<Waiting> waiting;
    };

    // The argument of c-ares' callback.
    struct Query
    {
        State* state;
        std::string name;
    };

    State(EventLoop& eventLoop, const ResolverOptions& resolverOptions)
        : loop(eventLoop)
        , options(resolverOptions)
        , timer(eventLoop.timers(), [this] { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); })
    {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State()
    {
        isStopping = true;
        channel.reset(); // Answers all queries with ARES_EDESTRUCTION and closes the sockets.
    }

    Result<void> start();
    void process(ares_socket_t readable, ares_socket_t writable);
    void armTimer();
    void setInterest(ares_socket_t number, bool read, bool write);
    void ask(const std::string& name);
    void finish(const std::string& name, int status, AddressesPtr found);
    void makeRoom();

    EventLoop& loop;
    ResolverOptions options;
    FunctionTimer timer;
    std::map<ares_socket_t, std::unique_ptr<Socket>> sockets;
    std::map<std::string, Entry> entries;
    std::vector<Waiting> calling; // Taken out by finish() and not called yet.
    std::uint64_t queries = 0;
    bool isStopping = false;
    ChannelPtr channel;
};

Result<void> Resolver::State::start()
{
    ares_options native{};
    native.timeout = static_cast<int>(toMilliseconds(options.timeout));
    native.tries = kTries;
    native.sock_state_cb_data = this;
    native.sock_state_cb = [](void* state, ares_socket_t number, int read, int write) {
        static_cast<State*>(state)->setInterest(number, read != 0, write != 0);
    };
    ares_channel made = nullptr;
    int status = ares_init_options(
        &made, &native, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB
    );
    if (status != ARES_SUCCESS) {
        return fail(ErrorCode::Dns, fmt::format("cannot start c-ares: {}", ares_strerror(status)));
    }
    channel.reset(made);
    if (!options.servers.empty()) {
        const std::string servers = fmt::format("{}", fmt::join(options.servers, ","));
        status = ares_set_servers_ports_csv(made, servers.c_str());
        if (status != ARES_SUCCESS) {
            return fail(ErrorCode::Dns, fmt::format("'{}': {}", servers, ares_strerror(status)));
        }
    }
    return {};
}

void Resolver::State::process(ares_socket_t readable, ares_socket_t writable)
{
    ares_process_fd(channel.get(), readable, writable);
    armTimer();
}

void Resolver::State::armTimer()
{
    timeval wait{};
    if (ares_timeout(channel.get(), nullptr, &wait) == nullptr) {
        timer.cancel();
        return;
    }
    timer.arm(
        loop.now() + std::chrono::seconds(wait.tv_sec) + std::chrono::microseconds(wait.tv_usec)
    );
}

void Resolver::State::setInterest(ares_socket_t number, bool read, bool write)
{
    const auto found = sockets.find(number);
    if (!read && !write) {
        if (found != sockets.end()) {
            loop.unwatch(number, *found->second);
            loop.destroyLater(std::move(found->second));
            sockets.erase(found);
        }
        return;
    }
    auto& socket = found != sockets.end() ? found->second : sockets[number];
    if (!socket) {
        socket = std::make_unique<Socket>(*this, number);
    }
    const LevelInterest both = read && write ? LevelInterest::Both : LevelInterest::Write;
    // A socket that cannot be watched runs into c-ares' own timeout.
    static_cast<void>(loop.watchLevel(number, *socket, read && !write ? LevelInterest::Read : both)
    );
}

void Resolver::State::ask(const std::string& name)
{
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    auto query = std::make_unique<Query>(Query{this, name});
    ares_getaddrinfo(
        channel.get(),
        name.c_str(),
        nullptr,
        &hints,
        [](void* argument, int status, int, ares_addrinfo* found) {
            const std::unique_ptr<Query> asked(static_cast<Query*>(argument));
            asked->state->finish(asked->name, status, AddressesPtr(found));
        },
        query.release()
    );
    armTimer();
}

void Resolver::State::finish(const std::string& name, int status, AddressesPtr found)
{
    if (isStopping) {
        return;
    }
    Entry& entry = entries[name];
    entry.isQuerying = false;
    std::vector<SocketAddress> addresses;
    Duration ttl = options.ttlMax;
    for (const auto* node = found ? found->nodes : nullptr; node != nullptr; node = node->ai_next) {
        addresses.push_back(SocketAddress::fromNative(node->ai_addr, node->ai_addrlen));
        ttl = std::min<Duration>(ttl, std::chrono::seconds(node->ai_ttl));
    }
    if (status == ARES_SUCCESS && !addresses.empty()) {
        entry.answer = std::move(addresses);
        entry.validUntil = loop.now() + std::max(ttl, options.ttlMin);
    } else {
        const auto code = status == ARES_ETIMEOUT ? ErrorCode::Timeout : ErrorCode::Dns;
        entry.answer =
            fail(code, fmt::format("cannot resolve '{}': {}", name, ares_strerror(status)));
        entry.validUntil = loop.now() + options.failureTtl;
    }

    // The functions may ask, cancel and thereby change `entries`.
    const auto answer = entry.answer;
    std::ranges::move(std::exchange(entry.waiting, {}), std::back_inserter(calling));
    while (!calling.empty()) {
        const Waiting next = std::move(calling.front());
        calling.erase(calling.begin());
        next.onResolved(answer.map([&next](const std::vector<SocketAddress>& bare) {
            return withPorts(bare, next.port);
        }));
    }
}

void Resolver::State::makeRoom()
{
    if (entries.size() < options.namesMax) {
        return;
    }
    auto first = entries.end();
    for (auto entry = entries.begin(); entry != entries.end(); ++entry) {
        const bool canGo = !entry->second.isQuerying && entry->second.waiting.empty();
        if (canGo
            && (first == entries.end() || entry->second.validUntil < first->second.validUntil)) {
            first = entry;
        }
    }
    if (first != entries.end()) {
        entries.erase(first);
    }
}

Result<std::unique_ptr<Resolver>> Resolver::make(EventLoop& loop, const ResolverOptions& options)
{
    auto state = std::make_unique<State>(loop, options);
    MESH_TRY_VOID(state->start());
    return std::unique_ptr<Resolver>(new Resolver(std::move(state)));
}

Resolver::Resolver(std::unique_ptr<State> state)
    : m_state(std::move(state))
{}

Resolver::~Resolver() = default;

QueryId Resolver::resolve(std::string_view host, std::uint16_t port, ResolveFunction onResolved)
{
    State& state = *m_state;
    const QueryId query(++state.queries);
    if (const auto literal = SocketAddress::fromLiteral(host, port)) {
        onResolved(std::vector{*literal});
        return query;
    }
    const std::string name = lowerOf(host);
    if (name == "localhost") {
        onResolved(std::vector{SocketAddress::loopback(port)});
        return query;
    }
    auto known = state.entries.find(name);
    if (known == state.entries.end()) {
        state.makeRoom();
        known = state.entries.try_emplace(name).first;
    }
    State::Entry& entry = known->second;
    if (!entry.isQuerying && entry.validUntil > state.loop.now()) {
        const auto answer = entry.answer; // The function may change the cache.
        onResolved(answer.map([port](const std::vector<SocketAddress>& bare) {
            return withPorts(bare, port);
        }));
        return query;
    }
    entry.waiting.push_back({query, port, std::move(onResolved)});
    if (!entry.isQuerying) {
        entry.isQuerying = true;
        state.ask(name);
    }
    return query;
}

void Resolver::cancel(QueryId query)
{
    const auto isIt = [query](const State::Waiting& waiting) { return waiting.query == query; };
    std::erase_if(m_state->calling, isIt);
    for (auto& [name, entry] : m_state->entries) {
        std::erase_if(entry.waiting, isIt);
    }
}

std::size_t Resolver::cachedNames() const { return m_state->entries.size(); }

} // namespace mesh::net
