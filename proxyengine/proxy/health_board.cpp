#include "proxyengine/proxy/health_board.h"

#include <algorithm>
#include <utility>

namespace mesh::proxy {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(50); // How late a probe may be.

policy::Observation observationOf(const Result<http::Response>& answer)
{
    using Kind = policy::Observation::Kind;
    if (answer) {
        return {policy::Check::Active, Kind::Status, answer->status};
    }
    switch (answer.error().code) {
    case ErrorCode::Timeout:
        return {policy::Check::Active, Kind::Timeout, 0};
    case ErrorCode::Protocol:
    case ErrorCode::LimitExceeded:
        return {policy::Check::Active, Kind::Status, 0};
    default:
        return {policy::Check::Active, Kind::ConnectFailure, 0};
    }
}

} // namespace

struct HealthBoard::Row
{
    policy::HealthMachine machine;
};

struct HealthBoard::Group
{
    Group(const config::UpstreamPlan& from, TimePoint now, Random& random)
        : plan(from)
        , rules(from.healthchecks)
        , isChecked(rules.isAnythingChecked())
    {
        for (std::size_t at = 0; at < plan.targets.size(); ++at) {
            rows.push_back({policy::HealthMachine(rules, now, random)});
        }
    }
    config::UpstreamPlan plan;
    const policy::HealthRules rules;
    bool isChecked;
    std::vector<Row> rows; // By target.
};

// Connects, and that is all.
class HealthBoard::ConnectProbe final : private net::FdHandler
{
public:
    using DoneFunction = std::function<void(policy::Observation::Kind)>;

    static void start(
        net::EventLoop& loop,
        const net::SocketAddress& address,
        Duration timeout,
        DoneFunction onDone
    )
    {
        auto socket = net::connectTo(address);
        if (!socket) {
            onDone(policy::Observation::Kind::ConnectFailure);
            return;
        }
        std::unique_ptr<ConnectProbe> probe(
            new ConnectProbe(loop, std::move(*socket), std::move(onDone))
        );
        ConnectProbe& started = *probe;
        started.m_self = std::move(probe);
        if (!loop.watch(started.m_socket.get(), started)) {
            started.end(policy::Observation::Kind::ConnectFailure);
            return;
        }
        started.m_timer.arm(loop.now() + timeout);
    }

    ~ConnectProbe() = default;

private:
    ConnectProbe(net::EventLoop& loop, FileDescriptor socket, DoneFunction onDone)
        : m_loop(loop)
        , m_socket(std::move(socket))
        , m_onDone(std::move(onDone))
        , m_timer(loop.timers(), [this] { end(policy::Observation::Kind::Timeout); })
    {}

    void onReady(net::Ready) override
    {
        end(net::connectOutcome(m_socket.get()) ? policy::Observation::Kind::Status
                                                : policy::Observation::Kind::ConnectFailure);
    }

    void end(policy::Observation::Kind kind)
    {
        m_timer.cancel();
        m_loop.forget(*this);
        m_socket.reset();
        m_onDone(kind);
        m_loop.destroyLater(std::move(m_self));
    }

    net::EventLoop& m_loop;
    FileDescriptor m_socket;
    DoneFunction m_onDone;
    net::FunctionTimer m_timer;
    std::unique_ptr<ConnectProbe> m_self; // Until it has ended.
};

Result<std::unique_ptr<HealthBoard>> HealthBoard::make(
    net::EventLoop& loop, Seed seed, VerdictFunction onVerdict
)
{
    std::unique_ptr<HealthBoard> board(new HealthBoard(loop, seed, std::move(onVerdict)));
    MESH_TRY(board->m_resolver, net::Resolver::make(loop));
    board->m_client = std::make_unique<http::Client>(loop);
    return board;
}

HealthBoard::HealthBoard(net::EventLoop& loop, Seed seed, VerdictFunction onVerdict)
    : m_loop(loop)
    , m_random(seed)
    , m_onVerdict(std::move(onVerdict))
    , m_tick(loop.timers(), [this] { probeDue(); })
{}

HealthBoard::~HealthBoard() = default;

void HealthBoard::apply(const config::Snapshot& snapshot)
{
    std::vector<std::shared_ptr<Group>> groups;
    bool isAnyProbed = false;
    for (const config::UpstreamPlan& plan : snapshot.upstreams) {
        auto group = std::make_shared<Group>(plan, m_loop.now(), m_random);
        for (const auto& old : m_groups) {
            if (old->plan.name != plan.name || !(old->plan.healthchecks == plan.healthchecks)) {
                continue;
            }
            const bool hasSameTargets = std::ranges::equal(
                old->plan.targets,
                plan.targets,
                {},
                &config::TargetPlan::address,
                &config::TargetPlan::address
            );
            if (hasSameTargets) {
                old->plan = plan; // Its machines point to its rules: the whole group stays.
                group = old;
                break;
            }
        }
        isAnyProbed = isAnyProbed || group->isChecked;
        groups.push_back(std::move(group));
    }
    m_groups = std::move(groups);
    if (isAnyProbed) {
        m_tick.arm(m_loop.now() + kTick);
    } else {
        m_tick.cancel();
    }
}

