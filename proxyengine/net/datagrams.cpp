#include "proxyengine/net/datagrams.h"

#include "proxyengine/net/native_socket.h"

#include <fmt/format.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

namespace mesh::net {
namespace {

constexpr std::size_t kControlBytes = 64; // One in_pktinfo or in6_pktinfo.

Result<FileDescriptor> makeIpSocket(const SocketAddress& address)
{
    const bool isIp = address.family() == SocketAddress::Family::Ip4
                      || address.family() == SocketAddress::Family::Ip6;
    return isIp ? makeSocket(address, SOCK_DGRAM)
                : fail(ErrorCode::InvalidArgument, "UDP needs an IPv4 or IPv6 address");
}

// The address of ours in a received message's control part; `found` stays when there is none.
void readLocal(msghdr& message, std::uint16_t port, SocketAddress& found)
{
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        std::array<std::uint8_t, 16> bytes{};
        if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
            in_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(part), sizeof(info));
            std::memcpy(bytes.data(), &info.ipi_addr, sizeof(info.ipi_addr));
            found = SocketAddress::fromBytes(SocketAddress::Family::Ip4, bytes, port);
        } else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
            in6_pktinfo info{};
            std::memcpy(&info, CMSG_DATA(part), sizeof(info));
            std::memcpy(bytes.data(), &info.ipi6_addr, sizeof(info.ipi6_addr));
            found = SocketAddress::fromBytes(SocketAddress::Family::Ip6, bytes, port);
        }
    }
}

// Says in a message that is to be sent which address of ours it comes from.
void writeLocal(msghdr& message, std::span<char> room, const SocketAddress& local)
{
    message.msg_control = room.data();
    message.msg_controllen = room.size();
    cmsghdr* const part = CMSG_FIRSTHDR(&message);
    if (local.family() == SocketAddress::Family::Ip4) {
        in_pktinfo info{};
        std::memcpy(&info.ipi_spec_dst, local.bytes().data(), sizeof(info.ipi_spec_dst));
        part->cmsg_level = IPPROTO_IP;
        part->cmsg_type = IP_PKTINFO;
        part->cmsg_len = CMSG_LEN(sizeof(info));
        std::memcpy(CMSG_DATA(part), &info, sizeof(info));
        message.msg_controllen = CMSG_SPACE(sizeof(info));
    } else if (local.family() == SocketAddress::Family::Ip6) {
        in6_pktinfo info{};
        std::memcpy(&info.ipi6_addr, local.bytes().data(), sizeof(info.ipi6_addr));
        part->cmsg_level = IPPROTO_IPV6;
        part->cmsg_type = IPV6_PKTINFO;
        part->cmsg_len = CMSG_LEN(sizeof(info));
        std::memcpy(CMSG_DATA(part), &info, sizeof(info));
        message.msg_controllen = CMSG_SPACE(sizeof(info));
    } else {
        message.msg_control = nullptr;
        message.msg_controllen = 0;
    }
}

} // namespace

Result<FileDescriptor> bindDatagrams(const SocketAddress& address, PortSharing sharing)
{
    MESH_TRY(FileDescriptor socket, makeIpSocket(address));
    if (sharing == PortSharing::Yes) {
        switchOn(socket.get(), SOL_SOCKET, SO_REUSEPORT);
    }
    if (address.family() == SocketAddress::Family::Ip4) {
        switchOn(socket.get(), IPPROTO_IP, IP_PKTINFO);
    } else {
        switchOn(socket.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO);
    }
    const auto native = address.toNative();
    if (::bind(socket.get(), native.get(), native.length) != 0) {
        const int number = errno;
        auto failed = failErrno(fmt::format("cannot listen on {}/udp", address.toText()), number);
        if (number == EADDRINUSE) {
            failed.value().code = ErrorCode::AlreadyExists;
        } else if (number == EADDRNOTAVAIL) {
            failed.value().code = ErrorCode::InvalidArgument;
        }
        return failed;
    }
    return socket;
}

