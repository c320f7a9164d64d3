// What a rollout is as rows: words, figures and the two charts.
#include "app/bridge/format.h"
#include "app/bridge/rollout_private.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace mesh::bridge {

namespace {

using fleet::NodePhase;
using fleet::RolloutState;
using fleet::WaveState;

constexpr std::int64_t kSecond_us = 1'000'000;
constexpr std::int64_t kSmooth_s = 5; // One second of one node jumps.

std::int64_t micros(WallTime time) { return time.time_since_epoch().count(); }

struct PhaseLook
{
    NodePhase phase;
    int step;
    StepKind kind;
    const char* word;
};

constexpr std::array<PhaseLook, 14> kPhases = {{
    {NodePhase::Queued,
     0,
     StepKind::Waiting,
     QT_TRANSLATE_NOOP("mesh::bridge::RolloutSession", "queued")},
    {NodePhase::Sent,
     1,
     StepKind::Moving,
     QT_TRANSLATE_NOOP("mesh::bridge::RolloutSession", "sent")},
    {NodePhase::Acknowledged,
     2,
     StepKind::Moving,
     QT_TRANSLATE_NOOP("mesh::bridge::RolloutSession", "acknowledged")},
    {NodePhase::Applied,
     3,
     StepKind::Moving,
     QT_TRANSLATE_NOOP("mesh::bridge::RolloutSession", "applied")},
    {NodePhase::Baking,
     4,
     StepKind::Moving,
     QT_TRANSLATE_NOOP("mesh::bridge::RolloutSession", "baking")},
    {NodePhase::Done, 5, StepKind::Done, QT_TRANSLATE_NOOP("mesh::bridge::RolloutSession", "done")},
    {NodePhase::Rejected,
     2,
     StepKind::Failed,
     QT_TRANSLATE_NOOP("mesh::bridge::RolloutSession", "rejected")},
    {NodePhase::Unreachable,
     1,
     StepKind::Failed,
     QT_TRANSLATE_NOOP("mesh::bridge::RolloutSession", "unreachable")},
    {NodePhase::SetAside,
     1,
     StepKind::Failed,
     QT_TRANSLATE_NOOP("mesh::bridge::RolloutSession", "unreachable")},
    {NodePhase::Superseded,
     1,
     StepKind::Failed,
     QT_TRANSLATE_NOOP("mesh::bridge::RolloutSession", "superseded")},
    {NodePhase::Drifted,
     3,
     StepKind::Failed,
     QT_TRANSLATE_NOOP("mesh::bridge::RolloutSession", "drifted")},
    {NodePhase::RollingBack,
     3,
     StepKind::TakenBack,
     QT_TRANSLATE_NOOP("mesh::bridge::RolloutSession", "rolling back")},
    {NodePhase::RolledBack,
     0,
     StepKind::TakenBack,
     QT_TRANSLATE_NOOP("mesh::bridge::RolloutSession", "rolled back")},
    {NodePhase::NotTouched,
     0,
     StepKind::Waiting,
     QT_TRANSLATE_NOOP("mesh::bridge::RolloutSession", "not touched")},
}};

const PhaseLook& lookOf(NodePhase phase)
{
    const auto found = std::ranges::find(kPhases, phase, &PhaseLook::phase);
    return found == kPhases.end() ? kPhases.front() : *found;
}

QString shortHash(const std::string& hash)
{
    constexpr std::size_t kEnds = 4;
    if (hash.size() <= kEnds * 2) {
        return hash.empty() ? noValueText() : QString::fromStdString(hash);
    }
    return QString::fromStdString(hash.substr(0, kEnds)) + u'…'
           + QString::fromStdString(hash.substr(hash.size() - kEnds));
}

QString signedText(double value, int decimals)
{
    const QString number = QString::number(std::abs(value), 'f', decimals);
    return (value < 0 ? QStringLiteral("−") : QStringLiteral("+")) + number;
}

QString durationText(std::int64_t span_us)
{
    return formatDuration(static_cast<double>(span_us) / 1000);
}

bool isAway(const fleet::NodeProgress& node)
{
    return node.phase == NodePhase::Unreachable || node.phase == NodePhase::SetAside;
}

bool isApplied(const fleet::Rollout& rollout, const fleet::NodeProgress& node)
{
    return !node.hashNow.empty() && node.hashNow == rollout.hash;
}

void addFigures(RolloutNodeRow& row, const fleet::NodeProgress& node, const RolloutContext& context)
{
    const auto known = context.seconds.find(node.name);
    const std::int64_t now_s = context.now_us / kSecond_us;
    constexpr std::int64_t kRecent_s = 10;
    const fleet::NodeFigures recent = known == context.seconds.end()
                                          ? fleet::NodeFigures{}
                                          : figuresOf(known->second, now_s - kRecent_s, now_s + 1);
    const bool hasTraffic = recent.requests > 0;
    row.rps =
        hasTraffic ? formatRate(static_cast<double>(recent.requests) / kRecent_s) : noValueText();
    row.errors =
        hasTraffic ? QString::number(
            static_cast<double>(recent.errors) * 100 / static_cast<double>(recent.requests), 'f', 1
        )
                   : noValueText();
    row.p95Change = noValueText();
    const bool isComparable =
        node.before && node.now && node.before->p95_ms > 0 && node.now->p95_ms > 0;
    if (isComparable) {
        const double share = node.now->p95_ms / node.before->p95_ms - 1;
        row.p95Change = signedText(share * 100, 0) + QStringLiteral("\u202F%");
    }
}

RolloutNodeRow rowOf(
    const fleet::Rollout& rollout, const fleet::NodeProgress& node, const RolloutContext& context
)
{
    const PhaseLook& look = lookOf(node.phase);
    RolloutNodeRow row;
    row.name = QString::fromStdString(node.name);
    row.zone = QString::fromStdString(node.zone);
    row.role =
        node.role == "gateway" ? RolloutSession::tr("gateway") : RolloutSession::tr("sidecar");
    row.wave = static_cast<int>(node.wave);
    row.step = look.step;
    row.kind = look.kind;
    row.state = RolloutSession::tr(look.word);
    row.hasRevision = isApplied(rollout, node);
    row.isAway = isAway(node);
    row.isBad = look.kind == StepKind::Failed && !row.isAway;
    const std::string& known = node.hashNow.empty() ? node.hashBefore : node.hashNow;
    row.hash = shortHash(known);
    if (row.hasRevision) {
        row.revision = QString::number(rollout.revision);
    } else if (known.empty()) {
        row.revision = noValueText();
    } else if (known == node.hashBefore && rollout.revisionBefore > 0) {
        row.revision = QString::number(rollout.revisionBefore);
    } else {
        row.revision = RolloutSession::tr("other");
    }
    row.applyTime = node.appliedAt != WallTime{} && node.sentAt != WallTime{}
                        ? durationText(micros(node.appliedAt) - micros(node.sentAt))
                        : QString();
    row.text = QString::fromStdString(node.text);
    if (row.isAway) {
        QStringList words;
        if (node.seenAt != WallTime{} && context.now_us > micros(node.seenAt)) {
            words << RolloutSession::tr("silent %1")
                         .arg(durationText(context.now_us - micros(node.seenAt)));
        } else if (!node.text.empty()) {
            words << row.text;
        }
        if (node.phase == NodePhase::SetAside
            && rollout.plan.absent == fleet::AbsentNode::ApplyOnReturn) {
            words << RolloutSession::tr("applied when it returns");
        }
        row.text = words.join(QStringLiteral(" · "));
        return row;
    }
    addFigures(row, node, context);
    return row;
}

QString labelOf(const fleet::Rollout& rollout, std::size_t at)
{
    const std::size_t count = rollout.waves.size();
    if (at + 1 == count) {
        return RolloutSession::tr("All");
    }
    if (at == 0 && rollout.waves[0].nodes.size() == 1) {
        return RolloutSession::tr("Canary");
    }
    std::size_t sum = 0;
    for (std::size_t i = 0; i <= at; ++i) {
        sum += rollout.waves[i].nodes.size();
    }
    const auto total = std::max<std::size_t>(1, rollout.nodes.size());
    const double share = static_cast<double>(sum) / static_cast<double>(total);
    return QString::number(std::lround(share * 100)) + QStringLiteral("\u202F%");
}

std::int64_t bakedUs(const fleet::WaveProgress& wave)
{
    return std::chrono::duration_cast<std::chrono::microseconds>(wave.baked).count();
}

void addWave(RolloutRows& rows, const fleet::Rollout& rollout, std::size_t at)
{
    const fleet::WaveProgress& wave = rollout.waves[at];
    const bool isOver = fleet::isOver(rollout.state);
    const std::int64_t bake_us =
        std::chrono::duration_cast<std::chrono::microseconds>(rollout.plan.bake).count();
    const QString bake = QString::number(bake_us / kSecond_us);
    int applied = 0;
    int expected = 0;
    for (const fleet::NodeProgress& node : rollout.nodes) {
        if (node.wave == at) {
            ++expected;
            applied += isApplied(rollout, node) ? 1 : 0;
        }
    }
    RolloutWaveRow row;
    row.label = labelOf(rollout, at);
    row.title = at == 0 && rollout.waves[0].nodes.size() == 1 && rollout.waves.size() > 1
                    ? row.label
                    : RolloutSession::tr("Wave %1, %2").arg(at + 1).arg(row.label.toLower());
    row.nodes = RolloutSession::tr("%n node(s)", nullptr, expected);
    row.applied = applied > 0
                      ? RolloutSession::tr("%1 of %2 applied, read back").arg(applied).arg(expected)
                      : RolloutSession::tr("%1 of %2 applied").arg(applied).arg(expected);
    row.isCurrent = at == rollout.wave && !isOver;
    const double reached =
        expected == 0 ? 0 : static_cast<double>(applied) / static_cast<double>(expected);
    switch (wave.state) {
    case WaveState::Waiting:
        row.words = bake_us > 0 ? RolloutSession::tr("waiting · bake %1 s").arg(bake)
                                : RolloutSession::tr("waiting");
        break;
    case WaveState::Sending:
        row.kind = StepKind::Moving;
        row.words = RolloutSession::tr("%1 of %2").arg(applied).arg(expected);
        row.share = bake_us > 0 ? reached * 0.1 : reached;
        break;
    case WaveState::Baking:
        row.kind = StepKind::Moving;
        row.words = RolloutSession::tr("%1 of %2 s").arg(bakedUs(wave) / kSecond_us).arg(bake);
        row.share =
            bake_us > 0 ? static_cast<double>(bakedUs(wave)) / static_cast<double>(bake_us) : 1;
        break;
    case WaveState::Held:
        row.kind = StepKind::Moving;
        row.words = RolloutSession::tr("held");
        row.share = 1;
        break;
    case WaveState::Done:
        row.kind = StepKind::Done;
        row.share = 1;
        row.words = bake_us > 0 && !rollout.plan.gates.empty()
                        ? RolloutSession::tr("gates held, %1 s").arg(bake)
                        : RolloutSession::tr("%1 of %2 read back").arg(applied).arg(expected);
        break;
    case WaveState::Failed:
        row.kind = StepKind::Failed;
        row.share = 1;
        row.words = RolloutSession::tr("failed");
        break;
    }
    if (rollout.state == RolloutState::RolledBack && wave.state != WaveState::Waiting) {
        row.kind = StepKind::TakenBack;
        row.words = RolloutSession::tr("rolled back");
    }
    row.share = std::clamp(row.share, 0.0, 1.0);
    rows.waves.push_back(std::move(row));
}

QString gateName(fleet::GateQuantity quantity)
{
    switch (quantity) {
    case fleet::GateQuantity::ErrorRatio:
        return RolloutSession::tr("error rate");
    case fleet::GateQuantity::P95:
        return RolloutSession::tr("p95");
    case fleet::GateQuantity::Ejections:
        return RolloutSession::tr("ejections");
    case fleet::GateQuantity::Rejections:
        return RolloutSession::tr("rejections");
    case fleet::GateQuantity::NodeLoss:
        return RolloutSession::tr("nodes lost");
    }
    return {};
}

// A figure of a gate in its unit, with its sign where it is a difference.
QString gateText(const fleet::GateRule& rule, double value, bool isLimit)
{
    const bool isDifference = rule.basis == fleet::GateBasis::AgainstBefore;
    if (rule.quantity == fleet::GateQuantity::ErrorRatio) {
        const double percent = value * 100;
        const QString unit = isDifference ? QStringLiteral("\u202Fpp") : QStringLiteral("\u202F%");
        if (isLimit) {
            return QString::number(percent) + unit;
        }
        return (isDifference ? signedText(percent, 2) : QString::number(percent, 'f', 2)) + unit;
    }
    if (rule.quantity == fleet::GateQuantity::P95) {
        if (isDifference) {
            const double percent = value * 100;
            return (isLimit ? QString::number(percent) : signedText(percent, 1))
                   + QStringLiteral("\u202F%");
        }
        return formatDuration(value * 1000);
    }
    return QString::number(std::llround(value));
}

bool isCount(fleet::GateQuantity quantity)
{
    return quantity != fleet::GateQuantity::ErrorRatio && quantity != fleet::GateQuantity::P95;
}

void addGates(RolloutRows& rows, const fleet::Rollout& rollout)
{
    for (const fleet::GateProgress& gate : rollout.gates) {
        RolloutGateRow row;
        row.name = gateName(gate.rule.quantity);
        row.sign = gate.state == fleet::GateState::Holds   ? GateSign::Holds
                   : gate.state == fleet::GateState::Fails ? GateSign::Fails
                                                           : GateSign::NoData;
        row.measured = gate.state == fleet::GateState::NoData && !isCount(gate.rule.quantity)
                           ? noValueText()
                           : gateText(gate.rule, gate.measured, false);
        const QString limit = gateText(gate.rule, gate.rule.limit, true);
        row.limit =
            isCount(gate.rule.quantity)
                ? (gate.rule.limit <= 1 ? RolloutSession::tr("none") : QStringLiteral("< ") + limit)
                : QStringLiteral("≤ ") + limit;
        rows.gates.push_back(std::move(row));
    }
    double errorsBefore = 0;
    double p95Before = 0;
    for (const fleet::GateProgress& gate : rollout.gates) {
        errorsBefore =
            gate.rule.quantity == fleet::GateQuantity::ErrorRatio ? gate.before : errorsBefore;
        p95Before = gate.rule.quantity == fleet::GateQuantity::P95 ? gate.before : p95Before;
    }
    for (const fleet::GateRule& rule : rollout.plan.gates) {
        const bool isDifference = rule.basis == fleet::GateBasis::AgainstBefore;
        const QString text =
            (isDifference ? RolloutSession::tr("stop at +%1") : RolloutSession::tr("stop at %1"))
                .arg(gateText(rule, rule.limit, true));
        if (rule.quantity == fleet::GateQuantity::ErrorRatio) {
            rows.errorLimit = (rule.limit + (isDifference ? errorsBefore : 0)) * 100;
            rows.errorLimitText = text;
        } else if (rule.quantity == fleet::GateQuantity::P95) {
            // Seconds; against before it is a share of what was measured then.
            const double limit_s = isDifference ? p95Before * (1 + rule.limit) : rule.limit;
            rows.p95Limit = limit_s > 0 ? std::optional(limit_s * 1000) : std::nullopt;
            rows.p95LimitText = text;
        }
    }
}

QString stateText(const fleet::Rollout& rollout, const RolloutRows& rows)
{
    const std::size_t count = rollout.waves.size();
    switch (rollout.state) {
    case RolloutState::Running: {
        const WaveState state =
            rollout.wave < count ? rollout.waves[rollout.wave].state : WaveState::Waiting;
        const QString doing = state == WaveState::Baking ? RolloutSession::tr("baking")
                                                         : RolloutSession::tr("sending");
        return count > 1 ? RolloutSession::tr("wave %1 of %2, %3")
                               .arg(rollout.wave + 1)
                               .arg(count)
                               .arg(doing)
                         : doing;
    }
    case RolloutState::Held:
        return count > 1
                   ? RolloutSession::tr("wave %1 of %2, held").arg(rollout.wave + 1).arg(count)
                   : RolloutSession::tr("held");
    case RolloutState::Stopping:
        return RolloutSession::tr("stopping");
    case RolloutState::Stopped:
        return RolloutSession::tr("stopped, %1 of %2 read back")
            .arg(rows.converged)
            .arg(rows.expected);
    case RolloutState::RollingBack:
        return RolloutSession::tr("rolling back");
    case RolloutState::RolledBack:
        return RolloutSession::tr("rolled back");
    case RolloutState::Done:
        return RolloutSession::tr("converged, %1 of %2 read back")
            .arg(rows.converged)
            .arg(rows.expected);
    case RolloutState::Partial:
        return RolloutSession::tr("partial, %1 of %2 read back")
            .arg(rows.converged)
            .arg(rows.expected);
    case RolloutState::Failed:
        return RolloutSession::tr("a gate failed, %1 of %2 read back")
            .arg(rows.converged)
            .arg(rows.expected);
    }
    return {};
}

StepKind kindOf(const fleet::RolloutNote& note)
{
    if (note.isBad) {
        return StepKind::Failed;
    }
    // Green for what was proven: read back, or gates that held.
    const bool isProven = note.text.find("applied") != std::string::npos
                          || note.text.find("held") != std::string::npos
                          || note.text.find("read back") != std::string::npos;
    return isProven ? StepKind::Done : StepKind::Moving;
}

} // namespace

