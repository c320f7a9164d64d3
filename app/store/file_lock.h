#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/handles.h"

#include <string>

namespace mesh::store {

// Keeps others from writing a document: an advisory lock (flock) on a file beside it that names its
// owner. The kernel drops the lock when the process ends in whatever way.
//
// It is not taken on the document itself, because closing any descriptor of that file would drop
// the locks of SQLite in this process.
class FileLock
{
public:
    // Errors: Conflict when another owner has it, with "process 4711" in the message;
    //         PermissionDenied, Io when the lock file cannot be made.
    [[nodiscard]] static Result<FileLock> take(const std::string& documentPath);
    FileLock(FileLock&&) = default;
    FileLock& operator=(FileLock&&) = delete;
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;
    ~FileLock(); // Removes the file.

private:
    FileLock(std::string path, FileDescriptor file);
    std::string m_path;
    FileDescriptor m_file;
};

} // namespace mesh::store
