#include "proxyengine/http/server_streams.h"

#include "proxyengine/base/log.h"
#include "proxyengine/http/h2_field_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace mesh::http {

// One request and its answer.
struct ServerStreams::Stream final : AnswerSink
{
    Stream(ServerStreams& streams, std::int32_t number)
        : all(streams)
        , id(number)
    {}

    void sendWhole(const Response& response) override
    {
        all.submit(*this, response);
        all.m_owner.onWantsWrite();
    }
    void beginStream(int status, const Headers& headers) override
    {
        link->hasBegun = true;
        all.submitHead(*this, status, headers, std::nullopt);
        all.m_owner.onWantsWrite();
    }
    void writeStream(std::string_view bytes) override
    {
        if (bytes.empty() || isHead) {
            return;
        }
        append(bytes);
        all.m_codec->resume(id);
        all.m_owner.onWantsWrite();
    }
    void endStream() override
    {
        all.finish(*this);
        all.m_codec->resume(id);
        all.m_owner.onWantsWrite();
    }
    void reset() override
    {
        all.finish(*this);
        all.m_codec->reset(id, H2Error::Internal);
        all.m_owner.onWantsWrite();
    }
    [[nodiscard]] std::size_t pendingBytes() const override { return out.size() - outAt; }

    void append(std::string_view bytes)
    {
        out.erase(0, std::exchange(outAt, 0));
        out.append(bytes);
        all.m_answerBytes += bytes.size();
    }

    ServerStreams& all;
    const std::int32_t id;
    Request request;
    H1BodyWriter length; // Holds the body to its content-length.
    std::shared_ptr<Responder::Link> link; // While a responder owes the answer.
    std::optional<Response> refusal; // Instead of handing the request out.
    std::string out;
    std::size_t outAt = 0;
    bool isHead = false; // The method's answers have no body.
    bool isWhole = false; // The request has ended.
    bool isQueued = false; // Or was handed out.
    bool isAnswered = false; // `out` is all there will be.
};

ServerStreams::ServerStreams(ServerStreamsOwner& owner, std::size_t bodyBytesMax, TimePoint now)
    : m_owner(owner)
    , m_bytesMax(bodyBytesMax)
    , m_now(now)
    , m_progressAt(now)
{}

ServerStreams::~ServerStreams()
{
    for (auto& [id, stream] : m_streams) {
        if (stream->link) {
            stream->link->sink = nullptr;
        }
    }
}

Result<std::unique_ptr<ServerStreams>> ServerStreams::make(
    ServerStreamsOwner& owner,
    std::size_t bodyBytesMax,
    TimePoint now,
    std::optional<Response> refusal
)
{
    std::unique_ptr<ServerStreams> made(new ServerStreams(owner, bodyBytesMax, now));
    made->m_refusal = std::move(refusal);
    MESH_TRY(made->m_codec, H2ServerCodec::make(*made));
    return made;
}

bool ServerStreams::receive(std::string_view bytes, TimePoint now)
{
    m_now = now;
    return m_codec->receive(bytes, now);
}

std::size_t ServerStreams::fill(std::span<char> room, TimePoint now)
{
    m_now = now;
    return m_codec->fill(room);
}

void ServerStreams::leave() { m_codec->goAway(); }

void ServerStreams::stop(H2Error code) { m_codec->terminate(code); }

void ServerStreams::lose()
{
    m_isLost = true;
    std::vector<std::function<void()>> gone = std::exchange(m_gone, {});
    for (auto& [id, stream] : m_streams) {
        if (const auto link = std::exchange(stream->link, nullptr)) {
            link->sink = nullptr;
            link->onDrained = nullptr;
            gone.push_back(std::exchange(link->onGone, nullptr));
        }
    }
    for (const auto& onGone : gone) {
        if (onGone) {
            onGone();
        }
    }
}

bool ServerStreams::waitsForClient() const
{
    return std::ranges::any_of(m_streams, [](const auto& entry) {
        const Stream& stream = *entry.second;
        return !stream.isWhole || stream.isAnswered;
    });
}

