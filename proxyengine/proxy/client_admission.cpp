#include "proxyengine/net/socket_address.h"
#include "proxyengine/policy/hash_key.h"
#include "proxyengine/policy/overload.h"
#include "proxyengine/proxy/client_connection.h"
#include "proxyengine/proxy/error_page.h"
#include "proxyengine/proxy/worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

// What stands between a matched route and the first attempt: overload, rate limits, injected
// faults, the breaker, the adaptive limit. In this order; the first that refuses answers.
namespace mesh::proxy {
namespace {

const config::ResiliencePlan kNothingSaid;

} // namespace

// Which part of the route's split takes this request.
std::optional<std::size_t> ClientConnection::chooseSplit(const config::RoutePlan& route)
{
    const Exchange& exchange = *m_exchange;
    if (route.split.empty()) {
        return std::nullopt;
    }
    const policy::SplitTable& table = exchange.runtime->activation.cells->splits.at(&route);
    if (!route.splitSticky) {
        return table.pick(m_worker.random());
    }
    std::string_view key;
    switch (route.splitSticky->by) {
    case model::StickyBy::Ip:
        key = m_peer;
        break;
    case model::StickyBy::Header:
        key = exchange.head.fields.find(route.splitSticky->name).value_or(std::string_view());
        break;
    case model::StickyBy::Cookie:
        key = policy::cookieOf(m_worker.headerViews(), route.splitSticky->name)
                  .value_or(std::string_view());
        break;
    }
    return key.empty() ? table.pick(m_worker.random()) : table.pickFor(key);
}

// Takes the state of the resilience plan on, or none when neither plan nor limits ask for it.
void ClientConnection::beginPolicy(std::optional<std::size_t> resilience)
{
    Exchange& exchange = *m_exchange;
    const Activation& activation = exchange.runtime->activation;
    const bool hasLimits = activation.cells->usages[exchange.service->upstream] != nullptr;
    const bool hasTimeout = exchange.isGrpc && exchange.head.fields.find("grpc-timeout");
    if (!resilience && !hasLimits && !hasTimeout) {
        return;
    }
    RequestPolicy& state = m_worker.takePolicy();
    exchange.policy = &state;
    state.owner = this;
    adoptPlan(resilience);
    if (hasTimeout) {
        adoptGrpcTimeout();
    }
}

// Makes this plan the request's; a fallback comes with its own.
void ClientConnection::adoptPlan(std::optional<std::size_t> resilience)
{
    Exchange& exchange = *m_exchange;
    RequestPolicy& state = *exchange.policy;
    const PolicyCells& cells = *exchange.runtime->activation.cells;
    state.plan =
        resilience ? &exchange.runtime->snapshot().resiliences[*resilience] : &kNothingSaid;
    state.compiled = resilience ? &cells.resiliences[*resilience] : nullptr;
    state.resilience = resilience.value_or(0);
    state.lane = policy::laneOf(state.plan->priority);
    state.retry = state.plan->retry ? cells.retries[*state.plan->retry] : nullptr;
    if (state.plan->hedge && exchange.upgrade.empty()) {
        state.race.emplace(state.plan->hedge->max);
    } else {
        state.race.reset();
    }
    if (state.plan->timeout && exchange.startedAt + *state.plan->timeout < state.deadline) {
        state.deadline = exchange.startedAt + *state.plan->timeout;
        state.deadlinePlan = state.plan;
        state.arm();
    }
    exchange.keepMax = 0;
    if (state.retry != nullptr) {
        exchange.keepMax = state.retry->rules.maxBodyBytes();
    }
    if (state.plan->mirror && state.plan->mirrorService) {
        exchange.keepMax =
            std::max(exchange.keepMax, static_cast<std::size_t>(state.plan->mirror->maxBodyBytes));
    }
}

void ClientConnection::refuseByPolicy(
    int status, std::string_view message, std::string reason, std::string_view extraFields
)
{
    Exchange& exchange = *m_exchange;
    if (exchange.policy != nullptr) {
        // After an attempt, an upstream has failed too, and the breaker shall know.
        exchange.policy->ending = exchange.attempts == 0 ? RequestPolicy::Ending::Abandoned
                                                         : RequestPolicy::Ending::Failed;
    }
    exchange.failureText = std::move(reason);
    answerSelf(status, message, exchange.failureText, extraFields);
}

// True: go on. False: answered, or waiting for an injected delay.
bool ClientConnection::admit()
{
    return admitByOverload() && admitByRate() && admitByFault() && admitByBreaker();
}

bool ClientConnection::admitByOverload()
{
    Exchange& exchange = *m_exchange;
    const auto& overload = exchange.runtime->snapshot().overload;
    if (!overload) {
        return true;
    }
    exchange.countedRequests = exchange.runtime->activation.cells->requests.get();
    policy::OverloadReading reading;
    reading.inFlight = exchange.countedRequests->fetch_add(1, std::memory_order_relaxed);
    reading.loopLag = m_worker.loopLag();
    const auto priority = exchange.policy == nullptr ? model::RequestPriority::Default
                                                     : exchange.policy->plan->priority;
    const double pressure = policy::pressureOf(*overload, reading);
    if (policy::decideOverload(*overload, priority, pressure, m_worker.random())
        == policy::OverloadVerdict::Admit) {
        return true;
    }
    std::string reason = policy::overloadReason(*overload, reading);
    noteVerdict("shed", fmt::format("service:{}", exchange.service->name), reason);
    refuseByPolicy(503, messageOf(503), std::move(reason), kOverloaded);
    return false;
}

// Whom the limit counts; the first byte keeps kinds apart. Good until the next call.
std::string_view ClientConnection::rateKey(const model::RateLimit& limit)
{
    Exchange& exchange = *m_exchange;
    std::string& key = exchange.keyBuffer;
    switch (limit.by) {
    case model::RateBy::Service:
        return {};
    case model::RateBy::Header:
        if (limit.header) {
            if (const auto value = exchange.head.fields.find(*limit.header)) {
                key.assign("h").append(*value);
                return key;
            }
        }
        break;
    case model::RateBy::Path:
        key.assign("p").append(exchange.path);
        return key;
    case model::RateBy::Consumer:
    case model::RateBy::Credential:
    case model::RateBy::Ip:
        break;
    }
    key.assign("a").append(net::networkOf(m_peer)); // Nobody authenticates yet.
    return key;
}

// Every limit counts the request or none does; the tightest is told in the answer's fields.
bool ClientConnection::admitByRate()
{
    Exchange& exchange = *m_exchange;
    if (exchange.policy == nullptr || exchange.policy->plan->rateLimits.empty()) {
        return true;
    }
    const config::ResiliencePlan& plan = *exchange.policy->plan;
    const PolicyCells& cells = *exchange.runtime->activation.cells;
    const policy::RateNow now{m_worker.loop().now(), m_worker.loop().wallNow()};
    policy::RateVerdict tightest;
    const RateCell* tightestCell = nullptr;
    for (std::size_t at = 0; at < plan.rateLimits.size(); ++at) {
        RateCell& cell = *cells.rateLimits[plan.rateLimits[at]];
        const policy::RateVerdict verdict = cell.table.take(rateKey(cell.plan.settings), now);
        const bool isFirst = tightestCell == nullptr;
        if (!verdict.isAdmitted || isFirst
            || policy::isTighter(
                verdict, cell.table.rule().window(), tightest, tightestCell->table.rule().window()
            )) {
            tightest = verdict;
            tightestCell = &cell;
        }
        appendFields(policy::periodHeaders(verdict, cell.table.rule().window()));
        if (verdict.isAdmitted) {
            continue;
        }
        for (std::size_t before = 0; before < at; ++before) {
            RateCell& counted = *cells.rateLimits[plan.rateLimits[before]];
            counted.table.giveBack(rateKey(counted.plan.settings), now);
        }
        break;
    }
    appendFields(policy::rateHeaders(tightest));
    if (tightest.isAdmitted) {
        return true;
    }
    const model::RateLimit& limit = tightestCell->plan.settings;
    noteVerdict(
        "rate_limited",
        tightestCell->plan.subject,
        fmt::format("more than {} requests in {} s", limit.requests, toSeconds(limit.per))
    );
    refuseByPolicy(limit.status, "API rate limit exceeded", "the rate limit is exceeded", {});
    return false;
}

void ClientConnection::appendFields(const policy::RateHeaders& headers)
{
    for (const policy::RateHeader& field : headers.all()) {
        m_exchange->answerFields.append(fmt::format("{}: {}\r\n", field.name, field.value));
    }
}

bool ClientConnection::admitByFault()
{
    Exchange& exchange = *m_exchange;
    RequestPolicy* state = exchange.policy;
    if (state == nullptr || state->compiled == nullptr || !state->compiled->fault) {
        return true;
    }
    const std::string_view id(exchange.requestId.data(), exchange.requestId.size());
    const policy::FaultVerdict verdict = state->compiled->fault->decide(id);
    if (verdict.isNone()) {
        return true;
    }
    noteVerdict(
        "fault_injected",
        state->plan->subject,
        verdict.abortStatus ? fmt::format("abort {}", *verdict.abortStatus)
                            : fmt::format("delay {} ms", toMilliseconds(verdict.delay))
    );
    state->faultStatus = verdict.abortStatus;
    if (verdict.delay > Duration{}) {
        state->wait = RequestPolicy::Wait::Fault;
        state->waitEnd = m_worker.loop().now() + verdict.delay;
        state->arm();
        return false;
    }
    return !abortByFault();
}

bool ClientConnection::abortByFault()
{
    RequestPolicy& state = *m_exchange->policy;
    if (!state.faultStatus) {
        return false;
    }
    refuseByPolicy(*state.faultStatus, "fault filter abort", "an injected fault", {});
    return true;
}

bool ClientConnection::admitByBreaker()
{
    Exchange& exchange = *m_exchange;
    RequestPolicy* state = exchange.policy;
    if (state == nullptr) {
        return true;
    }
    const PolicyCells& cells = *exchange.runtime->activation.cells;
    if (state->plan->breaker) {
        const auto& cell = cells.breakers[*state->plan->breaker];
        policy::BreakerAdmission admission;
        policy::step(cell->gate, [&](std::uint64_t& word) {
            admission =
                policy::admitThrough(policy::BreakerGate::fromWord(word), m_worker.random());
            const bool isChanged = admission.gate.word() != word;
            word = admission.gate.word();
            return isChanged;
        });
        if (!admission.isAdmitted()) {
            return serveFallback(cell->plan);
        }
        state->breaker = cell;
        state->breakerRound = admission.round();
    }
    return admitByConcurrency() && countInBudget();
}

bool ClientConnection::admitByConcurrency()
{
    Exchange& exchange = *m_exchange;
    RequestPolicy& state = *exchange.policy;
    if (!state.plan->adaptiveConcurrency) {
        return true;
    }
    const auto& cell =
        exchange.runtime->activation.cells->concurrencies[*state.plan->adaptiveConcurrency];
    policy::ConcurrencyAdmission admission;
    policy::step(cell->gate, [&admission](std::uint64_t& word) {
        admission = policy::enter(policy::ConcurrencyGate::fromWord(word));
        word = admission.gate.word();
        return admission.isAdmitted();
    });
    if (!admission.isAdmitted()) {
        noteVerdict(
            "concurrency_limited",
            cell->plan.subject,
            fmt::format("limit of {} requests in flight reached", admission.gate.limit())
        );
        refuseByPolicy(503, "reached concurrency limit", "reached concurrency limit", kOverloaded);
        return false;
    }
    state.concurrency = cell;
    state.concurrencyEpoch = admission.epoch();
    return true;
}

bool ClientConnection::countInBudget()
{
    RequestPolicy& state = *m_exchange->policy;
    if (state.hasBudget()) {
        policy::step(state.retry->budget, [](std::uint64_t& word) {
            policy::beginRequest(word);
            return true;
        });
        state.isInBudget = true;
    }
    if (state.compiled != nullptr && state.compiled->mirror && state.plan->mirrorService
        && m_exchange->upgrade.empty()) {
        const http::BodyFraming& body = m_exchange->head.body;
        const std::string_view id(m_exchange->requestId.data(), m_exchange->requestId.size());
        state.wantsMirror = state.compiled->mirror->decide(
                                id,
                                body.kind == http::BodyFraming::Kind::Chunked
                                    ? std::nullopt
                                    : std::optional<std::uint64_t>(body.length)
                            )
                            == policy::MirrorVerdict::Send;
    }
    return true;
}

// The breaker is open: another service, or the answer that is configured for this case.
bool ClientConnection::serveFallback(const config::KeptPlan<model::Breaker>& plan)
{
    Exchange& exchange = *m_exchange;
    RequestPolicy& state = *exchange.policy;
    const model::BreakerFallback& fallback = plan.settings.fallback;
    noteVerdict("fallback_served", plan.subject, "the breaker is open");
    if (!state.plan->fallbackService) {
        state.ending = RequestPolicy::Ending::Abandoned;
        if (fallback.body.empty() || exchange.isGrpc) {
            answerSelf(fallback.status, messageOf(fallback.status), "the breaker is open");
            return false;
        }
        answerRaw(fallback.status, fallback.contentType, fallback.body, "the breaker is open");
        return false;
    }
    const config::Snapshot& snapshot = exchange.runtime->snapshot();
    exchange.service = &snapshot.services[*state.plan->fallbackService];
    exchange.upstream = exchange.runtime->upstreams[exchange.service->upstream];
    exchange.retriesLeft = exchange.service->retries;
    if (exchange.head.asksForUpgrade) {
        chooseUpgrade(); // By what this service allows.
    }
    adoptPlan(state.plan->fallbackResilience);
    return admitByBreaker();
}

// What became of the request, for those that judge by it. Once; a tunnel says it when it opens.
void ClientConnection::settleVerdicts(RequestPolicy& state, Duration took)
{
    const Exchange& exchange = *m_exchange;
    const bool isFailed =
        state.ending == RequestPolicy::Ending::Failed
        || (state.ending == RequestPolicy::Ending::ByStatus && resultStatus() >= 500);
    const bool isAbandoned =
        state.ending == RequestPolicy::Ending::Abandoned || (!isFailed && exchange.status == 0);
    if (state.breaker != nullptr) {
        if (isAbandoned) {
            policy::step(state.breaker->gate, [&state](std::uint64_t& word) {
                const auto gate = policy::BreakerGate::fromWord(word);
                word = policy::returnProbe(gate, state.breakerRound).word();
                return true;
            });
        } else {
            m_worker.tally().breaker(
                state.breaker,
                state.breakerRound,
                isFailed ? policy::BreakerOutcome::Failed : policy::BreakerOutcome::Succeeded,
                took
            );
        }
        state.breaker.reset();
    }
    if (state.concurrency != nullptr) {
        policy::step(state.concurrency->gate, [](std::uint64_t& word) {
            word = policy::leave(policy::ConcurrencyGate::fromWord(word)).word();
            return true;
        });
        if (!isAbandoned && !isFailed) {
            m_worker.tally().concurrency(state.concurrency, state.concurrencyEpoch, took);
        }
        state.concurrency.reset();
    }
}

// Everything this request owes to policies is paid: at its end, whatever that was.
void ClientConnection::settlePolicy()
{
    Exchange& exchange = *m_exchange;
    if (exchange.countedRequests != nullptr) {
        exchange.countedRequests->fetch_sub(1, std::memory_order_relaxed);
        exchange.countedRequests = nullptr;
    }
    RequestPolicy* state = exchange.policy;
    if (state == nullptr) {
        return;
    }
    cancelHedges();
    exchange.policy = nullptr;
    leaveQueue(*state);
    endRetryHold(*state);
    settleVerdicts(*state, m_worker.loop().now() - exchange.startedAt);
    if (state->isInBudget) {
        policy::step(state->retry->budget, [](std::uint64_t& word) {
            policy::endRequest(word);
            return true;
        });
    }
    m_worker.giveBack(state);
}

} // namespace mesh::proxy
