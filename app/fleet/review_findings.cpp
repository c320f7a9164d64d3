// What is doubtful in a document, across objects: the list, its order, mutes and fixes.

#include "app/fleet/finding_rules.h"
#include "app/fleet/limits.h"
#include "proxyengine/base/clock.h"
#include "proxyengine/config/codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mesh::fleet {
namespace {

using Severity = ReviewFinding::Severity;

constexpr std::string_view kMute = "mute ";

// The reason in a tag "mute MW-201: the old path stays for a week"; nothing when it is not muted.
std::optional<std::string> muteOf(const model::Tags* tags, std::string_view code)
{
    if (tags == nullptr) {
        return std::nullopt;
    }
    const std::string prefix = fmt::format("{}{}", kMute, code);
    for (const std::string& tag : *tags) {
        if (tag == prefix || tag.starts_with(prefix + ":")) {
            const std::size_t begin = tag.find_first_not_of(": ", prefix.size());
            return begin == std::string::npos ? std::string() : tag.substr(begin);
        }
    }
    return std::nullopt;
}

// What validation finds has codes of its own, by what is wrong.
std::string_view codeOf(ErrorCode code)
{
    switch (code) {
    case ErrorCode::DanglingReference:
        return "MW-101";
    case ErrorCode::Duplicate:
        return "MW-102";
    case ErrorCode::Conflict:
        return "MW-103";
    case ErrorCode::MissingField:
        return "MW-104";
    case ErrorCode::Unsupported:
        return "MW-105";
    case ErrorCode::Tls:
        return "MW-106";
    default:
        return "MW-100";
    }
}

void findProblems(FindingList& findings)
{
    for (const config::Problem& problem : config::validate(findings.document())) {
        FindingList::Found found;
        found.severity = problem.severity == config::Severity::Error     ? Severity::Error
                         : problem.severity == config::Severity::Warning ? Severity::Warning
                                                                         : Severity::Info;
        found.code = codeOf(problem.code);
        found.title = problem.message;
        found.path = problem.path;
        findings.add(std::move(found));
    }
}

} // namespace

void FindingList::add(Found found)
{
    if (m_found.size() < kReviewFindingsMax) {
        m_found.push_back(std::move(found));
    }
}

std::vector<ReviewFinding> FindingList::take()
{
    std::ranges::stable_sort(m_found, [](const Found& a, const Found& b) {
        return std::pair(a.severity, a.code) < std::pair(b.severity, b.code);
    });
    std::vector<ReviewFinding> findings;
    std::size_t fixes = 0;
    for (Found& found : m_found) {
        ReviewFinding finding;
        finding.severity = found.severity;
        finding.code = found.code;
        finding.title = std::move(found.title);
        finding.text = std::move(found.text);
        finding.path = std::move(found.path);
        const auto reason = muteOf(found.tags, found.code);
        finding.isMuted = reason.has_value();
        finding.mutedBecause = reason.value_or("");
        if (found.fix && !finding.isMuted && fixes < kReviewFixesMax) {
            ++fixes;
            model::Document fixed = m_document;
            found.fix(fixed);
            finding.fixLabel = std::move(found.fixLabel);
            finding.fixed = std::make_shared<const model::Document>(std::move(fixed));
        }
        findings.push_back(std::move(finding));
    }
    m_found.clear();
    return findings;
}

std::vector<ReviewFinding> findingsOf(const model::Document& document)
{
    FindingList findings(document);
    findProblems(findings);
    findRouteProblems(findings);
    findServiceProblems(findings);
    findUpstreamProblems(findings);
    findMeshProblems(findings, SystemClock().wallNow());
    return findings.take();
}

std::string muteTag(std::string_view code, std::string_view reason)
{
    std::string tag = fmt::format("{}{}: {}", kMute, code, reason);
    std::ranges::replace(tag, ',', ';');
    std::ranges::replace(tag, '/', '|');
    return tag;
}

Review reviewOf(
    const model::Document& before,
    const model::Document& after,
    const std::vector<RequestSample>& samples
)
{
    Review review;
    review.objects = model::diff(before, after);
    review.groups = effectiveChanges(before, after);
    std::size_t changed = 0;
    for (const EffectiveGroup& group : review.groups) {
        changed += group.nodes.size();
    }
    const std::size_t all = std::max<std::size_t>(after.nodes.size(), after.nodes.empty() ? 1 : 0);
    review.nodesUnchanged = all > changed ? all - changed : 0;
    review.behaviour = behaviourChanges(before, after, samples);
    review.findings = findingsOf(after);
    const std::vector<ReviewFinding> old = findingsOf(before);
    for (ReviewFinding& finding : review.findings) {
        // By its words, which name the object: places move when a list grows.
        finding.isNew = std::ranges::none_of(old, [&](const ReviewFinding& each) {
            return each.code == finding.code && each.title == finding.title;
        });
    }
    return review;
}

} // namespace mesh::fleet
