#include "app/store/database.h"

#include "proxyengine/base/assert.h"

#include <sqlite3.h>

#include <utility>

namespace mesh::store {

namespace {

constexpr int kBusyTimeout_ms = 2000; // A checkpoint of another connection takes that at worst.

ErrorCode codeOf(int native)
{
    switch (native & 0xFF) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
        return ErrorCode::Io;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return ErrorCode::PermissionDenied;
    case SQLITE_CANTOPEN:
        return ErrorCode::NotFound;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return ErrorCode::Syntax;
    default:
        return ErrorCode::Database;
    }
}

tl::unexpected<Error> failSqlite(sqlite3* connection, int native)
{
    std::string message = "sqlite: ";
    message += connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(native);
    auto failure = fail(codeOf(native), std::move(message));
    failure.value().native = native;
    return failure;
}

// Characters with a meaning in a URI are escaped, so that any path is just a path.
std::string toUri(const std::string& path, Connect how)
{
    std::string uri = "file:";
    for (const char c : path) {
        switch (c) {
        case '%':
            uri += "%25";
            break;
        case '?':
            uri += "%3f";
            break;
        case '#':
            uri += "%23";
            break;
        default:
            uri += c;
        }
    }
    return how == Connect::Immutable ? uri + "?immutable=1" : uri;
}

int flagsOf(Connect how)
{
    constexpr int kAlways = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    switch (how) {
    case Connect::Create:
        return kAlways | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    case Connect::ReadWrite:
        return kAlways | SQLITE_OPEN_READWRITE;
    case Connect::ReadOnly:
    case Connect::Immutable:
        return kAlways | SQLITE_OPEN_READONLY;
    }
    return kAlways | SQLITE_OPEN_READONLY;
}

} // namespace

void StatementCloser::operator()(sqlite3_stmt* statement) const noexcept
{
    static_cast<void>(sqlite3_finalize(statement));
}

void ConnectionCloser::operator()(sqlite3* connection) const noexcept
{
    static_cast<void>(sqlite3_close_v2(connection));
}

Statement& Statement::bind(int parameter, std::int64_t value)
{
    MESH_ASSERT(sqlite3_bind_int64(m_statement.get(), parameter, value) == SQLITE_OK);
    return *this;
}

Statement& Statement::bind(int parameter, double value)
{
    MESH_ASSERT(sqlite3_bind_double(m_statement.get(), parameter, value) == SQLITE_OK);
    return *this;
}

Statement& Statement::bindText(int parameter, std::string_view value)
{
    // A null pointer would bind NULL.
    const char* text = value.data() != nullptr ? value.data() : "";
    const int size = static_cast<int>(value.size());
    MESH_ASSERT(
        sqlite3_bind_text(m_statement.get(), parameter, text, size, SQLITE_STATIC) == SQLITE_OK
    );
    return *this;
}

Statement& Statement::bindBlob(int parameter, std::string_view value)
{
    const int size = static_cast<int>(value.size());
    MESH_ASSERT(
        sqlite3_bind_blob(m_statement.get(), parameter, value.data(), size, SQLITE_STATIC)
        == SQLITE_OK
    );
    return *this;
}

Result<bool> Statement::step()
{
    const int native = sqlite3_step(m_statement.get());
    if (native == SQLITE_ROW) {
        return true;
    }
    if (native == SQLITE_DONE) {
        return false;
    }
    return failSqlite(sqlite3_db_handle(m_statement.get()), native);
}

Result<void> Statement::run()
{
    for (;;) {
        const Result<bool> hasRow = step();
        if (!hasRow) {
            auto failure = fail(hasRow.error().code, hasRow.error().message);
            failure.value().native = hasRow.error().native;
            reset();
            return failure;
        }
        if (!*hasRow) {
            reset();
            return {};
        }
    }
}

void Statement::reset() { static_cast<void>(sqlite3_reset(m_statement.get())); }

std::int64_t Statement::integer(int column) const
{
    return sqlite3_column_int64(m_statement.get(), column);
}

double Statement::real(int column) const
{
    return sqlite3_column_double(m_statement.get(), column);
}

std::string_view Statement::bytes(int column) const
{
    const void* start = sqlite3_column_blob(m_statement.get(), column);
    const int size = sqlite3_column_bytes(m_statement.get(), column);
    if (start == nullptr) {
        return {};
    }
    return {static_cast<const char*>(start), static_cast<std::size_t>(size)};
}

bool Statement::isNull(int column) const
{
    return sqlite3_column_type(m_statement.get(), column) == SQLITE_NULL;
}

Result<Database> Database::open(const std::string& path, Connect how)
{
    sqlite3* connection = nullptr;
    const int native =
        sqlite3_open_v2(toUri(path, how).c_str(), &connection, flagsOf(how), nullptr);
    Database database(connection);
    if (native != SQLITE_OK) {
        return failSqlite(connection, native);
    }
    static_cast<void>(sqlite3_busy_timeout(connection, kBusyTimeout_ms));
    return database;
}

Result<void> Database::execute(const std::string& sql)
{
    const int native = sqlite3_exec(m_connection.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (native != SQLITE_OK) {
        return failSqlite(m_connection.get(), native);
    }
    return {};
}

Result<Statement> Database::prepare(std::string_view sql)
{
    sqlite3_stmt* statement = nullptr;
    const int native = sqlite3_prepare_v2(
        m_connection.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr
    );
    if (native != SQLITE_OK) {
        return failSqlite(m_connection.get(), native);
    }
    return Statement(statement);
}

Result<std::int64_t> Database::number(std::string_view sql)
{
    MESH_TRY(Statement statement, prepare(sql));
    MESH_TRY(const bool hasRow, statement.step());
    return hasRow ? statement.integer(0) : 0;
}

std::int64_t Database::insertedId() const { return sqlite3_last_insert_rowid(m_connection.get()); }

std::int64_t Database::changedRows() const { return sqlite3_changes(m_connection.get()); }

Result<Transaction> Transaction::begin(Database& database)
{
    MESH_TRY_VOID(database.execute("BEGIN IMMEDIATE"));
    return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : m_database(std::exchange(other.m_database, nullptr))
{}

Transaction::~Transaction()
{
    if (m_database != nullptr) {
        // Fails only when SQLite has rolled back by itself (full disk).
        static_cast<void>(m_database->execute("ROLLBACK"));
    }
}

Result<void> Transaction::commit()
{
    MESH_TRY_VOID(m_database->execute("COMMIT"));
    m_database = nullptr;
    return {};
}

} // namespace mesh::store