void HealthBoard::observe(
    const std::string& upstream, const std::string& target, const policy::Observation& observation
)
{
    for (const auto& group : m_groups) {
        if (group->plan.name != upstream) {
            continue;
        }
        for (std::size_t at = 0; at < group->rows.size(); ++at) {
            if (group->plan.targets[at].address == target) {
                settle(*group, at, observation);
            }
        }
    }
}

void HealthBoard::settle(Group& group, std::size_t at, const policy::Observation& observation)
{
    if (group.rows[at].machine.observe(m_loop.now(), observation)) {
        m_onVerdict(stateOf(group, at));
    }
}

bool HealthBoard::setOverride(
    const std::string& upstream, const std::string& target, policy::HealthMachine::Override word
)
{
    bool isFound = false;
    for (const auto& group : m_groups) {
        for (std::size_t at = 0; at < group->rows.size(); ++at) {
            if (group->plan.name == upstream && group->plan.targets[at].address == target) {
                isFound = true;
                if (group->rows[at].machine.setOverride(m_loop.now(), word)) {
                    m_onVerdict(stateOf(*group, at));
                }
            }
        }
    }
    return isFound;
}

void HealthBoard::probeDue()
{
    const TimePoint now = m_loop.now();
    for (const auto& group : m_groups) {
        for (std::size_t at = 0; at < group->rows.size(); ++at) {
            const auto due = group->rows[at].machine.nextProbeAt();
            if (due && *due <= now) {
                group->rows[at].machine.onProbeStarted(now);
                probe(group, at);
            }
        }
    }
    m_tick.arm(now + kTick);
}

void HealthBoard::probe(const std::shared_ptr<Group>& group, std::size_t at)
{
    const config::TargetPlan& target = group->plan.targets[at];
    m_resolver->resolve(
        target.host,
        target.port,
        [this, group, at](const Result<std::vector<net::SocketAddress>>& addresses) {
            if (!addresses || addresses->empty()) {
                settle(
                    *group,
                    at,
                    {policy::Check::Active, policy::Observation::Kind::ConnectFailure, 0}
                );
                return;
            }
            probeAddress(group, at, addresses->front());
        }
    );
}

void HealthBoard::probeAddress(
    const std::shared_ptr<Group>& group, std::size_t at, const net::SocketAddress& address
)
{
    const model::ActiveHealthcheck& check = group->plan.healthchecks.active;
    if (check.type != model::ProbeType::Http) {
        ConnectProbe::start(
            m_loop,
            address,
            check.timeout,
            [this, group, at](policy::Observation::Kind kind) {
                settle(*group, at, {policy::Check::Active, kind, 200});
            }
        );
        return;
    }
    http::Call call;
    call.address = address;
    call.timeout = check.timeout;
    call.request.target = check.httpPath;
    call.request.headers.push_back({"Host", group->plan.targets[at].address});
    call.request.headers.push_back({"Connection", "close"});
    for (const model::HeaderMatch& header : check.headers) {
        for (const std::string& value : header.values) {
            call.request.headers.push_back({header.name, value});
        }
    }
    m_client->call(std::move(call), [this, group, at](const Result<http::Response>& answer) {
        settle(*group, at, observationOf(answer));
    });
}

WallTime HealthBoard::toWall(TimePoint time) const
{
    return m_loop.wallNow() - std::chrono::duration_cast<WallTime::duration>(m_loop.now() - time);
}

telemetry::TargetHealth HealthBoard::stateOf(const Group& group, std::size_t at) const
{
    const config::TargetPlan& target = group.plan.targets[at];
    const policy::HealthMachine& machine = group.rows[at].machine;
    telemetry::TargetHealth health;
    health.upstream = group.plan.name;
    health.target = target.address;
    health.workload = target.workload;
    health.weight = target.weight;
    if (!machine.isAvailable()) {
        health.state = telemetry::TargetState::Unhealthy;
    } else if (group.isChecked || machine.overrideWord() != policy::HealthMachine::Override::None) {
        health.state = telemetry::TargetState::Healthy;
    }
    health.reason = machine.reason();
    health.since = toWall(machine.since());
    return health;
}

std::vector<telemetry::TargetHealth> HealthBoard::all() const
{
    std::vector<telemetry::TargetHealth> rows;
    for (const auto& group : m_groups) {
        for (std::size_t at = 0; at < group->rows.size(); ++at) {
            rows.push_back(stateOf(*group, at));
        }
    }
    return rows;
}

std::vector<std::vector<bool>> HealthBoard::availability() const
{
    std::vector<std::vector<bool>> all;
    for (const auto& group : m_groups) {
        std::vector<bool>& row = all.emplace_back();
        for (const Row& target : group->rows) {
            row.push_back(target.machine.isAvailable());
        }
    }
    return all;
}

} // namespace mesh::proxy
