#include "app/ctl/surroundings.h"

#include "app/ctl/json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <utility>

namespace mesh::ctl {

std::string coloured(std::string_view text, Mood mood, Colour colour)
{
    static constexpr std::array<std::string_view, 4> kCodes = {"", "32", "31", "33"};
    if (colour == Colour::Off || mood == Mood::Plain) {
        return std::string(text);
    }
    return fmt::format("\x1b[{}m{}\x1b[0m", kCodes.at(static_cast<std::size_t>(mood)), text);
}

std::string dumped(const OrderedJson& json)
{
    return json.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + '\n';
}

int failed(const Surroundings& around, const Error& error, int exitCode)
{
    if (around.isJson()) {
        around.output.out +=
            dumped({{"error", mesh::toText(error.code)}, {"message", error.message}});
    } else {
        around.output.err += fmt::format("meshwrightctl: {}\n", error.message);
    }
    return exitCode;
}

int failed(const Surroundings& around, ErrorCode code, std::string message, int exitCode)
{
    return failed(around, Error{code, std::move(message), {}, 0, SourcePlace::here()}, exitCode);
}

int exitCodeOfFile(const Error& error)
{
    const bool isAbsent =
        error.code == ErrorCode::NotFound || error.code == ErrorCode::PermissionDenied;
    return isAbsent ? kUnreachable : kUsage;
}

int exitCodeOfNode(const Error& error)
{
    switch (error.code) {
    case ErrorCode::InvalidArgument:
    case ErrorCode::Unsupported:
        return kUsage;
    case ErrorCode::Conflict:
        return kRefused;
    default:
        return kUnreachable;
    }
}

std::string_view toText(config::Severity severity)
{
    static constexpr std::array<std::string_view, 3> kWords = {"error", "warning", "info"};
    return kWords.at(static_cast<std::size_t>(severity));
}

OrderedJson problemsToJson(const std::vector<config::Problem>& problems)
{
    OrderedJson json = OrderedJson::array();
    for (const config::Problem& problem : problems) {
        json.push_back(
            {{"path", problem.path},
             {"line", problem.place ? problem.place->line : 0},
             {"column", problem.place ? problem.place->column : 0},
             {"code", mesh::toText(problem.code)},
             {"severity", toText(problem.severity)},
             {"message", problem.message}}
        );
    }
    return json;
}

std::string problemsToText(const std::vector<config::Problem>& problems, const std::string& file)
{
    std::string text;
    for (const config::Problem& problem : problems) {
        text += config::toText(problem, file) + '\n';
    }
    return text;
}

} // namespace mesh::ctl
