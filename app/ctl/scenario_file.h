#pragma once

#include "proxyengine/config/problem.h"
#include "simulator/report/rehearsal.h"

#include <memory>
#include <string>
#include <vector>

namespace mesh::ctl {

// A scenario file, the mesh it names, and everything that is wrong with either.
struct ScenarioFile
{
    std::string text;
    std::string meshPath; // Relative ones are to the scenario's folder.
    std::string meshText;
    simulator::Scenario scenario; // As far as it could be read.
    std::shared_ptr<const model::Document> document; // Null: the mesh cannot be used.
    std::vector<config::Problem> problems; // Of the scenario.
    std::vector<std::string> errors; // Of files: "FILE:LINE:COL: path: message"
};

// Reads both; what cannot be read is an error, too.
[[nodiscard]] ScenarioFile readScenarioFile(const std::string& path);

// The file's problems and errors of checkRehearsal() with their places in the scenario, sorted by
// them; then the file's other errors. "FILE:LINE:COL: path: message".
[[nodiscard]] std::vector<std::string> toLines(
    const ScenarioFile& file, const std::vector<Error>& errors, const std::string& path
);

} // namespace mesh::ctl
