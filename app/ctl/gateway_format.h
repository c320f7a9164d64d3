#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/config/problem.h"
#include "proxyengine/model/document.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The declarative gateway format as its users know it: what becomes of it when it comes in, and
// what of ours it cannot carry.
namespace mesh::ctl {

struct FormatNote
{
    enum class Kind : std::uint8_t {
        Changed, // It means the same, written otherwise.
        Dropped, // It is not there any more.
    };
    Kind kind = Kind::Changed;
    std::string path; // "services[0].url"; in the text that was read, or the document written.
    std::optional<LineColumn> place; // Absent: of a document.
    std::string text;
};

std::string_view toText(FormatNote::Kind kind); // "changed", "dropped"

enum class Unknown : std::uint8_t {
    Refused, // Whatever this version does not have is an error, as everywhere.
    Dropped, // It is left out, each with a note.
};

struct GatewayImport
{
    model::Document document; // Meaningful only without errors.
    std::vector<FormatNote> notes; // By place.
    std::vector<config::Problem> problems;
};

// Reads what any tool of the gateway writes: `deck gateway dump`, `kong config db_export`.
[[nodiscard]] GatewayImport importGateway(std::string_view text, Unknown unknown);

struct GatewayExport
{
    std::string yaml;
    std::vector<FormatNote> notes; // In document order.
};

// Only what the gateway's own entities have. Algorithms become the nearest that it knows.
[[nodiscard]] GatewayExport exportGateway(const model::Document& document, config::Secrets secrets);

} // namespace mesh::ctl
