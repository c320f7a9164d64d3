#pragma once

#include "proxyengine/base/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::config {

enum class Severity : std::uint8_t { Error, Warning, Info };

// One thing that is wrong with a document, at its place.
struct Problem
{
    std::string path; // "services[0].routes[1].paths[0]"; empty: the whole document.
    std::optional<LineColumn> place; // Absent when the document did not come from text.
    ErrorCode code = ErrorCode::InvalidArgument;
    Severity severity = Severity::Error;
    std::string message; // What is wrong and the remedy.
    friend bool operator==(const Problem&, const Problem&) = default;
};

// "FILE:LINE:COL: path: message", the form compilers use, so that editors can jump.
std::string toText(const Problem& problem, std::string_view file);

// True when at least one problem is an error.
bool hasErrors(const std::vector<Problem>& problems);

} // namespace mesh::config
