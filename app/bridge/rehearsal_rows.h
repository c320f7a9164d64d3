#pragma once

#include "app/bridge/topology.h"

#include <QString>
#include <QStringList>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

// What the Rehearse mode shows, as plain values: scenario, faults, runs, verdicts.
namespace mesh::bridge {

enum class FaultGroup : std::uint8_t { Instance, Network, Traffic, Change };
inline constexpr int kFaultGroupCount = 4;

// What a fault can be dropped on.
enum class TargetKind : std::uint8_t { None, Service, Gateway, Edge, Zone };

// "service:cart", "gateway:edge-1", "a -> b", "zone:b"; anything else is none.
[[nodiscard]] TargetKind targetKindOf(const QString& target);
[[nodiscard]] QString zoneTarget(const QString& zone);

// One entry of the palette.
struct FaultOffer
{
    QString key; // Unique: "kill", "restart", "zone_outage".
    FaultGroup group = FaultGroup::Instance;
    QString title; // "Zone outage"
    QString help; // What it does, a sentence.
    QString icon; // Of resources/icons.
    std::vector<TargetKind> targets; // What it can be dropped on.

    [[nodiscard]] bool supports(TargetKind kind) const;
};

// All faults of the palette by group.
[[nodiscard]] const std::vector<FaultOffer>& faultOffers();
[[nodiscard]] const FaultOffer* findFaultOffer(const QString& key);

// One entry of the scenario's timeline.
struct ClipRow
{
    int index = 0; // In the timeline.
    QString kind; // "zone_outage"
    QString icon;
    QString title; // Inside the clip: "zone b", "+200 ms".
    QString detail; // Beside it: "checkout→payment, 30 % of instances".
    QString words; // For people who cannot see it: "zone outage of zone b at 3 min for 90 s".
    double at_s = 0;
    std::optional<double> length_s; // Absent: to the end.
    friend bool operator==(const ClipRow&, const ClipRow&) = default;
};

struct LoadRow
{
    QString entry;
    std::vector<std::pair<double, double>> steps; // Second, requests per second.
    friend bool operator==(const LoadRow&, const LoadRow&) = default;
};

// The scenario as it is drawn.
struct ScenarioRow
{
    QString name;
    std::uint64_t seed = 0;
    int replications = 1;
    double duration_s = 0;
    double warmup_s = 0;
    std::vector<LoadRow> loads;
    std::vector<ClipRow> clips;
    QStringList variants;
    QStringList ablated;
    int asserts = 0;
};

// Numbers of one second of one service, entry or edge; absent without calls that ended.
struct SecondRow
{
    double rps = 0;
    std::optional<double> success; // 0..1
    std::optional<double> p50_ms;
    std::optional<double> p99_ms;
};
using SecondRows = std::vector<SecondRow>;

struct VerdictLine
{
    QString window; // "before", or "compare".
    QString text; // "p99(frontend) < 300ms"
    QString value; // "268 ms"
    QString interval; // "[258, 271]"; empty: none.
    bool holds = false;
    int hit = 0; // Replications it held in.
    int of = 1;
};

// One row of the before, during, after table; values as words.
struct WindowLine
{
    QString label;
    QString before;
    QString during;
    QString after;
    bool isReference = false; // The same of the other variant, quieter.
    bool isDuringWorse = false; // Breaks what the scenario asks, or is far from before.
};

struct WorthLine
{
    QString policy;
    double value = 0; // Percentage points of success.
    std::optional<std::pair<double, double>> interval;
};

struct ReactionMark
{
    enum class Kind : std::uint8_t {
        Detected,
        Ejected,
        Broken,
        Panic,
        Returned,
        Recovered,
        Stopped
    };
    double at_s = 0;
    Kind kind = Kind::Detected;
    QString words;
};

// One variant of a finished run.
struct VariantRow
{
    QString name;
    SecondRows entry; // Of the entries together, all replications.
    std::vector<ReactionMark> reactions;
    std::optional<double> detected_s;
    std::optional<double> mitigated_s;
    std::optional<double> recovered_s;
    QStringList hurt;
    int worst = 0;
};

struct TrustRow
{
    bool isCalibrated = false;
    QString badge; // "in calibrated range", "not calibrated".
    QString text;
    QString missing; // "Not modelled: …".
};

enum class VerdictKind : std::uint8_t { Holds, Fails, Stopped, NotDeterministic, NotCalibrated };

// One finished run, ready to be drawn.
struct RunRow
{
    int id = 0;
    QString name; // "Run 3"
    bool isKept = false;
    bool isOutdated = false; // The scenario or the draft is another one now.
    std::int64_t time_us = 0;
    QString source; // "open document, rev 42 + draft"
    ScenarioRow scenario;
    VerdictKind verdict = VerdictKind::Holds;
    QString headline; // "Holds: 5 of 5 assertions"
    QString summary; // "20 of 20 runs · worst run 13 · baseline holds 4 of 5"
    QString entry; // What the figures speak of.
    QString shown; // Variant the table is about.
    QString reference; // The other; empty: there is one variant.
    std::vector<VerdictLine> verdicts;
    std::vector<WindowLine> windows;
    std::vector<WorthLine> worth;
    std::vector<VariantRow> variants;
    std::optional<std::pair<double, QString>> objective; // Success asked for, and its words.
    QStringList resolved; // By fault: "zone b: cart-2, payment-2".
    TrustRow trust;
    QString hash;
    QString effort; // "302 M hops in 26 s, 8 cores"
};

struct RehearsalProgressRow
{
    bool isRunning = false;
    int done = 0;
    int all = 0;
    SecondRows preview; // Of the entries so far.
    double elapsed_s = 0;
};

// One cell of the stability map: this load for that long.
struct StabilityCell
{
    double load = 1; // Factor on the scenario's.
    double length_s = 0; // Of the faults.
    bool isDone = false;
    std::optional<double> recovered_s; // After the last fault; absent: never within the run.
    double success = 0; // During the faults.
};

struct StabilityRows
{
    std::vector<double> loads;
    std::vector<double> lengths_s;
    std::vector<StabilityCell> cells; // By length, then load.
    int done = 0;
    bool isRunning = false;
    QString error; // Why it ended; empty: it did not fail.
};

// Difference of two runs' variants second by second, first minus second.
struct ComparisonRow
{
    QString first;
    QString second;
    SecondRows firstSeconds;
    SecondRows secondSeconds;
    std::vector<WindowLine> windows; // Labels by figure; before, during, after as differences.
    bool isSameLuck = false; // Seed and replications are equal.
};

// What is known at the playhead: the graph, and the faults in force.
struct StageFault
{
    QString text; // "zone b out"
    QString icon;
    QString zone; // That is out; empty: it is none.
    double left_s = 0;
    bool isEndless = false;
};

struct StageState
{
    Topology topology;
    std::vector<StageFault> faults;
};

} // namespace mesh::bridge