RolloutVerdict verdictOf(RolloutState state)
{
    switch (state) {
    case RolloutState::Running:
        return RolloutVerdict::Running;
    case RolloutState::Held:
        return RolloutVerdict::Held;
    case RolloutState::Stopping:
        return RolloutVerdict::Stopping;
    case RolloutState::Stopped:
        return RolloutVerdict::Stopped;
    case RolloutState::RollingBack:
        return RolloutVerdict::RollingBack;
    case RolloutState::RolledBack:
        return RolloutVerdict::RolledBack;
    case RolloutState::Done:
        return RolloutVerdict::Converged;
    case RolloutState::Partial:
        return RolloutVerdict::Partial;
    case RolloutState::Failed:
        return RolloutVerdict::Failed;
    }
    return RolloutVerdict::None;
}

QString outcomeText(RolloutState state)
{
    switch (verdictOf(state)) {
    case RolloutVerdict::Running:
    case RolloutVerdict::Held:
        return RolloutSession::tr("pushing");
    case RolloutVerdict::Stopping:
    case RolloutVerdict::Stopped:
        return RolloutSession::tr("stopped");
    case RolloutVerdict::RollingBack:
        return RolloutSession::tr("rolling back");
    case RolloutVerdict::RolledBack:
        return RolloutSession::tr("rolled back");
    case RolloutVerdict::Converged:
        return RolloutSession::tr("converged");
    case RolloutVerdict::Partial:
        return RolloutSession::tr("partial");
    case RolloutVerdict::Failed:
        return RolloutSession::tr("gate failed");
    case RolloutVerdict::None:
        break;
    }
    return {};
}

