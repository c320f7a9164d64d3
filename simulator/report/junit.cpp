#include "simulator/report/junit.h"

#include "simulator/report/words.h"

#include <fmt/format.h>

#include <string_view>

namespace mesh::simulator {
namespace {

// For attributes and text; what XML 1.0 cannot carry becomes a question mark.
std::string escaped(std::string_view text)
{
    std::string result;
    for (const char c : text) {
        switch (c) {
        case '&':
            result += "&amp;";
            break;
        case '<':
            result += "&lt;";
            break;
        case '>':
            result += "&gt;";
            break;
        case '"':
            result += "&quot;";
            break;
        default:
            result += static_cast<unsigned char>(c) < 0x20U ? '?' : c;
        }
    }
    return result;
}

struct JunitCase
{
    std::string name;
    std::string failure; // Empty: it holds.
};

JunitCase caseOf(const AssertionResult& result, int replications)
{
    JunitCase one{demandText(result.assertion), {}};
    if (!result.holds) {
        one.failure = fmt::format(
            "measured {}; held in {} of {} runs", resultText(result), result.hit, replications
        );
    }
    return one;
}

} // namespace

std::string toJunit(const Rehearsal& rehearsal)
{
    std::vector<JunitCase> cases;
    for (const AssertionResult& result : rehearsal.variants.front().asserts) {
        cases.push_back(caseOf(result, rehearsal.scenario.replications));
    }
    for (const AssertionResult& result : rehearsal.comparisons) {
        cases.push_back(caseOf(result, rehearsal.scenario.replications));
    }
    if (!rehearsal.scenario.guards.empty()) {
        cases.push_back(
            {"guards",
             rehearsal.stoppedBy ? fmt::format("stopped by {}", *rehearsal.stoppedBy) : ""}
        );
    }
    if (rehearsal.verdict == Verdict::NotDeterministic) {
        cases.push_back({"determinism", "two runs with the same seed differ"});
    }
    std::size_t failures = 0;
    std::string body;
    const std::string suite = escaped(rehearsal.scenario.name);
    for (const JunitCase& one : cases) {
        body += fmt::format("    <testcase classname=\"{}\" name=\"{}\"", suite, escaped(one.name));
        if (one.failure.empty()) {
            body += "/>\n";
            continue;
        }
        ++failures;
        body += fmt::format(
            ">\n      <failure message=\"{}\"/>\n    </testcase>\n", escaped(one.failure)
        );
    }
    return fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites>\n"
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" time=\"{:.3f}\">\n"
        "{}"
        "  </testsuite>\n"
        "</testsuites>\n",
        suite,
        cases.size(),
        failures,
        rehearsal.wall_s,
        body
    );
}

} // namespace mesh::simulator
