#pragma once

#include "proxyengine/base/clock.h"
#include "proxyengine/base/error.h"
#include "proxyengine/base/strong_id.h"
#include "proxyengine/control/node_client.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace mesh::control {

// On whose behalf calls are made, so that they can be given up together.
using NodeCaller = StrongId<struct NodeCallerTag, std::uint64_t>;

struct NodeCall
{
    NodeCaller caller{0};
    NodeRequest request;
};

// Requests to many nodes at once from one thread: as requestNode(), without waiting.
//
// All calls to a node with the same credentials share one connection by HTTP/2, which is kept; a
// node that speaks HTTP/1.1 alone gets several. After a connection that failed, calls to that node
// wait 0.1 s for the next attempt, then twice as long, up to 2 s, with jitter; a call that waits
// has its whole timeout left. Credentials are read when a connection begins.
//
// Threads: any; answers come on its own thread and must not block it. Not destroyed from there.
// Lifetime: the clock outlives it; what is on its way when it goes is answered with Cancelled.
// Limits: at most kCallsAtOnceMax are on their way, more wait in their order; connections of as
// many nodes are kept, the one that was not used for longest goes.
class NodeCalls
{
public:
    static constexpr std::size_t kCallsAtOnceMax = 400; // Of the 1 024 descriptors that are usual.
    using OnAnswer = std::function<void(Result<NodeAnswer>)>;

    // Errors: Io when the kernel has no epoll or event descriptor left.
    [[nodiscard]] static Result<std::unique_ptr<NodeCalls>> start(const Clock& clock);
    NodeCalls(const NodeCalls&) = delete;
    NodeCalls& operator=(const NodeCalls&) = delete;
    virtual ~NodeCalls() = default;

    // `onAnswer` is called exactly once. Errors given to it: as of requestNode(); Cancelled;
    // Overloaded when kMailboxMessagesMax wait. The timeout counts from when it is sent.
    virtual void call(NodeCall call, OnAnswer onAnswer) = 0;
    // All calls of this caller are answered with Cancelled, unless their answers came before.
    virtual void cancel(NodeCaller caller) = 0;
    [[nodiscard]] virtual NodeCaller makeCaller() = 0;

protected:
    NodeCalls() = default;
};

} // namespace mesh::control
