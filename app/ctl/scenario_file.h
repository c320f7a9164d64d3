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
    simulator::Scenario scenario; // This and the next: meaningful only without errors.
    std::shared_ptr<const model::Document> document;
    std::vector<std::string> errors; // "FILE:LINE:COL: path: message"
};

// Reads both; what cannot be read is an error, too.
[[nodiscard]] ScenarioFile readScenarioFile(const std::string& path);

// Errors of checkRehearsal() with their places in the scenario file, sorted by them:
// "FILE:LINE:COL: path: message".
[[nodiscard]] std::vector<std::string> placed(
    const std::vector<Error>& errors, const std::string& path, const std::string& text
);

} // namespace mesh::ctl
