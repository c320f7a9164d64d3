#pragma once

#include "simulator/scenario/scenario.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

// What each kind of fault can hit, and what it must or may say. The reader of scenario files, the
// palette of the console and the help are all made of this.
namespace mesh::simulator {

// The ways to name a target, one bit each.
enum class TargetForm : std::uint16_t {
    Service = 1U << 0U,
    Instance = 1U << 1U,
    Zone = 1U << 2U,
    Version = 1U << 3U,
    Node = 1U << 4U,
    Edge = 1U << 5U,
    Between = 1U << 6U,
    Services = 1U << 7U,
};
inline constexpr int kTargetFormCount = 8;

// As files spell its key: "service", "between".
[[nodiscard]] std::string_view toText(TargetForm form);

// The fields a fault may have beside at, for, fault, target and probability; one bit each.
enum class FaultField : std::uint16_t {
    Status = 1U << 0U,
    Add = 1U << 1U,
    Jitter = 1U << 2U,
    BytesPerSecond = 1U << 3U,
    Factor = 1U << 4U,
    Attempts = 1U << 5U,
    Version = 1U << 6U,
    Share = 1U << 7U,
    ErrorRate = 1U << 8U,
    By = 1U << 9U,
    Period = 1U << 10U,
    Duty = 1U << 11U,
    OneWay = 1U << 12U,
};

struct FaultKindRow
{
    FaultKind kind;
    std::string_view name; // As in files: "zone_outage".
    std::string_view effect; // One phrase, for lists: "connections are refused".
    std::uint16_t targets; // Of TargetForm.
    std::uint16_t required; // Of FaultField.
    std::uint16_t optional; // Of FaultField.
    bool hasProbability; // Otherwise it hits all or nothing, and a probability can only be 1.

    [[nodiscard]] bool canHit(TargetForm form) const
    {
        return (targets & static_cast<std::uint16_t>(form)) != 0;
    }
    [[nodiscard]] bool mayHave(FaultField field) const
    {
        return ((required | optional) & static_cast<std::uint16_t>(field)) != 0;
    }
    [[nodiscard]] bool mustHave(FaultField field) const
    {
        return (required & static_cast<std::uint16_t>(field)) != 0;
    }
};

// All kinds, in the order of FaultKind.
[[nodiscard]] std::span<const FaultKindRow> faultKinds();

[[nodiscard]] const FaultKindRow& faultKindRow(FaultKind kind);

// Null when there is no such kind.
[[nodiscard]] const FaultKindRow* faultKindOf(std::string_view name);

// The form in which a target is given; the first that is set.
[[nodiscard]] TargetForm formOf(const FaultTarget& target);

// "kill cart, 30% of instances": kind and target.
[[nodiscard]] std::string toText(const Fault& fault);

} // namespace mesh::simulator
