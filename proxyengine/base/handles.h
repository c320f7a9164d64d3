#pragma once

#include <memory>
#include <utility>

namespace mesh {

// Deleter made from a C library's free function: a handle becomes an ordinary unique_ptr and stays
// as large as the raw pointer. Where a library frees with a macro, write a one-line function first.
template <auto Free>
struct FreeWith
{
    template <typename T>
    void operator()(T* handle) const noexcept
    {
        static_cast<void>(Free(handle));
    }
};

// Owns a file descriptor.
class FileDescriptor
{
public:
    FileDescriptor() = default;
    explicit FileDescriptor(int number)
        : m_number(number)
    {}
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    FileDescriptor(FileDescriptor&& other) noexcept
        : m_number(std::exchange(other.m_number, -1))
    {}
    FileDescriptor& operator=(FileDescriptor&& other) noexcept
    {
        reset(std::exchange(other.m_number, -1));
        return *this;
    }
    ~FileDescriptor() { reset(); }

    [[nodiscard]] int get() const { return m_number; }
    [[nodiscard]] bool isOpen() const { return m_number >= 0; }
    [[nodiscard]] int release() { return std::exchange(m_number, -1); }
    void reset(int number = -1);

private:
    int m_number = -1;
};

} // namespace mesh
