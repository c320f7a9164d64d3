#pragma once

#include "proxyengine/base/time.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::simulator {

// A picture of a run in time: faults, reactions and lanes of lines, below each other on one axis.

// Styles follow the order of the variants; the sheet of the page has this many.
inline constexpr std::size_t kTimelineStyles = 6;

// One variant's line in a lane, by bin. Absent: nothing was measured there.
struct TimelineLine
{
    std::size_t style = 0;
    std::vector<std::optional<double>> values;
};

struct TimelineLane
{
    enum class Scale : std::uint8_t {
        FromZero,
        NearFull, // Shares in per cent: up to 100, from a round number below the least.
    };

    std::string title;
    std::string unit; // Empty: none.
    Scale scale = Scale::FromZero;
    std::vector<TimelineLine> lines; // The last is drawn on top.
    std::optional<double> threshold;
};

// A fault's clip; the lanes are shaded for its length.
struct TimelineClip
{
    Duration from{};
    Duration to{};
    std::string text;
    std::string details; // What a pointer over it shows.
};

struct TimelineGlyph
{
    enum class Shape : std::uint8_t { Diamond, FilledDiamond, Disc, Triangle, Cross, Bar };
    Duration at{};
    Duration to{}; // Only of a bar.
    Shape shape = Shape::Diamond;
    std::string_view tone; // Class of its colour: "bad", "warn", "good", "quiet".
    std::string details;
};

struct TimelineFlag
{
    Duration at{};
    std::string text;
    std::string_view tone;
};

// What the policies of one variant did.
struct TimelineReactions
{
    std::string title;
    std::string subtitle;
    std::size_t style = 0;
    std::vector<TimelineGlyph> glyphs;
    std::vector<TimelineFlag> flags; // By time; one that has no room left is not written.
};

struct Timeline
{
    std::string description; // For those who do not see it.
    Duration length{}; // Above zero.
    Duration warmup{};
    Duration bin{}; // Of the lanes' values.
    std::vector<TimelineClip> clips;
    std::vector<TimelineReactions> reactions;
    std::vector<TimelineLane> lanes;
};

// An <svg> element for a page with the report's style sheet. Everything in it is escaped.
[[nodiscard]] std::string renderTimeline(const Timeline& timeline);

// The round steps of an axis: at most `stepsMax` cover `span`. 1, 2 or 5 times a power of ten.
[[nodiscard]] double roundStep(double span, int stepsMax);

} // namespace mesh::simulator
