#pragma once

#include "proxyengine/base/handles.h"
#include "proxyengine/net/sockets.h"

#include <cstddef>
#include <vector>

namespace mesh::net {

// A pipe between two sockets, through which the kernel moves bytes without this process seeing
// them. Movable; empty until a pool gives it one.
class SplicePipe
{
public:
    static constexpr std::size_t kCapacity = 256U << 10U; // Four reads; beyond it nothing is won.

    SplicePipe() = default;

    [[nodiscard]] bool isOpen() const { return m_out.isOpen(); }
    [[nodiscard]] std::size_t held() const { return m_held; }

    // From the socket into the pipe, as much as fits. A short count says nothing about what is
    // left: go on until WouldBlock.
    [[nodiscard]] IoStep fill(int socket);
    // From the pipe into the socket.
    [[nodiscard]] IoStep drain(int socket);

private:
    friend class PipePool;
    FileDescriptor m_in;
    FileDescriptor m_out;
    std::size_t m_held = 0;
};

// Pipes of one worker. Making one costs more than using it.
//
// Limits: keeps at most kSparePipesMax that nobody uses.
class PipePool
{
public:
    // Not open when the kernel has no descriptors left.
    [[nodiscard]] SplicePipe take();
    // One that still holds bytes is closed.
    void giveBack(SplicePipe pipe);

private:
    std::vector<SplicePipe> m_spare;
};

} // namespace mesh::net
