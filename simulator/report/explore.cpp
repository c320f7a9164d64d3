#include "simulator/report/explore.h"

#include "simulator/report/explore_candidates.h"
#include "simulator/report/words.h"
#include "simulator/scenario/patch.h"
#include "simulator/scenario/scenario_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace mesh::simulator {
namespace {

constexpr std::size_t kBreakingShownMax = 30; // In a terminal; programs get all.

// Broken and nearly broken, of one rehearsal.
struct TrialResult
{
    std::vector<std::string> broken;
    double failedShare = 0.0;
    double damage = 0.0; // For the order of pairs.
};

// What a fault did that broke nothing: mostly requests, a little latency.
double damageOf(const Rehearsal& rehearsal)
{
    const VariantResult& variant = rehearsal.variants.front();
    double slowdown = 0.0;
    for (const std::string& entry : rehearsal.entries) {
        const auto during = variant.services.find(Window::During);
        const auto before = variant.services.find(Window::Before);
        if (during == variant.services.end() || before == variant.services.end()) {
            continue;
        }
        const auto hit = during->second.find(entry);
        const auto was = before->second.find(entry);
        if (hit != during->second.end() && was != before->second.end()
            && was->second.p99_ms > 0.0) {
            slowdown = std::max(slowdown, hit->second.p99_ms / was->second.p99_ms - 1.0);
        }
    }
    return variant.reaction.failedShare + 0.001 * std::min(10.0, slowdown);
}

class ExploreRun
{
public:
    explicit ExploreRun(const ExploreRequest& request)
        : m_request(request)
        , m_rehearsal(request.rehearsal)
    {}

    Result<Exploration> run()
    {
        MESH_TRY_VOID(prepare());
        MESH_TRY_VOID(tryWithout());
        MESH_TRY_VOID(trySingles());
        MESH_TRY_VOID(tryPairs());
        std::ranges::stable_sort(m_found.breaking, {}, [](const Breaking& each) {
            return std::pair(each.faults.size(), each.instances);
        });
        for (std::size_t at = 0; at < m_found.breaking.size(); ++at) {
            m_found.breaking[at].scenario.name = fmt::format("{}-explore-{}", m_name, at + 1);
        }
        return std::move(m_found);
    }

private:
    using Faults = std::vector<const ExploreCandidate*>;

    // The scenario without faults, variants and comparisons, and the faults to try.
    Result<void> prepare()
    {
        Scenario& scenario = m_rehearsal.scenario;
        if (m_rehearsal.document == nullptr || !scenario.duration) {
            return fail(ErrorCode::InvalidArgument, "a search needs a mesh and a duration");
        }
        scenario.policies.resize(std::min<std::size_t>(1, scenario.policies.size()));
        scenario.ablate.clear();
        std::erase_if(scenario.asserts, [](const Assertion& assertion) {
            return assertion.window.empty();
        });
        if (scenario.asserts.empty()) {
            return fail(ErrorCode::InvalidArgument, "no assertion of a window that could break");
        }
        Duration at = *scenario.duration / 3;
        Duration length = *scenario.duration / 3;
        if (!scenario.timeline.empty()) {
            at = scenario.timeline.front().at;
            length = scenario.timeline.front().length.value_or(*scenario.duration - at);
        }
        scenario.timeline.clear();
        m_name = scenario.name;

        model::Document document = *m_rehearsal.document;
        if (!scenario.policies.empty()) {
            PatchResult result = patched(document, scenario.policies.front().patch, "patch");
            if (!result.problems.empty()) {
                return fail(ErrorCode::InvalidArgument, result.problems.front().message);
            }
            document = std::move(result.document);
        }
        MESH_TRY(const MeshPlan plan, MeshPlan::make(document));
        m_candidates = exploreCandidates(plan, scenario.load, at, length);
        m_found.candidates = m_candidates.size();
        m_damages.resize(m_candidates.size());
        return {};
    }

    [[nodiscard]] bool hasBudget() const { return m_found.rehearsals < m_request.budget; }

