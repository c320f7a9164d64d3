#include "app/fleet/rollout_plan.h"

#include "app/fleet/limits.h"
#include "proxyengine/base/duration_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace mesh::fleet {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trimmed(std::string_view text)
{
    const std::size_t begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Finer than any fleet or latency needs, and what percentText() prints.
constexpr double kStepsPerUnit = 1e6;

// A number with digits only, at most one point: no sign, no exponent, no word; to six decimals.
std::optional<double> plainNumber(std::string_view text)
{
    if (text.empty() || text.size() > 16
        || text.find_first_not_of("0123456789.") != std::string_view::npos) {
        return std::nullopt;
    }
    double number = 0;
    const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (status != std::errc{} || rest != text.data() + text.size()) {
        return std::nullopt;
    }
    return std::round(number * kStepsPerUnit) / kStepsPerUnit;
}

tl::unexpected<Error> badWave(std::string_view element, std::string_view remedy)
{
    return fail(ErrorCode::InvalidArgument, fmt::format("wave '{}': {}", element, remedy));
}

bool isNodeName(std::string_view text)
{
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x80U || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
               || (c >= '0' && c <= '9')
               || std::string_view(".-_~").find(c) != std::string_view::npos;
    });
}

Result<WaveSpec> parseNamedWave(std::string_view element)
{
    WaveSpec wave;
    wave.kind = WaveSpec::Kind::Named;
    for (std::string_view rest = element;;) {
        const std::size_t end = rest.find('+');
        const std::string_view name = trimmed(rest.substr(0, end));
        if (!isNodeName(name)) {
            return badWave(element, "expected canary, all, a share like 25%, or nodes like a+b");
        }
        if (std::ranges::find(wave.nodes, name) != wave.nodes.end()) {
            return badWave(element, fmt::format("'{}' stands twice", name));
        }
        wave.nodes.emplace_back(name);
        if (end == std::string_view::npos) {
            return wave;
        }
        rest.remove_prefix(end + 1);
    }
}

Result<WaveSpec> parseWave(std::string_view element)
{
    if (element.empty()) {
        return fail(
            ErrorCode::InvalidArgument, "a wave is empty; write waves like canary,25%,100%"
        );
    }
    WaveSpec wave;
    if (element == "canary") {
        wave.kind = WaveSpec::Kind::Canary;
        return wave;
    }
    if (element == "all") {
        return wave;
    }
    if (!element.ends_with('%')) {
        return parseNamedWave(element);
    }
    const auto percent = plainNumber(trimmed(element.substr(0, element.size() - 1)));
    if (!percent || *percent <= 0 || *percent > 100) {
        return badWave(element, "a share is above 0% and at most 100%");
    }
    wave.share = *percent / 100;
    return wave;
}

// How a quantity is written, and what it is limited by.
struct QuantityRow
{
    GateQuantity quantity;
    std::string_view word;
    std::string_view remedy;
};

constexpr std::array<QuantityRow, 5> kQuantities = {{
    {GateQuantity::ErrorRatio, "error", "expected error<1% or error<+0.5pp"},
    {GateQuantity::P95, "p95", "expected p95<300ms or p95<+20%"},
    {GateQuantity::Ejections, "ejections", "expected ejections<2"},
    {GateQuantity::Rejections, "rejections", "expected rejections<1"},
    {GateQuantity::NodeLoss, "lost", "expected lost<1"},
}};

const QuantityRow& rowOf(GateQuantity quantity)
{
    return kQuantities.at(static_cast<std::size_t>(quantity));
}

// "1%", "0.5pp", "20%": the number before the unit, as a ratio.
std::optional<double> ratioOf(std::string_view text, std::string_view unit)
{
    if (!text.ends_with(unit)) {
        return std::nullopt;
    }
    const auto number = plainNumber(text.substr(0, text.size() - unit.size()));
    return number ? std::optional(*number / 100) : std::nullopt;
}

std::optional<double> limitOf(GateQuantity quantity, GateBasis basis, std::string_view text)
{
    const bool isAgainst = basis == GateBasis::AgainstBefore;
    switch (quantity) {
    case GateQuantity::ErrorRatio: {
        const auto ratio = ratioOf(text, isAgainst ? "pp" : "%");
        return ratio && *ratio <= 1 ? ratio : std::nullopt;
    }
    case GateQuantity::P95: {
        if (isAgainst) {
            return ratioOf(text, "%");
        }
        const auto length = parseDuration(text);
        return length ? std::optional(toSeconds(*length)) : std::nullopt;
    }
    default: {
        const auto count = plainNumber(text);
        return count && std::floor(*count) == *count ? count : std::nullopt;
    }
    }
}

Result<GateRule> parseGate(std::string_view token)
{
    const std::size_t less = token.find('<');
    const std::string_view word = token.substr(0, less);
    const auto* const row = std::ranges::find(kQuantities, word, &QuantityRow::word);
    if (less == std::string_view::npos || row == kQuantities.end()) {
        return fail(
            ErrorCode::InvalidArgument,
            fmt::format(
                "gate '{}': expected error, p95, ejections, rejections or lost with a limit, "
                "like error<1%, or for 60s at the end",
                token
            )
        );
    }
    GateRule rule;
    rule.quantity = row->quantity;
    std::string_view limit = token.substr(less + 1);
    if (limit.starts_with('+')) {
        rule.basis = GateBasis::AgainstBefore;
        limit.remove_prefix(1);
    }
    const auto number = limitOf(rule.quantity, rule.basis, limit);
    const bool isLoss =
        rule.quantity == GateQuantity::Rejections || rule.quantity == GateQuantity::NodeLoss;
    if (!number || *number <= 0 || (isLoss && rule.basis == GateBasis::AgainstBefore)) {
        return fail(ErrorCode::InvalidArgument, fmt::format("gate '{}': {}", token, row->remedy));
    }
    rule.limit = *number;
    return rule;
}

