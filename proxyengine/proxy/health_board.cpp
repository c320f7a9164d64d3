#include "proxyengine/proxy/health_board.h"

#include "proxyengine/proxy/health_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

// Who is available and why; probes are in health_probes.cpp.
namespace mesh::proxy {
namespace {

using Override = policy::HealthMachine::Override;

constexpr int kServerErrors = 500;

// What ejection sees of what requests met.
policy::OutlierOutcome outcomeOf(const policy::Observation& observation)
{
    using Kind = policy::OutlierOutcome::Kind;
    switch (observation.kind) {
    case policy::Observation::Kind::ConnectFailure:
        return {Kind::ConnectFailure, 0};
    case policy::Observation::Kind::Timeout:
        return {Kind::Timeout, 0};
    case policy::Observation::Kind::Status:
        // An answer that was no HTTP is as bad as a reset: nothing of it could be passed on.
        return observation.status == 0 ? policy::OutlierOutcome{Kind::ConnectFailure, 0}
               : observation.status >= kServerErrors
                   ? policy::OutlierOutcome{Kind::Answer5xx, observation.status}
                   : policy::OutlierOutcome{Kind::Success, 0};
    case policy::Observation::Kind::Success:
        return {Kind::Success, 0};
    case policy::Observation::Kind::NotServing:
        break;
    }
    return {Kind::Answer5xx, 503};
}

// Whether a probe passed.
bool isSuccess(const policy::HealthRules& rules, const policy::Observation& probe)
{
    const auto& statuses = rules.active.healthyStatuses;
    return probe.kind == policy::Observation::Kind::Success
           || (probe.kind == policy::Observation::Kind::Status && probe.status > 0
               && statuses.test(static_cast<std::size_t>(probe.status) % statuses.size()));
}

std::string subjectOf(const config::UpstreamPlan& upstream, std::size_t target)
{
    return fmt::format("target:{}/{}", upstream.name, upstream.targets[target].address);
}

bool hasSameTargets(const config::UpstreamPlan& a, const config::UpstreamPlan& b)
{
    return std::ranges::equal(
        a.targets, b.targets, {}, &config::TargetPlan::address, &config::TargetPlan::address
    );
}

} // namespace

Result<std::unique_ptr<HealthBoard>> HealthBoard::make(
    net::EventLoop& loop, Seed seed, PolicyLedger& ledger, VerdictFunction onVerdict
)
{
    std::unique_ptr<HealthBoard> board(new HealthBoard(loop, seed, ledger, std::move(onVerdict)));
    MESH_TRY(board->m_resolver, net::Resolver::make(loop));
    return board;
}

HealthBoard::HealthBoard(
    net::EventLoop& loop, Seed seed, PolicyLedger& ledger, VerdictFunction onVerdict
)
    : m_loop(loop)
    , m_random(seed)
    , m_ledger(ledger)
    , m_onVerdict(std::move(onVerdict))
    , m_prober(loop)
    , m_tick(loop.timers(), [this] { tick(); })
{}

HealthBoard::~HealthBoard() = default;

HealthBoard::Group* HealthBoard::groupOf(const std::string& upstream) const
{
    const auto found = m_byName.find(upstream);
    return found == m_byName.end() ? nullptr : found->second;
}

void HealthBoard::apply(
    const config::Snapshot& snapshot, std::shared_ptr<const tls::ClientContext> mesh
)
{
    m_meshTls = std::move(mesh);
    m_zone = snapshot.zone;
    m_prober.forgetTrust();
    std::vector<std::unique_ptr<Group>> groups;
    for (const config::UpstreamPlan& plan : snapshot.upstreams) {
        groups.push_back(makeGroup(plan, groupOf(plan.name)));
    }
    const std::vector<std::unique_ptr<Group>> before = std::exchange(m_groups, std::move(groups));
    const auto namesBefore = std::exchange(m_byName, {});
    for (const auto& group : m_groups) {
        m_byName.emplace(group->plan.name, group.get());
    }
    for (const auto& [name, group] : namesBefore) {
        if (!m_byName.contains(name)) {
            group->zones.end(name, m_ledger);
        }
    }
    for (const auto& group : m_groups) {
        for (const auto& row : group->rows) {
            settle(*row);
        }
        watchZones(*group);
    }
    armTick();
}

std::unique_ptr<HealthBoard::Group> HealthBoard::makeGroup(
    const config::UpstreamPlan& plan, Group* old
)
{
    const TimePoint now = m_loop.now();
    auto group = std::make_unique<Group>();
    group->plan = plan;
    const bool hasSameChecks = old != nullptr && old->plan.healthchecks == plan.healthchecks;
    group->rules =
        hasSameChecks ? old->rules : std::make_shared<const policy::HealthRules>(plan.healthchecks);
    group->isProbed = group->rules->healthyInterval > Duration::zero()
                      || group->rules->unhealthyInterval > Duration::zero();
    std::vector<std::size_t> previousOf;
    for (std::size_t at = 0; at < plan.targets.size(); ++at) {
        const std::string& address = plan.targets[at].address;
        Row* known = old == nullptr ? nullptr : old->find(address);
        std::shared_ptr<Row> row;
        if (known != nullptr && hasSameChecks) {
            row = old->rows[known->at];
            old->byAddress.erase(address); // One of us has it.
        } else {
            row = std::make_shared<Row>(group->rules, now, m_random);
        }
        if (known != nullptr && !hasSameChecks) {
            static_cast<void>(row->machine.setOverride(now, known->machine.overrideWord()));
            row->isAvailable = known->isAvailable;
            row->since = known->since;
        }
        previousOf.push_back(known == nullptr ? policy::OutlierDetector::kNoHost : known->at);
        group->byAddress.emplace(address, at);
        group->rows.push_back(std::move(row));
    }
    makeDetector(*group, old, previousOf);
    if (old != nullptr) {
        group->zones = old->zones;
    }
    // Only now: what stood before was needed to find the way from old to new.
    for (std::size_t at = 0; at < group->rows.size(); ++at) {
        group->rows[at]->group = group.get();
        group->rows[at]->at = at;
        if (group->rows[at]->isProbing) {
            ++group->probing;
        }
    }
    return group;
}

void HealthBoard::makeDetector(Group& group, Group* old, const std::vector<std::size_t>& previousOf)
{
    const bool hadOne = old != nullptr && old->detector.has_value();
    if (!group.plan.outlierDetection) {
        for (std::size_t at = 0; hadOne && at < old->detector->size(); ++at) {
            if (old->detector->isEjected(at)) {
                m_ledger.change(
                    "returned", subjectOf(old->plan, at), "outlier detection was taken away"
                );
            }
        }
        return;
    }
    if (hadOne && old->plan.outlierDetection == group.plan.outlierDetection
        && hasSameTargets(old->plan, group.plan)) {
        group.detector = std::move(old->detector);
        return;
    }
    group.detector.emplace(*group.plan.outlierDetection, group.rows.size(), m_loop.now());
    if (hadOne) {
        for (const auto& verdict :
             group.detector->adopt(m_loop.now(), *old->detector, previousOf)) {
            take(group, verdict);
        }
    }
}

void HealthBoard::observe(const PassiveReport& report)
{
    Group* group = groupOf(report.upstream);
    Row* row = group == nullptr ? nullptr : group->find(report.target);
    if (row == nullptr) {
        return; // It was dropped while the report was on its way.
    }
    const bool isFree = row->machine.overrideWord() == Override::None;
    if (report.successesBefore > 0 && group->detector && isFree) {
        group->detector->observeSuccesses(row->at, report.successesBefore);
    }
    if (report.observation) {
        observe(*row, *report.observation);
    }
}

void HealthBoard::observe(Row& row, const policy::Observation& observation)
{
    Group& group = *row.group;
    const bool isProbe = observation.check == policy::Check::Active;
    const bool hasTurned = row.machine.observe(m_loop.now(), observation);
    const bool isFree = row.machine.overrideWord() == Override::None;
    if (group.detector && isFree) {
        std::optional<policy::OutlierVerdict> verdict;
        if (!isProbe) {
            verdict =
                group.detector->observe(m_loop.now(), row.at, outcomeOf(observation), m_random);
        } else if (isSuccess(*row.rules, observation)) {
            verdict = group.detector->onActiveSuccess(row.at);
        }
        if (verdict) {
            take(group, *verdict);
        }
    }
    if (hasTurned) {
        tellTurn(row);
    }
    settle(row);
}

// What the health checks or an operator say has changed.
void HealthBoard::tellTurn(const Row& row)
{
    m_ledger.tell(
        row.machine.isAvailable() ? "target.healthy" : "target.unhealthy",
        fmt::format("{}/{}", row.group->plan.name, row.plan().address),
        row.machine.reason()
    );
}

// Tells and counts; whoever calls settles the rows.
void HealthBoard::take(Group& group, const policy::OutlierVerdict& verdict)
{
    const std::string subject = subjectOf(group.plan, verdict.host);
    switch (verdict.kind) {
    case policy::OutlierVerdict::Kind::Ejected:
        m_ledger.change("ejected", subject, verdict.reason, toText(verdict.detector));
        break;
    case policy::OutlierVerdict::Kind::Returned:
        m_ledger.change("returned", subject, verdict.reason);
        break;
    case policy::OutlierVerdict::Kind::Suppressed:
        m_ledger.change("ejection_suppressed", subject, verdict.reason, toText(verdict.detector));
        break;
    }
}

std::string HealthBoard::ejectionOf(const Row& row) const
{
    const auto& detector = row.group->detector;
    return detector ? detector->reason(m_loop.now(), row.at) : std::string();
}

// Tells the verdict when it changed.
void HealthBoard::settle(Row& row)
{
    const bool isAvailable = policy::combine(row.machine, ejectionOf(row)).isAvailable;
    if (isAvailable == row.isAvailable) {
        return;
    }
    row.isAvailable = isAvailable;
    row.since = m_loop.now();
    m_onVerdict(stateOf(row));
    watchZones(*row.group);
}

void HealthBoard::watchZones(Group& group)
{
    std::vector<bool> isAvailable;
    for (const auto& row : group.rows) {
        isAvailable.push_back(row->isAvailable);
    }
    group.zones.update(group.plan, m_zone, isAvailable, m_loop.wallNow(), m_ledger);
}

bool HealthBoard::setOverride(const std::string& upstream, const std::string& target, Override word)
{
    Group* group = groupOf(upstream);
    Row* row = group == nullptr ? nullptr : group->find(target);
    if (row == nullptr) {
        return false;
    }
    const bool hasTurned = row->machine.setOverride(m_loop.now(), word);
    if (word == Override::Healthy && group->detector) {
        if (const auto verdict = group->detector->onOperatorHealthy(row->at)) {
            take(*group, *verdict);
        }
    }
    if (hasTurned) {
        tellTurn(*row);
    }
    settle(*row);
    armTick();
    return true;
}

WallTime HealthBoard::toWall(TimePoint time) const
{
    return m_loop.wallNow() - std::chrono::duration_cast<WallTime::duration>(m_loop.now() - time);
}

telemetry::TargetHealth HealthBoard::stateOf(const Row& row) const
{
    const Group& group = *row.group;
    const config::TargetPlan& target = row.plan();
    const bool isFree = row.machine.overrideWord() == Override::None;
    telemetry::TargetHealth health;
    health.upstream = group.plan.name;
    health.target = target.address;
    health.workload = target.workload;
    health.weight = target.weight;
    health.zone = target.zone;
    health.version = target.version;
    const policy::Availability availability = policy::combine(row.machine, ejectionOf(row));
    if (!availability.isAvailable) {
        const bool isDnsError = isFree && row.isUnknownName && !row.machine.isAvailable();
        health.state =
            isDnsError ? telemetry::TargetState::DnsError : telemetry::TargetState::Unhealthy;
    } else if (group.rules->isAnythingChecked() || group.detector || !isFree) {
        health.state = telemetry::TargetState::Healthy;
    }
    health.reason = availability.reason;
    if (isFree && !row.machine.isAvailable() && !row.probeFailure.empty()) {
        health.reason += fmt::format(" ({})", row.probeFailure);
    }
    health.since = toWall(row.since);
    if (group.detector && isFree) {
        if (const auto& ejection = group.detector->ejection(row.at)) {
            health.isEjected = true;
            health.ejectedUntil = toWall(ejection->until);
        }
        health.suppressed = group.detector->suppressed(row.at);
    }
    return health;
}

std::vector<telemetry::TargetHealth> HealthBoard::all() const
{
    std::vector<telemetry::TargetHealth> rows;
    for (const auto& group : m_groups) {
        for (const auto& row : group->rows) {
            rows.push_back(stateOf(*row));
        }
    }
    return rows;
}

std::vector<std::vector<bool>> HealthBoard::availability() const
{
    std::vector<std::vector<bool>> all;
    for (const auto& group : m_groups) {
        std::vector<bool>& row = all.emplace_back();
        for (const auto& target : group->rows) {
            row.push_back(target->isAvailable);
        }
    }
    return all;
}

void HealthBoard::fill(telemetry::StatsFrame& frame) const
{
    frame.health = all();
    for (const telemetry::TargetHealth& target : frame.health) {
        if (target.isEjected) {
            frame.states.push_back(
                {"ejected",
                 fmt::format("target:{}/{}", target.upstream, target.target),
                 target.reason,
                 target.since,
                 {}}
            );
        }
    }
    for (const auto& group : m_groups) {
        group->zones.fill(frame, group->plan.name);
    }
}

} // namespace mesh::proxy
