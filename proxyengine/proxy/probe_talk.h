#pragma once

#include "proxyengine/proxy/probe.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace mesh::proxy {

// What is said over the connection of a probe once it stands. No socket, no clock: bytes go in and
// out.
class ProbeTalk
{
public:
    ProbeTalk() = default;
    ProbeTalk(const ProbeTalk&) = delete;
    ProbeTalk& operator=(const ProbeTalk&) = delete;
    virtual ~ProbeTalk() = default;

    [[nodiscard]] virtual std::string_view toSend() = 0; // Empty: nothing at present.
    virtual void onSent(std::size_t count) = 0; // Of the bytes of toSend().
    virtual void onBytes(std::string_view bytes) = 0;
    // Once it is known; to be asked after every step, sending included.
    [[nodiscard]] virtual std::optional<ProbeOutcome> outcome() const = 0;
};

[[nodiscard]] std::unique_ptr<ProbeTalk> makeHttpTalk(const ProbeCall& call);
// Source: gRPC health checking protocol; gRPC over HTTP/2.
[[nodiscard]] std::unique_ptr<ProbeTalk> makeGrpcTalk(const ProbeCall& call);

} // namespace mesh::proxy
