#include "app/ctl/arguments.h"

#include "proxyengine/base/limits.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace mesh::ctl {
namespace {

constexpr const char* kFileHelp = "Declarative file or mesh document; - is standard input";
constexpr const char* kUrlHelp = "Admin API of a node: http(s)://HOST:PORT or unix:PATH";
constexpr const char* kNodeHelp = "Name of a node in FILE, or the URL of its admin API";
constexpr std::size_t kSeedDigitsMax = 18; // All of them fit.

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

class Adder
{
public:
    Adder(CLI::App& app, Arguments& arguments)
        : m_app(app)
        , m_arguments(arguments)
    {}

    std::vector<Command> run()
    {
        addDocumentCommands();
        addExchange();
        addNodeCommands();
        addPush();
        addRehearse();
        addFit();
        addDemoFleet();
        return std::move(m_commands);
    }

private:
    template <typename Options>
    CLI::App* add(
        const char* name,
        const char* help,
        const Options& options,
        int (*perform)(const Options& options, const Surroundings& around)
    )
    {
        CLI::App* const command = m_app.add_subcommand(name, help);
        command->add_flag("--json", m_arguments.isJson, "Write JSON, for programs");
        m_commands.push_back({command, [&options, perform](const Surroundings& around) {
                                  return perform(options, around);
                              }});
        return command;
    }

    static void addFile(CLI::App* command, std::string& file)
    {
        command->add_option("FILE", file, kFileHelp)->required();
    }

    static void addCredentials(CLI::App* command, CredentialFiles& files)
    {
        const char* const group = "Mutual TLS, for https";
        command->add_option("--cert", files.certFile, "PEM file that shows who we are")
            ->envname("MESHWRIGHT_CERT")
            ->type_name("FILE")
            ->group(group);
        command->add_option("--key", files.keyFile, "Its private key")
            ->envname("MESHWRIGHT_KEY")
            ->type_name("FILE")
            ->group(group);
        command->add_option("--ca", files.caFile, "Authorities that vouch for nodes")
            ->envname("MESHWRIGHT_CA")
            ->type_name("FILE")
            ->group(group);
    }

    void addDocumentCommands()
    {
        CLI::App* const validate =
            add("validate",
                "Every problem as FILE:LINE:COL: path: message, then findings by severity",
                m_arguments.validate,
                runValidate);
        addFile(validate, m_arguments.validate.file);

        CLI::App* const compile =
            add("compile", "The effective configuration of a node", m_arguments.compile, runCompile
            );
        addFile(compile, m_arguments.compile.file);
        compile->add_option("--node", m_arguments.compile.node, "Name of a node in FILE")
            ->required()
            ->type_name("NAME");
        compile->add_flag(
            "--explain", m_arguments.compile.isExplained, "Say of each value where it comes from"
        );

        CLI::App* const diff =
            add("diff",
                "What FILE would change: objects, and the effective configuration of each node",
                m_arguments.diff,
                runDiff);
        addFile(diff, m_arguments.diff.file);
        CLI::Option* const against =
            diff->add_option(
                    "--against", m_arguments.diff.against, "Another file, or a revision of FILE"
            )
                ->type_name("FILE|REV");
        diff->add_option("--node", m_arguments.diff.node, kNodeHelp)
            ->type_name("NAME|URL")
            ->excludes(against);
        addCredentials(diff, m_arguments.diff.credentials);

        CLI::App* const history =
            add("history", "The revisions of a mesh document", m_arguments.history, runHistory);
        history->add_option(
            "DOC",
            m_arguments.history.document,
            "Mesh document; the only one of this folder when absent"
        );
    }

    void addExchange()
    {
        ImportOptions& in = m_arguments.import;
        CLI::App* const import =
            add("import",
                "Read the declarative gateway format, or a bundle, and say what became of it",
                in,
                runImport);
        import->add_option("FILE", in.file, "Declarative file or bundle; - is standard input")
            ->required();
        import->add_option("--into", in.into, "Mesh document: a new one, or a new revision of one")
            ->type_name("DOC");
        import->add_option("--message", in.message, "Of the revision");
        import->add_flag(
            "--drop-unknown", in.isDropping, "Leave out what this version does not have"
        );
        import->add_flag("--check", in.isCheck, "Say what would happen and write nothing");

        ExportOptions& out = m_arguments.exported;
        CLI::App* const exported =
            add("export", "Write the configuration, and say what cannot be carried", out, runExport
            );
        addFile(exported, out.file);
        exported->add_option("--format", out.format, "Ours, or that of the gateway's own tools")
            ->check(CLI::IsMember({"native", "gateway"}))
            ->capture_default_str();
        exported->add_flag("--with-secrets", out.withSecrets, "Private keys instead of ***");
        exported->add_flag("--strict", out.isStrict, "Exit code 1 when something is lost");

        BundleOptions& bundle = m_arguments.bundle;
        CLI::App* const bundled = add(
            "bundle", "The whole document as one checked file; `import` reads it", bundle, runBundle
        );
        bundled->add_option("DOC", bundle.document, "Mesh document")->required();
        bundled->add_option("-o,--output", bundle.output, "File to write; must not be there")
            ->required()
            ->type_name("FILE");
    }

