#include "app/ctl/config_commands.h"

#include "app/ctl/document_input.h"
#include "app/ctl/json.h"
#include "app/ctl/store_answer.h"
#include "app/ctl/text_table.h"
#include "app/fleet/review.h"
#include "proxyengine/base/duration_text.h"
#include "proxyengine/config/codec.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>

namespace mesh::ctl {
namespace {

struct Count
{
    std::size_t errors = 0;
    std::size_t warnings = 0;
};

Count countOf(const std::vector<config::Problem>& problems)
{
    Count count;
    for (const config::Problem& problem : problems) {
        count.errors += problem.severity == config::Severity::Error ? 1 : 0;
        count.warnings += problem.severity == config::Severity::Warning ? 1 : 0;
    }
    return count;
}

using Finding = fleet::ReviewFinding;

// Findings across objects. Those of validation (MW-1nn) are told as problems, with their lines.
std::vector<Finding> findingsOf(const LoadedDocument& loaded)
{
    if (config::hasErrors(loaded.problems)) {
        return {}; // The document is not whole.
    }
    std::vector<Finding> findings = fleet::findingsOf(*loaded.document);
    std::erase_if(findings, [](const Finding& each) { return each.code.starts_with("MW-1"); });
    return findings;
}

void addTo(Count& count, const std::vector<Finding>& findings)
{
    for (const Finding& finding : findings) {
        const bool isLoud = !finding.isMuted;
        count.errors += isLoud && finding.severity == Finding::Severity::Error ? 1 : 0;
        count.warnings += isLoud && finding.severity == Finding::Severity::Warning ? 1 : 0;
    }
}

config::Severity severityOf(const Finding& finding)
{
    static constexpr std::array<config::Severity, 3> kSeverities = {
        config::Severity::Error, config::Severity::Warning, config::Severity::Info};
    return kSeverities.at(static_cast<std::size_t>(finding.severity));
}

OrderedJson findingsToJson(const std::vector<Finding>& findings)
{
    OrderedJson json = OrderedJson::array();
    for (const Finding& finding : findings) {
        json.push_back(
            {{"code", finding.code},
             {"severity", toText(severityOf(finding))},
             {"path", finding.path},
             {"title", finding.title},
             {"text", finding.text},
             {"fix", finding.fixLabel},
             {"muted", finding.isMuted},
             {"muted_because", finding.mutedBecause}}
        );
    }
    return json;
}

// FILE: path: MW-201 warning: title, then what it means, and the fix where one is known.
std::string findingsToText(
    const std::vector<Finding>& findings, const std::string& file, Colour colour
)
{
    static constexpr std::array<Mood, 3> kMoods = {Mood::Bad, Mood::Warned, Mood::Plain};
    std::string text;
    for (const Finding& finding : findings) {
        const Mood mood = kMoods.at(static_cast<std::size_t>(finding.severity));
        text += fmt::format(
            "{}: {}: {} {}: {}{}\n",
            file,
            printable(finding.path),
            finding.code,
            finding.isMuted ? "muted" : coloured(toText(severityOf(finding)), mood, colour),
            printable(finding.title),
            finding.isMuted ? " (" + printable(finding.mutedBecause) + ")" : std::string()
        );
        if (!finding.isMuted && !finding.text.empty()) {
            text += fmt::format("    {}\n", printable(finding.text));
        }
        if (!finding.fixLabel.empty()) {
            text += fmt::format("    fix: {}\n", printable(finding.fixLabel));
        }
    }
    return text;
}

std::size_t routesOf(const model::Document& document)
{
    std::size_t count = document.routes.size();
    for (const model::Service& service : document.services) {
        count += service.routes.size();
    }
    return count;
}

} // namespace

int runValidate(const ValidateOptions& options, const Surroundings& around)
{
    const auto loaded = loadDocument(options.file);
    if (!loaded) {
        return failed(around, loaded.error(), exitCodeOfFile(loaded.error()));
    }
    const std::vector<Finding> findings = findingsOf(*loaded);
    Count count = countOf(loaded->problems);
    addTo(count, findings);
    const bool isValid = count.errors == 0;
    if (around.isJson()) {
        around.output.out += dumped(
            {{"file", options.file},
             {"valid", isValid},
             {"errors", count.errors},
             {"warnings", count.warnings},
             {"hash", loaded->hash},
             {"problems", problemsToJson(loaded->problems)},
             {"findings", findingsToJson(findings)}}
        );
        return isValid ? kDone : kNo;
    }
    const Colour colour = around.setting.colour;
    around.output.out += problemsToText(loaded->problems, options.file);
    around.output.out += findingsToText(findings, options.file, colour);
    if (isValid) {
        around.output.out += fmt::format(
            "{}: {}; services {}, routes {}, upstreams {}, warnings {}\nhash {}\n",
            options.file,
            coloured("valid", Mood::Good, colour),
            loaded->document->services.size(),
            routesOf(*loaded->document),
            loaded->document->upstreams.size(),
            count.warnings,
            loaded->hash
        );
    } else {
        around.output.out += fmt::format(
            "{}: {}; errors {}, warnings {}\n",
            options.file,
            coloured("invalid", Mood::Bad, colour),
            count.errors,
            count.warnings
        );
    }
    return isValid ? kDone : kNo;
}

int runHistory(const HistoryOptions& options, const Surroundings& around)
{
    Result<std::string> path =
        options.document.empty() ? onlyMeshDocument(".") : Result<std::string>(options.document);
    if (!path) {
        return failed(around, path.error(), kUsage);
    }
    store::OpenOptions how;
    how.mode = store::OpenMode::ReadOnly;
    const auto document = store::MeshDocument::open(*path, std::move(how));
    if (!document) {
        return failed(around, document.error(), exitCodeOfFile(document.error()));
    }
    auto revisions = answered<std::vector<store::Revision>>([&](auto answer) {
        (*document)->revisions(std::move(answer));
    });
    if (!revisions) {
        return failed(around, revisions.error(), kUsage);
    }
    const auto pushes = answered<std::vector<store::PushRecord>>([&](auto answer) {
        (*document)->pushes(std::move(answer));
    });
    std::map<std::int64_t, store::PushRecord> lastPush;
    for (const store::PushRecord& push : pushes ? *pushes : std::vector<store::PushRecord>()) {
        lastPush[push.revision] = push; // Newest last.
    }
    std::ranges::reverse(*revisions);
    if (around.isJson()) {
        OrderedJson rows = OrderedJson::array();
        for (const store::Revision& each : *revisions) {
            const store::PushRecord push = lastPush[each.id];
            rows.push_back(
                {{"revision", each.id},
                 {"parent", each.parent},
                 {"time", toIsoText(each.time)},
                 {"author", each.author},
                 {"message", each.message},
                 {"hash", each.hash},
                 {"outcome", push.id == 0 ? "" : push.outcome},
                 {"converged", push.converged},
                 {"expected", push.expected}}
            );
        }
        around.output.out += dumped({{"document", *path}, {"revisions", std::move(rows)}});
        return kDone;
    }
    TextTable table({"REV", "TIME", "AUTHOR", "HASH", "OUTCOME", "NODES", "MESSAGE"});
    for (const store::Revision& each : *revisions) {
        const store::PushRecord push = lastPush[each.id];
        table.add(
            {{std::to_string(each.id)},
             {toIsoText(each.time)},
             {each.author},
             {each.hash.substr(0, kHashDigitsShown)},
             {push.id == 0 ? "" : push.outcome, push.outcome == "done" ? Mood::Good : Mood::Plain},
             {push.id == 0 ? "" : fmt::format("{} of {}", push.converged, push.expected)},
             {each.message}}
        );
    }
    around.output.out += table.isEmpty() ? fmt::format("{}: no revision yet\n", *path)
                                         : table.toText(around.setting.colour);
    return kDone;
}

} // namespace mesh::ctl
