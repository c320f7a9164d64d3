#include "app/ctl/document_input.h"
#include "app/ctl/node_commands.h"
#include "app/ctl/text_table.h"
#include "proxyengine/config/compile.h"
#include "proxyengine/config/explain_route.h"
#include "proxyengine/control/route_json.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>

namespace mesh::ctl {
namespace {

using RouteJson = nlohmann::ordered_json;

constexpr std::size_t kLosersShown = 20; // For people; --json has all.

std::string_view trimmed(std::string_view text)
{
    const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
    return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

// "GET" alone would be read as a host of that name: a request says where it goes.
bool isOnlyMethod(std::string_view text)
{
    return text.find_first_of("/.: ") == std::string_view::npos
           && std::ranges::all_of(text, [](char each) { return each >= 'A' && each <= 'Z'; });
}

Result<config::RouteQuestion> questionOf(const RouteTestOptions& options)
{
    if (const std::string_view request = trimmed(options.words.back()); isOnlyMethod(request)) {
        return fail(
            ErrorCode::InvalidArgument,
            fmt::format(
                "'{}' names no path; write \"{} http://host/path\"",
                request,
                request.empty() ? "GET" : request
            )
        );
    }
    MESH_TRY(config::RouteQuestion question, config::parseRouteQuestion(options.words.back()));
    for (const std::string& header : options.headers) {
        const std::size_t colon = header.find(':');
        const std::string_view name = trimmed(std::string_view(header).substr(0, colon));
        if (colon == std::string::npos || name.empty()) {
            return fail(
                ErrorCode::InvalidArgument,
                fmt::format("'{}' is no header; write \"Name: value\"", header)
            );
        }
        question.headers.emplace_back(name, trimmed(std::string_view(header).substr(colon + 1)));
    }
    return question;
}

// What the file says. Errors: as compile() and explainRoute().
Result<config::RouteExplanation> explainHere(
    const model::Document& document, const std::string& node, const config::RouteQuestion& question
)
{
    const config::CompileResult compiled = config::compile(document, node);
    if (!compiled.snapshot) {
        return fail(
            ErrorCode::InvalidArgument,
            compiled.problems.empty() ? "the document does not compile"
                                      : compiled.problems.front().message
        );
    }
    return config::explainRoute(document, *compiled.snapshot, question);
}

// What the node says.
Result<config::RouteExplanation> askThere(
    const RouteTestOptions& options, const config::RouteQuestion& question, const Clock& clock
)
{
    MESH_TRY(const NodeTarget node, resolveNode(nullptr, options.node));
    MESH_TRY(
        const control::NodeAnswer answer,
        askNode(
            clock, node, options.credentials, {"POST", "/v1/route-test", control::toJson(question)}
        )
    );
    if (answer.status != 200) {
        const RouteJson json = RouteJson::parse(answer.body, nullptr, false);
        return fail(
            ErrorCode::Conflict,
            fmt::format("{}: {} {}", node.name, answer.status, textMember(json, "message"))
        );
    }
    return control::routeExplanationFromJson(answer.body);
}

std::string goalsText(const config::RouteExplanation& told)
{
    std::string text;
    std::uint64_t weights = 0;
    for (const config::RouteGoal& goal : told.goals) {
        weights += goal.weight;
    }
    for (const config::RouteGoal& goal : told.goals) {
        const double share =
            weights == 0 ? 1.0 : static_cast<double>(goal.weight) / static_cast<double>(weights);
        text += fmt::format(
            "  to {:.0f} %  {} ({}), asked for {}\n",
            share * 100.0,
            goal.service,
            fmt::join(goal.targets, ", "),
            goal.sentPath
        );
    }
    return text;
}

std::string textOf(const config::RouteExplanation& told, Colour colour)
{
    std::string text;
    if (told.route.empty()) {
        text += coloured(fmt::format("no route; {}", told.ownStatus), Mood::Bad, colour) + '\n';
    } else {
        text += fmt::format(
            "{}{}{}\n",
            coloured(told.route, Mood::Good, colour),
            told.routePlace.empty() ? "" : "  " + told.routePlace,
            told.ownStatus == 0 ? std::string()
                                : fmt::format("; the node answers {} itself", told.ownStatus)
        );
        text += fmt::format("  by {}\n", fmt::join(told.criteria, ", "));
    }
    text += goalsText(told);
    const auto addLine = [&](std::string_view label, const std::vector<std::string>& words) {
        if (!words.empty()) {
            text += fmt::format("  {} {}\n", label, fmt::join(words, ", "));
        }
    };
    addLine("plugins", told.plugins);
    addLine("policies", told.policies);
    const std::size_t shown = std::min(told.losers.size(), kLosersShown);
    for (std::size_t at = 0; at < shown; ++at) {
        const config::LostRoute& lost = told.losers[at];
        text += fmt::format("  not {}: {}\n", lost.route, lost.reason);
    }
    if (const std::size_t left = told.losers.size() - shown + told.losersLeftOut; left > 0) {
        text += fmt::format("  and {} others\n", left);
    }
    return text;
}

} // namespace

int runRouteTest(const RouteTestOptions& options, const Surroundings& around)
{
    const bool hasFile = options.words.size() == 2;
    if (options.words.empty() || (!hasFile && options.node.empty())) {
        return failed(
            around,
            ErrorCode::InvalidArgument,
            "route-test takes FILE and REQUEST, or --node URL and REQUEST",
            kUsage
        );
    }
    const auto question = questionOf(options);
    if (!question) {
        return failed(around, question.error(), kUsage);
    }
    Result<config::RouteExplanation> told = config::RouteExplanation();
    if (hasFile) {
        const auto loaded = requireDocument(options.words.front(), around);
        if (!loaded) {
            return loaded.error();
        }
        told = explainHere(*loaded->document, options.node, *question);
    } else {
        told = askThere(options, *question, around.clock());
    }
    if (!told) {
        return failed(around, told.error(), hasFile ? kUsage : exitCodeOfNode(told.error()));
    }
    around.output.out += around.isJson()
                             ? dumped(RouteJson::parse(control::toJson(*told), nullptr, false))
                             : textOf(*told, around.setting.colour);
    return told->route.empty() ? kNo : kDone;
}

} // namespace mesh::ctl
