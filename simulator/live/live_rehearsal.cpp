#include "simulator/live/live_rehearsal.h"

#include "simulator/live/line_set.h"
#include "simulator/live/live_configuration.h"
#include "simulator/live/live_ear.h"
#include "simulator/live/mesh_layout.h"
#include "simulator/models/instance.h"
#include "simulator/report/guard_watch.h"
#include "simulator/report/judge.h"
#include "simulator/report/lane_tally.h"
#include "simulator/report/single_run.h"
#include "simulator/report/windows.h"
#include "simulator/scenario/fault_table.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace mesh::simulator {
namespace {

constexpr Duration kSecond = std::chrono::seconds(1);
constexpr Duration kLookAgainAfter = std::chrono::milliseconds(50);
constexpr Duration kFrameDelay = std::chrono::milliseconds(1200); // The last second's frame.
constexpr Duration kProgressEvery = std::chrono::milliseconds(250);
constexpr double kBusyShare = 0.9; // Of the machine: from here on requests wait for processors.

// Sum of the highest rates: what the machine may have to carry at once.
double highestRate(const std::vector<Load>& loads, const std::vector<Fault>& timeline)
{
    double sum = 0.0;
    for (const Load& load : loads) {
        double highest = 0.0;
        for (const auto& [from, rate] : withSurges(load, timeline).rate) {
            highest = std::max(highest, rate);
        }
        sum += highest;
    }
    return sum;
}

void addSeries(RunSeries& sum, const RunSeries& added)
{
    sum.seconds.resize(std::max(sum.seconds.size(), added.seconds.size()));
    for (std::size_t at = 0; at < added.seconds.size(); ++at) {
        sum.seconds[at].merge(added.seconds[at]);
    }
}

// One run, from the mesh's start to its figures.
class LiveRun
{
public:
    explicit LiveRun(const LiveRehearsalRequest& request)
        : m_request(request)
        , m_windows(request.scenario)
        , m_books{CallBook(m_windows.all()), CallBook(m_windows.all())}
        , m_ear(*request.clock, m_windows.all())
        , m_watch(request.scenario.guards, request.scenario.warmup)
        , m_configuration(request.document, request.scenario.timeline)
    {}

    [[nodiscard]] Result<LiveRehearsal> run()
    {
        MESH_TRY_VOID(start());
        MESH_TRY_VOID(wait());
        m_mesh->stop();
        m_mesh.reset();
        m_ear.listen(Duration::zero());
        collect();
        return std::move(m_result);
    }

private:
    [[nodiscard]] Result<void> start()
    {
        const Scenario& scenario = m_request.scenario;
        LiveMeshOptions options;
        model::Document document =
            withOwnSidecars(*m_request.document, scenario.load, m_result.notes);
        MESH_TRY(
            options.document, m_configuration.begin(std::move(document), m_request.clock->wallNow())
        );
        options.load = loadsForOneMachine();
        options.timeline = scenario.timeline;
        addNotes();
        options.checks = LiveChecks::OfCalled;
        options.loadLength = *scenario.duration;
        options.seed = scenario.seed;
        options.engineFactory = m_request.engineFactory;
        options.clock = m_request.clock;
        options.sink = &m_ear;
        options.books = &m_books;
        MESH_TRY(m_mesh, LiveMesh::start(std::move(options)));
        m_document = m_mesh->document();
        m_configuration.setRunning(m_document);
        m_ear.setMesh({m_document, m_mesh->workloadsByAddress(), callsOf(), m_mesh->begin()});
        return {};
    }

    // What of the timeline is played by other means than those of virtual time.
    void addNotes()
    {
        const std::vector<Fault>& timeline = m_request.scenario.timeline;
        const auto has = [&timeline](FaultKind kind) {
            return std::ranges::find(timeline, kind, &Fault::kind) != timeline.end();
        };
        if (has(FaultKind::RetryStorm)) {
            m_result.notes.emplace_back(
                "a retry storm begins and ends with a configuration that all proxies take"
            );
        }
        if (has(FaultKind::CertExpiry)) {
            m_result.notes.emplace_back(
                "the mesh runs under mutual TLS with certificates of its own, which really expire"
            );
        }
        const auto needsLines = [](const Fault& fault) { return LineSet::touches(fault); };
        if (std::ranges::any_of(timeline, needsLines)) {
            m_result.notes.emplace_back("calls to what is killed, cut off or narrowed go over a "
                                        "relay of this program all the "
                                        "time; what it costs is measured with the proxies");
        }
    }

    // Who calls whom, by the models and the load.
    [[nodiscard]] std::set<std::pair<std::string, std::string>> callsOf() const
    {
        std::set<std::pair<std::string, std::string>> calls;
        for (const Load& load : m_request.scenario.load) {
            calls.emplace("gateway", load.entry);
        }
        for (const model::ServiceModel& model : m_document->models) {
            for (const model::ModelStep& step : model.script) {
                for (const model::ModelCall& call : step.calls) {
                    calls.emplace(model.service, call.call);
                }
            }
        }
        return calls;
    }

