#include "simulator/report/check.h"

#include "simulator/mesh/mesh_run.h"
#include "simulator/scenario/fault_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <variant>

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

constexpr std::string_view kGatewayCaller = "gateway";

// "timeline[2]" of "timeline[2] (kill): there is no instance": how a run names what it refuses.
std::string pathBefore(std::string_view message)
{
    return std::string(message.substr(0, message.find_first_of(" :")));
}

// Whether anybody sends requests along an edge: by a script, as a root request, or because a policy
// makes a mirror or a fallback of it.
bool isCalled(
    const MeshPlan& plan,
    const std::vector<Load>& loads,
    std::string_view caller,
    std::string_view callee
)
{
    std::vector<std::uint32_t> places;
    if (caller != kGatewayCaller) {
        places = plan.calleesOf(*plan.find(caller));
    }
    for (const Load& load : loads) {
        const auto entry = plan.find(load.entry);
        if (caller == kGatewayCaller && entry) {
            for (const EntryPlan::Part& part : plan.entry(*entry).parts) {
                places.push_back(part.service);
            }
        }
    }
    const std::uint32_t wanted = *plan.find(callee);
    for (std::size_t at = 0; at < places.size(); ++at) {
        if (places[at] == wanted) {
            return true;
        }
        const CalleePlan& called = plan.callee(plan.gatewayZone(), places[at]);
        if (called.resilience == nullptr) {
            continue;
        }
        for (const auto& other :
             {called.resilience->mirrorService, called.resilience->fallbackService}) {
            const auto place =
                other ? plan.find(called.snapshot->services[*other].name) : std::nullopt;
            if (place && std::ranges::find(places, *place) == places.end()) {
                places.push_back(*place);
            }
        }
    }
    return false;
}

// What is wrong with the subject of a condition in this mesh; empty: nothing.
std::string subjectProblem(
    const Condition& condition, const MeshPlan& plan, const std::vector<Load>& loads
)
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
    if (edge->first != kGatewayCaller && !plan.find(edge->first)) {
        return absent(edge->first);
    }
    if (!plan.find(edge->second)) {
        return absent(edge->second);
    }
    if (condition.quantity == Quantity::Utilization) {
        return "utilization is of services, not of edges";
    }
    if (!isCalled(plan, loads, edge->first, edge->second)) {
        return fmt::format("\"{}\" does not call \"{}\"", edge->first, edge->second);
    }
    return {};
}

// Assertions on windows are judged by the first variant, comparisons by two; guards watch all.
bool isAbout(const Assertion& assertion, const Lane& lane, const Lane& first)
{
    return assertion.window.empty()
               ? lane.name == assertion.candidate || lane.name == assertion.reference
               : &lane == &first;
}

void checkSubjects(
    const Scenario& scenario, const std::vector<Lane>& lanes, std::vector<Error>& problems
)
{
    const auto check = [&](const Condition& condition, const Lane& lane, const std::string& path) {
        const std::string problem = subjectProblem(condition, lane.plan, scenario.load);
        if (!problem.empty()) {
            addError(problems, ErrorCode::DanglingReference, path, problem);
        }
    };
    for (const Lane& lane : lanes) {
        if (lane.kind != RunKind::Variant) {
            continue; // It lacks policies, and with them edges that others have.
        }
        for (std::size_t at = 0; &lane == &lanes.front() && at < scenario.guards.size(); ++at) {
            check(scenario.guards[at].condition, lane, fmt::format("guards[{}].abort_if", at));
        }
        for (std::size_t at = 0; at < scenario.asserts.size(); ++at) {
            if (isAbout(scenario.asserts[at], lane, lanes.front())) {
                check(scenario.asserts[at].condition, lane, fmt::format("assert[{}].that", at));
            }
        }
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

std::string scenarioPathOf(const Error& error)
{
    const auto* path = std::get_if<std::string>(&error.place);
    return path != nullptr ? *path : pathBefore(error.message);
}

// Whether one of two paths is the other, or a place inside of it.
bool isSamePlace(std::string_view one, std::string_view other)
{
    const std::string_view outer = one.size() <= other.size() ? one : other;
    const std::string_view inner = one.size() <= other.size() ? other : one;
    return inner.starts_with(outer)
           && (inner.size() == outer.size() || outer.empty() || inner[outer.size()] == '.'
               || inner[outer.size()] == '[');
}

std::vector<Error> withoutThoseAt(std::vector<Error> errors, const std::vector<std::string>& paths)
{
    std::erase_if(errors, [&paths](const Error& error) {
        const std::string own = scenarioPathOf(error);
        return std::ranges::any_of(paths, [&own](const std::string& path) {
            return isSamePlace(own, path);
        });
    });
    return errors;
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
    if (scenario.duration) {
        checkWindows(scenario, problems);
    }
    checkSubjects(scenario, lanes, problems);
    for (const Lane& lane : lanes) {
        MeshRunSettings settings;
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

std::vector<Error> unexplained(std::vector<Error> ofRun, const std::vector<config::Problem>& ofFile)
{
    std::vector<std::string> paths;
    for (const config::Problem& problem : ofFile) {
        if (problem.severity == config::Severity::Error) {
            paths.push_back(problem.path);
        }
    }
    return withoutThoseAt(std::move(ofRun), paths);
}

std::vector<Error> unexplained(std::vector<Error> more, const std::vector<Error>& known)
{
    std::vector<std::string> paths;
    for (const Error& error : known) {
        paths.push_back(scenarioPathOf(error));
    }
    return withoutThoseAt(std::move(more), paths);
}

} // namespace mesh::simulator
