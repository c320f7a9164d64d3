#include "app/ctl/ctl.h"

#include "app/ctl/commands.h"
#include "proxyengine/base/version.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace mesh::ctl {
namespace {

constexpr int kUsage = 2;

CLI::App* addCommand(CLI::App& app, const char* name, const char* help, bool& isJson)
{
    CLI::App* command = app.add_subcommand(name, help);
    command->add_flag("--json", isJson, "Write JSON, for programs");
    return command;
}

constexpr const char* kNodeHelp = "Admin API of a node: http://HOST:PORT or unix:PATH";

} // namespace

int run(
    const std::vector<std::string>& arguments, const Clock& clock, Colour colour, CtlOutput& output
)
{
    bool isJson = false;
    ValidateOptions validateOptions;
    DumpOptions dumpOptions;
    PushOptions pushOptions;

    CLI::App app("Checks, pushes and reads configurations of the mesh.", "meshwrightctl");
    app.set_version_flag("--version", fmt::format("meshwrightctl {}", version()));
    app.require_subcommand(1);
    app.footer("Exit codes: 0 done, 1 the answer is no, 2 usage or unreadable input, 3 a node or "
               "file could not be reached, 4 refused by a node.");

    CLI::App* validate =
        addCommand(app, "validate", "Every problem as FILE:LINE:COL: path: message", isJson);
    validate->add_option("FILE", validateOptions.file, "Declarative file; - is standard input")
        ->required();
    CLI::App* dump = addCommand(app, "dump", "The configuration that a node runs", isJson);
    dump->add_option("--node", dumpOptions.node, kNodeHelp)->required()->type_name("URL");
    dump->add_flag("--with-secrets", dumpOptions.withSecrets, "Private keys instead of ***");
    CLI::App* push =
        addCommand(app, "push", "Run this file on nodes; the hash is read back from each", isJson);
    push->add_option("FILE", pushOptions.file, "Declarative file; - is standard input")->required();
    push->add_option("--node", pushOptions.nodes, kNodeHelp)
        ->required()
        ->type_name("URL")
        ->allow_extra_args(false);

    std::vector<std::string> reversed(arguments); // As CLI11 wants them.
    std::ranges::reverse(reversed);
    try {
        app.parse(reversed);
    } catch (const CLI::ParseError& error) {
        std::ostringstream out;
        std::ostringstream err;
        const int code = app.exit(error, out, err);
        output.out = out.str();
        output.err = err.str();
        return code == 0 ? 0 : kUsage;
    }
    const Surroundings surroundings{clock, isJson ? Form::Json : Form::Text, colour, output};
    if (*validate) {
        return runValidate(validateOptions, surroundings);
    }
    if (*dump) {
        return runDump(dumpOptions, surroundings);
    }
    return runPush(pushOptions, surroundings);
}

} // namespace mesh::ctl
