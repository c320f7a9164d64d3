#pragma once

#include "proxyengine/net/socket_address.h"
#include "proxyengine/net/sockets.h"

#include <unistd.h>

#include <cstdint>

namespace mesh::test {

// A port that is free now and that no outgoing connection of this machine takes meanwhile: it lies
// below the ports the kernel gives away by itself (32768 and more), and each process looks from a
// place of its own. 0 when there is none.
inline std::uint16_t freePort()
{
    constexpr std::uint32_t kFirst = 12000;
    constexpr std::uint32_t kCount = 20000;
    constexpr std::uint32_t kStride = 97; // Of neighbouring process ids.
    static std::uint32_t at = static_cast<std::uint32_t>(::getpid()) * kStride;
    for (std::uint32_t tried = 0; tried < kCount; ++tried) {
        const auto port = static_cast<std::uint16_t>(kFirst + at++ % kCount);
        if (net::listenOn(net::SocketAddress::loopback(port))) {
            return port;
        }
    }
    return 0;
}

} // namespace mesh::test
