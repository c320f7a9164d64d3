#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/time.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace mesh {

enum class LogLevel : std::uint8_t { Debug, Info, Warn, Error, Off };

std::string_view toText(LogLevel level);

// Reads "debug", "info", "warn", "error" or "off". Errors: InvalidArgument that lists them.
[[nodiscard]] Result<LogLevel> parseLogLevel(std::string_view text);

enum class LogFormat : std::uint8_t { Text, Json };

struct LogOptions
{
    LogLevel level = LogLevel::Info;
    LogFormat format = LogFormat::Text;
    std::string file; // Empty: standard error.
};

// Starts the log writer thread; before it and after stopLog() lines go straight to standard error.
// Call once, from main. Errors: Io when the file cannot be opened.
[[nodiscard]] Result<void> startLog(const LogOptions& options);
void stopLog();

// Threads: any. Takes effect for the next line.
void setLogLevel(LogLevel level);
[[nodiscard]] LogLevel logLevel();
[[nodiscard]] bool isLogged(LogLevel level);

// A secret: prints as *** wherever it is logged.
struct Redacted
{};

// One field of a log line, already as text.
struct LogField
{
    std::string_view key;
    std::string value;
    bool isNumber;
};

template <typename Value>
LogField kv(std::string_view key, const Value& value)
{
    return {key, fmt::format("{}", value), std::is_arithmetic_v<Value>};
}

inline LogField kv(std::string_view key, Redacted) { return {key, "***", false}; }
LogField kv(std::string_view key, Duration value);
inline LogField kv(std::string_view key, const Error& value) { return {key, toText(value), false}; }

// Writes one line; use MESH_LOG, which checks the level before it evaluates the fields.
void writeLog(LogLevel level, std::string_view event, std::initializer_list<LogField> fields);

} // namespace mesh

// MESH_LOG(Warn, "target.ejected", kv("upstream", name), ...). Event: dotted, lower case, past
// participle.
#define MESH_LOG(level, event, ...)                                                                \
    do {                                                                                           \
        if (::mesh::isLogged(::mesh::LogLevel::level)) {                                           \
            using ::mesh::kv;                                                                      \
            ::mesh::writeLog(::mesh::LogLevel::level, event, {__VA_ARGS__});                       \
        }                                                                                          \
    } while (false)