Result<FileDescriptor> connectDatagrams(const SocketAddress& peer)
{
    MESH_TRY(FileDescriptor socket, makeIpSocket(peer));
    const auto native = peer.toNative();
    if (::connect(socket.get(), native.get(), native.length) != 0) {
        auto failed = failErrno(fmt::format("cannot send to {}", peer.toText()), errno);
        failed.value().code = ErrorCode::Unavailable;
        return failed;
    }
    return socket;
}

struct DatagramBatch::State
{
    struct Slot
    {
        alignas(cmsghdr) std::array<char, kControlBytes> control;
        sockaddr_storage name;
        iovec part;
    };

    std::unique_ptr<char[]> room =
        std::make_unique_for_overwrite<char[]>(kUdpDatagramsPerCall * kUdpDatagramBytesMax);
    std::array<Slot, kUdpDatagramsPerCall> slots{};
    std::array<mmsghdr, kUdpDatagramsPerCall> messages{};
    std::array<Datagram, kUdpDatagramsPerCall> items;
    std::size_t count = 0;
};

DatagramBatch::DatagramBatch()
    : m_state(std::make_unique<State>())
{}
DatagramBatch::~DatagramBatch() = default;

IoStep DatagramBatch::receive(int socket, std::uint16_t port)
{
    State& state = *m_state;
    for (std::size_t at = 0; at < kUdpDatagramsPerCall; ++at) {
        State::Slot& slot = state.slots[at];
        slot.part = {state.room.get() + at * kUdpDatagramBytesMax, kUdpDatagramBytesMax};
        state.messages[at] = {};
        msghdr& header = state.messages[at].msg_hdr;
        header.msg_name = &slot.name;
        header.msg_namelen = sizeof(slot.name);
        header.msg_iov = &slot.part;
        header.msg_iovlen = 1;
        header.msg_control = slot.control.data();
        header.msg_controllen = slot.control.size();
    }
    state.count = 0;
    const int received =
        ::recvmmsg(socket, state.messages.data(), kUdpDatagramsPerCall, MSG_DONTWAIT, nullptr);
    if (received < 0) {
        const bool isEmpty = errno == EAGAIN || errno == EINTR;
        return {isEmpty ? IoStatus::WouldBlock : IoStatus::Failed, 0, errno};
    }
    state.count = static_cast<std::size_t>(received);
    for (std::size_t at = 0; at < state.count; ++at) {
        Datagram& item = state.items[at];
        msghdr& header = state.messages[at].msg_hdr;
        item.peer =
            header.msg_namelen == 0
                ? SocketAddress()
                : SocketAddress::fromNative(
                    reinterpret_cast<const sockaddr*>(&state.slots[at].name), header.msg_namelen
                );
        item.local = {};
        readLocal(header, port, item.local);
        item.bytes = {
            static_cast<const char*>(state.slots[at].part.iov_base), state.messages[at].msg_len};
    }
    return {state.count == 0 ? IoStatus::WouldBlock : IoStatus::Done, state.count, 0};
}

std::span<const Datagram> DatagramBatch::items() const
{
    return std::span(m_state->items).first(m_state->count);
}

std::size_t DatagramBatch::sendItems(
    int socket, const SocketAddress& peer, const SocketAddress& local
)
{
    State& state = *m_state;
    const auto native = peer.toNative();
    for (std::size_t at = 0; at < state.count; ++at) {
        State::Slot& slot = state.slots[at];
        slot.part.iov_len = state.items[at].bytes.size();
        state.messages[at] = {};
        msghdr& header = state.messages[at].msg_hdr;
        std::memcpy(&slot.name, native.get(), native.length);
        header.msg_name = &slot.name;
        header.msg_namelen = native.length;
        header.msg_iov = &slot.part;
        header.msg_iovlen = 1;
        writeLocal(header, slot.control, local);
    }
    std::size_t sent = 0;
    while (sent < state.count) {
        const int taken = ::sendmmsg(
            socket,
            state.messages.data() + sent,
            static_cast<unsigned>(state.count - sent),
            MSG_DONTWAIT | MSG_NOSIGNAL
        );
        if (taken <= 0) {
            break;
        }
        sent += static_cast<std::size_t>(taken);
    }
    return sent;
}

} // namespace mesh::net
