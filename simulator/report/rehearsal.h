#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/model/document.h"
#include "simulator/mesh/request_trace.h"
#include "simulator/mesh/run_record.h"
#include "simulator/scenario/scenario.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mesh::simulator {

// Figures of a service (all its callers) or an edge in one window, over all replications.
//
// A call is one logical request, from its caller's start to its final answer, all attempts
// included; it belongs to the window in which it started.
struct RehearsalFigures
{
    std::uint64_t calls = 0;
    double rps = 0.0; // Calls started per second.
    double success = 0.0; // Share of calls answered without error; 0 without calls.
    double mean_ms = 0.0;
    double p50_ms = 0.0;
    double p90_ms = 0.0;
    double p99_ms = 0.0;
    double p999_ms = 0.0;
    double inflight = 0.0; // Time average of calls in progress.
    std::optional<double> utilization; // Busy worker time over capacity; of services only.
    double amplification = 0.0; // Attempts per call.
    double goodput = 0.0; // Successful calls per second.

    [[nodiscard]] std::optional<double> value(Quantity quantity) const;
};

// A value with its 95 % interval over the replications (Student's t); one replication: no interval.
struct Estimate
{
    double value = 0.0;
    std::optional<std::pair<double, double>> interval;
};

struct AssertionResult
{
    Assertion assertion;
    std::optional<Estimate> value; // Absent: nothing was measured, and the assertion does not hold.
    bool holds = false;
    int hit = 0; // Replications in which it held.
};

enum class Window : std::uint8_t { Before, During, After, Always };
inline constexpr int kWindowCount = 4;
[[nodiscard]] std::string_view toText(Window window);

using FiguresByName = std::map<std::string, RehearsalFigures>;

// Times of the run's answer to its faults, from the first entry's success by second, over all
// replications. The objective of a service is what assertions on its success demand (judge.h), else
// 0.99.
struct Reaction
{
    // First fault to the first ejection, failed check, open breaker or panic; the median.
    std::optional<Duration> detected;
    // From the first fault to success above the objective for 10 s, or up to the end of the faults;
    // 0: it never left. Absent: not while they lasted.
    std::optional<Duration> mitigated;
    std::optional<Duration> recovered; // Last fault's end to success above it for 30 s.
    std::vector<std::string> hurt; // Services that left the objective, sorted.
    double failedShare = 0.0; // Of root requests during faults.
};

struct VariantResult
{
    std::string name;
    std::map<Window, FiguresByName> services;
    std::map<Window, FiguresByName> edges;
    std::vector<AssertionResult> asserts; // Of windows, in file order; every variant has them.
    std::vector<RunSeries> series; // Of services and edges, the sum of all replications.
    Reaction reaction;
    int worst = 0; // Replication with the least success of the entries during faults.
    RunRecord record; // Of the worst replication.
    // Of the same: the slowest root requests that began during faults, hop by hop.
    std::vector<TracedRequest> slowest;
    std::uint64_t events = 0;
    std::uint64_t hops = 0;
    std::uint64_t eventHash = 0; // Of all replications, in their order.
};

// What a policy is worth: with it minus without it, on the same luck, in the first variant.
struct AblationRow
{
    std::string policy; // "retry"; "all" for the run without any of them.
    Estimate success; // Of the entries during faults; a share.
    Estimate p99_ms;
    std::map<std::string, double> amplification; // Without it, by service.
};

// How far the run may be trusted.
struct Trust
{
    bool isCalibrated = false; // The models were fitted from measurements.
    std::vector<std::string> notModelled;
    std::vector<std::string> beyond; // Services that left the range they were fitted in.
    // Of the live twin, when it ran: virtual minus live.
    std::optional<double> successError; // Share.
    std::optional<double> p50Error; // Relative.
    std::optional<double> p99Error;
    std::vector<std::string> liveNotes; // What the live twin did otherwise, and why.
};

struct ResolvedFault
{
    std::string text; // "kill cart, 30% of instances"
    std::vector<std::string> instances; // What it resolved to, sorted.
};

enum class Verdict : std::uint8_t { Holds, Fails, Stopped, NotDeterministic, NotCalibrated };
[[nodiscard]] std::string_view toText(Verdict verdict);

struct Rehearsal
{
    Scenario scenario;
    Verdict verdict = Verdict::Holds; // That of the first variant and of the comparisons.
    std::vector<std::string> entries; // Services that load comes in by.
    std::vector<ResolvedFault> faults; // By place in the timeline.
    std::vector<VariantResult> variants; // In file order.
    std::vector<AssertionResult> comparisons;
    std::vector<AblationRow> ablation;
    // What real servers and proxies did with the first variant; in the modes live and both.
    std::optional<VariantResult> live;
    std::optional<std::string> stoppedBy; // The guard's text.
    Trust trust;
    std::uint64_t eventHash = 0;
    std::uint64_t events = 0;
    std::uint64_t hops = 0;
    double wall_s = 0.0; // What it took; of the caller's clock.
};

struct RehearsalProgress
{
    std::size_t runsDone = 0;
    std::size_t runsAll = 0; // Variants and ablations times replications.
    // Sum so far of the first variant's entries by second, for a live preview; by entry.
    std::vector<RunSeries> preview;
};

// The load at which a service's model was fitted from measurements (models/calibration.h).
struct CalibratedRange
{
    std::string service;
    double rpsTo = 0.0; // Of its busiest stretch.
};

inline constexpr std::size_t kReportWaterfalls = 10; // Of a request whose result is read by people.

struct RehearsalRequest
{
    Scenario scenario;
    std::shared_ptr<const model::Document> document; // What the scenario's `mesh` names.
    // Of the services that were fitted; a run that holds beyond one is NotCalibrated. None: the
    // models are as written, and nothing is said.
    std::vector<CalibratedRange> calibrated;
    // Root requests of each variant's worst replication to be followed hop by hop; costs one more
    // run of each of these.
    std::size_t waterfalls = 0;
    unsigned threads = 1; // Changes nothing but the time it takes.
    std::function<void(const RehearsalProgress&)> onProgress; // Optional; from any thread, serial.
    const std::atomic<bool>* cancelled = nullptr; // Optional; looked at every virtual second.
};

// Every reason for which the scenario cannot be run on this document: names that do not exist,
// windows that are empty, patches that do not fit. Without a document, only what needs none.
[[nodiscard]] std::vector<Error> checkRehearsal(const RehearsalRequest& request);

// Runs all variants, ablations and replications in virtual time and judges them. Blocks.
// Errors: the first of checkRehearsal(); Cancelled.
[[nodiscard]] Result<Rehearsal> rehearse(const RehearsalRequest& request);

// One replication of one variant again, for its record. Errors: as rehearse(); NotFound.
[[nodiscard]] Result<RunRecord> replay(
    const RehearsalRequest& request, const std::string& variant, int replication
);

} // namespace mesh::simulator
