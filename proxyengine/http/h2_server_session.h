#pragma once

#include "proxyengine/http/h2_pair.h"
#include "proxyengine/http/h2_server_codec.h"

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

// What H2ServerCodec keeps of nghttp2, and what nghttp2 calls in it.
namespace mesh::http {

struct H2ServerCodec::Session
{
    struct End
    {
        void operator()(nghttp2_session* session) const noexcept { nghttp2_session_del(session); }
    };
    std::unique_ptr<nghttp2_session, End> native;
    std::vector<nghttp2_nv> fields; // Of what is being submitted.

    // Values that differ from message to message would push everything else out of HPACK's table,
    // and be compared with all of their kind that are still in it. So they are named there now and
    // then, for their names to be found, and otherwise said in full.
    void setFields(std::span<const H2Field> from)
    {
        constexpr std::uint32_t kNamedEvery = 256;
        const bool isNamed = m_lists++ % kNamedEvery == 0;
        fields.clear();
        for (const H2Field& field : from) {
            const bool isIndexed = isNamed || !isUnlikeBefore(field.name);
            fields.push_back(pairOf(field.name, field.value));
            if (!isIndexed) {
                fields.back().flags = NGHTTP2_NV_FLAG_NO_INDEX;
            }
        }
    }

private:
    static bool isUnlikeBefore(std::string_view name)
    {
        return name.ends_with("-request-id") || name.ends_with("-latency");
    }

    std::uint32_t m_lists = 0;
};

// Nothing thrown leaves these: what is called does not throw but for memory.
struct H2ServerCodec::Callbacks
{
    // Null: no memory.
    static nghttp2_session_callbacks* make();
    // Of nghttp2_data_provider.
    static ssize_t readBody(
        nghttp2_session*,
        std::int32_t,
        std::uint8_t*,
        std::size_t length,
        std::uint32_t* flags,
        nghttp2_data_source* source,
        void* user
    );

private:
    static H2ServerCodec& codec(void* user);
    static int onBeginFrame(nghttp2_session* session, const nghttp2_frame_hd* frame, void* user);
    static int onBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user);
    static int onHeader(
        nghttp2_session*,
        const nghttp2_frame*,
        const std::uint8_t* name,
        std::size_t nameLength,
        const std::uint8_t* value,
        std::size_t valueLength,
        std::uint8_t,
        void* user
    );
    static int onFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user);
    static int onData(
        nghttp2_session* session,
        std::uint8_t,
        std::int32_t stream,
        const std::uint8_t* data,
        std::size_t length,
        void* user
    );
    static int onClose(
        nghttp2_session* session, std::int32_t stream, std::uint32_t code, void* user
    );
    static int onInvalid(nghttp2_session*, const nghttp2_frame* frame, int error, void* user);
    static int onSent(nghttp2_session* session, const nghttp2_frame* frame, void* user);
    static int sendBody(
        nghttp2_session*,
        nghttp2_frame*,
        const std::uint8_t* frameHead,
        std::size_t length,
        nghttp2_data_source* source,
        void* user
    );
};

} // namespace mesh::http
