#include "app/ctl/ctl.h"

#include <fmt/format.h>

#include <unistd.h>

#include <cstdio>
#include <exception>

int main(int argc, char** argv)
{
    constexpr int kBug = 70; // EX_SOFTWARE of sysexits.h.
    try {
        const mesh::SystemClock clock;
        mesh::ctl::CtlOutput output;
        const auto colour =
            ::isatty(STDOUT_FILENO) == 1 ? mesh::ctl::Colour::On : mesh::ctl::Colour::Off;
        const int code = mesh::ctl::run({argv + 1, argv + argc}, clock, colour, output);
        fmt::print("{}", output.out);
        fmt::print(stderr, "{}", output.err);
        return code;
    } catch (const std::exception& error) {
        fmt::print(stderr, "meshwrightctl: {}\n", error.what());
        return kBug;
    }
}
