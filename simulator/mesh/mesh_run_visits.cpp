#include "simulator/mesh/mesh_run.h"
#include "simulator/mesh/run_events.h"

// The callee's side: what an instance does with one attempt.
namespace mesh::simulator {
namespace {

constexpr int kOwnFailure = 500;
constexpr int kCallFailed = 502;
constexpr int kQueueFull = 503;

Duration times(Duration length, double factor)
{
    return Duration(static_cast<Duration::rep>(static_cast<double>(length.count()) * factor));
}

} // namespace

// The attempt's request is on its way: from now on it is known here, whatever its caller does.
void MeshRun::sendTo(SlabHandle handle, Duration wait)
{
    const SlabHandle made = m_visits.take();
    const Attempt& attempt = m_attempts[handle];
    const Call& call = m_calls[attempt.call];
    Visit& visit = m_visits[made];
    visit.attempt = handle;
    visit.proxy = call.proxy;
    visit.instance = attempt.instance;
    visit.epoch = m_instances[attempt.instance].epoch;
    visit.root = call.root;
    visit.path = attempt.path;
    visit.luck = luckOf(m_settings.seed, {call.root, call.path, attempt.number, LuckFor::Service});
    if (m_tracer != nullptr) {
        m_tracer->beginVisit(made, handle);
    }
    if (wait == Duration::zero()) {
        arriveAt(made);
    } else {
        schedule(wait, kArrived, made);
    }
}

void MeshRun::arriveAt(SlabHandle handle)
{
    if (stall(handle, kArrived)) {
        return;
    }
    ++m_hops;
    Visit& visit = m_visits[handle];
    InstanceState& instance = m_instances[visit.instance];
    if (const auto status = meetError(visit)) {
        visit.status = *status;
        schedule(Duration::zero(), kAnswer, handle);
        return;
    }
    const ServiceState& model = m_models[instance.service];
    if (instance.busy < model.concurrency) {
        startWork(handle);
    } else if (instance.waiting < model.queue) {
        ++instance.waiting;
        if (instance.last.isNone()) {
            instance.first = handle;
        } else {
            m_visits[instance.last].next = handle;
        }
        instance.last = handle;
    } else {
        visit.status = kQueueFull;
        schedule(model.rejectTime, kAnswer, handle);
    }
}

void MeshRun::setBusy(std::uint32_t at, int by)
{
    InstanceState& instance = m_instances[at];
    instance.busy += by;
    m_models[instance.service].busy.change(m_agenda.now(), by, m_settings.windows);
}

void MeshRun::startWork(SlabHandle handle)
{
    Visit& visit = m_visits[handle];
    const InstanceState& instance = m_instances[visit.instance];
    visit.hasWorker = true;
    if (m_tracer != nullptr) {
        m_tracer->beginWork(m_agenda.now(), handle);
    }
    setBusy(visit.instance, 1);
    const Duration time = m_models[instance.service].serviceTime.draw(visit.luck);
    const double factor = meetSlowness(visit);
    visit.frozenBefore = frozenFor(instance);
    foresee(visit.instance);
    schedule(factor == 1.0 ? time : times(time, factor), kWorked, handle);
}

// What the instance's calls will touch is fetched while its service time passes: in a large mesh
// hardly anything of it is still near. Each step is taken some visits later than the one before,
// when that has arrived.
void MeshRun::foresee(std::uint32_t instance)
{
    constexpr std::size_t kStep = 6; // Visits.
    static_assert(2 * kStep < std::tuple_size_v<decltype(m_foreseen)>);
    const ProxyState& proxy = m_proxies[instance + 1];
    if (proxy.outbounds.empty()) {
        return;
    }
    for (const auto& out : proxy.outbounds) {
        if (out != nullptr) {
            out->foresee();
        }
    }
    const std::size_t at = m_foreseenAt++;
    m_foreseen[at % m_foreseen.size()] = instance + 1;
    for (const auto& out : m_proxies[m_foreseen[(at - kStep) % m_foreseen.size()]].outbounds) {
        if (out != nullptr) {
            out->foreseeHosts();
            __builtin_prefetch(&m_edges[out->edge]);
            __builtin_prefetch(&m_edges[out->edge].name()); // Its other end.
        }
    }
    for (const auto& out : m_proxies[m_foreseen[(at - 2 * kStep) % m_foreseen.size()]].outbounds) {
        if (out != nullptr) {
            out->foreseeLists();
            m_edges[out->edge].foresee();
        }
    }
}

void MeshRun::onWorked(SlabHandle handle)
{
    if (standsStill(handle)) {
        return;
    }
    if (m_tracer != nullptr) {
        m_tracer->endWork(m_agenda.now(), handle);
    }
    Visit& visit = m_visits[handle];
    const ServiceState& model = m_models[m_instances[visit.instance].service];
    const double errorRate = 1.0 - (1.0 - model.errorRate) * (1.0 - visit.errorRate);
    if (visit.luck.chance(visit.errorRate == 0.0 ? model.errorRate : errorRate)) {
        finish(handle, kOwnFailure);
        return;
    }
    if (model.script.empty()) {
        finish(handle, 200);
        return;
    }
    if (!model.holdsWorkerDuringCalls) {
        visit.hasWorker = false;
        setBusy(visit.instance, -1);
        releaseWorker(visit.instance);
    }
    Visit& again = m_visits[handle];
    again.script = luckOf(m_settings.seed, {again.root, again.path, 0, LuckFor::Script});
    runScript(handle);
}

// Makes the calls of the script until one of them must be waited for.
void MeshRun::runScript(SlabHandle handle)
{
    const ServiceState& model = m_models[m_instances[m_visits[handle].instance].service];
    while (m_visits[handle].step < model.script.size()) {
        const ServiceState::Step& step = model.script[m_visits[handle].step];
        while (m_visits[handle].place < step.places) {
            if (launch(handle, model) == Launch::Called && !step.isParallel) {
                break;
            }
        }
        Visit& visit = m_visits[handle];
        if (visit.outstanding > 0) {
            return;
        }
        visit.place = 0;
        ++visit.step;
    }
    finish(handle, 200);
}

// Draws for the repeat at the visit's place, and makes its call if it is to be.
MeshRun::Launch MeshRun::launch(SlabHandle handle, const ServiceState& model)
{
    Visit& visit = m_visits[handle];
    std::uint32_t before = visit.place++;
    const ServiceState::Call* wanted = &model.calls[model.script[visit.step].first];
    while (before >= wanted->count) {
        before -= wanted->count;
        ++wanted;
    }
    const bool isCalled = visit.script.chance(wanted->probability);
    const bool isCached = visit.script.chance(cachedShare(*wanted, visit.instance));
    if (!isCalled || isCached) {
        return Launch::Skipped;
    }
    if (wanted->isCached) {
        fillCache(visit.instance);
    }
    ++visit.outstanding;
    Call call;
    call.parent = handle;
    call.proxy = visit.instance + 1; // The gateway's is the first.
    call.callee = wanted->callee;
    call.root = visit.root;
    call.path = visit.path.below((std::uint64_t{visit.step} << 32U) | (visit.place - 1));
    beginCall(call);
    return Launch::Called;
}

// The share of these calls that the instance's caches answer now.
double MeshRun::cachedShare(const ServiceState::Call& call, std::uint32_t instance) const
{
    const InstanceState& state = m_instances[instance];
    if (state.cacheFill >= kCacheRefillCalls) {
        return call.cached;
    }
    return call.cached * state.cacheFill / kCacheRefillCalls;
}

// A call has gone through, and its answer is kept; but not while a wipe goes on.
void MeshRun::fillCache(std::uint32_t instance)
{
    InstanceState& state = m_instances[instance];
    if (state.cacheFill < kCacheRefillCalls && m_wipes[state.service] == 0) {
        ++state.cacheFill;
    }
}

void MeshRun::onCallEnded(SlabHandle handle, CallEnd end)
{
    Visit& visit = m_visits[handle];
    visit.hasFailed = visit.hasFailed || end != CallEnd::Succeeded;
    --visit.outstanding;
    if (visit.outstanding == 0 && !dropIfKilled(handle) && !stall(handle, kGoesOn)) {
        goOn(handle);
    }
}

void MeshRun::goOn(SlabHandle handle)
{
    if (m_visits[handle].hasFailed) {
        finish(handle, kCallFailed);
    } else {
        runScript(handle);
    }
}

// The answer goes to the caller, if it still waits.
void MeshRun::finish(SlabHandle handle, int status)
{
    const Visit visit = m_visits[handle];
    m_visits.free(handle);
    if (visit.hasWorker) {
        setBusy(visit.instance, -1);
        releaseWorker(visit.instance);
    }
    if (m_attempts.find(visit.attempt) != nullptr) {
        answer(visit.attempt, status);
    }
}

void MeshRun::releaseWorker(std::uint32_t at)
{
    InstanceState& instance = m_instances[at];
    const SlabHandle next = instance.first;
    if (next.isNone() || instance.busy >= m_models[instance.service].concurrency) {
        return;
    }
    --instance.waiting;
    instance.first = m_visits[next].next;
    if (instance.first.isNone()) {
        instance.last = {};
    }
    startWork(next);
}

// A visit of an instance that was killed since: its worker and its caller are gone already.
bool MeshRun::dropIfKilled(SlabHandle handle)
{
    const Visit& visit = m_visits[handle];
    if (visit.epoch == m_instances[visit.instance].epoch) {
        return false;
    }
    m_visits.free(handle);
    return true;
}

// Workers and queue are gone at once; visits that an event or a call still names are dropped when
// it comes.
void MeshRun::stop(std::uint32_t at)
{
    InstanceState& instance = m_instances[at];
    ++instance.epoch;
    for (SlabHandle waiting = instance.first; !waiting.isNone();) {
        const SlabHandle next = m_visits[waiting].next;
        m_visits.free(waiting);
        waiting = next;
    }
    instance.first = {};
    instance.last = {};
    instance.waiting = 0;
    setBusy(at, -instance.busy);
}

void MeshRun::resetCallers(std::uint32_t at)
{
    std::vector<SlabHandle> hit;
    m_attempts.forEach([&hit, at](SlabHandle handle, const Attempt& attempt) {
        if (attempt.instance == at && !attempt.isLost && !attempt.isAnswered) {
            hit.push_back(handle);
        }
    });
    for (const SlabHandle attempt : hit) {
        if (m_attempts.find(attempt) != nullptr) {
            using Kind = policy::AttemptOutcome::Kind;
            const bool isConnecting = m_attempts[attempt].isConnecting;
            endAttempt(
                attempt, {isConnecting ? Kind::ConnectFailure : Kind::Reset, false, 0, {}, {}}
            );
        }
    }
}

} // namespace mesh::simulator
