#include "app/ctl/ctl.h"

#include <fmt/format.h>

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <utility>

namespace {

std::atomic<bool> wasInterrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free); // A signal handler writes it.

void onInterrupt(int /*signal*/) { wasInterrupted = true; }

// The first press is told to the command, the second ends the program.
bool isInterrupted()
{
    static const bool isTaken = [] {
        struct sigaction action = {};
        action.sa_handler = onInterrupt;
        action.sa_flags = static_cast<int>(SA_RESETHAND);
        return ::sigaction(SIGINT, &action, nullptr) == 0
               && ::sigaction(SIGTERM, &action, nullptr) == 0;
    }();
    return isTaken && wasInterrupted;
}

void writeOut(mesh::ctl::CtlOutput& output)
{
    fmt::print("{}", std::exchange(output.out, {}));
    std::fflush(stdout);
    fmt::print(stderr, "{}", std::exchange(output.err, {}));
}

} // namespace

int main(int argc, char** argv)
{
    constexpr int kBug = 70; // EX_SOFTWARE of sysexits.h.
    try {
        const mesh::SystemClock clock;
        const auto colour =
            ::isatty(STDOUT_FILENO) == 1 ? mesh::ctl::Colour::On : mesh::ctl::Colour::Off;
        mesh::ctl::CtlOutput output;
        output.flush = writeOut;
        const int code =
            mesh::ctl::run({argv + 1, argv + argc}, {clock, colour, isInterrupted}, output);
        writeOut(output);
        return code;
    } catch (const std::exception& error) {
        fmt::print(stderr, "meshwrightctl: {}\n", error.what());
        return kBug;
    }
}
