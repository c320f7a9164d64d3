#pragma once

#include "app/fleet/review.h"
#include "proxyengine/base/time.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

// The rules behind findingsOf(). Codes are stable: a code once given is never given to another
// rule.
namespace mesh::fleet {

// Collects findings of one document. A mute is looked for in the tags of the object.
class FindingList
{
public:
    explicit FindingList(const model::Document& document)
        : m_document(document)
    {}

    struct Found
    {
        ReviewFinding::Severity severity = ReviewFinding::Severity::Warning;
        std::string_view code;
        std::string title;
        std::string text;
        std::string path;
        const model::Tags* tags = nullptr; // Of the object; null: it has none and cannot be muted.
        std::string fixLabel = {};
        std::function<void(model::Document&)> fix = {}; // Of a copy of the document.
    };
    void add(Found found);

    [[nodiscard]] const model::Document& document() const { return m_document; }
    // Worst first. At most kReviewFindingsMax; the first kReviewFixesMax have their fixes made.
    [[nodiscard]] std::vector<ReviewFinding> take();

private:
    const model::Document& m_document;
    std::vector<Found> m_found;
};

void findRouteProblems(FindingList& findings);
void findServiceProblems(FindingList& findings);
void findUpstreamProblems(FindingList& findings);
void findMeshProblems(FindingList& findings, WallTime now);

} // namespace mesh::fleet
