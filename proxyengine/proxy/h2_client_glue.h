#pragma once

#include "proxyengine/http/h2_bridge.h"

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace mesh::proxy {

class H2ClientSession;
class H2ClientStream;

// Between nghttp2 and an H2ClientSession. Only for the sources of that class.
struct H2ClientGlue
{
    // The same for all sessions; null when memory is short.
    [[nodiscard]] static const nghttp2_session_callbacks* callbacks();
    // Queues a request; below zero: it cannot be.
    [[nodiscard]] static std::int32_t submit(
        H2ClientSession& session,
        H2ClientStream& stream,
        std::span<const http::H2Field> fields,
        bool endsWithHead
    );

    [[nodiscard]] static H2ClientStream* streamOf(nghttp2_session* session, std::int32_t id);
    static int onBeginHeaders(nghttp2_session* session, const nghttp2_frame* frame, void* user);
    static int onHeader(
        nghttp2_session* session,
        const nghttp2_frame* frame,
        const std::uint8_t* name,
        std::size_t nameLength,
        const std::uint8_t* value,
        std::size_t valueLength,
        std::uint8_t flags,
        void* user
    );
    static int onBeginFrame(nghttp2_session* session, const nghttp2_frame_hd* head, void* user);
    static int onNotSent(
        nghttp2_session* session, const nghttp2_frame* frame, int reason, void* user
    );
    static int onFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user);
    static int onData(
        nghttp2_session* session,
        std::uint8_t flags,
        std::int32_t id,
        const std::uint8_t* data,
        std::size_t length,
        void* user
    );
    static int onClose(nghttp2_session* session, std::int32_t id, std::uint32_t code, void* user);
    static ssize_t readBody(
        nghttp2_session* session,
        std::int32_t id,
        std::uint8_t* buffer,
        std::size_t length,
        std::uint32_t* flags,
        nghttp2_data_source* source,
        void* user
    );
    static int sendBody(
        nghttp2_session* session,
        nghttp2_frame* frame,
        const std::uint8_t* frameHead,
        std::size_t length,
        nghttp2_data_source* source,
        void* user
    );

private:
    static void onHeadEnd(H2ClientSession& session, H2ClientStream& stream, bool ends);
    static void onAllSaid(
        H2ClientSession& session, H2ClientStream& stream, std::string_view trailers
    );
    static void onGone(H2ClientSession& session, std::int32_t id, std::uint32_t code);
    static void submitTrailers(H2ClientSession& session, H2ClientStream& stream);
};

} // namespace mesh::proxy
