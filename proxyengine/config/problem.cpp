#include "proxyengine/config/problem.h"

#include <fmt/format.h>

#include <algorithm>

namespace mesh::config {

std::string toText(const Problem& problem, std::string_view file)
{
    std::string text(file);
    if (problem.place) {
        text += fmt::format(":{}:{}", problem.place->line, problem.place->column);
    }
    if (problem.severity == Severity::Warning) {
        text += ": warning";
    } else if (problem.severity == Severity::Info) {
        text += ": note";
    }
    if (!problem.path.empty()) {
        text += fmt::format(": {}", problem.path);
    }
    return fmt::format("{}: {}", text, problem.message);
}

bool hasErrors(const std::vector<Problem>& problems)
{
    return std::ranges::any_of(problems, [](const Problem& problem) {
        return problem.severity == Severity::Error;
    });
}

} // namespace mesh::config
