#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace mesh::tls {

// What OpenSSL reads from and writes to: a non-blocking socket of somebody else's. Internal to this
// folder.
//
// OpenSSL asks for five bytes, then for the rest of the record. Here both come out of one system
// call, which takes as much as the memory lent by begin() holds; and when that came short, the
// socket is known to be empty, so that it is not asked again in vain.
class SocketBio
{
public:
    explicit SocketBio(int socket)
        : m_socket(socket)
    {}
    SocketBio(const SocketBio&) = delete;
    SocketBio& operator=(const SocketBio&) = delete;

    // A BIO that calls back `self`, which outlives it; null when OpenSSL is out of memory.
    [[nodiscard]] static BIO* make(SocketBio& self);

    // Lends memory for one read of the caller's; end() takes what is left of it into memory of its
    // own, which a connection has only while part of the next record has come with this one.
    void begin(std::span<char> room);
    void end();

    // The peer has ended: its end may lie right behind what comes, so reads go on until they find
    // it.
    void expectEnd() { m_isEndNear = true; }

    [[nodiscard]] bool hasBytes() const { return !m_bytes.empty(); }
    // The last read took all that had arrived.
    [[nodiscard]] bool isDrained() const { return m_isDrained; }

private:
    static int onRead(BIO* bio, char* out, std::size_t size, std::size_t* count);
    static int onWrite(BIO* bio, const char* bytes, std::size_t size, std::size_t* count);
    // NOLINTNEXTLINE(google-runtime-int): OpenSSL's own type.
    static long onControl(BIO* bio, int command, long number, void* pointer);
    [[nodiscard]] long receive(std::span<char> room);

    int m_socket;
    std::span<char> m_room; // Lent.
    std::string_view m_bytes; // Received and not taken: in m_room or m_kept.
    std::unique_ptr<char[]> m_kept;
    bool m_isDrained = false;
    bool m_isEndNear = false;
    bool m_hasEnded = false;
};

} // namespace mesh::tls
