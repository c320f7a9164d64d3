#include "simulator/live/service_instance.h"

#include "proxyengine/base/hash.h"
#include "simulator/models/duration_law.h"

#include <algorithm>
#include <optional>

namespace mesh::simulator {

namespace {

constexpr std::size_t kFrozenRequestsMax = 4096; // A frozen process has a finite backlog, too.
constexpr std::size_t kRootsKnownMax = 8192; // Some seconds of requests.
constexpr std::uint64_t kFaultLuck = 0xfa017; // A part of the seed that no request has.
constexpr int kOwnFailure = 500;
constexpr int kCallFailed = 502;
constexpr int kQueueFull = 503;

bool isFailure(const Result<int>& answer) { return !answer || *answer >= 500; }

} // namespace

// One request while the instance works on it.
class ServiceInstance::Visit
{
public:
    Visit(ServiceInstance& instance, Arrival arrival, Seed seed)
        : m_instance(instance)
        , m_model(instance.m_model)
        , m_arrival(std::move(arrival))
        , m_random(seed)
        , m_timer(instance.m_loop.timers(), [this] { onTimer(); })
    {}

    [[nodiscard]] std::size_t place() const { return m_place; }
    void setPlace(std::size_t place) { m_place = place; }
    [[nodiscard]] const model::ServiceModel& model() const { return *m_model; }
    void send(int status) { m_arrival.send(status); }

    // Latency, error and reset faults come before any work.
    void arrive(Random faultLuck)
    {
        const InstanceFaults& faults = m_instance.m_faults;
        // Drawn whatever the faults are, so that a fault does not change anything else's luck.
        Duration add = meet(faults, m_random);
        for (const CallerFaults& more : faults.more) {
            if (more.hits(m_arrival.caller)) {
                add += meet(more.faults, faultLuck);
            }
        }
        m_stage = Stage::Delayed;
        if (add > Duration::zero()) {
            wait(add);
        } else {
            onTimer();
        }
    }

    // A probe meets what is wrong with everybody's requests and needs no work.
    void probe(Random luck)
    {
        m_isProbe = true;
        const InstanceFaults& faults = m_instance.m_faults;
        Duration add = faults.areProbesHit ? meet(faults, luck) : Duration::zero();
        for (const CallerFaults& more : faults.more) {
            if (more.caller.empty() && more.faults.areProbesHit) {
                add += meet(more.faults, luck);
            }
        }
        m_stage = Stage::Delayed;
        wait(add); // Also when it is nothing: whoever asks is answered later.
    }

    [[nodiscard]] bool isProbe() const { return m_isProbe; }

    void work()
    {
        m_hasWorker = true;
        m_stage = Stage::Working;
        const Duration time = sample(m_model->serviceTime, m_random);
        const double factor = m_instance.m_faults.slowFactor;
        wait(factor == 1.0 ? time : fromSeconds(factor * toSeconds(time)));
    }

    void reject()
    {
        m_stage = Stage::Rejected;
        wait(m_model->rejectTime);
    }

    // True when it still holds a worker, which it then no longer does.
    bool giveUpWorker() { return std::exchange(m_hasWorker, false); }

private:
    enum class Stage : std::uint8_t { Delayed, Working, Rejected, Calling };

    // How long the request is held up.
    Duration meet(const RequestFaults& faults, Random& luck)
    {
        const bool isSlow = luck.chance(faults.latencyShare);
        const double jitter = 2 * luck.unit() - 1;
        if (luck.chance(faults.errorShare)) {
            m_refusedStatus = faults.errorStatus;
        }
        if (faults.resetShare > 0.0 && luck.chance(faults.resetShare)) {
            m_refusedStatus = kReset;
        }
        const Duration add =
            faults.latencyAdd + fromSeconds(jitter * toSeconds(faults.latencyJitter));
        return isSlow ? std::max(add, Duration::zero()) : Duration::zero();
    }

    void wait(Duration duration)
    {
        m_timer.arm(m_instance.m_loop.now() + std::max(duration, Duration::zero()));
    }

    void onTimer()
    {
        switch (m_stage) {
        case Stage::Delayed:
            if (m_refusedStatus) {
                m_instance.finish(*this, *m_refusedStatus);
            } else if (m_isProbe) {
                m_instance.finish(*this, 200);
            } else {
                m_instance.takeWorker(*this);
            }
            return;
        case Stage::Rejected:
            m_instance.finish(*this, kQueueFull);
            return;
        case Stage::Working:
            onWorked();
            return;
        case Stage::Calling:
            return;
        }
    }