std::vector<RolloutPoint> pointsOf(
    const std::map<std::string, NodeSeconds>& seconds,
    const std::string& hash,
    std::int64_t begin_s,
    std::int64_t end_s
)
{
    if (end_s <= begin_s) {
        return {};
    }
    const auto count = static_cast<std::size_t>(end_s - begin_s);
    std::vector<SecondSums> with(count);
    std::vector<SecondSums> without(count);
    for (const auto& [name, list] : seconds) {
        for (const NodeSecond& one : list) {
            if (one.time_s < begin_s || one.time_s >= end_s) {
                continue;
            }
            auto& side = one.hash == hash ? with : without;
            SecondSums& sums = side[static_cast<std::size_t>(one.time_s - begin_s)];
            sums.requests += one.requests;
            sums.errors += one.errors;
            sums.latency.merge(one.latency);
        }
    }
    const auto smooth = [&](const std::vector<SecondSums>& side, std::size_t at) {
        SecondSums sums;
        const std::size_t first = at + 1 > kSmooth_s ? at + 1 - kSmooth_s : 0;
        for (std::size_t i = first; i <= at; ++i) {
            sums.requests += side[i].requests;
            sums.errors += side[i].errors;
            sums.latency.merge(side[i].latency);
        }
        return sums;
    };
    std::vector<RolloutPoint> points(count);
    for (std::size_t i = 0; i < count; ++i) {
        points[i].time_s = begin_s + static_cast<std::int64_t>(i);
        const auto fill = [&](const std::vector<SecondSums>& side,
                              std::optional<double>& errors,
                              std::optional<double>& p95) {
            if (side[i].requests == 0) {
                return; // Nothing was measured: a gap, never zero.
            }
            const SecondSums sums = smooth(side, i);
            errors = static_cast<double>(sums.errors) * 100 / static_cast<double>(sums.requests);
            if (sums.latency.total() > 0) {
                p95 = sums.latency.quantile(0.95) / 1000;
            }
        };
        fill(with, points[i].errorsNow, points[i].p95Now_ms);
        fill(without, points[i].errorsBefore, points[i].p95Before_ms);
    }
    return points;
}

