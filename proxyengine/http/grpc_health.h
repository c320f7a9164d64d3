#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mesh::http {

// How one health call over gRPC ended.
struct GrpcHealthAnswer
{
    enum class Kind : std::uint8_t {
        Serving,
        NotServing, // Whatever the service says of itself that is not SERVING.
        CallFailed, // A gRPC status that is not OK, or an HTTP status that is not 200.
        Broken, // Not gRPC, not HTTP/2, or the stream was reset.
    };
    Kind kind = Kind::Broken;
    std::string text; // "NOT_SERVING", "grpc-status 12 (unknown service)"; empty when serving.
};

// One call of grpc.health.v1.Health/Check on an HTTP/2 connection of its own, without the socket:
// bytes go in and out. For the whole server: the service name is empty.
//
// Limits: what the peer may send is bounded by its caller's time alone; nothing of it is kept but
// the message (256 bytes) and two short headers.
// Source: gRPC health checking protocol v1; gRPC over HTTP/2; RFC 9113.
class GrpcHealthCall
{
public:
    enum class Scheme : std::uint8_t { Http, Https };

    GrpcHealthCall(Scheme scheme, const std::string& authority);
    GrpcHealthCall(const GrpcHealthCall&) = delete;
    GrpcHealthCall& operator=(const GrpcHealthCall&) = delete;
    ~GrpcHealthCall();

    // What waits to be sent; empty: nothing at present. Valid until the next call of anything.
    [[nodiscard]] std::string_view toSend();
    void onSent(std::size_t count);
    void onBytes(std::string_view bytes);
    // Once it is known; to be asked after every step, sending included.
    [[nodiscard]] std::optional<GrpcHealthAnswer> answer() const;

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace mesh::http
