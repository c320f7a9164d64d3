#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/handles.h"

#include <string>
#include <string_view>
#include <vector>

namespace mesh::control {

// Keeps the last good configuration of a node, and the one before it, in a directory of its own.
//
// Every file carries its own SHA-256 and is replaced atomically; the older one is written before
// the newer, so that at any moment, kill -9 included, at least one whole configuration stands.
// Files hold secrets and have mode 0600, the directory 0700.
// Threads: one at a time.
class StateDirectory
{
public:
    // Creates the directory when it is missing, removes what an interrupted write left, and takes
    // the lock. Errors: Conflict when another process holds it; PermissionDenied; Io.
    [[nodiscard]] static Result<StateDirectory> open(std::string path);

    struct Loaded
    {
        std::string json; // Canonical JSON of the document.
        std::string file; // Which file it came from.
        std::vector<std::string> warnings; // Files that were refused, and why.
    };

    // The newest whole configuration. Errors: NotFound when nothing was ever stored; Io when all
    // files are damaged, with the reason of each.
    [[nodiscard]] Result<Loaded> load() const;

    // Makes this the newest; what was the newest becomes the previous one.
    // Errors: Io (full disk, read-only); what was stored stays loadable.
    [[nodiscard]] Result<void> store(std::string_view json);

    [[nodiscard]] const std::string& path() const { return m_path; }

private:
    StateDirectory(std::string path, FileDescriptor lock);
    [[nodiscard]] Result<std::string> read(const std::string& file) const;

    std::string m_path;
    FileDescriptor m_lock;
};

} // namespace mesh::control
