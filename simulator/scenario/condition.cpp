#include "simulator/scenario/condition.h"

#include "proxyengine/base/duration_text.h"
#include "simulator/scenario/fault_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace mesh::simulator {
namespace {

enum class QuantityUnit : std::uint8_t { Plain, Share, Time };

struct QuantityRow
{
    Quantity quantity;
    std::string_view name;
    QuantityUnit unit;
};

constexpr std::array<QuantityRow, kQuantityCount> kQuantities = {{
    {Quantity::Success, "success", QuantityUnit::Share},
    {Quantity::Rps, "rps", QuantityUnit::Plain},
    {Quantity::Mean, "mean", QuantityUnit::Time},
    {Quantity::P50, "p50", QuantityUnit::Time},
    {Quantity::P90, "p90", QuantityUnit::Time},
    {Quantity::P99, "p99", QuantityUnit::Time},
    {Quantity::P999, "p999", QuantityUnit::Time},
    {Quantity::InFlight, "inflight", QuantityUnit::Plain},
    {Quantity::Utilization, "utilization", QuantityUnit::Share},
    {Quantity::Amplification, "amplification", QuantityUnit::Plain},
    {Quantity::Goodput, "goodput", QuantityUnit::Plain},
}};

struct RelationRow
{
    Relation relation;
    std::string_view text;
};

// Longer ones first, which is the order of looking.
constexpr std::array<RelationRow, 4> kRelations = {{
    {Relation::LessOrEqual, "<="},
    {Relation::GreaterOrEqual, ">="},
    {Relation::Less, "<"},
    {Relation::Greater, ">"},
}};

bool isWordCharacter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Takes a condition apart from left to right.
class ConditionReader
{
public:
    explicit ConditionReader(std::string_view text)
        : m_text(text)
    {}

    Result<ConditionText> read()
    {
        ConditionText result;
        MESH_TRY(const QuantityRow row, quantity());
        result.condition.quantity = row.quantity;
        MESH_TRY(result.condition.subject, subject());
        MESH_TRY(result.condition.relation, relation());
        MESH_TRY(result.condition.value, value(row.unit));
        MESH_TRY_VOID(ending(result));
        return result;
    }

private:
    [[nodiscard]] tl::unexpected<Error> expected(std::string what, std::size_t at) const
    {
        const std::string_view rest = m_text.substr(std::min(at, m_text.size()));
        std::string message = rest.empty() ? fmt::format("expected {} at the end", what)
                                           : fmt::format("expected {} before \"{}\"", what, rest);
        return fail(ErrorCode::InvalidArgument, std::move(message), Offset{at});
    }

    void skipBlanks()
    {
        while (m_at < m_text.size() && m_text[m_at] == ' ') {
            ++m_at;
        }
    }

    bool take(std::string_view what)
    {
        skipBlanks();
        if (!m_text.substr(m_at).starts_with(what)) {
            return false;
        }
        m_at += what.size();
        return true;
    }

    std::string_view word()
    {
        skipBlanks();
        const std::size_t from = m_at;
        while (m_at < m_text.size() && isWordCharacter(m_text[m_at])) {
            ++m_at;
        }
        return m_text.substr(from, m_at - from);
    }

    Result<QuantityRow> quantity()
    {
        skipBlanks();
        const std::size_t from = m_at;
        const auto row = std::ranges::find(kQuantities, word(), &QuantityRow::name);
        if (row == kQuantities.end()) {
            std::string names;
            for (const QuantityRow& each : kQuantities) {
                names += fmt::format("{}{}", names.empty() ? "" : ", ", each.name);
            }
            return expected(fmt::format("one of {}", names), from);
        }
        return *row;
    }

    Result<std::string> subject()
    {
        if (!take("(")) {
            return expected("a service or an edge in brackets, as in success(cart),", m_at);
        }
        skipBlanks();
        const std::size_t end = m_text.find(')', m_at);
        if (end == std::string_view::npos) {
            return expected("a closing bracket", m_text.size());
        }
        std::string name(m_text.substr(m_at, end - m_at));
        while (!name.empty() && name.back() == ' ') {
            name.pop_back();
        }
        if (name.empty()) {
            return expected("the name of a service or an edge", m_at);
        }
        m_at = end + 1;
        if (const auto edge = splitEdge(name)) {
            name = fmt::format("{}->{}", edge->first, edge->second); // Without blanks.
        }
        return name;
    }

    Result<Relation> relation()
    {
        for (const RelationRow& row : kRelations) {
            if (take(row.text)) {
                return row.relation;
            }
        }
        return expected("<, <=, > or >=", m_at);
    }

    Result<double> value(QuantityUnit unit)
    {
        skipBlanks();
        const std::size_t from = m_at;
        const std::size_t end = std::min(m_text.find(' ', m_at), m_text.size());
        const std::string_view text = m_text.substr(from, end - from);
        m_at = end;
        double number = 0.0;
        const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), number);
        const bool isNumber = status == std::errc{} && std::isfinite(number);
        const std::string_view suffix =
            isNumber ? text.substr(static_cast<std::size_t>(rest - text.data())) : text;
        if (isNumber && suffix.empty()) {
            return number;
        }
        if (isNumber && suffix == "%" && unit == QuantityUnit::Share) {
            return number / 100.0;
        }
        if (unit == QuantityUnit::Time) {
            const bool isNegative = text.starts_with('-');
            if (const auto duration = parseDuration(text.substr(isNegative ? 1 : 0))) {
                return toSeconds(*duration) * (isNegative ? -1000.0 : 1000.0);
            }
            return expected("a duration as in 300ms or a number of milliseconds", from);
        }
        return expected(
            unit == QuantityUnit::Share ? "a share as in 0.999 or 99.9%" : "a number without unit",
            from
        );
    }

    Result<Duration> duration(std::string_view after)
    {
        skipBlanks();
        const std::size_t from = m_at;
        m_at = std::min(m_text.find(' ', m_at), m_text.size());
        const auto parsed = parseDuration(m_text.substr(from, m_at - from));
        if (!parsed) {
            return expected(fmt::format("a duration as in 20s after \"{}\"", after), from);
        }
        return *parsed;
    }

    Result<void> ending(ConditionText& result)
    {
        skipBlanks();
        while (m_at < m_text.size()) {
            const std::size_t from = m_at;
            const std::string_view key = word();
            std::optional<Duration>* to = nullptr;
            if (key == "within" && !result.within) {
                to = &result.within;
            } else if (key == "for" && !result.length) {
                to = &result.length;
            }
            if (to == nullptr) {
                return expected("the end, \"within\" or \"for\"", from);
            }
            MESH_TRY(*to, duration(key));
            skipBlanks();
        }
        return {};
    }

    std::string_view m_text;
    std::size_t m_at = 0;
};

} // namespace

std::string_view toText(Quantity quantity)
{
    return std::ranges::find(kQuantities, quantity, &QuantityRow::quantity)->name;
}

bool Condition::holds(double measured) const
{
    switch (relation) {
    case Relation::Less:
        return measured < value;
    case Relation::LessOrEqual:
        return measured <= value;
    case Relation::Greater:
        return measured > value;
    case Relation::GreaterOrEqual:
        return measured >= value;
    }
    return false;
}

Result<ConditionText> parseCondition(std::string_view text) { return ConditionReader(text).read(); }

} // namespace mesh::simulator
