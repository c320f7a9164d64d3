#include "app/bridge/rehearsal_view.h"

#include "app/bridge/fault_offers.h"
#include "app/bridge/format.h"
#include "proxyengine/base/duration_text.h"

#include <QCoreApplication>

#include <algorithm>
#include <array>
#include <cmath>

namespace mesh::bridge {

namespace {

using simulator::Quantity;
using simulator::Rehearsal;
using simulator::RehearsalFigures;
using simulator::VariantResult;
using simulator::Window;

QString word(const char* text) { return QCoreApplication::translate("Rehearsal", text); }

QString runsText(int count)
{
    return QCoreApplication::translate("Rehearsal", "%n run(s)", nullptr, count);
}

QString moreText(int count)
{
    return QCoreApplication::translate("Rehearsal", "and %n more", nullptr, count);
}

QString from(const std::string& text) { return QString::fromStdString(text); }

bool isTime(Quantity quantity)
{
    return quantity == Quantity::Mean || quantity == Quantity::P50 || quantity == Quantity::P90
           || quantity == Quantity::P99 || quantity == Quantity::P999;
}

// A measured value in the unit of its quantity: "268 ms", "99.71 %", "1.14 ×".
QString valueText(Quantity quantity, double value, bool isDifference)
{
    const QString gap = QStringLiteral("\u202F");
    const QString sign = isDifference && value > 0 ? QStringLiteral("+") : QString();
    const QString minus = value < 0 ? QStringLiteral("−") : QString();
    const double size = std::abs(value);
    if (isTime(quantity)) {
        return sign + minus + formatDuration(size);
    }
    switch (quantity) {
    case Quantity::Success:
        return sign + minus + QString::number(size * 100, 'f', 2) + gap
               + (isDifference ? QStringLiteral("pp") : QStringLiteral("%"));
    case Quantity::Utilization:
        return sign + minus + QString::number(size * 100, 'f', 0) + gap
               + (isDifference ? QStringLiteral("pp") : QStringLiteral("%"));
    case Quantity::Amplification:
        return sign + minus + QString::number(size, 'f', 2) + gap + QStringLiteral("×");
    default:
        break;
    }
    return sign + minus + formatRate(size);
}

const RehearsalFigures* figuresOf(
    const VariantResult& variant, Window window, const std::string& name
)
{
    for (const auto* rows : {&variant.services, &variant.edges}) {
        const auto at = rows->find(window);
        if (at != rows->end()) {
            const auto found = at->second.find(name);
            if (found != at->second.end()) {
                return &found->second;
            }
        }
    }
    return nullptr;
}

constexpr std::array<Window, 3> kWindows = {Window::Before, Window::During, Window::After};

// The three cells of a row; "–" where nothing was measured.
WindowLine windowLine(
    const QString& label, const VariantResult& variant, const std::string& name, Quantity quantity
)
{
    std::array<QString, 3> cells;
    for (std::size_t i = 0; i < kWindows.size(); ++i) {
        const auto* figures = figuresOf(variant, kWindows[i], name);
        const auto value =
            figures != nullptr && figures->calls > 0 ? figures->value(quantity) : std::nullopt;
        if (!value) {
            cells[i] = noValueText();
        } else if (quantity == Quantity::Success) {
            cells[i] = QString::number(*value * 100, 'f', 2);
        } else if (quantity == Quantity::Amplification) {
            cells[i] = QString::number(*value, 'f', 2);
        } else if (isTime(quantity)) {
            cells[i] = *value < 10 ? QString::number(*value, 'f', 1)
                                   : formatCount(static_cast<std::uint64_t>(std::llround(*value)));
        } else {
            cells[i] = formatRate(*value);
        }
    }
    return {label, cells[0], cells[1], cells[2], false, false};
}

// During is far from before: a point of success, or half as long again.
bool isWorse(const VariantResult& variant, const std::string& name, Quantity quantity)
{
    const auto* before = figuresOf(variant, Window::Before, name);
    const auto* during = figuresOf(variant, Window::During, name);
    if (before == nullptr || during == nullptr || during->calls == 0) {
        return false;
    }
    const double was = before->value(quantity).value_or(0);
    const double is = during->value(quantity).value_or(0);
    return quantity == Quantity::Success ? is < was - 0.01 : is > was * 1.5 && before->calls > 0;
}

// The service whose callers repeat the most while faults are active.
std::string mostAmplified(const VariantResult& variant)
{
    const auto during = variant.services.find(Window::During);
    if (during == variant.services.end()) {
        return {};
    }
    std::string most;
    double highest = 0;
    for (const auto& [name, figures] : during->second) {
        if (figures.amplification > highest) {
            highest = figures.amplification;
            most = name;
        }
    }
    return most;
}

std::vector<WindowLine> windowLines(
    const VariantResult& shown, const VariantResult* reference, const std::string& entry
)
{
    struct Row
    {
        QString label;
        Quantity quantity;
        bool hasReference;
    };
    const std::array<Row, 4> rows = {
        {{word("requests / s"), Quantity::Rps, false},
         {word("success, %"), Quantity::Success, true},
         {word("p50, ms"), Quantity::P50, false},
         {word("p99, ms"), Quantity::P99, true}}};
    std::vector<WindowLine> lines;
    for (const Row& row : rows) {
        WindowLine line = windowLine(row.label, shown, entry, row.quantity);
        line.isDuringWorse = row.quantity != Quantity::Rps && isWorse(shown, entry, row.quantity);
        lines.push_back(std::move(line));
        if (row.hasReference && reference != nullptr) {
            WindowLine other = windowLine(from(reference->name), *reference, entry, row.quantity);
            other.isReference = true;
            other.isDuringWorse = isWorse(*reference, entry, row.quantity);
            lines.push_back(std::move(other));
        }
    }
    if (const std::string most = mostAmplified(shown); !most.empty()) {
        lines.push_back(windowLine(
            word("%1 amplification").arg(from(most)), shown, most, Quantity::Amplification
        ));
    }
    return lines;
}

QString rangeText(const simulator::Estimate& estimate, Quantity quantity)
{
    if (!estimate.interval) {
        return {};
    }
    return QStringLiteral("[%1, %2]")
        .arg(
            valueText(quantity, estimate.interval->first, false),
            valueText(quantity, estimate.interval->second, false)
        );
}

VerdictLine verdictLine(const simulator::AssertionResult& result, int replications)
{
    const simulator::Assertion& assertion = result.assertion;
    VerdictLine line;
    const bool isComparison = assertion.window.empty();
    line.window = isComparison ? word("compare") : from(assertion.window);
    line.text = from(assertion.text);
    line.text.replace(QStringLiteral(">="), QStringLiteral("≥"));
    line.text.replace(QStringLiteral("<="), QStringLiteral("≤"));
    if (isComparison) {
        line.text += QStringLiteral(" ") + word("vs %1").arg(from(assertion.reference));
    }
    const Quantity quantity = assertion.condition.quantity;
    line.value =
        result.value ? valueText(quantity, result.value->value, isComparison) : noValueText();
    if (result.value) {
        line.interval = rangeText(*result.value, quantity);
    }
    line.holds = result.holds;
    line.hit = result.hit;
    line.of = replications;
    return line;
}

int holding(const std::vector<simulator::AssertionResult>& results)
{
    return static_cast<int>(std::ranges::count_if(results, &simulator::AssertionResult::holds));
}

QString effortText(const Rehearsal& rehearsal)
{
    const auto hops = static_cast<double>(rehearsal.hops);
    const QString gap = QStringLiteral("\u202F");
    const QString count =
        hops >= 1e6   ? QString::number(hops / 1e6, 'f', 1) + gap + QStringLiteral("M")
        : hops >= 1e3 ? QString::number(hops / 1e3, 'f', 0) + gap + QStringLiteral("k")
                      : QString::number(rehearsal.hops);
    return word("%1 hops in %2").arg(count, formatDuration(rehearsal.wall_s * 1000));
}

TrustRow trustRow(const simulator::Trust& trust)
{
    TrustRow row;
    row.isCalibrated = trust.isCalibrated && trust.beyond.empty();
    row.badge = !trust.isCalibrated    ? word("not calibrated")
                : trust.beyond.empty() ? word("in calibrated range")
                                       : word("beyond calibration");
    if (trust.successError) {
        row.text = word("Against live: success %1 pp, p50 %2, p99 %3 apart.")
                       .arg(
                           QString::number(std::abs(*trust.successError) * 100, 'f', 2),
                           trust.p50Error ? formatRatio(std::abs(*trust.p50Error)) : noValueText(),
                           trust.p99Error ? formatRatio(std::abs(*trust.p99Error)) : noValueText()
                       );
    } else if (!trust.isCalibrated) {
        row.text = word("The models are as written in the document, not fitted from "
                        "measurements; no live run was compared.");
    } else {
        row.text = word("The models were fitted from measurements; no live run was compared.");
    }
    if (!trust.beyond.empty()) {
        QStringList names;
        for (const std::string& name : trust.beyond) {
            names << from(name);
        }
        row.text +=
            QStringLiteral(" ") + word("Beyond what was measured: %1.").arg(names.join(u", "));
    }
    for (const std::string& note : trust.liveNotes) {
        row.text += QStringLiteral(" ") + from(note) + QStringLiteral(".");
    }
    QStringList missing;
    for (const std::string& one : trust.notModelled) {
        missing << from(one);
    }
    if (!missing.isEmpty()) {
        row.missing = word("Not modelled: %1.").arg(missing.join(u", "));
    }
    return row;
}

std::string primaryEntry(const Rehearsal& rehearsal)
{
    return rehearsal.entries.empty() ? std::string() : rehearsal.entries.front();
}

double faultsEnd(const simulator::Scenario& scenario)
{
    double end = 0;
    for (const simulator::Fault& fault : scenario.timeline) {
        const double duration = scenario.duration ? toSeconds(*scenario.duration) : 0;
        end = std::max(end, fault.length ? toSeconds(fault.at + *fault.length) : duration);
    }
    return end;
}

double faultsBegin(const simulator::Scenario& scenario)
{
    double begin = -1;
    for (const simulator::Fault& fault : scenario.timeline) {
        begin = begin < 0 ? toSeconds(fault.at) : std::min(begin, toSeconds(fault.at));
    }
    return std::max(0.0, begin);
}

struct MarkSpec
{
    simulator::RunMarker::Kind from;
    ReactionMark::Kind to;
    const char* text; // %1: service.
};

constexpr std::array<MarkSpec, 6> kMarks = {
    {{simulator::RunMarker::Kind::Ejected,
      ReactionMark::Kind::Ejected,
      QT_TRANSLATE_NOOP("Rehearsal", "%1 ejected")},
     {simulator::RunMarker::Kind::CheckFailed,
      ReactionMark::Kind::Ejected,
      QT_TRANSLATE_NOOP("Rehearsal", "%1 out by its health check")},
     {simulator::RunMarker::Kind::BreakerOpened,
      ReactionMark::Kind::Broken,
      QT_TRANSLATE_NOOP("Rehearsal", "%1 breaker opens")},
     {simulator::RunMarker::Kind::PanicEntered,
      ReactionMark::Kind::Panic,
      QT_TRANSLATE_NOOP("Rehearsal", "%1 panics")},
     {simulator::RunMarker::Kind::BreakerClosed,
      ReactionMark::Kind::Returned,
      QT_TRANSLATE_NOOP("Rehearsal", "%1 breaker closes")},
     {simulator::RunMarker::Kind::GuardStopped,
      ReactionMark::Kind::Stopped,
      QT_TRANSLATE_NOOP("Rehearsal", "a guard stops the run")}}};

// The first of each kind, told with how many there were within the following ten seconds.
std::vector<ReactionMark> reactionsOf(const Rehearsal& rehearsal, const VariantResult& variant)
{
    std::vector<ReactionMark> marks;
    for (const MarkSpec& spec : kMarks) {
        const simulator::RunMarker* first = nullptr;
        int more = 0;
        for (const simulator::RunMarker& marker : variant.record.markers) {
            if (marker.kind != spec.from) {
                continue;
            }
            if (first == nullptr) {
                first = &marker;
            } else {
                more += marker.at - first->at < std::chrono::seconds(10) ? 1 : 0;
            }
        }
        if (first == nullptr) {
            continue;
        }
        const std::string& named = first->instance.empty() ? first->callee : first->instance;
        QString words = word(spec.text).arg(from(named));
        if (more > 0) {
            words += QStringLiteral(" ") + moreText(more);
        }
        marks.push_back({toSeconds(first->at), spec.to, words});
    }
    const double begin = faultsBegin(rehearsal.scenario);
    const double end = faultsEnd(rehearsal.scenario);
    if (variant.reaction.detected) {
        const double after = toSeconds(*variant.reaction.detected);
        marks.push_back(
            {begin + after,
             ReactionMark::Kind::Detected,
             after < 0.05 ? word("detected at once")
                          : word("detected after %1").arg(spanText(after))}
        );
    }
    if (variant.reaction.recovered) {
        const double after = toSeconds(*variant.reaction.recovered);
        marks.push_back(
            {end + after,
             ReactionMark::Kind::Recovered,
             after < 1 ? word("recovered with the last fault's end")
                       : word("recovered %1 after the last fault").arg(spanText(after))}
        );
    }
    std::ranges::stable_sort(marks, {}, &ReactionMark::at_s);
    return marks;
}

VariantRow variantRow(const Rehearsal& rehearsal, const VariantResult& variant)
{
    VariantRow row;
    row.name = from(variant.name);
    row.entry = secondsOf(variant.series, rehearsal.entries, rehearsal.scenario.replications);
    row.reactions = reactionsOf(rehearsal, variant);
    const auto seconds = [](const std::optional<Duration>& time) {
        return time ? std::optional<double>(toSeconds(*time)) : std::nullopt;
    };
    row.detected_s = seconds(variant.reaction.detected);
    row.mitigated_s = seconds(variant.reaction.mitigated);
    row.recovered_s = seconds(variant.reaction.recovered);
    for (const std::string& service : variant.reaction.hurt) {
        row.hurt << from(service);
    }
    row.worst = variant.worst;
    return row;
}

QString headlineOf(const Rehearsal& rehearsal, const RunRow& row, int held)
{
    const auto all = static_cast<int>(row.verdicts.size());
    switch (row.verdict) {
    case VerdictKind::Holds:
        return all == 0 ? word("Ran; nothing is asserted")
                        : word("Holds: %1 of %2 assertions").arg(held).arg(all);
    case VerdictKind::Fails:
        return word("Fails: %1 of %2 assertions hold").arg(held).arg(all);
    case VerdictKind::Stopped:
        return word("Stopped: %1").arg(from(rehearsal.stoppedBy.value_or("a guard")));
    case VerdictKind::NotDeterministic:
        return word("Not deterministic");
    case VerdictKind::NotCalibrated:
        break;
    }
    return word("Outside the calibrated range");
}

// What the shown variant does to the assertions, and in a word what the others do.
void addVerdict(const Rehearsal& rehearsal, const VariantResult& shown, RunRow& row)
{
    const int runs = std::max(1, rehearsal.scenario.replications);
    int runsHeld = runs;
    for (const auto* results : {&shown.asserts, &rehearsal.comparisons}) {
        for (const auto& result : *results) {
            row.verdicts.push_back(verdictLine(result, runs));
            runsHeld = std::min(runsHeld, result.hit);
        }
    }
    const int held = holding(shown.asserts) + holding(rehearsal.comparisons);
    const bool isOther = &shown != &rehearsal.variants.front();
    const bool isJudged = rehearsal.verdict == simulator::Verdict::Holds
                          || rehearsal.verdict == simulator::Verdict::Fails;
    if (isOther && isJudged) {
        const bool holdsAll = held == static_cast<int>(row.verdicts.size());
        row.verdict = holdsAll ? VerdictKind::Holds : VerdictKind::Fails;
    }
    row.headline = headlineOf(rehearsal, row, held);
    QStringList parts;
    parts
        << (row.verdicts.empty() ? runsText(runs) : word("in %1 of %2 runs").arg(runsHeld).arg(runs)
           );
    if (runs > 1) {
        parts << word("worst run %1").arg(shown.worst + 1);
    }
    for (const VariantResult& variant : rehearsal.variants) {
        if (&variant != &shown && !variant.asserts.empty()) {
            parts << word("%1 holds %2 of %3")
                         .arg(from(variant.name))
                         .arg(holding(variant.asserts))
                         .arg(variant.asserts.size());
        }
    }
    const auto waited = simulator::waitedFor(shown.slowest);
    if (!waited.empty()) {
        Duration whole{};
        for (const simulator::WaitedFor& each : waited) {
            whole += each.own;
        }
        const double share = toSeconds(waited.front().own) / std::max(toSeconds(whole), 1e-9);
        parts << word("its slowest requests waited for %1 (%2 %)")
                     .arg(from(waited.front().service))
                     .arg(std::lround(100.0 * share));
    }
    row.summary = parts.join(QStringLiteral(" · "));
}

} // namespace

ScenarioRow scenarioRow(const simulator::Scenario& scenario)
{
    ScenarioRow row;
    row.name = from(scenario.name);
    row.seed = scenario.seed.value;
    row.replications = scenario.replications;
    row.duration_s = scenario.duration ? toSeconds(*scenario.duration) : 0;
    row.warmup_s = toSeconds(scenario.warmup);
    for (const simulator::Load& load : scenario.load) {
        LoadRow drawn;
        drawn.entry = from(load.entry);
        for (const auto& [at, rate] : load.rate) {
            drawn.steps.emplace_back(toSeconds(at), rate);
        }
        row.loads.push_back(std::move(drawn));
    }
    for (std::size_t i = 0; i < scenario.timeline.size(); ++i) {
        row.clips.push_back(clipOf(scenario.timeline[i], static_cast<int>(i)));
    }
    for (const simulator::PolicyVariant& variant : scenario.policies) {
        row.variants << from(variant.name);
    }
    for (const simulator::AblatedPolicy policy : scenario.ablate) {
        const std::string_view text = simulator::toText(policy);
        row.ablated << QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
    }
    row.asserts = static_cast<int>(scenario.asserts.size());
    return row;
}

SecondRows secondsOf(
    const std::vector<simulator::RunSeries>& series,
    const std::vector<std::string>& names,
    int replications
)
{
    std::vector<simulator::RunSecond> sums;
    for (const simulator::RunSeries& one : series) {
        if (std::ranges::find(names, one.name) == names.end()) {
            continue;
        }
        sums.resize(std::max(sums.size(), one.seconds.size()));
        for (std::size_t i = 0; i < one.seconds.size(); ++i) {
            sums[i].merge(one.seconds[i]);
        }
    }
    SecondRows rows;
    rows.reserve(sums.size());
    for (const simulator::RunSecond& sum : sums) {
        SecondRow row;
        row.rps = static_cast<double>(sum.begun) / std::max(1, replications);
        const std::uint32_t ended = sum.succeeded + sum.failed;
        if (ended > 0) {
            row.success = static_cast<double>(sum.succeeded) / ended;
            row.p50_ms = toSeconds(sum.quantile(0.5)) * 1000;
            row.p99_ms = toSeconds(sum.quantile(0.99)) * 1000;
        }
        rows.push_back(row);
    }
    return rows;
}

RunRow runRow(const Rehearsal& rehearsal, std::size_t shown)
{
    RunRow row;
    row.scenario = scenarioRow(rehearsal.scenario);
    row.verdict = static_cast<VerdictKind>(rehearsal.verdict);
    row.entry = from(primaryEntry(rehearsal));
    if (!rehearsal.variants.empty()) {
        const std::size_t at = std::min(shown, rehearsal.variants.size() - 1);
        const VariantResult& variant = rehearsal.variants[at];
        const VariantResult* reference = nullptr;
        if (rehearsal.variants.size() > 1) {
            reference = &rehearsal.variants[at == 0 ? 1 : 0];
        }
        row.shown = from(variant.name);
        row.reference = reference != nullptr ? from(reference->name) : QString();
        addVerdict(rehearsal, variant, row);
        row.windows = windowLines(variant, reference, primaryEntry(rehearsal));
        for (const VariantResult& one : rehearsal.variants) {
            row.variants.push_back(variantRow(rehearsal, one));
        }
    }
    for (const simulator::AblationRow& ablation : rehearsal.ablation) {
        WorthLine line;
        line.policy = from(ablation.policy).replace(u'_', u' ');
        line.value = ablation.success.value * 100;
        if (ablation.success.interval) {
            line.interval = std::pair{
                ablation.success.interval->first * 100, ablation.success.interval->second * 100};
        }
        row.worth.push_back(std::move(line));
    }
    for (const simulator::Assertion& assertion : rehearsal.scenario.asserts) {
        const bool isSuccess = assertion.condition.quantity == Quantity::Success;
        if (isSuccess && assertion.window == "during") {
            row.objective = std::pair{
                assertion.condition.value,
                word("asserted ≥ %1 during")
                    .arg(QString::number(assertion.condition.value * 100, 'g', 4))};
        }
    }
    for (const simulator::ResolvedFault& fault : rehearsal.faults) {
        QStringList names;
        for (const std::string& instance : fault.instances) {
            names << from(instance);
        }
        row.resolved << from(fault.text)
                            + (names.isEmpty() ? QString()
                                               : QStringLiteral(": ") + names.join(u", "));
    }
    row.trust = trustRow(rehearsal.trust);
    row.hash = QStringLiteral("%1").arg(rehearsal.eventHash, 16, 16, QLatin1Char('0'));
    row.effort = effortText(rehearsal);
    return row;
}

std::vector<WindowLine> differenceLines(
    const VariantResult& first, const VariantResult& second, const std::string& entry
)
{
    const std::array<std::pair<QString, Quantity>, 5> rows = {
        {{word("success, pp"), Quantity::Success},
         {word("p50, ms"), Quantity::P50},
         {word("p99, ms"), Quantity::P99},
         {word("amplification"), Quantity::Amplification},
         {word("goodput / s"), Quantity::Goodput}}};
    std::vector<WindowLine> lines;
    for (const auto& [label, quantity] : rows) {
        std::array<QString, 3> cells;
        bool isDuringWorse = false;
        for (std::size_t i = 0; i < kWindows.size(); ++i) {
            const auto* a = figuresOf(first, kWindows[i], entry);
            const auto* b = figuresOf(second, kWindows[i], entry);
            if (a == nullptr || b == nullptr || a->calls == 0 || b->calls == 0) {
                cells[i] = noValueText();
                continue;
            }
            const double apart = a->value(quantity).value_or(0) - b->value(quantity).value_or(0);
            QString text = valueText(quantity, apart, true);
            cells[i] = text.section(QChar(0x202F), 0, 0);
            const bool isMoreBetter =
                quantity == Quantity::Success || quantity == Quantity::Goodput;
            isDuringWorse =
                isDuringWorse
                || (kWindows[i] == Window::During && (isMoreBetter ? apart < -1e-4 : apart > 1e-2));
        }
        lines.push_back({label, cells[0], cells[1], cells[2], false, isDuringWorse});
    }
    return lines;
}

} // namespace mesh::bridge
