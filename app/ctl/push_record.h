#pragma once

#include "app/fleet/rollout.h"
#include "app/store/mesh_document.h"
#include "proxyengine/base/clock.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mesh::ctl {

// What a mesh document remembers of a push: the revision, how far it came, who did it.
//
// Threads: keep() any, the rest the maker's.
class PushRecorder
{
public:
    // Errors: NotFound, Syntax; PermissionDenied when the document cannot be written, with who has
    // it.
    [[nodiscard]] static Result<std::unique_ptr<PushRecorder>> open(
        const std::string& path, const Clock& clock
    );

    [[nodiscard]] const std::vector<store::Revision>& revisions() const { return m_revisions; }
    [[nodiscard]] std::map<std::string, std::int64_t> revisionsByHash(
    ) const; // The newest of each.
    [[nodiscard]] const std::optional<std::string>& draft() const { return m_draft; }
    void dropDraft(); // It has become a revision.

    // Errors: Io, Database.
    [[nodiscard]] Result<store::Revision> addRevision(
        std::string text, std::string hash, std::string message
    );

    // From here on the push is known, also when this program is killed. Errors: Io, Database.
    [[nodiscard]] Result<void> begin(std::int64_t revision, std::int64_t before, int expected);
    void keep(const std::string& json); // The state of the push, synced.
    // Errors: Io, Database.
    [[nodiscard]] Result<void> end(const fleet::Rollout& rollout);

    // Who pushes: the login name, or the program's.
    [[nodiscard]] static std::string author();

private:
    PushRecorder(std::unique_ptr<store::MeshDocument> document, const Clock& clock);
    [[nodiscard]] Result<void> save(const store::PushRecord& record);
    void audit(const std::string& action, const std::string& detail);

    const std::unique_ptr<store::MeshDocument> m_document;
    const Clock& m_clock;
    std::vector<store::Revision> m_revisions;
    std::optional<std::string> m_draft;
    store::PushRecord m_record;
};

} // namespace mesh::ctl
