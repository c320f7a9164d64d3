#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/config/problem.h"
#include "proxyengine/model/value.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::simulator {

// Takes the fields of one map of a scenario file, with every problem at its place. What was not
// taken when finish() is called is unknown.
class FieldReader
{
public:
    // `value` must be a map; otherwise the problem is reported and all fields are absent.
    FieldReader(
        const model::Value& value, std::string path, std::vector<config::Problem>& problems
    );

    [[nodiscard]] std::optional<std::string> text(std::string_view key);
    [[nodiscard]] std::optional<double> number(std::string_view key, double min, double max);
    [[nodiscard]] std::optional<std::int64_t> whole(
        std::string_view key, std::int64_t min, std::int64_t max
    );
    [[nodiscard]] std::optional<Duration> duration(std::string_view key); // "250ms"
    [[nodiscard]] std::optional<Duration> positiveDuration(std::string_view key); // Above 0s.
    [[nodiscard]] std::optional<bool> flag(std::string_view key);
    // Texts that are not empty, each once; what is not one is reported at its place.
    [[nodiscard]] std::vector<std::string> texts(std::string_view key);
    [[nodiscard]] const model::Value* any(std::string_view key); // Null when absent.
    // The elements of a list; empty when absent, reported when it is something else.
    [[nodiscard]] const model::Value::List& list(std::string_view key);

    // Where a field stands, for reports about it: the field, or the whole when it is absent.
    [[nodiscard]] const model::Value& at(std::string_view key) const;

    // Reports that a field is missing.
    void require(std::string_view key);
    void report(const model::Value& at, std::string_view key, ErrorCode code, std::string message);
    void finish();

    [[nodiscard]] std::string pathOf(std::string_view key) const;

private:
    const model::Value& m_value;
    std::string m_path;
    std::vector<config::Problem>& m_problems;
    std::vector<std::string> m_taken;
};

} // namespace mesh::simulator
