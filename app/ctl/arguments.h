#pragma once

#include "app/ctl/config_commands.h"
#include "app/ctl/demo_fleet_command.h"
#include "app/ctl/diff_command.h"
#include "app/ctl/exchange_commands.h"
#include "app/ctl/fit_command.h"
#include "app/ctl/node_commands.h"
#include "app/ctl/push_command.h"
#include "app/ctl/rehearse_command.h"
#include "app/ctl/surroundings.h"
#include "app/ctl/tap_command.h"

#include <functional>
#include <utility>
#include <vector>

namespace CLI {
class App;
} // namespace CLI

// The words of every command. Names, defaults and bounds stand here and nowhere else.
namespace mesh::ctl {

// What the words fill in; a command sees only its own.
struct Arguments
{
    bool isJson = false;
    ValidateOptions validate;
    CompileOptions compile;
    DiffOptions diff;
    HistoryOptions history;
    ImportOptions import;
    ExportOptions exported;
    BundleOptions bundle;
    DumpOptions dump;
    NodesOptions nodes;
    TapOptions tap;
    RouteTestOptions routeTest;
    PushOptions push;
    RollbackOptions rollback;
    RehearseOptions rehearse;
    FitOptions fit;
    DemoFleetOptions demoFleet;
};

struct Command
{
    const CLI::App* words = nullptr;
    std::function<int(const Surroundings& around)> run;
};

// Adds the commands to the program; `arguments` outlives what is returned.
[[nodiscard]] std::vector<Command> addCommands(CLI::App& app, Arguments& arguments);

} // namespace mesh::ctl
