#include "proxyengine/base/clock.h"
#include "proxyengine/base/log.h"
#include "proxyengine/daemon/node.h"
#include "proxyengine/daemon/options.h"

#include <fmt/format.h>

#include <cstdio>
#include <exception>

namespace {

constexpr int kBug = 70; // EX_SOFTWARE of sysexits.h.

int runNode(const mesh::daemon::RunOptions& options)
{
    const mesh::SystemClock clock;
    mesh::Result<int> code = 0;
    mesh::daemon::Node node(options, clock); // Before the log's thread: it holds signals back.
    if (auto started = mesh::startLog(options.log); !started) {
        code = tl::unexpected(std::move(started).error());
    } else {
        code = node.run();
    }
    mesh::stopLog();
    if (code) {
        return *code;
    }
    fmt::print(stderr, "meshwrightd: {}\n", code.error().message);
    const int exitCode = mesh::exitCodeOf(code.error().code);
    return exitCode == 2 ? 2 : 3; // Bad input, or a file or address that cannot be used.
}

} // namespace

int main(int argc, char** argv)
{
    try {
        const auto commandLine = mesh::daemon::readCommandLine(argc, argv);
        if (const auto* ended = std::get_if<mesh::daemon::EndNow>(&commandLine)) {
            fmt::print("{}", ended->out);
            fmt::print(stderr, "{}", ended->err);
            return ended->exitCode;
        }
        return runNode(std::get<mesh::daemon::RunOptions>(commandLine));
    } catch (const std::exception& error) {
        fmt::print(stderr, "meshwrightd: {}\n", error.what());
        return kBug;
    }
}
