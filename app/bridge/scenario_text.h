#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Edits of a scenario's text that leave every byte alone that they are not about: comments, order,
// spacing. Pure. Nothing comes back when the text cannot be parsed or the place does not exist.
namespace mesh::bridge {

// The members of a timeline's entry in their order, values as YAML spells them in one line.
using EntryMembers = std::vector<std::pair<std::string, std::string>>;

// "{at: 3m, for: 90s, fault: zone_outage, target: {zone: b}}"
[[nodiscard]] std::string flowEntry(const EntryMembers& members);

// Appends an entry to the list of this name at the top of the file ("timeline", "assert"), which is
// made when there is none.
[[nodiscard]] std::optional<std::string> addEntry(
    std::string_view text, std::string_view list, const EntryMembers& members
);

// Replaces one member of one entry of a list, or adds it after `after`.
[[nodiscard]] std::optional<std::string> setEntryMember(
    std::string_view text,
    std::string_view list,
    std::size_t index,
    std::string_view key,
    std::string_view value,
    std::string_view after = "at"
);

// Takes one entry out; a list that becomes empty stays as [].
[[nodiscard]] std::optional<std::string> removeEntry(
    std::string_view text, std::string_view list, std::size_t index
);

// Replaces a member at the top ("seed", "replications", "policies"), or adds it at the end. The
// value is one line, or several that are indented already and begin with a line break.
[[nodiscard]] std::optional<std::string> setTopMember(
    std::string_view text, std::string_view key, std::string_view value
);

// The line of an entry, 1-based; 0: there is none.
[[nodiscard]] int lineOfEntry(std::string_view text, std::string_view list, std::size_t index);

} // namespace mesh::bridge
