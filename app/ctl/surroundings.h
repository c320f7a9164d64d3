#pragma once

#include "app/ctl/ctl.h"
#include "proxyengine/base/error.h"
#include "proxyengine/config/problem.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// How commands answer: exit codes, JSON for programs, text and colour for people.
namespace mesh::ctl {

inline constexpr int kDone = 0;
inline constexpr int kNo = 1; // The answer is no: invalid, different.
inline constexpr int kUsage = 2; // Or unreadable input.
inline constexpr int kUnreachable = 3; // A node or a file.
inline constexpr int kRefused = 4; // By a node or a gate.

enum class Form : std::uint8_t { People, Programs };

struct Surroundings
{
    const CtlSetting& setting;
    Form form;
    CtlOutput& output;

    [[nodiscard]] const Clock& clock() const { return setting.clock; }
    [[nodiscard]] bool isJson() const { return form == Form::Programs; }
    [[nodiscard]] bool isInterrupted() const
    {
        return setting.isInterrupted && setting.isInterrupted();
    }
    void flush() const
    {
        if (output.flush) {
            output.flush(output);
        }
    }
};

enum class Mood : std::uint8_t { Plain, Good, Bad, Warned };

// The text in the mood's colour, when there are colours.
[[nodiscard]] std::string coloured(std::string_view text, Mood mood, Colour colour);

// Indented, with a line end; bytes that are no UTF-8 are replaced.
[[nodiscard]] std::string dumped(const nlohmann::ordered_json& json);

// Ends a command before it has an answer: {"error", "message"} or one line on standard error.
// Returns the exit code.
int failed(const Surroundings& around, const Error& error, int exitCode);
int failed(const Surroundings& around, ErrorCode code, std::string message, int exitCode);

// 3 for what is not there or may not be read, else 2.
[[nodiscard]] int exitCodeOfFile(const Error& error);
// 2 for an address that is none, 4 for a refusal, else 3.
[[nodiscard]] int exitCodeOfNode(const Error& error);

[[nodiscard]] std::string_view toText(config::Severity severity); // "error", "warning", "info"

[[nodiscard]] nlohmann::ordered_json problemsToJson(const std::vector<config::Problem>& problems);
// One line each: FILE:LINE:COL: path: message.
[[nodiscard]] std::string problemsToText(
    const std::vector<config::Problem>& problems, const std::string& file
);

} // namespace mesh::ctl
