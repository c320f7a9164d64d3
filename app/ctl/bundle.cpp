#include "app/ctl/bundle.h"

#include "app/ctl/json.h"
#include "proxyengine/base/duration_text.h"
#include "proxyengine/base/handles.h"
#include "proxyengine/base/hash.h"
#include "proxyengine/base/version.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <utility>

namespace mesh::ctl {
namespace {

constexpr std::string_view kBundleHead = R"({"format":"meshwright-bundle")";
constexpr std::size_t kHeadBytesMaxOfBundle = 4096;
constexpr std::size_t kChunkBytes = 1U << 20U;
constexpr unsigned kBundleMode = 0600; // A document holds private keys.

using OnChunk = std::function<Result<void>(std::string_view chunk)>;

Result<FileDescriptor> openForReading(const std::string& file)
{
    FileDescriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!descriptor.isOpen()) {
        return failErrno(file, errno);
    }
    return descriptor;
}

// At most so many bytes; fewer only at the end.
Result<std::string> readSome(const FileDescriptor& file, std::size_t bytesMax)
{
    std::string bytes(bytesMax, '\0');
    std::size_t length = 0;
    while (length < bytesMax) {
        const ssize_t got = ::read(file.get(), bytes.data() + length, bytesMax - length);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return failErrno("read", errno);
        }
        if (got == 0) {
            break;
        }
        length += static_cast<std::size_t>(got);
    }
    bytes.resize(length);
    return bytes;
}

Result<void> writeAll(const FileDescriptor& file, std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR) {
            return failErrno("write", errno);
        }
        bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
    }
    return {};
}

struct Digest
{
    std::uint64_t bytes = 0;
    std::string sha256;
};

// Reads to the end, chunk by chunk.
Result<Digest> digestOf(const FileDescriptor& file, const OnChunk& onChunk)
{
    Digest digest;
    std::string parts;
    for (;;) {
        MESH_TRY(const std::string chunk, readSome(file, kChunkBytes));
        if (chunk.empty()) {
            break;
        }
        digest.bytes += chunk.size();
        parts += sha256Hex(chunk);
        MESH_TRY_VOID(onChunk(chunk));
    }
    digest.sha256 = sha256Hex(parts);
    return digest;
}

// A file that is not there until it is whole.
class NewFile
{
public:
    [[nodiscard]] static Result<NewFile> make(const std::string& path)
    {
        if (::access(path.c_str(), F_OK) == 0) {
            return fail(ErrorCode::AlreadyExists, path + " exists already; name another file");
        }
        std::string partial = path + ".partial";
        FileDescriptor file(::open(
            partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, kBundleMode
        ));
        if (!file.isOpen()) {
            return failErrno(partial, errno);
        }
        return NewFile(path, std::move(partial), std::move(file));
    }
    NewFile(NewFile&& other) noexcept
        : m_path(std::move(other.m_path))
        , m_partial(std::exchange(other.m_partial, {}))
        , m_file(std::move(other.m_file))
    {}
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    NewFile& operator=(NewFile&&) = delete;
    ~NewFile()
    {
        if (!m_partial.empty()) {
            ::unlink(m_partial.c_str());
        }
    }

    [[nodiscard]] const FileDescriptor& file() const { return m_file; }

    // Synced, and without overwriting what has appeared meanwhile.
    Result<void> finish()
    {
        if (::fsync(m_file.get()) != 0) {
            return failErrno(m_partial, errno);
        }
        if (::link(m_partial.c_str(), m_path.c_str()) != 0) {
            return failErrno(m_path, errno);
        }
        return {};
    }

private:
    NewFile(std::string path, std::string partial, FileDescriptor file)
        : m_path(std::move(path))
        , m_partial(std::move(partial))
        , m_file(std::move(file))
    {}

    std::string m_path;
    std::string m_partial; // Empty: moved away.
    FileDescriptor m_file;
};

