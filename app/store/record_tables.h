#pragma once

#include "app/store/database.h"
#include "app/store/mesh_document.h"
#include "app/store/records.h"
#include "proxyengine/base/error.h"

#include <cstdint>
#include <string>
#include <vector>

// Pushes, items, samples and the history of the layout, as plain functions. All writes are
// transactions of their own.
namespace mesh::store {

// Does `work` so that what it commits is on the disk when it returns; metrics need not wait.
template <typename Work>
[[nodiscard]] auto synced(Database& database, Work work) -> decltype(work())
{
    MESH_TRY_VOID(database.execute("PRAGMA synchronous = FULL"));
    auto outcome = work();
    MESH_TRY_VOID(database.execute("PRAGMA synchronous = NORMAL"));
    return outcome;
}

[[nodiscard]] Result<std::int64_t> replacePush(Database& database, const PushRecord& push);
[[nodiscard]] Result<std::vector<PushRecord>> readPushes(Database& database);
[[nodiscard]] Result<PushRecord> readPush(Database& database, std::int64_t id);

[[nodiscard]] Result<void> replaceItem(Database& database, const ItemRecord& item);
[[nodiscard]] Result<void> deleteItem(
    Database& database, const std::string& kind, const std::string& name
);
[[nodiscard]] Result<std::vector<ItemRecord>> readItems(
    Database& database, const std::string& kind
);

[[nodiscard]] Result<void> insertSamples(
    Database& database, const std::vector<SampleRecord>& samples
);
[[nodiscard]] Result<std::vector<SampleRecord>> readSamples(
    Database& database, std::int64_t begin_us, std::int64_t end_us, std::size_t countMax
);

[[nodiscard]] Result<void> insertLayoutMoves(
    Database& database,
    const std::string& view,
    std::int64_t time_us,
    const std::vector<LayoutPosition>& positions
);
[[nodiscard]] Result<std::vector<LayoutPosition>> readLayoutAt(
    Database& database, const std::string& view, std::int64_t time_us
);

} // namespace mesh::store
