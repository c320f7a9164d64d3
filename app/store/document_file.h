#pragma once

#include "app/store/database.h"
#include "app/store/file_lock.h"
#include "app/store/mesh_document.h"
#include "app/store/metric_table.h"
#include "proxyengine/base/error.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mesh::store {

enum class OpenIntent : std::uint8_t { Create, Existing };

// What an open file is before its thread starts.
struct OpenedFile
{
    std::unique_ptr<FileLock> lock; // Null when read-only.
    Database database;
    Access access;
};

// Finds out whether the file can be written, locks, connects, backs up and migrates.
// Errors: as MeshDocument::create() and open().
[[nodiscard]] Result<OpenedFile> openFile(
    const std::string& path, OpenIntent intent, const OpenOptions& options
);

// Whether the file is a mesh document, and whether the tables of the configuration are sound. What
// was measured is not looked at: it may be gigabytes, and a damage there shows when it is read.
// Errors: Syntax.
[[nodiscard]] Result<void> checkDocument(Database& database);

// The tables but metrics, as plain functions. All writes are transactions of their own.
[[nodiscard]] Result<Revision> insertRevision(Database& database, const NewRevision& revision);
[[nodiscard]] Result<std::vector<Revision>> readRevisions(Database& database);
[[nodiscard]] Result<std::string> readRevisionText(Database& database, std::int64_t id);
[[nodiscard]] Result<void> replaceNodes(Database& database, const std::vector<NodeRecord>& nodes);
[[nodiscard]] Result<void> replaceLayout(
    Database& database, const std::string& view, const std::vector<LayoutPosition>& positions
);
[[nodiscard]] Result<void> replaceSetting(
    Database& database, const std::string& key, const std::string& value
);
[[nodiscard]] Result<void> replaceDraft(Database& database, const std::optional<std::string>& text);
[[nodiscard]] Result<std::int64_t> insertEvent(Database& database, const EventRecord& event);
[[nodiscard]] Result<void> updateEventEnd(Database& database, std::int64_t id, std::int64_t end_us);
[[nodiscard]] Result<std::vector<EventRecord>> readEvents(
    Database& database, std::int64_t begin_us, std::int64_t end_us
);
[[nodiscard]] Result<Opening> readOpening(Database& database, MetricTable& metrics);

} // namespace mesh::store
