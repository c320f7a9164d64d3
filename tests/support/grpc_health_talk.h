#pragma once

#include "tests/support/talking_server.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>

namespace mesh::test {

// How a health service over gRPC answers.
struct GrpcHealth
{
    int httpStatus = 200;
    int grpcStatus = 0;
    std::string grpcMessage;
    std::string message = std::string("\x00\x00\x00\x00\x02\x08\x01", 7); // SERVING
    bool resetsStream = false;
    std::map<std::string, std::string> request; // Headers of the last call.
    std::string body; // Of the last call.
};

// A gRPC server of one method, by nghttp2.
class GrpcHealthTalk final : public ServerTalk
{
public:
    explicit GrpcHealthTalk(GrpcHealth& health)
        : m_health(health)
    {
        nghttp2_session_callbacks* callbacks = nullptr;
        nghttp2_session_callbacks_new(&callbacks);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, &onHeader);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &onData);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &onFrame);
        nghttp2_session_server_new(&m_session, callbacks, this);
        nghttp2_session_callbacks_del(callbacks);
        nghttp2_submit_settings(m_session, NGHTTP2_FLAG_NONE, nullptr, 0);
    }
    ~GrpcHealthTalk() override { nghttp2_session_del(m_session); }

    std::string onBytes(std::string_view bytes) override
    {
        std::string out;
        if (nghttp2_session_mem_recv(m_session, octets(bytes.data()), bytes.size()) < 0) {
            return out;
        }
        for (;;) {
            const std::uint8_t* data = nullptr;
            const ssize_t count = nghttp2_session_mem_send(m_session, &data);
            if (count <= 0) {
                return out;
            }
            out.append(text(data, static_cast<std::size_t>(count)));
        }
    }

private:
    static const std::uint8_t* octets(const char* bytes)
    {
        return static_cast<const std::uint8_t*>(static_cast<const void*>(bytes));
    }
    static std::string_view text(const std::uint8_t* bytes, std::size_t size)
    {
        return {static_cast<const char*>(static_cast<const void*>(bytes)), size};
    }
    static nghttp2_nv pairOf(std::string_view name, std::string_view value)
    {
        return {
            const_cast<std::uint8_t*>(octets(name.data())),
            const_cast<std::uint8_t*>(octets(value.data())),
            name.size(),
            value.size(),
            NGHTTP2_NV_FLAG_NONE};
    }
    static GrpcHealthTalk& of(void* user) { return *static_cast<GrpcHealthTalk*>(user); }

    static int onHeader(
        nghttp2_session*,
        const nghttp2_frame*,
        const std::uint8_t* name,
        std::size_t nameLength,
        const std::uint8_t* value,
        std::size_t valueLength,
        std::uint8_t,
        void* user
    )
    {
        of(user).m_health.request[std::string(text(name, nameLength))] = text(value, valueLength);
        return 0;
    }
    static int onData(
        nghttp2_session*,
        std::uint8_t,
        std::int32_t,
        const std::uint8_t* data,
        std::size_t length,
        void* user
    )
    {
        of(user).m_health.body.append(text(data, length));
        return 0;
    }
    static int onFrame(nghttp2_session*, const nghttp2_frame* frame, void* user)
    {
        const bool isRequest = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
        if (isRequest && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
            of(user).answer(frame->hd.stream_id);
        }
        return 0;
    }

    void answer(std::int32_t stream)
    {
        if (m_health.resetsStream) {
            nghttp2_submit_rst_stream(m_session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_INTERNAL_ERROR);
            return;
        }
        const std::string status = std::to_string(m_health.httpStatus);
        const std::string grpcStatus = std::to_string(m_health.grpcStatus);
        std::vector<nghttp2_nv> head = {
            pairOf(":status", status), pairOf("content-type", "application/grpc")};
        if (m_health.httpStatus != 200 || m_health.grpcStatus != 0) { // Trailers only.
            if (m_health.httpStatus == 200) {
                head.push_back(pairOf("grpc-status", grpcStatus));
                head.push_back(pairOf("grpc-message", m_health.grpcMessage));
            }
            nghttp2_submit_response(m_session, stream, head.data(), head.size(), nullptr);
            return;
        }
        m_sent = 0;
        nghttp2_data_provider body{};
        body.read_callback = &readMessage;
        nghttp2_submit_response(m_session, stream, head.data(), head.size(), &body);
    }
    static ssize_t readMessage(
        nghttp2_session* session,
        std::int32_t stream,
        std::uint8_t* buffer,
        std::size_t length,
        std::uint32_t* flags,
        nghttp2_data_source*,
        void* user
    )
    {
        GrpcHealthTalk& self = of(user);
        const std::string& message = self.m_health.message;
        const std::size_t count = std::min(length, message.size() - self.m_sent);
        std::memcpy(buffer, message.data() + self.m_sent, count);
        self.m_sent += count;
        if (self.m_sent == message.size()) {
            *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
            const nghttp2_nv trailer = pairOf("grpc-status", "0");
            nghttp2_submit_trailer(session, stream, &trailer, 1);
        }
        return static_cast<ssize_t>(count);
    }

    GrpcHealth& m_health;
    nghttp2_session* m_session = nullptr;
    std::size_t m_sent = 0;
};

} // namespace mesh::test
