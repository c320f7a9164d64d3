#include "proxyengine/base/log.h"

#include "proxyengine/base/clock.h"
#include "proxyengine/base/duration_text.h"

#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>

namespace mesh {
namespace {

constexpr std::size_t kQueuedLinesMax = 8192; // The oldest line gives way.

struct LevelRow
{
    LogLevel level;
    std::string_view text;
    spdlog::level::level_enum native;
};

constexpr std::array kLevels = {
    LevelRow{LogLevel::Debug, "debug", spdlog::level::debug},
    LevelRow{LogLevel::Info, "info", spdlog::level::info},
    LevelRow{LogLevel::Warn, "warn", spdlog::level::warn},
    LevelRow{LogLevel::Error, "error", spdlog::level::err},
    LevelRow{LogLevel::Off, "off", spdlog::level::off},
};

struct LogState
{
    std::atomic<LogLevel> level{LogLevel::Info};
    std::atomic<LogFormat> format{LogFormat::Text};
};

LogState& state()
{
    static LogState instance;
    return instance;
}

bool needsQuotes(std::string_view text)
{
    return text.empty() || std::ranges::any_of(text, [](char c) {
               return c == ' ' || c == '"' || c == '=' || static_cast<unsigned char>(c) < 0x20;
           });
}

// JSON string escapes; also used for quoted text values, so that no value can forge a line.
void appendQuoted(fmt::memory_buffer& line, std::string_view text)
{
    const auto out = fmt::appender(line);
    line.push_back('"');
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            line.push_back('\\');
            line.push_back(c);
        } else if (static_cast<unsigned char>(c) < 0x20) {
            fmt::format_to(out, "\\u{:04x}", static_cast<unsigned>(c));
        } else {
            line.push_back(c);
        }
    }
    line.push_back('"');
}

void appendText(
    fmt::memory_buffer& line, std::string_view head, std::initializer_list<LogField> fields
)
{
    line.append(head);
    for (const LogField& field : fields) {
        fmt::format_to(fmt::appender(line), " {}=", field.key);
        if (needsQuotes(field.value)) {
            appendQuoted(line, field.value);
        } else {
            line.append(std::string_view(field.value));
        }
    }
}

void appendJson(fmt::memory_buffer& line, std::initializer_list<LogField> fields)
{
    for (const LogField& field : fields) {
        fmt::format_to(fmt::appender(line), ",\"{}\":", field.key);
        if (field.isNumber) {
            line.append(std::string_view(field.value));
        } else {
            appendQuoted(line, field.value);
        }
    }
    line.push_back('}');
}

} // namespace

std::string_view toText(LogLevel level) { return kLevels[static_cast<std::size_t>(level)].text; }

Result<LogLevel> parseLogLevel(std::string_view text)
{
    const auto row = std::ranges::find(kLevels, text, &LevelRow::text);
    if (row == kLevels.end()) {
        return fail(ErrorCode::InvalidArgument, "expected debug, info, warn, error or off");
    }
    return row->level;
}

Result<void> startLog(const LogOptions& options)
{
    setLogLevel(options.level);
    state().format.store(options.format, std::memory_order_relaxed);
    try {
        spdlog::init_thread_pool(kQueuedLinesMax, 1);
        spdlog::sink_ptr sink;
        if (options.file.empty()) {
            sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
        } else {
            sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file);
        }
        auto logger = std::make_shared<spdlog::async_logger>(
            "mesh", sink, spdlog::thread_pool(), spdlog::async_overflow_policy::overrun_oldest
        );
        logger->set_pattern("%v");
        logger->set_level(spdlog::level::debug);
        logger->flush_on(spdlog::level::info);
        spdlog::set_default_logger(logger);
    } catch (const spdlog::spdlog_ex& thrown) {
        return fail(ErrorCode::Io, fmt::format("cannot open the log: {}", thrown.what()));
    }
    return {};
}

void stopLog() { spdlog::shutdown(); }

void setLogLevel(LogLevel level) { state().level.store(level, std::memory_order_relaxed); }

LogLevel logLevel() { return state().level.load(std::memory_order_relaxed); }

bool isLogged(LogLevel level) { return level >= logLevel(); }

LogField kv(std::string_view key, Duration value) { return {key, toDurationText(value), false}; }

void writeLog(LogLevel level, std::string_view event, std::initializer_list<LogField> fields)
{
    const std::string time = toIsoText(SystemClock().wallNow());
    fmt::memory_buffer line;
    if (state().format.load(std::memory_order_relaxed) == LogFormat::Json) {
        fmt::format_to(
            fmt::appender(line),
            R"({{"time":"{}","level":"{}","event":"{}")",
            time,
            toText(level),
            event
        );
        appendJson(line, fields);
    } else {
        appendText(line, fmt::format("{} {} {}", time, toText(level), event), fields);
    }

    const std::string_view text(line.data(), line.size());
    if (const auto logger = spdlog::default_logger(); logger && logger->name() == "mesh") {
        logger->log(kLevels[static_cast<std::size_t>(level)].native, "{}", text);
    } else {
        fmt::print(stderr, "{}\n", text);
    }
}

} // namespace mesh
