#pragma once

#include "app/store/database.h"
#include "app/store/records.h"
#include "proxyengine/base/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Who did what, as a chain: the hash of a row covers the row and the hash of the one before, so
// that nothing can be changed, taken out or put in between without breaking every row after it. It
// proves nothing against somebody who rewrites the whole chain; keep an export elsewhere for that.
namespace mesh::store {

// What the chain begins with, in place of the hash before.
inline constexpr std::string_view kAuditChainStart =
    "0000000000000000000000000000000000000000000000000000000000000000";

// The hash of `record` (its own `hash` does not count) after a row with the hash `before`. Pure.
[[nodiscard]] std::string auditHash(std::string_view before, const AuditRecord& record);

// Appends and syncs; gives the row's id. Fields above kAuditFieldBytesMax are cut and end in "…".
[[nodiscard]] Result<std::int64_t> insertAudit(Database& database, AuditRecord record);

// Rows with begin_us <= time <= end_us, oldest first, at most kAuditListedMax newest.
[[nodiscard]] Result<std::vector<AuditRecord>> readAudit(
    Database& database, std::int64_t begin_us, std::int64_t end_us
);

// The id of the first row that is not what was written, or is missing; empty: the chain holds.
[[nodiscard]] Result<std::optional<std::int64_t>> firstBrokenAudit(Database& database);

// Writes every row as a line of JSON; gives their number. Memory does not grow with it.
// Errors: AlreadyExists, Io.
[[nodiscard]] Result<std::int64_t> exportAudit(Database& database, const std::string& path);

// One row as a JSON object and a line feed: {"id", "time", "actor", "action", "subject", "detail",
// "hash"}; the time is in UTC with microseconds.
void appendJson(std::string& out, const AuditRecord& record);

} // namespace mesh::store
