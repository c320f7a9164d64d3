#pragma once

#include "app/bridge/topology.h"

#include <QString>

#include <optional>
#include <string_view>

// What traffic policies are called: the engine's words (api/event.h, telemetry/frame.h) on one
// side, those for people on the other.
namespace mesh::bridge {

// How long a policy event lasts.
enum class PolicyPhase : std::uint8_t {
    Begins, // Until the event that ends it.
    Ends,
    Moment, // Over when told.
    Repeats, // A verdict about requests: goes on as long as it is told again and again.
};

struct PolicyWord
{
    std::string_view event; // "breaker_opened"
    std::string_view state; // The same as a PolicyState, or the event's own name; empty: none.
    PolicyPhase phase = PolicyPhase::Moment;
    std::string_view family; // Events of one family and subject end each other.
    std::optional<PolicyKind> kind; // Absent: no badge.
};

// By the name of an event or of a state; null: not known to this version.
[[nodiscard]] const PolicyWord* policyWord(std::string_view name);

// "breaker opened", "retry budget used up"; the name itself with spaces when it is not known.
[[nodiscard]] QString policyEventText(const QString& event);

// For tags on the graph: "breaker open", "failover".
[[nodiscard]] QString policyText(PolicyKind kind);

// How much it asks for attention.
enum class PolicyTone : std::uint8_t { Neutral, Attention, Alarm };
[[nodiscard]] PolicyTone policyTone(PolicyKind kind);

// The name of its sign, one of resources/icons.
[[nodiscard]] QString policyIcon(PolicyKind kind);
// Of an event: that of what it begins, or ends.
[[nodiscard]] QString policyEventIcon(const QString& event);

// Whether an event belongs on a time axis: what begins or ends, not each repeated request.
[[nodiscard]] bool isOnAxis(const Marker& marker);

// What the badge stands for, in a sentence.
[[nodiscard]] QString policyHelp(PolicyKind kind);

// "target:cart/10.0.0.3:7001" -> "cart", of upstreams, targets, services and routes.
[[nodiscard]] QString policySubjectName(const QString& subject);

} // namespace mesh::bridge