ServerStreams::Stream* ServerStreams::find(std::int32_t id)
{
    const auto found = m_streams.find(id);
    return found == m_streams.end() ? nullptr : found->second.get();
}

void* ServerStreams::onRequest(std::int32_t stream, H2HeadReader& head, StreamEnds ends)
{
    m_progressAt = m_now;
    Stream& opened =
        *m_streams.emplace(stream, std::make_unique<Stream>(*this, stream)).first->second;
    opened.length.start(head.framing(), head.announced());
    opened.isHead = head.method() == Method::Head;
    m_parser.reset();
    if (m_refusal) {
        opened.refusal = m_refusal;
    } else if (head.isTunnel()) {
        refuse(opened, 501, "No WebSocket here");
    } else if (m_parser.parse(head.text(), m_head) != ParseStatus::Done) {
        refuse(opened, m_parser.refusal().status, m_parser.refusal().reason);
    } else {
        opened.request = toRequest(m_head);
        const std::uint64_t announced = head.announced().value_or(0);
        if (announced > m_bytesMax - std::min(m_bytesMax, m_requestBytes)) {
            refuse(opened, 413, "Payload too large");
        } else if (m_head.expectsContinue && ends == StreamEnds::No) {
            const std::array<H2Field, 1> interim = {{{":status", "100"}}};
            m_codec->submitInterim(stream, interim);
        }
    }
    if (opened.refusal && !opened.isQueued) {
        opened.isQueued = true;
        m_ready.push_back(stream);
    }
    return &opened;
}

// The answer waits for deliver(), because the codec knows the stream only when its head is taken.
void ServerStreams::refuse(Stream& stream, int status, std::string_view reason)
{
    Response refusal{status, {}, fmt::format("{{\"message\":\"{}\"}}", reason)};
    refusal.headers.push_back({"Content-Type", "application/json; charset=utf-8"});
    stream.refusal = std::move(refusal);
    m_requestBytes -= stream.request.body.size();
    stream.request = {};
    if (!stream.isQueued) {
        stream.isQueued = true;
        m_ready.push_back(stream.id);
    }
}

void ServerStreams::onData(void* user, std::string_view data)
{
    Stream& stream = *static_cast<Stream*>(user);
    m_codec->consume(stream.id, data.size());
    if (!stream.length.receive(data.size())) {
        m_codec->spoil(stream.id, toText(H2Fault::BodyDisagrees));
        return;
    }
    if (stream.refusal) {
        return; // Thrown away; the answer is on its way.
    }
    m_progressAt = m_now;
    if (data.size() > m_bytesMax - std::min(m_bytesMax, m_requestBytes)) {
        refuse(stream, 413, "Payload too large");
        return;
    }
    stream.request.body.append(data);
    m_requestBytes += data.size();
}

void ServerStreams::onTrailers(void* /*user*/, std::string_view /*lines*/) {} // As of HTTP/1.1.

void ServerStreams::onEnd(void* user)
{
    Stream& stream = *static_cast<Stream*>(user);
    m_progressAt = m_now;
    if (!stream.length.isComplete()) {
        m_codec->spoil(stream.id, toText(H2Fault::BodyDisagrees));
        return;
    }
    stream.isWhole = true;
    if (!stream.isQueued) {
        stream.isQueued = true;
        m_ready.push_back(stream.id);
    }
}

void ServerStreams::onClosed(void* user, std::uint32_t /*code*/)
{
    Stream& stream = *static_cast<Stream*>(user);
    m_progressAt = m_now;
    m_requestBytes -= stream.request.body.size();
    m_answerBytes -= stream.pendingBytes();
    if (const auto link = std::exchange(stream.link, nullptr)) {
        link->sink = nullptr;
        link->onDrained = nullptr;
        if (link->onGone) {
            m_gone.push_back(std::exchange(link->onGone, nullptr));
        }
    }
    m_streams.erase(stream.id);
}