// The words of a line of gates; blanks around '<' do not count.
std::vector<std::string> gateTokens(std::string_view text)
{
    std::vector<std::string> tokens;
    bool isOpen = false; // The next word goes on with the last one.
    while (!(text = trimmed(text)).empty()) {
        const std::size_t end = std::min(text.find_first_of(kBlanks), text.size());
        const std::string_view word = text.substr(0, end);
        if (!tokens.empty() && (isOpen || word.starts_with('<'))) {
            tokens.back() += word;
        } else {
            tokens.emplace_back(word);
        }
        isOpen = word.ends_with('<');
        text.remove_prefix(end);
    }
    return tokens;
}

std::string percentText(double ratio)
{
    std::string text = fmt::format("{:.6f}", ratio * 100);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) {
        text.pop_back();
    }
    return text;
}

} // namespace

Result<std::vector<WaveSpec>> parseWaves(std::string_view text)
{
    std::vector<WaveSpec> waves;
    double share = 0;
    for (std::string_view rest = text;;) {
        const std::size_t end = rest.find(',');
        const std::string_view element = trimmed(rest.substr(0, end));
        MESH_TRY(WaveSpec wave, parseWave(element));
        if (wave.kind == WaveSpec::Kind::Canary && !waves.empty()) {
            return badWave(element, "only the first wave is a canary");
        }
        if (wave.kind == WaveSpec::Kind::Share) {
            if (wave.share <= share) {
                return badWave(element, "each share is larger than the one before");
            }
            share = wave.share;
        }
        if (waves.size() >= kRolloutWavesMax) {
            return fail(
                ErrorCode::LimitExceeded,
                fmt::format("a rollout has at most {} waves", kRolloutWavesMax)
            );
        }
        waves.push_back(std::move(wave));
        if (end == std::string_view::npos) {
            break;
        }
        rest.remove_prefix(end + 1);
    }
    if (waves.back() != WaveSpec{}) {
        if (share >= 1) {
            return badWave(trimmed(text), "nothing is left for a wave after 100%");
        }
        waves.push_back(WaveSpec{});
    }
    return waves;
}

Result<GateText> parseGates(std::string_view text)
{
    GateText gates;
    const std::vector<std::string> tokens = gateTokens(text);
    for (std::size_t at = 0; at < tokens.size(); ++at) {
        if (tokens[at] == "for") {
            const auto bake = at + 2 == tokens.size() ? parseDuration(tokens[at + 1])
                                                      : fail(ErrorCode::InvalidArgument, "no end");
            if (!bake || *bake <= Duration{}) {
                return fail(
                    ErrorCode::InvalidArgument, "gates end with how long they must hold: for 60s"
                );
            }
            gates.bake = *bake;
            return gates;
        }
        MESH_TRY(const GateRule rule, parseGate(tokens[at]));
        const bool isTwice = std::ranges::any_of(gates.rules, [&](const GateRule& other) {
            return other.quantity == rule.quantity && other.basis == rule.basis;
        });
        if (isTwice) {
            return fail(
                ErrorCode::InvalidArgument,
                fmt::format("gate '{}': there is one of its kind already", tokens[at])
            );
        }
        gates.rules.push_back(rule);
    }
    return gates;
}

Result<void> checkPlan(const RolloutPlan& plan, const std::vector<std::string>& nodes)
{
    for (const WaveSpec& wave : plan.waves) {
        for (const std::string& name : wave.nodes) {
            if (std::ranges::find(nodes, name) == nodes.end()) {
                return badWave(toText(wave), fmt::format("no node '{}' is expected", name));
            }
        }
    }
    if (plan.waves.empty() || plan.waves.size() > kRolloutWavesMax) {
        return fail(
            ErrorCode::InvalidArgument, fmt::format("a rollout has 1 to {} waves", kRolloutWavesMax)
        );
    }
    return {};
}

std::string toText(const WaveSpec& wave)
{
    switch (wave.kind) {
    case WaveSpec::Kind::Canary:
        return "canary";
    case WaveSpec::Kind::Share:
        return wave.share >= 1 ? "all" : percentText(wave.share) + "%";
    case WaveSpec::Kind::Named:
        return fmt::format("{}", fmt::join(wave.nodes, "+"));
    }
    return {};
}

std::string toText(const GateRule& rule)
{
    const bool isAgainst = rule.basis == GateBasis::AgainstBefore;
    std::string text = fmt::format("{}<{}", rowOf(rule.quantity).word, isAgainst ? "+" : "");
    switch (rule.quantity) {
    case GateQuantity::ErrorRatio:
        return text + percentText(rule.limit) + (isAgainst ? "pp" : "%");
    case GateQuantity::P95:
        if (isAgainst) {
            return text + percentText(rule.limit) + "%";
        }
        return text + toDurationText(Duration(std::llround(rule.limit * 1e9)));
    default:
        return text + fmt::format("{:.0f}", rule.limit);
    }
}

} // namespace mesh::fleet
