#pragma once

#include "app/store/mesh_document.h"
#include "proxyengine/base/error.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <utility>

namespace mesh::test {

// A folder of its own that goes with the test.
class TemporaryFolder
{
public:
    TemporaryFolder()
    {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "mesh-test-XXXXXX").string();
        m_path = ::mkdtemp(pattern.data());
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    TemporaryFolder(TemporaryFolder&&) = delete;
    TemporaryFolder& operator=(TemporaryFolder&&) = delete;
    ~TemporaryFolder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(m_path, ignored);
    }
    [[nodiscard]] std::string file(const std::string& name) const { return m_path + "/" + name; }
    [[nodiscard]] const std::string& path() const { return m_path; }

private:
    std::string m_path;
};

// Asks a document and waits for its answer:
//     const auto range = answerOf<TimeRange>([&](auto answer) { document.recorded(answer); });
template <typename T, typename Ask>
Result<T> answerOf(Ask ask)
{
    auto promise = std::make_shared<std::promise<Result<T>>>();
    auto answer = promise->get_future();
    ask(store::Answer<T>([promise](Result<T> result) { promise->set_value(std::move(result)); }));
    return answer.get();
}

inline store::NewRevision revisionOf(const std::string& message)
{
    return {
        "ada",
        message,
        WallTime(std::chrono::seconds(1'700'000'000)),
        message,
        "text of " + message};
}

inline store::MetricRow requestRow(
    std::int64_t time_s, const std::string& source, const std::string& service, std::uint64_t ok
)
{
    store::MetricRow row;
    row.time_s = time_s;
    row.key = {store::SeriesKind::Request, source, service, "main", {}, {}};
    row.value.answers[2] = ok;
    row.value.latency.record(1000, static_cast<std::uint32_t>(ok));
    return row;
}

// The words of a failure; empty when there is none.
template <typename T>
std::string failureOf(const Result<T>& result)
{
    return result ? std::string() : toText(result.error());
}

} // namespace mesh::test
