#include "simulator/report/run_timeline.h"

#include "simulator/report/objective.h"
#include "simulator/report/report_text.h"
#include "simulator/scenario/fault_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>
#include <string_view>
#include <tuple>

namespace mesh::simulator {
namespace {

constexpr std::size_t kBinsMax = 600; // More than the picture has room for.
constexpr std::size_t kGlyphSlots = 110; // Reactions closer than this part of the run are one sign.
constexpr double kMillisecondsMax = 10'000.0; // Above, the lane is in seconds.

struct ReactionRow
{
    RunMarker::Kind kind;
    std::string_view text;
    TimelineGlyph::Shape shape;
    std::string_view tone;
};

// In the order of RunMarker::Kind.
constexpr std::array kReactionRows = {
    ReactionRow{RunMarker::Kind::FaultBegan, "fault began", TimelineGlyph::Shape::Cross, "bad"},
    ReactionRow{RunMarker::Kind::FaultEnded, "fault ended", TimelineGlyph::Shape::Disc, "quiet"},
    ReactionRow{RunMarker::Kind::Ejected, "ejected", TimelineGlyph::Shape::Diamond, "warn"},
    ReactionRow{RunMarker::Kind::Returned, "returned", TimelineGlyph::Shape::Disc, "good"},
    ReactionRow{
        RunMarker::Kind::EjectionHeld, "ejection held", TimelineGlyph::Shape::Disc, "quiet"},
    ReactionRow{
        RunMarker::Kind::CheckFailed, "health check failed", TimelineGlyph::Shape::Cross, "warn"},
    ReactionRow{
        RunMarker::Kind::CheckPassed, "health check passed", TimelineGlyph::Shape::Disc, "good"},
    ReactionRow{
        RunMarker::Kind::BreakerOpened,
        "breaker opened",
        TimelineGlyph::Shape::FilledDiamond,
        "bad"},
    ReactionRow{
        RunMarker::Kind::BreakerHalfOpen,
        "breaker half-open",
        TimelineGlyph::Shape::FilledDiamond,
        "warn"},
    ReactionRow{
        RunMarker::Kind::BreakerClosed,
        "breaker closed",
        TimelineGlyph::Shape::FilledDiamond,
        "good"},
    ReactionRow{
        RunMarker::Kind::PanicEntered, "panic entered", TimelineGlyph::Shape::Triangle, "bad"},
    ReactionRow{RunMarker::Kind::PanicLeft, "panic left", TimelineGlyph::Shape::Disc, "good"},
    ReactionRow{
        RunMarker::Kind::BudgetExhausted,
        "retry budget used up",
        TimelineGlyph::Shape::Bar,
        "warn"},
    ReactionRow{RunMarker::Kind::RateLimited, "rate limited", TimelineGlyph::Shape::Bar, "quiet"},
    ReactionRow{RunMarker::Kind::LimitReached, "limit reached", TimelineGlyph::Shape::Bar, "quiet"},
    ReactionRow{
        RunMarker::Kind::GuardStopped, "stopped by a guard", TimelineGlyph::Shape::Cross, "bad"},
};

const ReactionRow& rowOf(RunMarker::Kind kind)
{
    return kReactionRows[static_cast<std::size_t>(kind)];
}

bool isReaction(const RunMarker& marker)
{
    return marker.kind != RunMarker::Kind::FaultBegan && marker.kind != RunMarker::Kind::FaultEnded;
}

// A name, or how many there are: a mesh has more instances than a tooltip has lines.
std::string namesText(const std::set<std::string>& names)
{
    constexpr std::size_t kNamesMax = 6;
    return names.size() <= kNamesMax ? fmt::format("{}", fmt::join(names, ", "))
                                     : fmt::format("{} instances", names.size());
}

// What is marked once a second while it lasts: one bar per stretch, under the signs of the rest.
std::vector<TimelineGlyph> barsOf(const RunRecord& record, Duration length)
{
    constexpr Duration kStretchGap = std::chrono::milliseconds(2500); // One second may be missing.
    std::map<RunMarker::Kind, std::vector<TimelineGlyph>> bars;
    std::map<RunMarker::Kind, std::set<std::string>> what;
    for (const RunMarker& marker : record.markers) {
        const ReactionRow& row = rowOf(marker.kind);
        if (row.shape != TimelineGlyph::Shape::Bar || marker.at > length) {
            continue;
        }
        std::vector<TimelineGlyph>& own = bars[marker.kind];
        if (own.empty() || marker.at > own.back().to + kStretchGap) {
            own.push_back({marker.at, marker.at, row.shape, row.tone, {}});
            what[marker.kind].clear();
        }
        own.back().to = std::min(length, marker.at + std::chrono::seconds(1));
        what[marker.kind].insert(marker.callee);
        own.back().details = fmt::format(
            "{}: {}, from {} to {}",
            row.text,
            namesText(what[marker.kind]),
            lengthText(own.back().at),
            lengthText(own.back().to)
        );
    }
    std::vector<TimelineGlyph> all;
    for (auto& [kind, own] : bars) {
        all.insert(all.end(), own.begin(), own.end());
    }
    return all;
}

std::vector<TimelineGlyph> glyphsOf(const RunRecord& record, Duration length)
{
    struct Group
    {
        Duration first{};
        std::size_t count = 0;
        std::set<std::string> what;
    };
    std::map<std::pair<std::int64_t, RunMarker::Kind>, Group> groups;
    const auto slot = std::max<std::int64_t>(1, length.count() / std::int64_t{kGlyphSlots});
    for (const RunMarker& marker : record.markers) {
        const bool isBar = rowOf(marker.kind).shape == TimelineGlyph::Shape::Bar;
        if (!isReaction(marker) || isBar || marker.at > length) {
            continue;
        }
        Group& group = groups[{marker.at.count() / slot, marker.kind}];
        if (group.count++ == 0) {
            group.first = marker.at;
        }
        group.what.insert(marker.instance.empty() ? marker.callee : marker.instance);
    }
    std::vector<TimelineGlyph> glyphs = barsOf(record, length);
    for (const auto& [key, group] : groups) {
        const ReactionRow& row = rowOf(key.second);
        glyphs.push_back(TimelineGlyph{
            group.first,
            group.first,
            row.shape,
            row.tone,
            fmt::format(
                "{}: {} ({} {}, from {})",
                row.text,
                namesText(group.what),
                countText(group.count),
                group.count == 1 ? "time" : "times",
                lengthText(group.first)
            )});
    }
    return glyphs;
}

std::vector<TimelineFlag> flagsOf(const Reaction& reaction, const std::optional<FaultSpan>& faults)
{
    std::vector<TimelineFlag> flags;
    if (!faults) {
        return flags;
    }
    const auto add = [&flags](
                         Duration base,
                         const std::optional<Duration>& after,
                         std::string_view what,
                         std::string_view tone
                     ) {
        if (after) {
            flags.push_back({base + *after, fmt::format("{} +{}", what, lengthText(after)), tone});
        }
    };
    add(faults->from, reaction.detected, "detected", "warn");
    add(faults->from, reaction.mitigated, "mitigated", "good");
    add(faults->to, reaction.recovered, "recovered", "good");
    std::ranges::stable_sort(flags, {}, &TimelineFlag::at);
    return flags;
}

// One bin of an entry's series: sums over its seconds and replications.
struct SeriesBin
{
    RunSecond sum;
    double inFlight = 0.0; // Calls times seconds.
    double seconds = 0.0; // Of the run in this bin, times replications.
    double edgeAttempts = 0.0; // On all edges.
};

struct Binning
{
    std::size_t seconds = 1; // Of the whole run.
    std::size_t perBin = 1;
    double replications = 1.0;
};

std::vector<SeriesBin> binsOf(const RunSeries& series, const Binning& binning)
{
    std::vector<SeriesBin> bins((binning.seconds + binning.perBin - 1) / binning.perBin);
    for (std::size_t at = 0; at < binning.seconds; ++at) {
        SeriesBin& bin = bins[at / binning.perBin];
        bin.seconds += binning.replications;
        if (at < series.seconds.size()) {
            bin.sum.merge(series.seconds[at]);
            bin.inFlight += series.seconds[at].inFlight;
        }
    }
    return bins;
}

using BinValue = std::function<std::optional<double>(const SeriesBin&)>;

std::uint64_t endedIn(const SeriesBin& bin)
{
    return std::uint64_t{bin.sum.succeeded} + bin.sum.failed;
}

// Of the calls that ended in the bin; nothing when none did.
BinValue perEnded(std::function<double(const SeriesBin&, double)> value)
{
    return [value = std::move(value)](const SeriesBin& bin) -> std::optional<double> {
        const std::uint64_t ended = endedIn(bin);
        return ended > 0 ? std::optional(value(bin, static_cast<double>(ended))) : std::nullopt;
    };
}

// Adds the attempts on all edges, which are the work that the entry's calls make.
void addEdges(std::vector<SeriesBin>& bins, const VariantResult& variant, const Binning& binning)
{
    for (const RunSeries& series : variant.series) {
        if (series.name.find("->") == std::string::npos) {
            continue;
        }
        const std::size_t seconds = std::min(binning.seconds, series.seconds.size());
        for (std::size_t at = 0; at < seconds; ++at) {
            bins[at / binning.perBin].edgeAttempts += series.seconds[at].attempts;
        }
    }
}

struct VariantBins
{
    std::size_t style = 0;
    std::vector<SeriesBin> bins;
};

TimelineLane laneOf(
    const std::vector<VariantBins>& variants,
    std::string title,
    std::string unit,
    const BinValue& value
)
{
    TimelineLane lane;
    lane.title = std::move(title);
    lane.unit = std::move(unit);
    for (const VariantBins& variant : variants) {
        TimelineLine line;
        line.style = variant.style;
        for (const SeriesBin& bin : variant.bins) {
            line.values.push_back(value(bin));
        }
        lane.lines.push_back(std::move(line));
    }
    return lane;
}

TimelineLane timeLane(
    const std::vector<VariantBins>& variants, const std::string& title, double share
)
{
    const auto quantile = [share](const SeriesBin& bin, double) {
        return toSeconds(bin.sum.quantile(share)) * 1000.0;
    };
    TimelineLane lane = laneOf(variants, title, "ms", perEnded(quantile));
    double most = 0.0;
    for (const TimelineLine& line : lane.lines) {
        for (const auto& value : line.values) {
            most = std::max(most, value.value_or(0.0));
        }
    }
    if (most > kMillisecondsMax) {
        lane.unit = "s";
        for (TimelineLine& line : lane.lines) {
            for (auto& value : line.values) {
                value = value ? std::optional(*value / 1000.0) : std::nullopt;
            }
        }
    }
    return lane;
}

std::vector<TimelineClip> clipsOf(const Rehearsal& rehearsal, Duration length)
{
    std::vector<TimelineClip> clips;
    for (std::size_t at = 0; at < rehearsal.scenario.timeline.size(); ++at) {
        const Fault& fault = rehearsal.scenario.timeline[at];
        if (fault.at >= length) {
            continue;
        }
        TimelineClip clip;
        clip.from = fault.at;
        clip.to =
            fault.length && *fault.length < length - fault.at ? fault.at + *fault.length : length;
        clip.text = toText(fault);
        if (at < rehearsal.faults.size()) {
            clip.text = rehearsal.faults[at].text;
            clip.details = fmt::format("{}", fmt::join(rehearsal.faults[at].instances, ", "));
        }
        clip.details = fmt::format(
            "{}, from {} to {}{}{}",
            clip.text,
            lengthText(clip.from),
            lengthText(clip.to),
            clip.details.empty() ? "" : ": ",
            clip.details
        );
        clips.push_back(std::move(clip));
    }
    return clips;
}

Duration lengthOf(const Rehearsal& rehearsal)
{
    std::size_t seconds = 1;
    for (const VariantResult& variant : rehearsal.variants) {
        for (const RunSeries& series : variant.series) {
            seconds = std::max(seconds, series.seconds.size());
        }
    }
    const Duration seen = std::chrono::seconds(seconds);
    const Duration asked = rehearsal.scenario.duration.value_or(seen);
    return asked > Duration::zero() ? asked : seen;
}

} // namespace

std::string_view toText(RunMarker::Kind kind) { return rowOf(kind).text; }

std::size_t styleOf(const Rehearsal& rehearsal, std::size_t variant)
{
    if (rehearsal.variants.size() == 1) {
        return 1;
    }
    return variant < kTimelineStyles ? variant : 1 + (variant - 1) % (kTimelineStyles - 1);
}

std::vector<ReactionSummary> summarize(const RunRecord& record)
{
    std::map<std::tuple<RunMarker::Kind, std::string, std::string>, ReactionSummary> groups;
    std::map<std::tuple<RunMarker::Kind, std::string, std::string>, std::set<std::string>> callers;
    for (const RunMarker& marker : record.markers) {
        if (!isReaction(marker)) {
            continue;
        }
        const std::tuple key(marker.kind, marker.callee, marker.instance);
        ReactionSummary& group = groups[key];
        if (group.count++ == 0) {
            group.first = marker.at;
        }
        group.last = marker.at;
        callers[key].insert(marker.caller);
    }
    std::vector<ReactionSummary> summaries;
    for (auto& [key, group] : groups) {
        std::tie(group.kind, group.callee, group.instance) = key;
        group.callers.assign(callers[key].begin(), callers[key].end());
        summaries.push_back(std::move(group));
    }
    std::ranges::stable_sort(summaries, {}, &ReactionSummary::first);
    return summaries;
}

Timeline timelineOf(const Rehearsal& rehearsal, const std::string& entry)
{
    Timeline timeline;
    timeline.length = lengthOf(rehearsal);
    timeline.warmup = std::min(rehearsal.scenario.warmup, timeline.length);
    timeline.clips = clipsOf(rehearsal, timeline.length);
    timeline.description = fmt::format(
        "Requests, success, latency, calls in progress and attempts of {} over {}, with {} faults",
        entry,
        lengthText(timeline.length),
        timeline.clips.size()
    );

    Binning binning;
    binning.seconds =
        static_cast<std::size_t>(std::max(1.0, std::ceil(toSeconds(timeline.length))));
    binning.perBin = (binning.seconds + kBinsMax - 1) / kBinsMax;
    binning.replications = std::max(1, rehearsal.scenario.replications);
    timeline.bin = std::chrono::seconds(binning.perBin);

    std::vector<VariantBins> variants;
    const auto faults = faultSpanOf(rehearsal.scenario);
    for (std::size_t at = 0; at < rehearsal.variants.size(); ++at) {
        const VariantResult& variant = rehearsal.variants[at];
        const std::size_t style = styleOf(rehearsal, at);
        const auto series = std::ranges::find(variant.series, entry, &RunSeries::name);
        if (series != variant.series.end()) {
            variants.push_back({style, binsOf(*series, binning)});
            addEdges(variants.back().bins, variant, binning);
        }
        TimelineReactions reactions;
        reactions.title = "Reactions";
        reactions.subtitle = fmt::format("{}, run {}", variant.name, variant.worst + 1);
        reactions.style = style;
        reactions.glyphs = glyphsOf(variant.record, timeline.length);
        reactions.flags = flagsOf(variant.reaction, faults);
        timeline.reactions.push_back(std::move(reactions));
    }

    timeline.lanes.push_back(laneOf(variants, "Requests", "per second", [](const auto& bin) {
        return std::optional(bin.sum.begun / bin.seconds);
    }));
    timeline.lanes.push_back(
        laneOf(variants, "Success", "%", perEnded([](const SeriesBin& bin, double ended) {
                   return 100.0 * bin.sum.succeeded / ended;
               }))
    );
    timeline.lanes.back().scale = TimelineLane::Scale::NearFull;
    if (const auto objective = demandedSuccess(rehearsal.scenario, entry)) {
        timeline.lanes.back().threshold = *objective * 100.0;
    }
    timeline.lanes.push_back(timeLane(variants, "p50", 0.5));
    timeline.lanes.push_back(timeLane(variants, "p99", 0.99));
    timeline.lanes.push_back(laneOf(variants, "In progress", "calls", [](const auto& bin) {
        return std::optional(bin.inFlight / bin.seconds);
    }));
    // With one entry all attempts are its doing; with several nobody can tell whose.
    const bool isAlone = rehearsal.entries.size() == 1;
    timeline.lanes.push_back(laneOf(
        variants,
        "Attempts",
        isAlone ? "per request, all edges" : "per call",
        perEnded([isAlone](const SeriesBin& bin, double ended) {
            const bool isCounted = isAlone && bin.edgeAttempts > 0.0;
            return (isCounted ? bin.edgeAttempts : bin.sum.attempts) / ended;
        })
    ));
    return timeline;
}

} // namespace mesh::simulator
