// misbehaving [--mode NAME] [--body-bytes N] [--delay-ms N] [--pace-ms N]
// Serves on a free port of loopback until its input ends; says "listening on 127.0.0.1:PORT" first.
#include "tests/support/misbehaving_server.h"

#include <fmt/format.h>

#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <span>
#include <string_view>

int main(int count, char** arguments)
{
    using mesh::test::Behaviour;
    Behaviour behaviour;
    const auto words = std::span(arguments, static_cast<std::size_t>(count)).subspan(1);
    for (std::size_t at = 0; at + 1 < words.size(); at += 2) {
        const std::string_view name = words[at];
        const std::string_view value = words[at + 1];
        int number = 0;
        std::from_chars(value.data(), value.data() + value.size(), number);
        if (name == "--mode" && mesh::test::parseFault(value)) {
            behaviour.fault = *mesh::test::parseFault(value);
        } else if (name == "--body-bytes") {
            behaviour.body.assign(static_cast<std::size_t>(number), 'x');
        } else if (name == "--delay-ms") {
            behaviour.delay = std::chrono::milliseconds(number);
        } else if (name == "--pace-ms") {
            behaviour.pace = std::chrono::milliseconds(number);
        } else {
            fmt::print(stderr, "misbehaving: what is {} {}?\n", name, value);
            return 2;
        }
    }
    const mesh::test::MisbehavingServer server("misbehaving", behaviour);
    fmt::print("listening on {}\n", server.address().toText());
    static_cast<void>(std::fflush(stdout));
    std::array<char, 256> buffer;
    while (::read(STDIN_FILENO, buffer.data(), buffer.size()) > 0) {
    }
    return 0;
}