    void addNodeCommands()
    {
        NodesOptions& nodes = m_arguments.nodes;
        CLI::App* const listed =
            add("nodes", "Every node of FILE: state, version, what it runs", nodes, runNodes);
        addFile(listed, nodes.file);
        addCredentials(listed, nodes.credentials);

        DumpOptions& dump = m_arguments.dump;
        CLI::App* const dumpCommand =
            add("dump", "The configuration that a node runs", dump, runDump);
        dumpCommand->add_option("--node", dump.node, kUrlHelp)->required()->type_name("URL");
        dumpCommand->add_flag("--with-secrets", dump.withSecrets, "Private keys instead of ***");
        addCredentials(dumpCommand, dump.credentials);

        TapOptions& tap = m_arguments.tap;
        CLI::App* const tapped = add("tap", "Live requests of a node, one a line", tap, runTap);
        tapped->add_option("--node", tap.node, kUrlHelp)->required()->type_name("URL");
        tapped->add_option("FILTER", tap.filter, "\"status >= 500 and route = cart\"");
        tapped->add_option("--count", tap.count, "End after so many")->check(CLI::PositiveNumber);
        tapped->add_option("--for", tap.last, "End after this time, as in 30s")->type_name("TIME");
        tapped->footer(
            "Fields: node method host path route service target source request_id failure policy "
            "(= != contains), status attempts latency upstream_latency proxy_latency bytes_in "
            "bytes_out (= != < <= > >=); failed, retried, or any word; and, or, not, ( )."
        );
        addCredentials(tapped, tap.credentials);

        RouteTestOptions& test = m_arguments.routeTest;
        CLI::App* const routeTest =
            add("route-test",
                "Which route takes a request and why, and why the others do not",
                test,
                runRouteTest);
        routeTest
            ->add_option(
                "REQUEST",
                test.words,
                "\"GET http://host/path\"; before it FILE, unless a node is asked"
            )
            ->required()
            ->expected(1, 2);
        routeTest
            ->add_option(
                "--node",
                test.node,
                "URL of the node that is asked; with FILE the name of one of its"
            )
            ->type_name("URL|NAME");
        routeTest->add_option("-H,--header", test.headers, "\"Name: value\"")
            ->allow_extra_args(false);
        addCredentials(routeTest, test.credentials);
    }

    static void addPlan(CLI::App* command, PlanOptions& plan)
    {
        command->add_option("--node", plan.nodes, kNodeHelp)
            ->type_name("NAME|URL")
            ->allow_extra_args(false);
        command->add_option("--wave", plan.waves, "In which order: canary,25%,100%")
            ->type_name("WAVES")
            ->capture_default_str();
        command->add_option("--gate", plan.gates, "What must hold: \"error<1% p95<300ms for 60s\"")
            ->type_name("GATES");
        command->add_option("--bake", plan.bake, "How long each wave is watched, as in 60s")
            ->type_name("TIME");
        command->add_option("--on-failure", plan.onFailure, "When a gate fails")
            ->check(CLI::IsMember({"stop", "rollback"}))
            ->capture_default_str();
        command->add_option("--message", plan.message, "Why, for the history");
        addCredentials(command, plan.credentials);
        command->footer(
            "Exit codes: 0 every node runs it, read back; 1 not every node does; 2 usage; 3 a node "
            "cannot be reached; 4 a node refused it, or a gate failed."
        );
    }

