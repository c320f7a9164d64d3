// Runs every file of a corpus folder through a fuzz target once, so that a found crash stays fixed.
// Usage: TARGET FOLDER. Exit 0 when all ran; a crash ends the process, which fails the test.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count);

int main(int argumentCount, char** arguments)
{
    if (argumentCount != 2) {
        std::fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
        return 2;
    }

    std::size_t ran = 0;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(arguments[1], failed)) {
        std::ifstream file(entry.path(), std::ios::binary);
        const std::vector<char> raw{std::istreambuf_iterator<char>(file), {}};
        const std::vector<std::uint8_t> bytes(raw.begin(), raw.end());
        std::printf("%s\n", entry.path().filename().c_str());
        std::fflush(stdout);
        static_cast<void>(LLVMFuzzerTestOneInput(bytes.data(), bytes.size()));
        ++ran;
    }
    if (failed || ran == 0) {
        std::fprintf(stderr, "%s: no corpus to run\n", arguments[1]);
        return 1;
    }
    return 0;
}