H2ServerHandler::Offer ServerStreams::offer(void* user, std::size_t most)
{
    const Stream& stream = *static_cast<const Stream*>(user);
    const std::size_t count = std::min(most, stream.pendingBytes());
    return {count, stream.isAnswered && count == stream.pendingBytes(), false};
}

void ServerStreams::copyBody(void* user, std::span<char> out)
{
    Stream& stream = *static_cast<Stream*>(user);
    std::ranges::copy(std::string_view(stream.out).substr(stream.outAt, out.size()), out.begin());
    stream.outAt += out.size();
    m_answerBytes -= out.size();
    m_progressAt = m_now;
    if (stream.pendingBytes() == 0 && stream.link) {
        m_drained.push_back(stream.id);
    }
}

// An answer that came before the end of its request: the rest of it is not wanted.
void ServerStreams::onEndSent(void* user)
{
    const Stream& stream = *static_cast<const Stream*>(user);
    if (!stream.isWhole) {
        m_codec->reset(stream.id, H2Error::NoError);
    }
}

void ServerStreams::onLimit(H2Limit limit)
{
    MESH_LOG(Warn, "http2.limit", kv("limit", toText(limit)));
}

void ServerStreams::onProtocolError(std::string_view reason)
{
    MESH_LOG(Debug, "http2.malformed", kv("reason", reason));
}

bool ServerStreams::hasNews() const
{
    const bool canDispatch = !m_ready.empty() && m_answerBytes < m_bytesMax;
    return !m_isLost && (!m_gone.empty() || !m_drained.empty() || canDispatch);
}

void ServerStreams::deliver()
{
    for (const auto& onGone : std::exchange(m_gone, {})) {
        onGone();
    }
    for (const std::int32_t id : std::exchange(m_drained, {})) {
        const Stream* stream = m_isLost ? nullptr : find(id);
        if (stream != nullptr && stream->link && stream->link->onDrained) {
            const auto onDrained = stream->link->onDrained; // May be replaced while it runs.
            onDrained();
        }
    }
    while (!m_isLost && !m_ready.empty() && m_answerBytes < m_bytesMax) {
        const std::int32_t id = m_ready.front();
        m_ready.pop_front();
        if (Stream* stream = find(id)) {
            dispatch(*stream);
        }
    }
}

void ServerStreams::dispatch(Stream& stream)
{
    if (stream.refusal) {
        submit(stream, *stream.refusal);
        if (m_refusal) {
            leave();
        }
        return;
    }
    m_requestBytes -= stream.request.body.size();
    Request request = std::exchange(stream.request, {});
    stream.link = std::make_shared<Responder::Link>();
    stream.link->sink = &stream;
    m_owner.onRequest(std::move(request), Responder(stream.link));
}

void ServerStreams::submit(Stream& stream, const Response& response)
{
    if (submitHead(stream, response.status, response.headers, response.body.size())) {
        stream.append(response.body);
    }
    finish(stream);
}

// The fields that may stand in a head, and what this server adds.
bool ServerStreams::submitHead(
    Stream& stream, int status, const Headers& headers, std::optional<std::size_t> length
)
{
    H2FieldList list;
    list.add(":status", std::to_string(status));
    list.addAll(headers);
    const bool hasNoBody = status == 204 || status == 304;
    if (length && !hasNoBody) {
        list.add("content-length", std::to_string(*length));
    }
    const bool isEmpty = hasNoBody || stream.isHead || length == std::size_t{0};
    m_codec->submitResponse(
        stream.id, list.fields(), isEmpty ? H2ServerCodec::Body::None : H2ServerCodec::Body::Follows
    );
    return !isEmpty;
}

// The answer is complete, as far as its responder is concerned.
void ServerStreams::finish(Stream& stream)
{
    stream.isAnswered = true;
    if (const auto link = std::exchange(stream.link, nullptr)) {
        link->sink = nullptr;
        link->onGone = nullptr;
        link->onDrained = nullptr;
    }
}

} // namespace mesh::http
