#include "proxyengine/control/state_directory.h"

#include "proxyengine/base/file.h"
#include "proxyengine/base/hash.h"
#include "proxyengine/base/limits.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace mesh::control {
namespace {

constexpr std::string_view kMagic = "meshwright-state 1 ";
constexpr std::size_t kHashDigits = 64;
constexpr std::size_t kHeadBytes = kMagic.size() + kHashDigits + 1;
constexpr std::string_view kNewest = "config.state";
constexpr std::string_view kPrevious = "config.state.1";

// Temporary files of writeFileAtomically() are named "<file>.XXXXXX"; a killed process leaves them.
void removeLeftovers(const std::string& directory)
{
    std::error_code error;
    std::filesystem::directory_iterator entries(directory, error);
    for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
        const std::string name = entries->path().filename().string();
        const std::string_view stem =
            name.starts_with(kPrevious) ? kPrevious : std::string_view(kNewest);
        if (name.starts_with(stem) && name.size() == stem.size() + 7 && name[stem.size()] == '.') {
            std::error_code ignored;
            std::filesystem::remove(entries->path(), ignored);
        }
    }
}

} // namespace

StateDirectory::StateDirectory(std::string path, FileDescriptor lock)
    : m_path(std::move(path))
    , m_lock(std::move(lock))
{}

Result<StateDirectory> StateDirectory::open(std::string path)
{
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        return failErrno(path, errno);
    }
    const std::string lockPath = path + "/lock";
    FileDescriptor lock(::open(lockPath.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock.isOpen()) {
        return failErrno(lockPath, errno);
    }
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            return fail(
                ErrorCode::Conflict,
                fmt::format("{}: another node uses this state directory; give each its own", path)
            );
        }
        return failErrno(lockPath, errno);
    }
    removeLeftovers(path);
    return StateDirectory(std::move(path), std::move(lock));
}

Result<std::string> StateDirectory::read(const std::string& file) const
{
    MESH_TRY(std::string content, readFile(file, kConfigBytesMax + kHeadBytes));
    const std::string_view text = content;
    if (text.size() < kHeadBytes || !text.starts_with(kMagic) || text[kHeadBytes - 1] != '\n') {
        return fail(ErrorCode::Io, fmt::format("{}: not a stored configuration", file));
    }
    const std::string_view body = text.substr(kHeadBytes);
    if (sha256Hex(body) != text.substr(kMagic.size(), kHashDigits)) {
        return fail(ErrorCode::Io, fmt::format("{}: damaged, its checksum does not match", file));
    }
    return std::string(body);
}

Result<StateDirectory::Loaded> StateDirectory::load() const
{
    Loaded loaded;
    bool isAbsent = true;
    for (const std::string_view name : {kNewest, kPrevious}) {
        loaded.file = fmt::format("{}/{}", m_path, name);
        auto json = read(loaded.file);
        if (json) {
            loaded.json = *std::move(json);
            return loaded;
        }
        if (json.error().code != ErrorCode::NotFound) {
            isAbsent = false;
            loaded.warnings.push_back(json.error().message);
        }
    }
    if (isAbsent) {
        return fail(
            ErrorCode::NotFound,
            fmt::format("{}: no configuration was ever stored; give --config", m_path)
        );
    }
    return fail(ErrorCode::Io, fmt::format("{}", fmt::join(loaded.warnings, "; ")));
}

Result<void> StateDirectory::store(std::string_view json)
{
    const std::string newest = fmt::format("{}/{}", m_path, kNewest);
    const auto current = read(newest);
    if (current && *current == json) {
        return {};
    }
    const auto write = [](const std::string& file, std::string_view body) {
        return writeFileAtomically(
            file, fmt::format("{}{}\n{}", kMagic, sha256Hex(body), body), 0600
        );
    };
    if (current) { // A damaged newest one must not replace a good previous one.
        MESH_TRY_VOID(write(fmt::format("{}/{}", m_path, kPrevious), *current));
    }
    return write(newest, json);
}

} // namespace mesh::control