    std::vector<Load> loadsForOneMachine()
    {
        std::vector<Load> loads = m_request.scenario.load;
        const double highest = highestRate(loads, m_request.scenario.timeline);
        if (highest > kLiveRateMax) {
            for (Load& load : loads) {
                for (auto& [from, rate] : load.rate) {
                    rate *= kLiveRateMax / highest;
                }
            }
            m_result.notes.push_back(fmt::format(
                "the load was cut from {:.0f} to {:.0f} requests per second, which one machine "
                "carries; no prediction error is stated",
                highest,
                kLiveRateMax
            ));
            m_result.isComparable = false;
        }
        return loads;
    }

    [[nodiscard]] Result<void> wait()
    {
        const Duration length = *m_request.scenario.duration;
        TimePoint end = m_mesh->begin() + length;
        TimePoint toldAt{};
        TimePoint doneAt = TimePoint::max();
        for (;;) {
            m_ear.listen(kLookAgainAfter);
            const TimePoint now = m_request.clock->now();
            const LoadFigures clients = m_mesh->loadFigures();
            if (m_request.cancelled != nullptr && m_request.cancelled->load()) {
                return fail(ErrorCode::Cancelled, "the live run was cancelled");
            }
            if (m_request.onProgress && now - toldAt >= kProgressEvery) {
                toldAt = now;
                m_request.onProgress({now - m_mesh->begin(), length, clients});
            }
            if (now < end && isStoppedAt(now)) {
                end = now;
            }
            MESH_TRY_VOID(playConfiguration(now - m_mesh->begin()));
            if (now < end) {
                continue;
            }
            if (doneAt == TimePoint::max()
                && (clients.inFlight == 0 || now > end + kLiveDrainMax)) {
                doneAt = now;
            }
            if (doneAt != TimePoint::max() && now >= doneAt + kFrameDelay) {
                noteClients(clients);
                return {};
            }
        }
    }

    // Faults that are configurations, and those that are late with them.
    [[nodiscard]] Result<void> playConfiguration(Duration passed)
    {
        for (auto& change : m_configuration.changesAt(passed, m_stoppedAfter)) {
            MESH_TRY_VOID(m_mesh->applyTo(change.nodes, std::move(change.document)));
        }
        for (const auto& late : m_configuration.delaysAt(passed)) {
            const auto node = std::ranges::find(m_mesh->nodes(), late.node, &LiveMesh::Node::name);
            MESH_TRY_VOID(node->engine->submit(api::DelayVerdicts{late.upstream, late.by}));
        }
        return {};
    }

    // Looks at the seconds that are over, and ends the load when a guard says so.
    bool isStoppedAt(TimePoint now)
    {
        const std::vector<Guard>& guards = m_request.scenario.guards;
        const bool asksProxies = std::ranges::any_of(guards, [](const Guard& guard) {
            return guard.condition.quantity == Quantity::Amplification;
        });
        const Duration late = asksProxies ? kFrameDelay : Duration::zero();
        const Duration passed = now - m_mesh->begin();
        while (!guards.empty() && !m_outcome.guard) {
            const Duration over = kSecond * static_cast<Duration::rep>(m_secondsWatched + 1);
            if (over + late > passed) {
                return false;
            }
            m_outcome.guard = m_watch.look(watchedNow(), m_secondsWatched);
            ++m_secondsWatched;
        }
        if (guards.empty()) {
            return false;
        }
        m_mesh->endLoad();
        m_stoppedAfter = passed;
        m_result.stoppedBy = guards[*m_outcome.guard].text;
        m_result.isComparable = false;
        m_result.notes.push_back(fmt::format(
            "the guard \"{}\" ended the load after {:.1f} s; no prediction error is stated",
            *m_result.stoppedBy,
            toSeconds(passed)
        ));
        return true;
    }

    // The second that is to be looked at, of what guards are about.
    RunRecord watchedNow()
    {
        RunRecord record;
        for (const Guard& guard : m_request.scenario.guards) {
            const std::string& name = guard.condition.subject;
            const bool isEdge = name.find("->") != std::string::npos;
            RunSeries& series = (isEdge ? record.edges : record.services).emplace_back();
            series.name = name;
            series.seconds.resize(m_secondsWatched + 1);
            RunSecond& second = series.seconds.back();
            second = m_mesh->secondOf(name, m_secondsWatched);
            second.attempts +=
                static_cast<std::uint32_t>(std::lround(m_ear.extraIn(name, m_secondsWatched)));
        }
        return record;
    }

