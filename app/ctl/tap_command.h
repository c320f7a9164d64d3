#pragma once

#include "app/ctl/node_access.h"
#include "app/ctl/surroundings.h"

#include <optional>
#include <string>
#include <vector>

namespace mesh::ctl {

struct TapOptions
{
    std::string node; // URL.
    std::vector<std::string> filter; // Words, joined with spaces; see TapFilter.
    std::optional<std::size_t> count; // Ends after so many.
    std::string last; // Ends after this time, "30s"; empty: never.
    CredentialFiles credentials;
};

// Live requests of a node as they end, one a line, until `count`, the time or Ctrl+C. A node that
// goes away meanwhile is told on standard error and followed again when it returns.
// 0; 1 when the time was over before `count`; 3 when the node cannot be reached at first.
[[nodiscard]] int runTap(const TapOptions& options, const Surroundings& around);

} // namespace mesh::ctl