    void onWorked()
    {
        if (m_random.chance(m_instance.m_faults.errorRate.value_or(m_model->errorRate))) {
            m_instance.finish(*this, kOwnFailure);
            return;
        }
        if (!m_model->holdWorkerDuringCalls && giveUpWorker()) {
            m_instance.releaseWorker();
        }
        m_stage = Stage::Calling;
        runScript();
    }

    // Goes on until something must be waited for; destroys this at the end of the script.
    void runScript()
    {
        while (m_step < m_model->script.size()) {
            const model::ModelStep& step = m_model->script[m_step];
            if (m_toCall.empty() && !m_isStepDrawn) {
                drawStep(step);
            }
            if (m_toCall.empty()) {
                ++m_step;
                m_isStepDrawn = false;
                continue;
            }
            const std::size_t atOnce = step.isParallel ? m_toCall.size() : 1;
            m_outstanding = atOnce;
            std::vector<std::string> services(
                m_toCall.begin(), m_toCall.begin() + static_cast<std::ptrdiff_t>(atOnce)
            );
            m_toCall.erase(
                m_toCall.begin(), m_toCall.begin() + static_cast<std::ptrdiff_t>(atOnce)
            );
            for (const std::string& service : services) {
                call(service);
            }
            return;
        }
        m_instance.finish(*this, 200);
    }

    // Every repeat draws by itself, in the order of the file.
    void drawStep(const model::ModelStep& step)
    {
        m_isStepDrawn = true;
        for (const model::ModelCall& wanted : step.calls) {
            for (int repeat = 0; repeat < wanted.count; ++repeat) {
                const bool isCalled = m_random.chance(wanted.probability);
                const bool isCached = m_random.chance(wanted.cached.value_or(0.0));
                if (isCalled && (!isCached || m_instance.m_faults.isCacheCold)) {
                    m_toCall.push_back(wanted.call);
                }
            }
        }
    }

    // Caller::call() answers later, never from inside, so that this outlives the loop in
    // runScript().
    void call(const std::string& service)
    {
        OutCall out;
        out.to = m_instance.m_outbound;
        out.host = service;
        out.path = "/" + service;
        out.trace = m_arrival.trace;
        out.caller = m_model->service;
        const TimePoint startedAt = m_instance.m_loop.now();
        CallBook* const book = m_instance.m_book;
        CallBook::Line* const line =
            book == nullptr ? nullptr : &book->lineOf(m_model->service, service);
        if (line != nullptr) {
            book->onBegun(*line, startedAt);
        }
        m_instance.m_caller.call(
            out,
            [this,
             book,
             line,
             startedAt,
             &loop = m_instance.m_loop,
             isAlive = std::weak_ptr<char>(m_isAlive)](const Result<int>& answer) {
                if (line != nullptr) {
                    const auto outcome = isFailure(answer) ? MeasureRow::Outcome::Failed
                                                           : MeasureRow::Outcome::Succeeded;
                    book->onEnded(*line, startedAt, loop.now(), outcome);
                }
                if (!isAlive.expired()) {
                    onAnswer(answer);
                }
            }
        );
    }

    void onAnswer(const Result<int>& answer)
    {
        m_hasCallFailed = m_hasCallFailed || isFailure(answer);
        if (--m_outstanding > 0) {
            return;
        }
        if (m_hasCallFailed) {
            m_instance.finish(*this, kCallFailed);
            return;
        }
        runScript();
    }

