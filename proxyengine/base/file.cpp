#include "proxyengine/base/file.h"

#include "proxyengine/base/handles.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

namespace mesh {
namespace {

constexpr std::size_t kReadBytes = 64U << 10U;

std::string directoryOf(const std::string& path)
{
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) {
        return ".";
    }
    return slash == 0 ? "/" : path.substr(0, slash);
}

Result<void> writeAll(int file, std::string_view content)
{
    while (!content.empty()) {
        const ssize_t written = ::write(file, content.data(), content.size());
        if (written < 0) {
            if (errno == EINTR) {
                continue;
            }
            return failErrno("write", errno);
        }
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

// A device or a pipe: there is no old content to keep, and renaming over it would take it away.
bool isStream(const std::string& path)
{
    struct stat found = {};
    return ::stat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode);
}

Result<void> writeToStream(const std::string& path, std::string_view content)
{
    const FileDescriptor stream(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!stream.isOpen()) {
        return failErrno(path, errno);
    }
    return writeAll(stream.get(), content);
}

} // namespace

Result<std::string> readFile(const std::string& path, std::size_t bytesMax)
{
    FileDescriptor opened;
    int file = STDIN_FILENO;
    if (path != "-") {
        opened.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!opened.isOpen()) {
            return failErrno(path, errno);
        }
        file = opened.get();
    }

    std::string content;
    std::array<char, kReadBytes> buffer{};
    for (;;) {
        const ssize_t count = ::read(file, buffer.data(), buffer.size());
        if (count < 0) {
            if (errno == EINTR) {
                continue;
            }
            return failErrno(path, errno);
        }
        if (count == 0) {
            return content;
        }
        content.append(buffer.data(), static_cast<std::size_t>(count));
        if (content.size() > bytesMax) {
            return fail(
                ErrorCode::LimitExceeded, fmt::format("{}: larger than {} bytes", path, bytesMax)
            );
        }
    }
}

Result<void> writeFileAtomically(const std::string& path, std::string_view content, unsigned mode)
{
    if (isStream(path)) {
        return writeToStream(path, content);
    }
    std::string temporary = path + ".XXXXXX";
    FileDescriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
    if (!file.isOpen()) {
        return failErrno(path, errno);
    }

    auto written = writeAll(file.get(), content);
    if (written && ::fsync(file.get()) != 0) {
        written = failErrno("fsync", errno);
    }
    if (written && ::fchmod(file.get(), mode) != 0) {
        written = failErrno(path, errno);
    }
    if (written && ::rename(temporary.c_str(), path.c_str()) != 0) {
        written = failErrno(path, errno);
    }
    if (!written) {
        static_cast<void>(::unlink(temporary.c_str()));
        return written;
    }

    const FileDescriptor directory(
        ::open(directoryOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    );
    if (directory.isOpen()) {
        static_cast<void>(::fsync(directory.get())); // Some file systems refuse; the rename stands.
    }
    return {};
}

} // namespace mesh