    Result<TrialResult> attempt(const std::vector<Fault>& faults)
    {
        m_rehearsal.scenario.timeline = faults;
        ++m_found.rehearsals;
        MESH_TRY(const Rehearsal rehearsal, rehearse(m_rehearsal));
        TrialResult result;
        for (const AssertionResult& each : rehearsal.variants.front().asserts) {
            if (!each.holds) {
                result.broken.push_back(demandText(each.assertion));
            }
        }
        if (rehearsal.stoppedBy) {
            result.broken.push_back("guard: " + *rehearsal.stoppedBy);
        }
        result.failedShare = rehearsal.variants.front().reaction.failedShare;
        result.damage = damageOf(rehearsal);
        return result;
    }

    // A fault that does nothing makes the windows, so that every assertion can be looked at.
    Result<void> tryWithout()
    {
        if (m_candidates.empty() || !hasBudget()) {
            return {};
        }
        const auto of = std::ranges::find_if(m_candidates, [](const ExploreCandidate& each) {
            return each.fault.kind == FaultKind::Slow;
        });
        Fault nothing = (of == m_candidates.end() ? m_candidates.front() : *of).fault;
        nothing.kind = FaultKind::Slow;
        nothing.factor = 1.0;
        MESH_TRY(TrialResult result, attempt({nothing}));
        m_found.brokenBefore = std::move(result.broken);
        told();
        return {};
    }

    Result<void> judge(const Faults& faults, double* damage)
    {
        std::vector<Fault> timeline;
        for (const ExploreCandidate* each : faults) {
            timeline.push_back(each->fault);
        }
        MESH_TRY(TrialResult result, attempt(timeline));
        if (damage != nullptr) {
            *damage = result.damage;
        }
        std::erase_if(result.broken, [this](const std::string& text) {
            return std::ranges::find(m_found.brokenBefore, text) != m_found.brokenBefore.end();
        });
        if (!result.broken.empty()) {
            Breaking breaking;
            for (const ExploreCandidate* each : faults) {
                breaking.faults.push_back(each->text);
                breaking.instances += each->instances.size();
            }
            breaking.broken = std::move(result.broken);
            breaking.failedShare = result.failedShare;
            breaking.scenario = m_rehearsal.scenario;
            m_found.breaking.push_back(std::move(breaking));
            m_breaking.push_back(faults);
        }
        told();
        return {};
    }

    // Whether every fault of a breaking set is covered by one of these, or by those of them that
    // are the same fault on different instances, taken together.
    [[nodiscard]] bool isCoveredSet(const Faults& faults) const
    {
        std::vector<ExploreCandidate> wholes;
        for (const ExploreCandidate* each : faults) {
            wholes.push_back(*each);
        }
        if (faults.size() == 2 && faults[0]->fault.kind == faults[1]->fault.kind) {
            ExploreCandidate& both = wholes.emplace_back(*faults[0]);
            const std::vector<std::string>& more = faults[1]->instances;
            both.instances.insert(both.instances.end(), more.begin(), more.end());
            std::ranges::sort(both.instances);
        }
        return std::ranges::any_of(m_breaking, [&wholes](const Faults& smaller) {
            return std::ranges::all_of(smaller, [&wholes](const ExploreCandidate* part) {
                return std::ranges::any_of(wholes, [part](const ExploreCandidate& whole) {
                    return isCovered(whole, *part);
                });
            });
        });
    }

    Result<void> trySingles()
    {
        for (std::size_t at = 0; at < m_candidates.size(); ++at) {
            if (!m_candidates[at].isAloneWorthTrying) {
                m_quiet.push_back(at);
                continue;
            }
            const Faults faults = {&m_candidates[at]};
            if (isCoveredSet(faults)) {
                ++m_found.covered;
                continue;
            }
            if (!hasBudget()) {
                return {};
            }
            ++m_found.singles;
            const std::size_t known = m_breaking.size();
            MESH_TRY_VOID(judge(faults, &m_damages[at]));
            if (m_breaking.size() == known) {
                m_quiet.push_back(at);
            }
        }
        m_areSinglesDone = true;
        return {};
    }