    ServiceInstance& m_instance;
    const std::shared_ptr<const model::ServiceModel> m_model;
    Arrival m_arrival;
    Random m_random;
    net::FunctionTimer m_timer;
    std::size_t m_place = 0;
    Stage m_stage = Stage::Delayed;
    std::optional<int> m_refusedStatus; // Set: no work is done.
    bool m_hasWorker = false;
    bool m_isProbe = false;
    std::size_t m_step = 0;
    bool m_isStepDrawn = false;
    std::deque<std::string> m_toCall; // Of this step, in order.
    std::size_t m_outstanding = 0;
    bool m_hasCallFailed = false;
    const std::shared_ptr<char> m_isAlive = std::make_shared<char>();
};

ServiceInstance::ServiceInstance(net::EventLoop& loop, Caller& caller, Setup setup)
    : m_loop(loop)
    , m_caller(caller)
    , m_name(std::move(setup.name))
    , m_model(std::move(setup.model))
    , m_outbound(setup.outbound)
    , m_seed(deriveSeed(setup.seed, xxh3(m_name, 0)))
    , m_book(setup.book)
{}

ServiceInstance::~ServiceInstance() = default;

void ServiceInstance::onRequest(
    std::string_view path, TraceContext trace, SendAnswer send, std::string caller
)
{
    Arrival arrival{std::string(path), std::move(trace), std::move(send), std::move(caller)};
    if (m_faults.isFrozen) {
        if (m_frozen.size() < kFrozenRequestsMax) {
            m_frozen.push_back(std::move(arrival));
        }
        return;
    }
    begin(std::move(arrival));
}

// An answer that never comes, to a probe too; of one caller only to its requests, because probes
// do not say whose they are.
bool ServiceInstance::isLost(const Arrival& arrival, Random& luck) const
{
    bool isLost = m_faults.lostShare > 0.0 && luck.chance(m_faults.lostShare);
    for (const CallerFaults& more : m_faults.more) {
        const double share = more.faults.lostShare;
        isLost = (share > 0.0 && more.hits(arrival.caller) && luck.chance(share)) || isLost;
    }
    return isLost;
}

// Keyed by the root request, so that another order of arrivals does not change its luck, and by how
// often that has been here, so that a retry does not meet the same again.
std::uint64_t ServiceInstance::partOf(const TraceContext& trace)
{
    if (trace.requestId.empty()) {
        return m_arrivals++;
    }
    const std::uint64_t root = xxh3(trace.requestId, 0);
    if (m_visitsOf.size() >= kRootsKnownMax) {
        m_visitsOf.clear();
    }
    const std::uint32_t before = m_visitsOf[root]++;
    return before == 0 ? root : deriveSeed(Seed{root}, before).value;
}

void ServiceInstance::begin(Arrival arrival)
{
    Random faultLuck(deriveSeed(deriveSeed(m_seed, kFaultLuck), m_taken++));
    if (isLost(arrival, faultLuck)) {
        // Not dropped: without an answer of ours the server would send one of its own.
        m_lost.push_back(std::move(arrival));
        if (m_lost.size() > kFrozenRequestsMax) {
            m_lost.pop_front();
        }
        return;
    }
    const bool isProbe = arrival.path == kProbePath;
    if (isProbe && !areProbesHit()) {
        arrival.send(200);
        return;
    }
    const std::uint64_t part = isProbe ? 0 : partOf(arrival.trace);
    m_visits.push_back(std::make_unique<Visit>(*this, std::move(arrival), deriveSeed(m_seed, part))
    );
    Visit& visit = *m_visits.back();
    visit.setPlace(m_visits.size() - 1);
    if (isProbe) {
        visit.probe(faultLuck);
    } else {
        visit.arrive(faultLuck);
    }
}

// Those of one caller are not told from those of others, because they do not say whose they are.
bool ServiceInstance::areProbesHit() const
{
    return m_faults.areProbesHit
           || std::ranges::any_of(m_faults.more, [](const CallerFaults& more) {
                  return more.caller.empty() && more.faults.areProbesHit;
              });
}

void ServiceInstance::setBusy(int by)
{
    m_busy += by;
    if (m_book != nullptr) {
        m_book->onWorker(m_model->service, m_loop.now(), by);
    }
}

void ServiceInstance::takeWorker(Visit& visit)
{
    if (m_busy < visit.model().concurrency) {
        setBusy(1);
        visit.work();
    } else if (m_waiting.size() < static_cast<std::size_t>(visit.model().queue)) {
        m_waiting.push_back(&visit);
    } else {
        visit.reject();
    }
}

void ServiceInstance::releaseWorker()
{
    setBusy(-1);
    if (!m_waiting.empty() && m_busy < m_waiting.front()->model().concurrency) {
        Visit* const next = m_waiting.front();
        m_waiting.pop_front();
        setBusy(1);
        next->work();
    }
}

void ServiceInstance::finish(Visit& visit, int status)
{
    visit.send(status);
    m_answered.fetch_add(visit.isProbe() ? 0 : 1, std::memory_order_relaxed);
    const bool hadWorker = visit.giveUpWorker();

    const std::size_t place = visit.place();
    std::swap(m_visits[place], m_visits.back());
    m_visits[place]->setPlace(place);
    // Not now: the visit is on the call stack.
    m_loop.destroyLater(std::move(m_visits.back()));
    m_visits.pop_back();
    if (hadWorker) {
        releaseWorker();
    }
}

void ServiceInstance::setFaults(const InstanceFaults& faults)
{
    const bool isThawed = m_faults.isFrozen && !faults.isFrozen;
    m_faults = faults;
    if (isThawed) {
        for (Arrival& arrival : std::exchange(m_frozen, {})) {
            begin(std::move(arrival));
        }
    }
}

} // namespace mesh::simulator
