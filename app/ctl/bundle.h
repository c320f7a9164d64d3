#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/time.h"

#include <cstdint>
#include <string>

// A whole mesh document as one file that can be checked: a line of JSON, then the bytes.
//
//     {"format":"meshwright-bundle","version":1,"program":"0.1.0","created":"2026-...Z",
//      "document":"shop.mesh","bytes":73728,"sha256":"..."}
//
// sha256: of the hexadecimal SHA-256 of each MiB of the bytes, one after the other, so that neither
// side needs the whole in memory.
namespace mesh::ctl {

struct BundleFacts
{
    int version = 1;
    std::string program;
    std::string created; // ISO 8601.
    std::string document; // File name of what was bundled.
    std::uint64_t bytes = 0;
    std::string sha256;
};

// Whether the file begins as a bundle does.
[[nodiscard]] bool isBundle(const std::string& file);

// Writes `database`, a file at rest, as the bundle `into`, which appears whole or not at all.
// Errors: AlreadyExists, NotFound, Io.
[[nodiscard]] Result<BundleFacts> writeBundle(
    const std::string& database, const std::string& document, WallTime now, const std::string& into
);

// Checks every byte. Errors: NotFound; Syntax when it is no bundle; Unsupported for a newer
// version; Conflict when bytes are missing or changed.
[[nodiscard]] Result<BundleFacts> checkBundle(const std::string& file);

// Checks, and writes the document, which appears whole or not at all. Errors: as checkBundle();
// AlreadyExists.
[[nodiscard]] Result<BundleFacts> unpackBundle(const std::string& file, const std::string& into);

} // namespace mesh::ctl
