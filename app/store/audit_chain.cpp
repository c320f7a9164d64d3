#include "app/store/audit_chain.h"

#include "app/store/record_tables.h"
#include "proxyengine/base/handles.h"
#include "proxyengine/base/hash.h"
#include "proxyengine/base/limits.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace mesh::store {

namespace {

constexpr const char* kAuditColumns = "id, time_us, actor, action, subject, detail, hash";
constexpr std::size_t kExportBufferBytes = 64U << 10U;
constexpr std::string_view kCutMark = "…";

// Cut at a whole character.
void limitField(std::string& text)
{
    if (text.size() <= kAuditFieldBytesMax) {
        return;
    }
    std::size_t size = kAuditFieldBytesMax - kCutMark.size();
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) {
        --size;
    }
    text.resize(size);
    text += kCutMark;
}

AuditRecord auditOf(const Statement& statement)
{
    return {
        statement.integer(0),
        statement.integer(1),
        statement.text(2),
        statement.text(3),
        statement.text(4),
        statement.text(5),
        statement.text(6)};
}

void appendQuoted(std::string& out, std::string_view text)
{
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte == 0x7F) {
            out += fmt::format("\\u{:04x}", byte);
        } else {
            out += c;
        }
    }
    out += '"';
}

std::string timeOf(std::int64_t time_us)
{
    const std::int64_t rest = ((time_us % 1'000'000) + 1'000'000) % 1'000'000;
    const auto second = static_cast<std::time_t>((time_us - rest) / 1'000'000);
    std::tm parts = {};
    static_cast<void>(::gmtime_r(&second, &parts));
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", parts, rest);
}

Result<void> writeAll(int file, std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t written = ::write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return fail(ErrorCode::Io, fmt::format("cannot write: {}", std::strerror(errno)));
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Result<std::string> lastHash(Database& database)
{
    MESH_TRY(
        Statement statement, database.prepare("SELECT hash FROM audit ORDER BY id DESC LIMIT 1")
    );
    MESH_TRY(const bool hasRow, statement.step());
    return hasRow ? statement.text(0) : std::string(kAuditChainStart);
}

} // namespace

std::string auditHash(std::string_view before, const AuditRecord& record)
{
    // Lengths stand before the texts, so that no two rows have the same bytes.
    std::string bytes(before);
    bytes += fmt::format("\n{}\n{}", record.id, record.time_us);
    for (const std::string* field :
         {&record.actor, &record.action, &record.subject, &record.detail}) {
        bytes += fmt::format("\n{}:", field->size());
        bytes += *field;
    }
    return sha256Hex(bytes);
}

Result<std::int64_t> insertAudit(Database& database, AuditRecord record)
{
    for (std::string* field : {&record.actor, &record.action, &record.subject, &record.detail}) {
        limitField(*field);
    }
    return synced(database, [&]() -> Result<std::int64_t> {
        MESH_TRY(Transaction transaction, Transaction::begin(database));
        MESH_TRY(const std::int64_t last, database.number("SELECT max(id) FROM audit"));
        MESH_TRY(const std::string before, lastHash(database));
        record.id = last + 1;
        record.hash = auditHash(before, record);
        MESH_TRY(
            Statement statement, database.prepare("INSERT INTO audit VALUES(?, ?, ?, ?, ?, ?, ?)")
        );
        statement.bind(1, record.id).bind(2, record.time_us).bindText(3, record.actor);
        statement.bindText(4, record.action).bindText(5, record.subject);
        statement.bindText(6, record.detail).bindText(7, record.hash);
        MESH_TRY_VOID(statement.run());
        MESH_TRY_VOID(transaction.commit());
        return record.id;
    });
}

Result<std::vector<AuditRecord>> readAudit(
    Database& database, std::int64_t begin_us, std::int64_t end_us
)
{
    MESH_TRY(
        Statement statement,
        database.prepare(fmt::format(
            "SELECT {} FROM audit WHERE time_us >= ? AND time_us <= ? ORDER BY id DESC LIMIT ?",
            kAuditColumns
        ))
    );
    statement.bind(1, begin_us).bind(2, end_us);
    statement.bind(3, static_cast<std::int64_t>(kAuditListedMax));
    std::vector<AuditRecord> rows;
    for (;;) {
        MESH_TRY(const bool hasRow, statement.step());
        if (!hasRow) {
            break;
        }
        rows.push_back(auditOf(statement));
    }
    std::ranges::reverse(rows);
    return rows;
}

Result<std::optional<std::int64_t>> firstBrokenAudit(Database& database)
{
    MESH_TRY(
        Statement statement,
        database.prepare(fmt::format("SELECT {} FROM audit ORDER BY id", kAuditColumns))
    );
    std::string before(kAuditChainStart);
    std::int64_t next = 1;
    for (;;) {
        MESH_TRY(const bool hasRow, statement.step());
        if (!hasRow) {
            break;
        }
        const AuditRecord record = auditOf(statement);
        if (record.id != next || record.hash != auditHash(before, record)) {
            return std::optional<std::int64_t>(next);
        }
        before = record.hash;
        ++next;
    }
    // The counter of the table knows how many there have been: the end may be missing.
    MESH_TRY(
        const std::int64_t written,
        database.number("SELECT seq FROM sqlite_sequence WHERE name = 'audit'")
    );
    return written >= next ? std::optional<std::int64_t>(next) : std::nullopt;
}

Result<std::int64_t> exportAudit(Database& database, const std::string& path)
{
    const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.isOpen()) {
        return fail(
            errno == EEXIST ? ErrorCode::AlreadyExists : ErrorCode::Io,
            fmt::format("{}: {}", path, std::strerror(errno))
        );
    }
    MESH_TRY(
        Statement statement,
        database.prepare(fmt::format("SELECT {} FROM audit ORDER BY id", kAuditColumns))
    );
    std::string buffer;
    std::int64_t count = 0;
    for (;;) {
        MESH_TRY(const bool hasRow, statement.step());
        if (!hasRow) {
            break;
        }
        appendJson(buffer, auditOf(statement));
        ++count;
        if (buffer.size() >= kExportBufferBytes) {
            MESH_TRY_VOID(writeAll(file.get(), buffer));
            buffer.clear();
        }
    }
    MESH_TRY_VOID(writeAll(file.get(), buffer));
    if (::fsync(file.get()) != 0) {
        return fail(ErrorCode::Io, fmt::format("{}: {}", path, std::strerror(errno)));
    }
    return count;
}

void appendJson(std::string& out, const AuditRecord& record)
{
    out += fmt::format(R"({{"id": {}, "time": "{}")", record.id, timeOf(record.time_us));
    struct Field
    {
        const char* name;
        const std::string* value;
    };
    for (const Field& field :
         {Field{"actor", &record.actor},
          Field{"action", &record.action},
          Field{"subject", &record.subject},
          Field{"detail", &record.detail},
          Field{"hash", &record.hash}}) {
        out += fmt::format(R"(, "{}": )", field.name);
        appendQuoted(out, *field.value);
    }
    out += "}\n";
}

} // namespace mesh::store
