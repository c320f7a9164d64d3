#include "proxyengine/net/splice_pipe.h"

#include "proxyengine/base/limits.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace mesh::net {
namespace {

constexpr unsigned kFlags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;

IoStep stepOf(ssize_t moved, IoStatus ofNothing)
{
    if (moved > 0) {
        return {IoStatus::Done, static_cast<std::size_t>(moved), 0};
    }
    if (moved == 0) {
        return {ofNothing, 0, 0};
    }
    return {errno == EAGAIN ? IoStatus::WouldBlock : IoStatus::Failed, 0, errno};
}

} // namespace

IoStep SplicePipe::fill(int socket)
{
    const IoStep step =
        stepOf(::splice(socket, nullptr, m_in.get(), nullptr, kCapacity, kFlags), IoStatus::Closed);
    m_held += step.count;
    return step;
}

IoStep SplicePipe::drain(int socket)
{
    const IoStep step = stepOf(
        ::splice(m_out.get(), nullptr, socket, nullptr, m_held, kFlags), IoStatus::WouldBlock
    );
    m_held -= step.count;
    return step;
}

SplicePipe PipePool::take()
{
    SplicePipe pipe;
    if (!m_spare.empty()) {
        pipe = std::move(m_spare.back());
        m_spare.pop_back();
        return pipe;
    }
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0) {
        return pipe;
    }
    pipe.m_out = FileDescriptor(ends[0]);
    pipe.m_in = FileDescriptor(ends[1]);
    // Refused beyond the user's share of pipe memory; the pipe then has its 64 KiB.
    static_cast<void>(::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(SplicePipe::kCapacity)));
    return pipe;
}

void PipePool::giveBack(SplicePipe pipe)
{
    if (pipe.isOpen() && pipe.held() == 0 && m_spare.size() < kSparePipesMax) {
        m_spare.push_back(std::move(pipe));
    }
}

} // namespace mesh::net
