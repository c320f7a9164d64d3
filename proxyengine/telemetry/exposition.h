#pragma once

#include <fmt/format.h>

#include <iterator>
#include <string>
#include <string_view>

// The pieces of Prometheus' text format, 0.0.4. Only for the .cpp files of telemetry.
namespace mesh::telemetry {

// Source: Prometheus text format: backslash, quote and line feed are escaped in label values.
inline std::string escaped(std::string_view value)
{
    std::string text;
    text.reserve(value.size());
    for (const char c : value) {
        if (c == '\\' || c == '"') {
            text.push_back('\\');
            text.push_back(c);
        } else if (c == '\n') {
            text.append("\\n");
        } else {
            text.push_back(c);
        }
    }
    return text;
}

inline void head(
    std::string& out, std::string_view name, std::string_view type, std::string_view help
)
{
    fmt::format_to(std::back_inserter(out), "# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
}

template <typename Number>
void line(std::string& out, std::string_view name, std::string_view labels, Number value)
{
    if (labels.empty()) {
        fmt::format_to(std::back_inserter(out), "{} {}\n", name, value);
    } else {
        fmt::format_to(std::back_inserter(out), "{}{{{}}} {}\n", name, labels, value);
    }
}

} // namespace mesh::telemetry
