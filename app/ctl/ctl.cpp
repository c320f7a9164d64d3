#include "app/ctl/ctl.h"

#include "app/ctl/arguments.h"
#include "proxyengine/base/version.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace mesh::ctl {

int run(const std::vector<std::string>& words, const CtlSetting& setting, CtlOutput& output)
{
    CLI::App app(
        "Checks, pushes and reads configurations of the mesh, and rehearses its failures.",
        "meshwrightctl"
    );
    app.set_version_flag("--version", fmt::format("meshwrightctl {}", version()));
    app.require_subcommand(1);
    app.footer("Exit codes: 0 done, 1 the answer is no, 2 usage or unreadable input, 3 a node or "
               "file could not be reached, 4 refused by a node or a gate.");
    Arguments arguments;
    const std::vector<Command> commands = addCommands(app, arguments);

    std::vector<std::string> reversed(words); // As CLI11 wants them.
    std::ranges::reverse(reversed);
    try {
        app.parse(reversed);
    } catch (const CLI::ParseError& error) {
        std::ostringstream out;
        std::ostringstream err;
        const int code = app.exit(error, out, err);
        output.out = out.str();
        output.err = err.str();
        return code == 0 ? kDone : kUsage;
    }
    const Surroundings around{setting, arguments.isJson ? Form::Programs : Form::People, output};
    for (const Command& command : commands) {
        if (command.words->parsed()) {
            return command.run(around);
        }
    }
    return kUsage;
}

int run(const std::vector<std::string>& words, const Clock& clock, Colour colour, CtlOutput& output)
{
    return run(words, CtlSetting{clock, colour, {}}, output);
}

} // namespace mesh::ctl
