#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/time.h"
#include "proxyengine/net/socket_address.h"

#include <functional>
#include <string>

namespace mesh::simulator {

// What ties the requests of one root request together; copied from request to request.
struct TraceContext
{
    std::string requestId; // x-request-id
    std::string traceparent; // Empty: none came.
};

// One request of a simulated process or client.
struct OutCall
{
    net::SocketAddress to;
    std::string host;
    std::string path;
    TraceContext trace;
    std::string caller; // Service, or "gateway"; for faults of an edge. Empty: not told.
    Duration timeout = std::chrono::seconds(10);
};

// The status of the answer once its whole body has come. Errors: Refused, Unavailable, Reset,
// Timeout, Protocol, Overloaded.
using OnAnswer = std::function<void(const Result<int>&)>;

// Sends requests and keeps the connections for the next.
//
// Threads: one loop's.
class Caller
{
public:
    Caller() = default;
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;
    virtual ~Caller() = default;

    // Calls `onAnswer` exactly once, later, unless the caller goes first.
    virtual void call(const OutCall& call, OnAnswer onAnswer) = 0;
};

} // namespace mesh::simulator