    void addPush()
    {
        PushOptions& push = m_arguments.push;
        CLI::App* const pushed =
            add("push",
                "Run FILE on its nodes, in waves, behind gates; the hash is read back from each",
                push,
                runPush);
        addFile(pushed, push.file);
        pushed->add_flag(
            "--draft", push.isDraft, "Of a mesh document: its draft, as a new revision"
        );
        addPlan(pushed, push.plan);

        RollbackOptions& back = m_arguments.rollback;
        CLI::App* const rollback =
            add("rollback", "Push an older revision of a mesh document again", back, runRollback);
        rollback
            ->add_option(
                "REV",
                back.words,
                "Revision as `history` lists it; before it, or by --document, DOC"
            )
            ->required()
            ->expected(1, 2);
        rollback->add_option("--document", back.document, "Mesh document")->type_name("DOC");
        addPlan(rollback, back.plan);
    }

    void addRehearse()
    {
        RehearseOptions& options = m_arguments.rehearse;
        CLI::App* const command = m_app.add_subcommand(
            "rehearse", "Run a scenario on the mesh that it names and judge what it demands"
        );
        m_commands.push_back({command, [&options](const Surroundings& around) {
                                  return runRehearse(
                                      options, around.clock(), around.setting.colour, around.output
                                  );
                              }});
        command->add_option("FILE", options.file, "Scenario file; - is standard input")->required();
        command->add_option("--mode", options.mode, "In virtual time, with real proxies, or both")
            ->check(CLI::IsMember({"virtual", "live", "both"}))
            ->capture_default_str();
        command->add_option("--seed", options.seed, "Instead of the file's")->check(wholeNumber());
        command->add_option("--replications", options.replications, "Instead of the file's")
            ->check(CLI::Range(1, kReplicationsMax));
        command
            ->add_option("--json", options.json, "Write the result as JSON; - is standard output")
            ->type_name("FILE");
        command->add_option("--junit", options.junit, "Write it as JUnit XML")->type_name("FILE");
        command->add_option("--html", options.html, "Write it as a page")->type_name("FILE");
        command->add_flag(
            "--check-determinism",
            options.checksDeterminism,
            "Run it twice, on different numbers of threads, and compare every event"
        );
        addExplore(command, options);
        command
            ->add_option(
                "--replay",
                options.replay,
                "Play only this run of the first variant, and list what its policies did"
            )
            ->check(CLI::Range(1, kReplicationsMax));
        command->add_option("--threads", options.threads, "One per processor when not given")
            ->check(CLI::Range(1U, 1024U));
        command->footer(
            "Exit codes: 0 everything holds, 1 an assertion does not, 2 a file is bad, 3 a guard "
            "stopped it, 4 not deterministic, 5 outside the calibrated range."
        );
    }

    static void addExplore(CLI::App* command, RehearseOptions& options)
    {
        CLI::Option* const explore = command->add_flag(
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
    }

    void addFit()
    {
        FitOptions& options = m_arguments.fit;
        CLI::App* const command =
            add("fit",
                "Fit service models from the metrics of a document, and say how well they predict",
                options,
                runFit);
        command->add_option("FILE", options.document, "Mesh document (.mesh)")->required();
        command
            ->add_option(
                "--into",
                options.into,
                "Write the configuration with the models; their range stands beside it in "
                "FILE.fit.json"
            )
            ->type_name("FILE");
        command->add_option("--bin", options.bin_s, "Seconds that are looked at together")
            ->check(CLI::Range(10, 3600))
            ->capture_default_str();
        command->add_option("--last", options.last_s, "Seconds before the newest metrics to read")
            ->check(CLI::Range(60, 1'209'600))
            ->capture_default_str();
    }

    void addDemoFleet()
    {
        DemoFleetOptions& options = m_arguments.demoFleet;
        CLI::App* const command =
            add("demo-fleet",
                "Play the services of FILE on loopback behind nodes that run, until interrupted",
                options,
                runDemoFleet);
        addFile(command, options.file);
        command->add_option("--scenario", options.scenario, "Whose load and faults are played")
            ->required()
            ->type_name("FILE");
        command->add_option("--node", options.nodes, "Where each node of FILE is reached")
            ->required()
            ->type_name("NAME=URL")
            ->allow_extra_args(false);
        command->add_option("--into", options.into, "Mesh document to write")
            ->required()
            ->type_name("DOC");
    }

    CLI::App& m_app;
    Arguments& m_arguments;
    std::vector<Command> m_commands;
};

} // namespace

std::vector<Command> addCommands(CLI::App& app, Arguments& arguments)
{
    return Adder(app, arguments).run();
}

} // namespace mesh::ctl
