#include "app/ctl/ctl.h"

#include "app/ctl/commands.h"
#include "app/ctl/fit_command.h"
#include "app/ctl/rehearse_command.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/base/version.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace mesh::ctl {
namespace {

constexpr int kUsage = 2;
constexpr std::size_t kSeedDigitsMax = 18; // All of them fit.

CLI::App* addCommand(CLI::App& app, const char* name, const char* help, bool& isJson)
{
    CLI::App* command = app.add_subcommand(name, help);
    command->add_flag("--json", isJson, "Write JSON, for programs");
    return command;
}

// Instead of a range to the largest number there is.
CLI::Validator wholeNumber()
{
    const auto problem = [](const std::string& text) {
        const bool isWhole =
            !text.empty() && text.size() <= kSeedDigitsMax
            && std::ranges::all_of(text, [](char each) { return each >= '0' && each <= '9'; });
        return isWhole ? std::string()
                       : fmt::format("expected a whole number from 0 on, not \"{}\"", text);
    };
    return {problem, "WHOLE"};
}

CLI::App* addRehearse(CLI::App& app, RehearseOptions& options)
{
    CLI::App* command = app.add_subcommand(
        "rehearse", "Run a scenario on the mesh that it names and judge what it demands"
    );
    command->add_option("FILE", options.file, "Scenario file; - is standard input")->required();
    command->add_option("--mode", options.mode, "In virtual time, with real proxies, or both")
        ->check(CLI::IsMember({"virtual", "live", "both"}))
        ->capture_default_str();
    command->add_option("--seed", options.seed, "Instead of the file's")->check(wholeNumber());
    command->add_option("--replications", options.replications, "Instead of the file's")
        ->check(CLI::Range(1, kReplicationsMax));
    command->add_option("--json", options.json, "Write the result as JSON; - is standard output")
        ->type_name("FILE");
    command->add_option("--junit", options.junit, "Write it as JUnit XML")->type_name("FILE");
    command->add_option("--html", options.html, "Write it as a page")->type_name("FILE");
    command->add_flag(
        "--check-determinism",
        options.checksDeterminism,
        "Run it twice, on different numbers of threads, and compare every event"
    );
    CLI::Option* explore = command->add_flag(
        "--explore",
        options.explores,
        "Try all single faults, then pairs, and list the smallest that break an assertion"
    );
    command->add_option("--budget", options.budget, "Rehearsals of --explore at most")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str()
        ->needs(explore);
    command->add_option("--into", options.into, "Folder for the scenarios that --explore finds")
        ->check(CLI::ExistingDirectory)
        ->needs(explore);
    command
        ->add_option(
            "--replay",
            options.replay,
            "Play only this run of the first variant, and list what its policies did"
        )
        ->check(CLI::Range(1, kReplicationsMax));
    command->add_option("--threads", options.threads, "One per processor when not given")
        ->check(CLI::Range(1U, 1024U));
    command->footer("Exit codes: 0 everything holds, 1 an assertion does not, 2 a file is bad, 3 a "
                    "guard stopped it, 4 not deterministic, 5 outside the calibrated range.");
    return command;
}

CLI::App* addFit(CLI::App& app, FitOptions& options)
{
    CLI::App* command = app.add_subcommand(
        "fit", "Fit service models from the metrics of a document, and say how well they predict"
    );
    command->add_option("FILE", options.document, "Mesh document (.mesh)")->required();
    command
        ->add_option(
            "--into",
            options.into,
            "Write the configuration with the models; their range stands beside it in FILE.fit.json"
        )
        ->type_name("FILE");
    command->add_option("--bin", options.bin_s, "Seconds that are looked at together")
        ->check(CLI::Range(10, 3600))
        ->capture_default_str();
    command->add_option("--last", options.last_s, "Seconds before the newest metrics to read")
        ->check(CLI::Range(60, 1'209'600))
        ->capture_default_str();
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
    RehearseOptions rehearseOptions;
    FitOptions fitOptions;

    CLI::App app(
        "Checks, pushes and reads configurations of the mesh, and rehearses its failures.",
        "meshwrightctl"
    );
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

    const CLI::App* rehearse = addRehearse(app, rehearseOptions);
    const CLI::App* fit = addFit(app, fitOptions);

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
    if (*rehearse) {
        return runRehearse(rehearseOptions, clock, colour, output);
    }
    if (*fit) {
        return runFit(fitOptions, output);
    }
    return runPush(pushOptions, surroundings);
}

} // namespace mesh::ctl
