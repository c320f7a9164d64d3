#pragma once

namespace mesh {

// Where in our own source something happened. The file name is a literal and lives forever.
struct SourcePlace
{
    const char* file;
    int line;

    // As a default argument it names the caller's place. (std::source_location is missing in
    // clang 14.)
    static constexpr SourcePlace here(
        const char* file = __builtin_FILE(), int line = __builtin_LINE()
    )
    {
        return {file, line};
    }
};

} // namespace mesh
