#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/time.h"

#include <cstdint>
#include <optional>
#include <string>

// What can be done about a document that cannot be read.
namespace mesh::store {

// A copy the program made beside a document by itself.
struct AutomaticBackup
{
    std::string path; // "shop.mesh.backup-0003"
    WallTime time{}; // When it was made.
    std::int64_t revision = 0; // The newest in it; 0: none.
    friend bool operator==(const AutomaticBackup&, const AutomaticBackup&) = default;
};

// The newest backup of the document that is sound, which is read to find out; empty: there is none.
// The document itself need not exist.
[[nodiscard]] std::optional<AutomaticBackup> newestBackup(const std::string& path);

// Puts a copy of the backup where the document was. What stood there is kept beside it with its
// log, "shop.mesh.broken-1", and nothing is overwritten. Gives the path of the kept file; empty:
// there was none. A crash at any moment leaves the broken document or the restored one.
// Errors: Conflict when somebody has the document open; NotFound, PermissionDenied, Io.
[[nodiscard]] Result<std::string> restoreBackup(
    const std::string& path, const AutomaticBackup& backup
);

} // namespace mesh::store