// The first line; the file then stands at the first byte behind it.
Result<BundleFacts> readHead(const FileDescriptor& file, const std::string& name)
{
    MESH_TRY(const std::string start, readSome(file, kHeadBytesMaxOfBundle));
    const std::size_t end = start.find('\n');
    if (!start.starts_with(kBundleHead) || end == std::string::npos) {
        return fail(ErrorCode::Syntax, name + " is no bundle");
    }
    const OrderedJson json = OrderedJson::parse(start.substr(0, end), nullptr, false);
    const auto text = [&](const char* key) {
        const auto found = json.is_object() ? json.find(key) : json.end();
        return found != json.end() && found->is_string() ? found->get<std::string>()
                                                         : std::string();
    };
    const auto number = [&](const char* key) -> std::uint64_t {
        const auto found = json.is_object() ? json.find(key) : json.end();
        return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
    };
    BundleFacts facts;
    facts.version = static_cast<int>(number("version"));
    facts.program = text("program");
    facts.created = text("created");
    facts.document = text("document");
    facts.bytes = number("bytes");
    facts.sha256 = text("sha256");
    if (json.is_discarded() || facts.version < 1 || facts.sha256.empty()) {
        return fail(ErrorCode::Syntax, name + " is a bundle with a damaged head");
    }
    if (facts.version > 1) {
        return fail(
            ErrorCode::Unsupported,
            fmt::format("{} was written by a newer version ({})", name, facts.program)
        );
    }
    if (::lseek(file.get(), static_cast<off_t>(end + 1), SEEK_SET) < 0) {
        return failErrno(name, errno);
    }
    return facts;
}

Result<BundleFacts> readBundle(const std::string& name, const OnChunk& onChunk)
{
    MESH_TRY(const FileDescriptor file, openForReading(name));
    MESH_TRY(BundleFacts facts, readHead(file, name));
    MESH_TRY(const Digest digest, digestOf(file, onChunk));
    if (digest.bytes != facts.bytes) {
        return fail(
            ErrorCode::Conflict,
            fmt::format("{} has {} bytes of its {}; copy it again", name, digest.bytes, facts.bytes)
        );
    }
    if (digest.sha256 != facts.sha256) {
        return fail(
            ErrorCode::Conflict,
            name + " is damaged: its bytes are not those of its checksum; copy it again"
        );
    }
    return facts;
}

} // namespace

bool isBundle(const std::string& file)
{
    const FileDescriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!descriptor.isOpen()) {
        return false;
    }
    const auto start = readSome(descriptor, kBundleHead.size());
    return start && *start == kBundleHead;
}

Result<BundleFacts> writeBundle(
    const std::string& database, const std::string& document, WallTime now, const std::string& into
)
{
    MESH_TRY(const FileDescriptor source, openForReading(database));
    MESH_TRY(const Digest digest, digestOf(source, [](std::string_view) {
                 return Result<void>();
             }));
    if (::lseek(source.get(), 0, SEEK_SET) < 0) {
        return failErrno(database, errno);
    }
    BundleFacts facts;
    facts.program = version();
    facts.created = toIsoText(now);
    facts.document = document;
    facts.bytes = digest.bytes;
    facts.sha256 = digest.sha256;
    const OrderedJson head = {
        {"format", "meshwright-bundle"},
        {"version", facts.version},
        {"program", facts.program},
        {"created", facts.created},
        {"document", facts.document},
        {"bytes", facts.bytes},
        {"sha256", facts.sha256}};
    MESH_TRY(NewFile target, NewFile::make(into));
    MESH_TRY_VOID(writeAll(
        target.file(), head.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + '\n'
    ));
    MESH_TRY(const Digest copied, digestOf(source, [&](std::string_view chunk) {
                 return writeAll(target.file(), chunk);
             }));
    if (copied.sha256 != digest.sha256) {
        return fail(ErrorCode::Conflict, database + " changed while it was read");
    }
    MESH_TRY_VOID(target.finish());
    return facts;
}

Result<BundleFacts> checkBundle(const std::string& file)
{
    return readBundle(file, [](std::string_view) { return Result<void>(); });
}

Result<BundleFacts> unpackBundle(const std::string& file, const std::string& into)
{
    MESH_TRY(NewFile target, NewFile::make(into));
    MESH_TRY(BundleFacts facts, readBundle(file, [&](std::string_view chunk) {
                 return writeAll(target.file(), chunk);
             }));
    MESH_TRY_VOID(target.finish());
    return facts;
}

} // namespace mesh::ctl
