#include "app/ctl/scenario_file.h"

#include "proxyengine/base/file.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/config/tree.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <utility>
#include <variant>

namespace mesh::ctl {
namespace {

std::string besideFile(const std::string& path, const std::string& mesh)
{
    const std::filesystem::path named(mesh);
    return named.is_absolute() || path == "-"
               ? mesh
               : (std::filesystem::path(path).parent_path() / named).lexically_normal().string();
}

void addProblems(
    ScenarioFile& file, const std::vector<config::Problem>& problems, const std::string& path
)
{
    for (const config::Problem& problem : problems) {
        if (problem.severity == config::Severity::Error) {
            file.errors.push_back(config::toText(problem, path));
        }
    }
}

void readMesh(ScenarioFile& file, const std::string& path)
{
    if (file.scenario.mesh.empty()) {
        file.errors.push_back(
            fmt::format("{}:1:1: mesh: required field missing; name a declarative file", path)
        );
        return;
    }
    file.meshPath = besideFile(path, file.scenario.mesh);
    auto text = readFile(file.meshPath, kConfigBytesMax);
    if (!text) {
        Error error = text.error();
        error.message = fmt::format("mesh: {}", error.message);
        error.place = "mesh";
        file.errors.push_back(placed(error, path, file.text));
        return;
    }
    file.meshText = *std::move(text);
    config::DecodeResult decoded = config::decode(file.meshText);
    addProblems(file, decoded.problems, file.meshPath);
    file.document = std::make_shared<const model::Document>(std::move(decoded.document));
}

} // namespace

ScenarioFile readScenarioFile(const std::string& path)
{
    ScenarioFile file;
    auto text = readFile(path, kScenarioBytesMax);
    if (!text) {
        file.errors.push_back(fmt::format("{}: {}", path, text.error().message));
        return file;
    }
    file.text = *std::move(text);
    simulator::ScenarioResult parsed = simulator::parseScenario(file.text);
    addProblems(file, parsed.problems, path);
    file.scenario = std::move(parsed.scenario);
    const bool isReadable = parsed.problems.empty() || !file.scenario.mesh.empty();
    if (isReadable) {
        readMesh(file, path);
    }
    return file;
}

std::string placed(const Error& error, const std::string& path, const std::string& text)
{
    std::optional<LineColumn> place;
    if (const auto* known = std::get_if<LineColumn>(&error.place)) {
        place = *known;
    } else if (const auto* field = std::get_if<std::string>(&error.place)) {
        const auto tree = config::parseTree(text);
        const config::TreeNode* node = tree ? config::nodeAt(*tree, *field) : nullptr;
        place = node == nullptr ? std::nullopt : node->mark().place();
    }
    return place ? fmt::format("{}:{}:{}: {}", path, place->line, place->column, error.message)
                 : fmt::format("{}: {}", path, error.message);
}

} // namespace mesh::ctl
