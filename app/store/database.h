#pragma once

#include "proxyengine/base/error.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

// The door to SQLite: one connection and its statements as values that clean up after themselves.
namespace mesh::store {

struct StatementCloser
{
    void operator()(sqlite3_stmt* statement) const noexcept;
};

struct ConnectionCloser
{
    void operator()(sqlite3* connection) const noexcept;
};

// A prepared statement. Bound texts must live until reset(); columns until the next step().
class Statement
{
public:
    explicit Statement(sqlite3_stmt* statement)
        : m_statement(statement)
    {}

    // Parameters count from 1.
    Statement& bind(int parameter, std::int64_t value);
    Statement& bind(int parameter, double value);
    Statement& bindText(int parameter, std::string_view value);
    Statement& bindBlob(int parameter, std::string_view value);

    // True: a row is there. False: done. The statement must be reset before it is used again.
    [[nodiscard]] Result<bool> step();
    // step() to the end, then reset().
    [[nodiscard]] Result<void> run();
    void reset();

    // Columns count from 0.
    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] double real(int column) const;
    [[nodiscard]] std::string_view bytes(int column) const; // Of a text or a blob.
    [[nodiscard]] std::string text(int column) const { return std::string(bytes(column)); }
    [[nodiscard]] bool isNull(int column) const;

private:
    std::unique_ptr<sqlite3_stmt, StatementCloser> m_statement;
};

enum class Connect : std::uint8_t {
    Create, // The file must not be a database yet.
    ReadWrite,
    ReadOnly,
    Immutable, // On a medium that cannot be written at all: no locks, no shared memory.
};

// One connection. Threads: one at a time.
class Database
{
public:
    // Errors: NotFound, PermissionDenied, Io, Syntax (not a database), Database.
    [[nodiscard]] static Result<Database> open(const std::string& path, Connect how);

    [[nodiscard]] Result<void> execute(const std::string& sql);
    [[nodiscard]] Result<Statement> prepare(std::string_view sql);
    // The first column of the first row; 0 when there is none.
    [[nodiscard]] Result<std::int64_t> number(std::string_view sql);

    [[nodiscard]] std::int64_t insertedId() const;
    [[nodiscard]] std::int64_t changedRows() const; // By the last statement.

private:
    explicit Database(sqlite3* connection)
        : m_connection(connection)
    {}
    std::unique_ptr<sqlite3, ConnectionCloser> m_connection;
};

// Rolls back what was not committed.
class Transaction
{
public:
    [[nodiscard]] static Result<Transaction> begin(Database& database);
    Transaction(Transaction&& other) noexcept;
    Transaction& operator=(Transaction&&) = delete;
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction();
    [[nodiscard]] Result<void> commit();

private:
    explicit Transaction(Database& database)
        : m_database(&database)
    {}
    Database* m_database; // Null after the end.
};

} // namespace mesh::store
