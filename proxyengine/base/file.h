#pragma once

#include "proxyengine/base/error.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace mesh {

// The whole file. "-" is standard input.
// Errors: NotFound, PermissionDenied, Io; LimitExceeded above bytesMax.
[[nodiscard]] Result<std::string> readFile(const std::string& path, std::size_t bytesMax);

// Writes beside the file, syncs, and renames over it, so that a crash at any moment leaves either
// the old or the new content, whole. The directory is synced too. Devices and pipes are written to.
// Errors: PermissionDenied, Io; on failure the old file is untouched and no temporary file stays.
[[nodiscard]] Result<void> writeFileAtomically(
    const std::string& path, std::string_view content, unsigned mode = 0600
);

} // namespace mesh
