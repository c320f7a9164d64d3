#include "simulator/report/check.h"

#include "simulator/mesh/mesh_run.h"
#include "simulator/scenario/fault_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace mesh::simulator {
namespace {

void addError(std::vector<Error>& problems, ErrorCode code, std::string path, std::string message)
{
    Error error;
    error.code = code;
    error.message = fmt::format("{}: {}", path, message);
    error.place = std::move(path);
    const bool isKnown = std::ranges::any_of(problems, [&](const Error& known) {
        return known.message == error.message;
    });
    if (!isKnown) {
        problems.push_back(std::move(error));
    }
}

// "timeline[2]" of "timeline[2] (kill): there is no instance": how a run names what it refuses.
std::string pathBefore(std::string_view message)
{
    return std::string(message.substr(0, message.find_first_of(" :")));
}

// What is wrong with the subject of a condition in this mesh; empty: nothing.
std::string subjectProblem(const Condition& condition, const MeshPlan& plan)
{
    const auto absent = [&](const std::string& name) {
        return fmt::format("there is no model of a service \"{}\"", name);
    };
    if (condition.subject.find("->") == std::string::npos) {
        return plan.find(condition.subject) ? std::string() : absent(condition.subject);
    }
    const auto edge = splitEdge(condition.subject);
    if (!edge) {
        return "expected an edge as in checkout->payment";
    }
    if (edge->first != "gateway" && !plan.find(edge->first)) {
        return absent(edge->first);
    }
    if (!plan.find(edge->second)) {
        return absent(edge->second);
    }
    if (condition.quantity == Quantity::Utilization) {
        return "utilization is of services, not of edges";
    }
    return {};
}

void checkSubjects(const Scenario& scenario, const MeshPlan& plan, std::vector<Error>& problems)
{
    const auto check = [&](const Condition& condition, const std::string& path) {
        const std::string problem = subjectProblem(condition, plan);
        if (!problem.empty()) {
            addError(problems, ErrorCode::DanglingReference, path, problem);
        }
    };
    for (std::size_t at = 0; at < scenario.guards.size(); ++at) {
        check(scenario.guards[at].condition, fmt::format("guards[{}].abort_if", at));
    }
    for (std::size_t at = 0; at < scenario.asserts.size(); ++at) {
        check(scenario.asserts[at].condition, fmt::format("assert[{}].that", at));
    }
}

void checkWindows(const Scenario& scenario, std::vector<Error>& problems)
{
    const ScenarioWindows windows(scenario);
    for (std::size_t at = 0; at < scenario.asserts.size(); ++at) {
        const Assertion& assertion = scenario.asserts[at];
        if (!windows.at(windows.ofAssertion(at)).spans.empty()) {
            continue;
        }
        const bool isCut = assertion.within.has_value();
        addError(
            problems,
            ErrorCode::Conflict,
            fmt::format("assert[{}].{}", at, isCut ? "that" : "window"),
            isCut ? std::string("\"within\" leaves nothing of the window")
                  : fmt::format("the run has no time \"{}\" its faults", assertion.window)
        );
    }
}

} // namespace

void checkWithoutMesh(const Scenario& scenario, std::vector<Error>& problems)
{
    if (!scenario.duration) {
        addError(
            problems,
            ErrorCode::MissingField,
            "duration",
            "a run in virtual time needs one, as in duration: 5m"
        );
    }
    if (scenario.load.empty()) {
        addError(
            problems,
            ErrorCode::MissingField,
            "load",
            "nothing calls the mesh; write load: [{entry: SERVICE, rate: [[0s, 100]]}]"
        );
    }
}

void checkScenario(
    const Scenario& scenario, const std::vector<Lane>& lanes, std::vector<Error>& problems
)
{
    checkWindows(scenario, problems);
    for (const Lane& lane : lanes) {
        checkSubjects(scenario, lane.plan, problems);
        MeshRunSettings settings;
        settings.duration = *scenario.duration;
        settings.timeline = scenario.timeline;
        settings.loads = scenario.load;
        settings.network = scenario.network;
        for (Error& error : MeshRun::check(lane.plan, settings)) {
            const bool isKnown = std::ranges::any_of(problems, [&](const Error& known) {
                return known.message == error.message;
            });
            if (!isKnown) {
                error.place = pathBefore(error.message);
                problems.push_back(std::move(error));
            }
        }
    }
}

} // namespace mesh::simulator
