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

constexpr LineColumn kStart = {1, 1};

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
    if (field == nullptr) {
        return std::nullopt;
    }
    const config::TreeNode* node = config::nodeAt(tree, *field);
    return node == nullptr ? kStart : node->mark().place(); // What is missing is missed at the top.
}

void addMeshProblem(ScenarioFile& file, std::string message)
{
    config::Problem problem;
    problem.path = "mesh";
    problem.code = ErrorCode::MissingField;
    problem.message = std::move(message);
    if (const auto tree = config::parseTree(file.text)) {
        const config::TreeNode* node = config::nodeAt(*tree, "mesh");
        problem.place = node == nullptr ? kStart : node->mark().place();
    }
    file.problems.push_back(std::move(problem));
}

void readMesh(ScenarioFile& file, const std::string& path)
{
    if (file.scenario.mesh.empty()) {
        addMeshProblem(file, "required field missing; name a declarative file");
        return;
    }
    file.meshPath = besideFile(path, file.scenario.mesh);
    auto text = readFile(file.meshPath, kConfigBytesMax);
    if (!text) {
        addMeshProblem(file, text.error().message);
        return;
    }
    file.meshText = *std::move(text);
    config::DecodeResult decoded = config::decode(file.meshText);
    for (const config::Problem& problem : decoded.problems) {
        if (problem.severity == config::Severity::Error) {
            file.errors.push_back(config::toText(problem, file.meshPath));
        }
    }
    if (file.errors.empty()) {
        file.document = std::make_shared<const model::Document>(std::move(decoded.document));
    }
}

} // namespace

ScenarioFile readScenarioFile(const std::string& path)
{
    ScenarioFile file;
    auto text = readFile(path, kScenarioBytesMax);
    if (!text) {
        file.errors.push_back(text.error().message);
        return file;
    }
    file.text = *std::move(text);
    simulator::ScenarioResult parsed = simulator::parseScenario(file.text);
    file.problems = std::move(parsed.problems);
    file.scenario = std::move(parsed.scenario);
    if (file.problems.empty() || !file.scenario.mesh.empty()) {
        readMesh(file, path);
    }
    return file;
}

std::vector<std::string> toLines(
    const ScenarioFile& file, const std::vector<Error>& errors, const std::string& path
)
{
    std::vector<std::pair<std::pair<int, int>, std::string>> lines;
    for (const config::Problem& problem : file.problems) {
        const auto& place = problem.place;
        const std::pair key = place ? std::pair(place->line, place->column) : std::pair(0, 0);
        lines.emplace_back(key, config::toText(problem, path));
    }
    const auto tree = config::parseTree(file.text);
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
    texts.insert(texts.end(), file.errors.begin(), file.errors.end());
    return texts;
}

} // namespace mesh::ctl