    // The most damaging first: the sum of two ranks grows.
    Result<void> tryPairs()
    {
        if (!m_areSinglesDone) {
            return {};
        }
        std::ranges::stable_sort(m_quiet, std::ranges::greater{}, [this](std::size_t at) {
            return m_damages[at];
        });
        for (std::size_t sum = 1; sum + 1 < 2 * m_quiet.size(); ++sum) {
            const std::size_t least = sum < m_quiet.size() ? 0 : sum - m_quiet.size() + 1;
            for (std::size_t one = least; 2 * one < sum; ++one) {
                const ExploreCandidate& first = m_candidates[m_quiet[one]];
                const ExploreCandidate& second = m_candidates[m_quiet[sum - one]];
                if (isCovered(first, second) || isCovered(second, first)) {
                    continue; // One is part of the other, and was tried by itself.
                }
                const Faults faults = {&first, &second};
                if (isCoveredSet(faults)) {
                    ++m_found.covered;
                    continue;
                }
                if (!hasBudget()) {
                    return {};
                }
                ++m_found.pairs;
                MESH_TRY_VOID(judge(faults, nullptr));
            }
        }
        m_found.isComplete = true;
        return {};
    }

    void told() const
    {
        if (m_request.onStep) {
            m_request.onStep(m_found);
        }
    }

    const ExploreRequest& m_request;
    RehearsalRequest m_rehearsal;
    std::string m_name;
    std::vector<ExploreCandidate> m_candidates;
    std::vector<double> m_damages; // By candidate.
    std::vector<std::size_t> m_quiet; // Candidates that broke nothing by themselves.
    std::vector<Faults> m_breaking;
    bool m_areSinglesDone = false;
    Exploration m_found;
};

} // namespace

Result<Exploration> explore(const ExploreRequest& request) { return ExploreRun(request).run(); }

std::string toTerminalText(const Exploration& exploration)
{
    std::string text = fmt::format(
        "{} smallest ways to break it; {} of {} single faults and {} pairs tried in {} rehearsals, "
        "{} covered by a smaller one{}\n",
        exploration.breaking.size(),
        exploration.singles,
        exploration.candidates,
        exploration.pairs,
        exploration.rehearsals,
        exploration.covered,
        exploration.isComplete ? "" : "; the budget ended the search"
    );
    for (const std::string& broken : exploration.brokenBefore) {
        text += fmt::format("  broken without any fault, so not looked at: {}\n", broken);
    }
    const std::size_t shown = std::min(kBreakingShownMax, exploration.breaking.size());
    for (std::size_t at = 0; at < shown; ++at) {
        const Breaking& breaking = exploration.breaking[at];
        text += fmt::format(
            "\n{:>3}. {}\n     {:.3f} % of the requests failed\n",
            at + 1,
            fmt::join(breaking.faults, " and "),
            breaking.failedShare * 100.0
        );
        for (const std::string& broken : breaking.broken) {
            text += fmt::format("     breaks {}\n", broken);
        }
    }
    if (shown < exploration.breaking.size()) {
        text += fmt::format("\n{} more are in the JSON.\n", exploration.breaking.size() - shown);
    }
    return text;
}

std::string toJson(const Exploration& exploration)
{
    nlohmann::ordered_json json;
    json["rehearsals"] = exploration.rehearsals;
    json["singles"] = exploration.singles;
    json["pairs"] = exploration.pairs;
    json["candidates"] = exploration.candidates;
    json["covered"] = exploration.covered;
    json["is_complete"] = exploration.isComplete;
    json["broken_before"] = exploration.brokenBefore;
    json["breaking"] = nlohmann::ordered_json::array();
    for (const Breaking& breaking : exploration.breaking) {
        nlohmann::ordered_json entry;
        entry["faults"] = breaking.faults;
        entry["instances"] = breaking.instances;
        entry["broken"] = breaking.broken;
        entry["failed_share"] = breaking.failedShare;
        entry["scenario"] = toScenarioText(breaking.scenario);
        json["breaking"].push_back(std::move(entry));
    }
    return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

} // namespace mesh::simulator