RolloutRows rowsOf(const fleet::Rollout& rollout, const RolloutContext& context)
{
    RolloutRows rows;
    rows.verdict = verdictOf(rollout.state);
    rows.revision = rollout.revision;
    rows.revisionBefore = rollout.revisionBefore;
    rows.message = QString::fromStdString(rollout.message);
    rows.started = formatTime(micros(rollout.startedAt));
    rows.expected = static_cast<int>(rollout.nodes.size());
    rows.converged = static_cast<int>(rollout.convergedCount());
    rows.wave = static_cast<int>(rollout.wave) + 1;
    rows.isFound = context.isFound;
    const bool isOver = fleet::isOver(rollout.state);
    const std::int64_t end_us = isOver ? micros(rollout.endedAt) : context.now_us;
    rows.took = durationText(end_us - micros(rollout.startedAt));
    rows.state = context.isFound ? RolloutSession::tr("was going on when the console ended")
                                 : stateText(rollout, rows);
    for (std::size_t i = 0; i < rollout.waves.size(); ++i) {
        addWave(rows, rollout, i);
    }
    for (const fleet::NodeProgress& node : rollout.nodes) {
        rows.nodes.push_back(rowOf(rollout, node, context));
    }
    std::ranges::stable_sort(rows.nodes, {}, [](const RolloutNodeRow& row) {
        return std::pair(row.wave, row.isAway);
    });
    addGates(rows, rollout);
    for (auto note = rollout.notes.rbegin(); note != rollout.notes.rend(); ++note) {
        rows.notes.push_back(
            {formatTime(micros(note->time)), QString::fromStdString(note->text), kindOf(*note)}
        );
    }
    rows.points = context.points;
    for (std::size_t i = 0; i < rollout.waves.size(); ++i) {
        std::int64_t first = 0;
        for (const fleet::NodeProgress& node : rollout.nodes) {
            const std::int64_t applied = micros(node.appliedAt) / kSecond_us;
            if (node.wave == i && node.appliedAt != WallTime{}) {
                first = first == 0 ? applied : std::min(first, applied);
            }
        }
        if (first > 0) {
            const QString label = i == 0 && rollout.waves.size() > 1 ? labelOf(rollout, 0).toLower()
                                                                     : QString::number(i + 1);
            rows.marks.push_back({first, label});
        }
    }
    const bool isMoving = rollout.state == RolloutState::Running;
    rows.canHold = isMoving && !context.isFound;
    rows.canContinue = context.isFound || rollout.state == RolloutState::Held
                       || (isMoving && rollout.wave < rollout.waves.size()
                           && rollout.waves[rollout.wave].state == WaveState::Baking);
    rows.canStop = (isMoving || rollout.state == RolloutState::Held) && !context.isFound;
    rows.canRollBack = !context.isFound && rollout.state != RolloutState::RollingBack
                       && rollout.state != RolloutState::RolledBack
                       && rollout.state != RolloutState::Stopping;
    return rows;
}

} // namespace mesh::bridge
