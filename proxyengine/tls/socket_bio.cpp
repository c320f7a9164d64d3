#include "proxyengine/tls/socket_bio.h"

#include "proxyengine/base/handles.h"

#include <openssl/bio.h>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace mesh::tls {
namespace {

using MethodPtr = std::unique_ptr<BIO_METHOD, FreeWith<BIO_meth_free>>;

} // namespace

BIO* SocketBio::make(SocketBio& self)
{
    static const MethodPtr kMethod = [] {
        MethodPtr method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket"));
        if (method) {
            BIO_meth_set_read_ex(method.get(), &SocketBio::onRead);
            BIO_meth_set_write_ex(method.get(), &SocketBio::onWrite);
            BIO_meth_set_ctrl(method.get(), &SocketBio::onControl);
        }
        return method;
    }();
    BIO* bio = kMethod ? BIO_new(kMethod.get()) : nullptr;
    if (bio != nullptr) {
        BIO_set_data(bio, &self);
        BIO_set_init(bio, 1);
    }
    return bio;
}

void SocketBio::begin(std::span<char> room)
{
    m_room = room;
    m_isDrained = false;
}

void SocketBio::end()
{
    m_room = {};
    if (m_bytes.empty()) {
        m_kept.reset();
        return;
    }
    if (m_kept == nullptr || m_bytes.data() != m_kept.get()) {
        auto kept = std::make_unique_for_overwrite<char[]>(m_bytes.size());
        std::ranges::copy(m_bytes, kept.get());
        m_bytes = {kept.get(), m_bytes.size()};
        m_kept = std::move(kept);
    }
}

// Past libc's wrapper, which is a cancellation point.
long SocketBio::receive(std::span<char> room)
{
    const long count =
        ::syscall(SYS_recvfrom, m_socket, room.data(), room.size(), 0, nullptr, nullptr);
    m_hasEnded = count == 0;
    m_isDrained = count < 0 || static_cast<std::size_t>(count) < room.size();
    return count;
}

int SocketBio::onRead(BIO* bio, char* out, std::size_t size, std::size_t* count)
{
    auto& self = *static_cast<SocketBio*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    *count = 0;
    if (self.m_bytes.empty()) {
        if (self.m_isDrained && !self.m_isEndNear) {
            BIO_set_retry_read(bio);
            return 0;
        }
        const bool isLent = self.m_room.size() > size;
        const std::span<char> room = isLent ? self.m_room : std::span(out, size);
        const long received = self.receive(room);
        if (received <= 0) {
            if (received < 0 && (errno == EAGAIN || errno == EINTR)) {
                BIO_set_retry_read(bio);
            }
            return 0;
        }
        if (!isLent) {
            *count = static_cast<std::size_t>(received);
            return 1;
        }
        self.m_bytes = {room.data(), static_cast<std::size_t>(received)};
    }
    *count = std::min(size, self.m_bytes.size());
    std::memcpy(out, self.m_bytes.data(), *count);
    self.m_bytes.remove_prefix(*count);
    return 1;
}

int SocketBio::onWrite(BIO* bio, const char* bytes, std::size_t size, std::size_t* count)
{
    const auto& self = *static_cast<const SocketBio*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    *count = 0;
    const long sent =
        ::syscall(SYS_sendto, self.m_socket, bytes, size, MSG_NOSIGNAL, nullptr, std::size_t{0});
    if (sent <= 0) {
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
            BIO_set_retry_write(bio);
        }
        return 0;
    }
    *count = static_cast<std::size_t>(sent);
    return 1;
}

// NOLINTNEXTLINE(google-runtime-int): OpenSSL's own type.
long SocketBio::onControl(BIO* bio, int command, long, void*)
{
    switch (command) {
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DUP:
        return 1;
    case BIO_CTRL_EOF:
        return static_cast<const SocketBio*>(BIO_get_data(bio))->m_hasEnded ? 1 : 0;
    default:
        return 0;
    }
}

} // namespace mesh::tls
