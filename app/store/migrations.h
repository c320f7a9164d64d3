#pragma once

#include "app/store/database.h"
#include "proxyengine/base/error.h"

#include <string>
#include <vector>

namespace mesh::store {

// The version of the tables this program writes (PRAGMA user_version).
inline constexpr int kTablesVersion = 3;

// Marks a file as a mesh document (PRAGMA application_id): "mesh" in ASCII.
inline constexpr int kApplicationId = 0x6D657368;

// Brings the tables from the file's version to `target` (kTablesVersion but in tests), in one
// transaction: after a failure the file is what it was. A new file goes through every step.
// Errors: Database, Io.
[[nodiscard]] Result<void> migrate(Database& database, int target = kTablesVersion);

// Puts empty tables, of this connection alone, in the place of those the file's older version has
// not, so that a document that cannot be written can be read all the same.
[[nodiscard]] Result<void> addStandIns(Database& database, std::int64_t version);

// A consistent copy beside the document, "shop.mesh.backup-0003"; only the newest
// kAutomaticBackupsMax are kept. Gives the path of the copy. Errors: Io, Database.
[[nodiscard]] Result<std::string> backUp(Database& database, const std::string& path);

// The same without what was measured: metrics and samples. It takes milliseconds where a whole copy
// takes seconds, and what a person made is all in it.
[[nodiscard]] Result<std::string> backUpConfiguration(Database& database, const std::string& path);

// The automatic backups beside the document, oldest first.
[[nodiscard]] std::vector<std::string> backupPaths(const std::string& path);

// A consistent copy. Errors: AlreadyExists, Io, Database.
[[nodiscard]] Result<void> copyDatabase(Database& database, const std::string& path);

} // namespace mesh::store
