#include "app/store/document_repair.h"

#include "app/store/database.h"
#include "app/store/document_file.h"
#include "app/store/file_lock.h"
#include "app/store/migrations.h"
#include "proxyengine/base/handles.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <vector>

namespace mesh::store {

namespace {

constexpr const char* kBrokenInfix = ".broken-";
constexpr std::size_t kCopyBytes = 1U << 20U;

bool isThere(const std::string& path)
{
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

tl::unexpected<Error> failSystem(const std::string& path)
{
    const int code = errno;
    const bool isDenied = code == EACCES || code == EPERM || code == EROFS;
    auto failure = fail(
        isDenied ? ErrorCode::PermissionDenied : ErrorCode::Io,
        fmt::format("{}: {}", path, std::strerror(code))
    );
    failure.value().native = code;
    return failure;
}

Result<void> copyBytes(int from, int into, const std::string& target)
{
    std::vector<char> buffer(kCopyBytes);
    for (;;) {
        const ssize_t size = ::read(from, buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size < 0) {
            return failSystem(target);
        }
        if (size == 0) {
            return ::fsync(into) == 0 ? Result<void>() : failSystem(target);
        }
        for (ssize_t done = 0; done < size;) {
            const ssize_t part =
                ::write(into, buffer.data() + done, static_cast<std::size_t>(size - done));
            if (part < 0 && errno != EINTR) {
                return failSystem(target);
            }
            done += part > 0 ? part : 0;
        }
    }
}

// A synced copy that did not exist before.
Result<void> copyFile(const std::string& source, const std::string& target)
{
    const FileDescriptor from(::open(source.c_str(), O_RDONLY | O_CLOEXEC));
    if (!from.isOpen()) {
        return failSystem(source);
    }
    const FileDescriptor into(::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)
    );
    if (!into.isOpen()) {
        return failSystem(target);
    }
    auto copied = copyBytes(from.get(), into.get(), target);
    if (!copied) {
        static_cast<void>(::unlink(target.c_str()));
    }
    return copied;
}

// "shop.mesh.broken-3": the first number that is free, for the file and its log.
std::string freeBrokenName(const std::string& path)
{
    for (int number = 1;; ++number) {
        const std::string name = fmt::format("{}{}{}", path, kBrokenInfix, number);
        if (!isThere(name) && !isThere(name + "-wal")) {
            return name;
        }
    }
}

// The broken file gets a second name; the first is replaced later, in one step.
Result<void> keepBroken(const std::string& path, const std::string& kept)
{
    if (::link(path.c_str(), kept.c_str()) != 0) {
        // A file system without links: a copy does as well.
        MESH_TRY_VOID(copyFile(path, kept));
    }
    // Its log belongs to it, and must not be replayed into the restored file.
    const std::string log = path + "-wal";
    if (isThere(log) && ::rename(log.c_str(), (kept + "-wal").c_str()) != 0) {
        return failSystem(log);
    }
    static_cast<void>(::unlink((path + "-shm").c_str()));
    return {};
}

void syncFolder(const std::string& path)
{
    const auto parent = std::filesystem::path(path).parent_path();
    const std::string folder = parent.empty() ? "." : parent.string();
    const FileDescriptor open(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (open.isOpen()) {
        static_cast<void>(::fsync(open.get()));
    }
}

} // namespace

std::optional<AutomaticBackup> newestBackup(const std::string& path)
{
    const std::vector<std::string> paths = backupPaths(path);
    for (auto candidate = paths.rbegin(); candidate != paths.rend(); ++candidate) {
        auto database = Database::open(*candidate, Connect::Immutable);
        if (!database || !checkDocument(*database)) {
            continue;
        }
        const auto revision = database->number("SELECT max(id) FROM revisions");
        struct stat status = {};
        if (!revision || ::stat(candidate->c_str(), &status) != 0) {
            continue;
        }
        return AutomaticBackup{
            *candidate, WallTime(std::chrono::seconds(status.st_mtim.tv_sec)), *revision};
    }
    return std::nullopt;
}

Result<std::string> restoreBackup(const std::string& path, const AutomaticBackup& backup)
{
    MESH_TRY(const FileLock lock, FileLock::take(path));
    const std::string fresh = path + ".restoring";
    static_cast<void>(::unlink(fresh.c_str())); // Of a restoration that was interrupted.
    MESH_TRY_VOID(copyFile(backup.path, fresh));
    std::string kept;
    if (isThere(path)) {
        kept = freeBrokenName(path);
        MESH_TRY_VOID(keepBroken(path, kept));
    }
    if (::rename(fresh.c_str(), path.c_str()) != 0) {
        return failSystem(path);
    }
    syncFolder(path);
    return kept;
}

} // namespace mesh::store
