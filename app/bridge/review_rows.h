#pragma once

#include <QString>
#include <QStringList>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

// Plain values of a RolloutSession: what Review, the current rollout and History show.
namespace mesh::bridge {

enum class ChangeSign : std::uint8_t { Created, Updated, Deleted };

// One object that the draft changes.
struct ChangeRow
{
    QString key; // "routes/checkout/place": kind, parent and name.
    QString name;
    QString detail; // "upstream · 3 fields", "route · new"
    ChangeSign sign = ChangeSign::Updated;
    bool isIncluded = true; // Goes with the next push.
    friend bool operator==(const ChangeRow&, const ChangeRow&) = default;
};

// One line of a diff of texts.
struct DiffLine
{
    enum class Kind : std::uint8_t { Same, Removed, Added };
    // Characters that differ from the line's counterpart.
    struct Mark
    {
        int begin = 0;
        int length = 0;
        bool isWeighty =
            false; // Of a field that moves traffic: weights, targets, time limits, TLS.
        friend bool operator==(const Mark&, const Mark&) = default;
    };
    Kind kind = Kind::Same;
    int before = 0; // Line number; 0: not in that text.
    int after = 0;
    QString text;
    std::vector<Mark> marks;
    friend bool operator==(const DiffLine&, const DiffLine&) = default;
};

struct ObjectDiff
{
    QString key; // ChangeRow::key
    QString name;
    QString detail; // "upstream · outlier detection and limits"
    std::vector<DiffLine> lines; // With a line of context around each change.
    int changed = 0; // Lines that are not Same; a replaced line counts once.
};

// Nodes whose compiled configuration changes alike.
struct EffectiveRow
{
    QString nodes; // "vm-1, 4–7, 9"
    QStringList names;
    QString roles; // "gateways"
    QString summary; // "payment pool, timeout"
    std::int64_t bytes = 0;
    std::vector<DiffLine> lines; // Without line numbers.
    QStringList errors; // It cannot be compiled for them.
};

struct BehaviourRow
{
    QString request; // "GET /catalog/*"
    QString before;
    QString after;
    std::size_t count = 0;
    bool isWorse = false;
    QString why;
    QString example;
};

struct BehaviourRows
{
    std::size_t sampled = 0;
    std::size_t unchanged = 0;
    std::size_t worse = 0; // Of the changed ones, answered before and not any more.
    std::vector<BehaviourRow> rows;
    std::size_t more = 0; // Changes that are not listed.
    int nodes = 0; // That told of the requests.
    std::int64_t begin_us = 0; // Of the oldest sample; 0: none.
    std::int64_t end_us = 0;
};

enum class FindingSeverity : std::uint8_t { Error, Warning, Info };

struct FindingRow
{
    QString key; // Code and path.
    FindingSeverity severity = FindingSeverity::Warning;
    QString code; // "MW-214"
    QString title;
    QString text;
    QString path; // Of the draft.
    bool isNew = false;
    bool isMuted = false; // For good, with a reason.
    QString mutedBecause;
    bool isAccepted = false; // For the next push alone.
    QString fixLabel; // Empty: no fix is known.
};

// The three diffs and what was found, of the included changes.
struct ReviewRows
{
    bool isReady = false; // The diffs 2 and 3 and the findings are those of the change set now.
    QString failure; // The included changes do not stand alone: why; empty: they do.
    int created = 0;
    int updated = 0;
    int deleted = 0;
    int nodesAffected = 0;
    int nodesUnchanged = 0;
    int services = 0;
    double rpsTouched = 0;
    std::vector<ObjectDiff> objects;
    int lines = 0; // Changed in all objects.
    std::vector<EffectiveRow> effective;
    BehaviourRows behaviour;
    std::vector<FindingRow> findings; // Worst first.
};

// A conflict of two sides that changed the same field.
struct ConflictRow
{
    QString key;
    QString object; // "payment · upstream"
    QString field; // Empty: one side deleted what the other changed.
    QString base;
    QString mine;
    QString theirs;
    bool takesTheirs = false;
};

// Somebody else has changed what the draft was made on.
struct MergeRows
{
    bool isNeeded = false;
    QString text; // Who and what: "vm-1 runs another configuration than revision 42."
    std::vector<ConflictRow> conflicts; // Empty: all of it goes together.
    int mine = 0; // Objects that only this side changed.
    int theirs = 0;
};

enum class PlanKind : std::uint8_t { AllAtOnce, Canary, Manual };

struct PlanWaveRow
{
    QString label; // "Canary"
    QStringList nodes;
    QString nodesText; // "edge-1, vm-2, vm-8", "8 others"
    int bake_s = 0;
    friend bool operator==(const PlanWaveRow&, const PlanWaveRow&) = default;
};

// What must stay below, against the minute before the push; absent: not watched.
struct PlanGates
{
    std::optional<double> errorPoints = 0.5; // Percentage points.
    std::optional<double> p95Percent = 20;
    std::optional<int> ejections = 2;
    std::optional<int> rejections = 1;
    friend bool operator==(const PlanGates&, const PlanGates&) = default;
};

struct PlanRows
{
    PlanKind kind = PlanKind::AllAtOnce;
    bool isDefault = true; // Nobody has touched it.
    std::vector<PlanWaveRow> waves;
    QStringList counts; // Per kind: "12 nodes", "1 → 3 → 8 nodes", "you press Continue"
    int bake_s = 60;
    PlanGates gates;
    bool rollsBack = true; // When a gate fails; else it stops.
    bool appliesOnReturn = true; // To a node that is away now.
    QStringList silent; // Nodes that do not report now.
    friend bool operator==(const PlanRows&, const PlanRows&) = default;
};

// --- The current rollout -----------------------------------------------------------------------

enum class StepKind : std::uint8_t { Waiting, Moving, Done, Failed, TakenBack };

struct RolloutNodeRow
{
    QString name;
    QString zone;
    QString role;
    int wave = 0;
    int step = 0; // 0..5: queued, sent, acknowledged, applied, baking, done.
    StepKind kind = StepKind::Waiting;
    QString state; // "baking"
    QString revision; // "43" when it runs what was pushed, read back; "42", "other", "–".
    bool hasRevision = false; // It runs what was pushed, read back.
    QString hash; // "8c1f…e20a"
    QString applyTime; // "1.1 s"
    QString rps;
    QString errors; // Per cent.
    QString p95Change; // "+1 %"
    QString text; // Why, across the row: "silent 4 min 58 s · applied when it returns".
    bool isAway = false; // Hatched.
    bool isBad = false;
};

struct RolloutWaveRow
{
    QString label; // "25 %"
    QString title; // "Wave 2, 25 %"
    QString applied; // "3 of 3 applied, read back"
    QString nodes; // "3 nodes"
    QString words; // "39 of 60 s", "gates held, 60 s"
    double share = 0; // 0..1, of its way.
    StepKind kind = StepKind::Waiting;
    bool isCurrent = false;
};

enum class GateSign : std::uint8_t { NoData, Holds, Fails };

struct RolloutGateRow
{
    QString name; // "error rate"
    QString measured; // "+0.01 pp"
    QString limit; // "≤ 0.5 pp"
    GateSign sign = GateSign::NoData;
};

struct RolloutNoteRow
{
    QString time;
    QString text;
    StepKind kind = StepKind::Waiting;
};

// A second of the nodes with and without the change.
struct RolloutPoint
{
    std::int64_t time_s = 0;
    std::optional<double> errorsBefore; // Per cent, of nodes that run the revision before.
    std::optional<double> errorsNow; // Of nodes that run what was pushed.
    std::optional<double> p95Before_ms;
    std::optional<double> p95Now_ms;
};

struct RolloutMark
{
    std::int64_t time_s = 0;
    QString label; // "canary", "2"
};

enum class RolloutVerdict : std::uint8_t {
    None, // There was no push.
    Running,
    Held,
    Stopping,
    Stopped,
    RollingBack,
    RolledBack,
    Converged, // Every expected node was read back.
    Partial,
    Failed,
};

struct RolloutRows
{
    RolloutVerdict verdict = RolloutVerdict::None;
    std::int64_t revision = 0;
    std::int64_t revisionBefore = 0;
    QString message;
    QString state; // "wave 2 of 3, baking"
    QString started; // "14:11:02"
    QString took; // "1 min 39 s"
    int expected = 0;
    int converged = 0; // Read back.
    int wave = 0; // Current one, from 1.
    std::vector<RolloutWaveRow> waves;
    std::vector<RolloutNodeRow> nodes; // By wave and name; those that are away last in theirs.
    std::vector<RolloutGateRow> gates;
    std::vector<RolloutNoteRow> notes; // Newest first.
    std::vector<RolloutPoint> points;
    std::vector<RolloutMark> marks; // When waves began.
    std::optional<double> errorLimit; // Where the gate's line stands, in the points' unit.
    std::optional<double> p95Limit;
    QString errorLimitText; // "stop at +0.5 pp"
    QString p95LimitText;
    bool canHold = false;
    bool canContinue = false;
    bool canStop = false;
    bool canRollBack = false;
    bool isFound = false; // It was going on when the console ended.
};

// --- History -----------------------------------------------------------------------------------

struct HistoryRow
{
    std::int64_t id = 0;
    std::int64_t parent = 0;
    std::int64_t time_us = 0;
    QString author;
    QString message;
    QString outcome; // "converged", "rolled back", "not pushed"
    QString convergence; // "12/12"; empty: it was not pushed from here.
    bool isRunning = false;
    bool isBad = false;
};

// What lies between two revisions.
struct HistoryDiff
{
    QString title; // "41 → 43"
    int created = 0;
    int updated = 0;
    int deleted = 0;
    std::vector<ChangeRow> changes;
    std::vector<ObjectDiff> objects;
    QString alsoUndoes; // "Going back to 41 also undoes revisions 42 and 43."
    QString failure;
};

} // namespace mesh::bridge