    void noteClients(const LoadFigures& clients)
    {
        if (clients.refused > 0) {
            m_result.notes.push_back(fmt::format(
                "{} requests were not sent, because {} were in flight; they count as failed",
                clients.refused,
                LoadGenerator::kInFlightMax
            ));
        }
        if (clients.inFlight > 0) {
            m_result.notes.push_back(fmt::format(
                "{} requests had no answer {} s after the end and are not counted",
                clients.inFlight,
                kLiveDrainMax.count() / std::nano::den
            ));
        }
    }

    // In the form of a run in virtual time, so that the same code makes the figures.
    void collect()
    {
        for (const CallBook* book : {&m_books.clients, &m_books.instances}) {
            for (const auto& line : book->lines()) {
                addLine(*line);
            }
        }
        addMarkers();
        m_outcome.measured = m_stoppedAfter.value_or(*m_request.scenario.duration);
        m_outcome.hops = m_hops;
        LaneTally tally(m_request.scenario, m_windows);
        tally.add(std::move(m_outcome));
        VariantResult& figures = m_result.figures;
        figures.name = "live";
        for (int at = 0; at < kWindowCount; ++at) {
            const auto window = static_cast<Window>(at);
            figures.services.emplace(window, tally.services(placeOf(window)));
            figures.edges.emplace(window, tally.edges(placeOf(window)));
        }
        figures.asserts = judgeWindows(m_request.scenario, m_windows, tally);
        figures.series = tally.series();
        figures.reaction = reactionOf(m_request.scenario, m_windows, tally);
        figures.record = tally.worstRecord();
        figures.hops = tally.hops();
        for (const Load& load : m_request.scenario.load) {
            if (std::ranges::find(m_result.entries, load.entry) == m_result.entries.end()) {
                m_result.entries.push_back(load.entry);
            }
        }
        addFaults();
        noteMachine();
    }

    void addLine(const CallBook::Line& line)
    {
        MeasureRow row = line.row;
        RunSeries series = line.series;
        const std::vector<double>& extra = m_ear.extraBySecond(row.name());
        for (std::size_t at = 0; at < std::min(extra.size(), series.seconds.size()); ++at) {
            series.seconds[at].attempts += static_cast<std::uint32_t>(std::lround(extra[at]));
        }
        for (std::size_t at = 0; at < m_windows.all().size(); ++at) {
            const double attempts = m_ear.extraAttempts(row.name(), at);
            row.addAttempts(at, static_cast<std::uint64_t>(std::llround(attempts)));
        }
        m_hops += row.figures(placeOf(Window::Always)).attempts;
        const std::size_t service = serviceOf(line.callee);
        addSeries(m_outcome.record.services[service], series);
        m_outcome.services[service].merge(row);
        m_outcome.record.edges.push_back(std::move(series));
        m_outcome.edges.push_back(std::move(row));
    }

    // Its place among those that were called.
    std::size_t serviceOf(const std::string& name)
    {
        const auto known = std::ranges::find(m_outcome.services, name, &MeasureRow::name);
        if (known != m_outcome.services.end()) {
            return static_cast<std::size_t>(known - m_outcome.services.begin());
        }
        const std::size_t windows = m_windows.all().size();
        m_outcome.services.emplace_back(name, windows);
        m_outcome.record.services.push_back({name, {}});
        std::vector<double>& busy = m_outcome.busy.emplace_back();
        for (std::size_t at = 0; at < windows; ++at) {
            busy.push_back(toSeconds(m_books.instances.busy(name, at)));
        }
        const auto model = modelOf(*m_document, name);
        m_outcome.workers.push_back(
            model == nullptr ? 0.0
                             : static_cast<double>(instancesOf(*model, m_document->workloads).size()
                               ) * static_cast<double>(model->concurrency)
        );
        return m_outcome.services.size() - 1;
    }

    void addMarkers()
    {
        std::vector<RunMarker>& markers = m_outcome.record.markers;
        markers = m_ear.markers();
        m_outcome.record.markersLost = m_ear.markersLost();
        const std::vector<Fault>& timeline = m_request.scenario.timeline;
        for (std::uint32_t at = 0; at < timeline.size(); ++at) {
            if (m_stoppedAfter && timeline[at].at > *m_stoppedAfter) {
                continue;
            }
            RunMarker marker;
            marker.at = timeline[at].at;
            marker.fault = at;
            markers.push_back(marker);
            if (timeline[at].length) {
                marker.kind = RunMarker::Kind::FaultEnded;
                marker.at += *timeline[at].length;
                markers.push_back(marker);
            }
        }
        if (m_stoppedAfter) {
            RunMarker marker;
            marker.at = *m_stoppedAfter;
            marker.kind = RunMarker::Kind::GuardStopped;
            markers.push_back(std::move(marker));
        }
        std::ranges::stable_sort(markers, {}, &RunMarker::at);
    }

