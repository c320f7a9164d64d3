#include "simulator/report/lanes.h"

#include "simulator/scenario/patch.h"

#include <fmt/format.h>

#include <utility>

namespace mesh::simulator {
namespace {

Error errorOf(const config::Problem& problem)
{
    Error error;
    error.code = problem.code;
    error.message = fmt::format("{}: {}", problem.path, problem.message);
    if (problem.place) {
        error.place = *problem.place;
    } else {
        error.place = problem.path;
    }
    return error;
}

class LaneMaker
{
public:
    LaneMaker(const Scenario& scenario, std::vector<Error>& problems)
        : m_scenario(scenario)
        , m_problems(problems)
    {}

    std::vector<Lane> make(const model::Document& document)
    {
        const std::vector<PolicyVariant> only = {PolicyVariant{kOnlyVariant, {}}};
        const std::vector<PolicyVariant>& variants =
            m_scenario.policies.empty() ? only : m_scenario.policies;
        for (std::size_t at = 0; at < variants.size(); ++at) {
            const std::string path = fmt::format("policies.{}", variants[at].name);
            PatchResult result = patched(document, variants[at].patch, path + ".patch");
            for (const config::Problem& problem : result.problems) {
                m_problems.push_back(errorOf(problem));
            }
            if (!result.problems.empty()) {
                continue;
            }
            add(RunKind::Variant, variants[at].name, path, result.document);
            if (at == 0) {
                m_reference = std::move(result.document);
            }
        }
        if (m_problems.empty()) {
            addAblations();
        }
        return std::move(m_lanes);
    }

private:
    void add(
        RunKind kind, std::string name, const std::string& path, const model::Document& document
    )
    {
        auto plan = MeshPlan::make(document);
        if (!plan) {
            Error error = plan.error();
            error.place = m_scenario.policies.empty() ? "mesh" : path;
            m_problems.push_back(std::move(error));
            return;
        }
        m_lanes.push_back({kind, std::move(name), *std::move(plan)});
    }

    void addAblations()
    {
        for (const AblatedPolicy policy : m_scenario.ablate) {
            add(RunKind::Ablation,
                std::string(toText(policy)),
                "ablate",
                withoutPolicies(m_reference, {policy}));
        }
        if (m_scenario.ablate.size() > 1) {
            add(RunKind::Ablation, "all", "ablate", withoutPolicies(m_reference, m_scenario.ablate)
            );
        }
    }

    const Scenario& m_scenario;
    std::vector<Error>& m_problems;
    model::Document m_reference;
    std::vector<Lane> m_lanes;
};

} // namespace

std::vector<Lane> makeLanes(
    const Scenario& scenario, const model::Document& document, std::vector<Error>& problems
)
{
    return LaneMaker(scenario, problems).make(document);
}

} // namespace mesh::simulator
