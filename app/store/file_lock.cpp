#include "app/store/file_lock.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace mesh::store {

namespace {

constexpr int kTriesMax = 16; // Each is lost only to an owner that left in the same instant.

std::string ownerIn(int file)
{
    std::array<char, 64> text{};
    const ssize_t size = ::pread(file, text.data(), text.size(), 0);
    const std::string owner(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    return owner.empty() ? "another process" : owner;
}

// The former owner may have removed the name between our open and our lock.
bool isStillNamed(int file, const std::string& path)
{
    struct stat opened = {};
    struct stat named = {};
    return ::fstat(file, &opened) == 0 && ::stat(path.c_str(), &named) == 0
           && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

} // namespace

FileLock::FileLock(std::string path, FileDescriptor file)
    : m_path(std::move(path))
    , m_file(std::move(file))
{}

FileLock::~FileLock()
{
    if (m_file.isOpen()) {
        static_cast<void>(::unlink(m_path.c_str()));
    }
}

Result<FileLock> FileLock::take(const std::string& documentPath)
{
    const std::string path = documentPath + "-lock";
    for (int attempt = 0; attempt < kTriesMax; ++attempt) {
        FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        if (!file.isOpen()) {
            return failErrno("cannot make " + path, errno);
        }
        if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
            return fail(ErrorCode::Conflict, ownerIn(file.get()) + " has the document open");
        }
        if (!isStillNamed(file.get(), path)) {
            continue;
        }
        const std::string owner = fmt::format("process {}", ::getpid());
        if (::ftruncate(file.get(), 0) != 0
            || ::pwrite(file.get(), owner.data(), owner.size(), 0) < 0) {
            // Only the name of the owner is lost; the lock itself holds.
        }
        return FileLock(path, std::move(file));
    }
    return fail(ErrorCode::Conflict, "the document is being opened and closed by others");
}

} // namespace mesh::store
