#include "app/ctl/scenario_file.h"

#include "proxyengine/base/file.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/config/tree.h"

#include <fmt/format.h>

#include <algorithm>
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

std::optional<LineColumn> placeIn(const config::TreeNode& tree, const Error& error)
{
    if (const auto* known = std::get_if<LineColumn>(&error.place)) {
        return *known;
    }
    const auto* field = std::get_if<std::string>(&error.place);
    const config::TreeNode* node = field == nullptr ? nullptr : config::nodeAt(tree, *field);
    return node == nullptr ? std::nullopt : node->mark().place();
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
        file.errors.push_back(placed({error}, path, file.text).front());
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

std::vector<std::string> placed(
    const std::vector<Error>& errors, const std::string& path, const std::string& text
)
{
    const auto tree = config::parseTree(text);
    std::vector<std::pair<std::pair<int, int>, std::string>> lines;
    for (const Error& error : errors) {
        const auto place = placeIn(tree ? *tree : config::TreeNode(), error);
        const std::pair key = place ? std::pair(place->line, place->column) : std::pair(0, 0);
        lines.emplace_back(
            key,
            place ? fmt::format("{}:{}:{}: {}", path, place->line, place->column, error.message)
                  : fmt::format("{}: {}", path, error.message)
        );
    }
    std::ranges::stable_sort(lines, {}, &decltype(lines)::value_type::first);
    std::vector<std::string> texts;
    for (auto& line : lines) {
        texts.push_back(std::move(line.second));
    }
    return texts;
}

} // namespace mesh::ctl
