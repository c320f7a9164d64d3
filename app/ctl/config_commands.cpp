#include "app/ctl/config_commands.h"

#include "app/ctl/document_input.h"
#include "app/ctl/json.h"
#include "app/ctl/store_answer.h"
#include "app/ctl/text_table.h"
#include "proxyengine/base/duration_text.h"
#include "proxyengine/config/codec.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
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
    const Count count = countOf(loaded->problems);
    const bool isValid = count.errors == 0;
    if (around.isJson()) {
        around.output.out += dumped(
            {{"file", options.file},
             {"valid", isValid},
             {"errors", count.errors},
             {"warnings", count.warnings},
             {"hash", loaded->hash},
             {"problems", problemsToJson(loaded->problems)}}
        );
        return isValid ? kDone : kNo;
    }
    const Colour colour = around.setting.colour;
    around.output.out += problemsToText(loaded->problems, options.file);
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