    void addFaults()
    {
        for (const Fault& fault : m_request.scenario.timeline) {
            ResolvedFault resolved;
            resolved.text = toText(fault);
            if (fault.kind != FaultKind::Surge) {
                resolved.instances = workloadsOf(*m_document, fault);
            }
            m_result.faults.push_back(std::move(resolved));
        }
    }

    void noteMachine()
    {
        m_result.processorsUsed = m_ear.processorsUsed();
        const auto processors = std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN));
        if (m_result.processorsUsed > kBusyShare * static_cast<double>(processors)) {
            m_result.notes.push_back(fmt::format(
                "this machine was the bottleneck: {:.1f} of {} processors were busy with the mesh; "
                "no prediction error is stated",
                m_result.processorsUsed,
                processors
            ));
            m_result.isComparable = false;
        }
        if (m_request.scenario.network != NetworkLaws()) {
            m_result.notes.emplace_back(
                "the laws of `network` are not played: loopback and real proxies take their time"
            );
        }
    }

    const LiveRehearsalRequest& m_request;
    const ScenarioWindows m_windows;
    LiveBooks m_books;
    LiveEar m_ear;
    GuardWatch m_watch;
    LiveConfiguration m_configuration;
    std::size_t m_secondsWatched = 0;
    std::unique_ptr<LiveMesh> m_mesh; // Goes before its sink and books.
    std::shared_ptr<const model::Document> m_document;
    RunOutcome m_outcome;
    std::optional<Duration> m_stoppedAfter; // By a guard.
    std::uint64_t m_hops = 0;
    LiveRehearsal m_result;
};

} // namespace

std::vector<Error> checkLive(const LiveRehearsalRequest& request)
{
    std::vector<Error> errors;
    const auto add = [&errors](ErrorCode code, std::string place, std::string_view message) {
        Error error;
        error.code = code;
        error.message = fmt::format("{}: {}", place, message);
        error.place = std::move(place);
        errors.push_back(std::move(error));
    };
    const Scenario& scenario = request.scenario;
    if (!scenario.duration || *scenario.duration <= scenario.warmup) {
        add(ErrorCode::MissingField,
            "duration",
            "a live run needs a duration that is longer than its warm-up");
    }
    for (std::size_t at = 0; at < scenario.timeline.size(); ++at) {
        const Fault& fault = scenario.timeline[at];
        if (const std::string reason = whyNotLive(fault); !reason.empty()) {
            add(ErrorCode::Unsupported,
                fmt::format("timeline[{}]", at),
                fmt::format("{} cannot be played live: {}", toText(fault), reason));
        }
    }
    for (std::size_t at = 0; at < scenario.load.size(); ++at) {
        const std::string& entry = scenario.load[at].entry;
        if (modelOf(*request.document, entry) == nullptr) {
            add(ErrorCode::DanglingReference,
                fmt::format("load[{}]", at),
                fmt::format("the load comes in by {}, which has no model", entry));
        }
    }
    return errors;
}

Result<LiveRehearsal> rehearseLive(const LiveRehearsalRequest& request)
{
    std::vector<Error> errors = checkLive(request);
    if (!errors.empty()) {
        return tl::unexpected(std::move(errors.front()));
    }
    return LiveRun(request).run();
}

void compareWithLive(Rehearsal& rehearsal, const LiveRehearsal& live)
{
    rehearsal.live = live.figures;
    rehearsal.trust.liveNotes = live.notes;
    if (rehearsal.stoppedBy) {
        rehearsal.trust.liveNotes.emplace_back(
            "a guard stopped the run in virtual time; no prediction error is stated"
        );
    }
    if (!live.isComparable || rehearsal.stoppedBy || rehearsal.variants.empty()) {
        return;
    }
    const auto& predicted = rehearsal.variants.front().services[Window::Always];
    const auto& measured = rehearsal.live->services[Window::Always];
    const auto keepFurthest = [](std::optional<double>& kept, double error) {
        if (!kept || std::abs(error) > std::abs(*kept)) {
            kept = error;
        }
    };
    for (const std::string& entry : live.entries) {
        const auto one = predicted.find(entry);
        const auto other = measured.find(entry);
        if (one == predicted.end() || other == measured.end() || other->second.calls == 0) {
            continue;
        }
        keepFurthest(rehearsal.trust.successError, one->second.success - other->second.success);
        const auto relative = [](double virtually, double really) {
            return really > 0.0 ? virtually / really - 1.0 : 0.0;
        };
        keepFurthest(rehearsal.trust.p50Error, relative(one->second.p50_ms, other->second.p50_ms));
        keepFurthest(rehearsal.trust.p99Error, relative(one->second.p99_ms, other->second.p99_ms));
    }
}

} // namespace mesh::simulator
