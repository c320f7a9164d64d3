#include "proxyengine/http/client_streams.h"

#include "proxyengine/http/h2_field_list.h"

#include <utility>

namespace mesh::http {
namespace {

Error errorFor(H2Outcome outcome)
{
    switch (outcome) {
    case H2Outcome::Malformed:
        return {ErrorCode::Protocol, "the answer is not proper HTTP/2", {}, 0, SourcePlace::here()};
    case H2Outcome::Unprocessed:
        return {
            ErrorCode::Reset,
            "the server did not begin with the request",
            {},
            0,
            SourcePlace::here()};
    case H2Outcome::Reset:
    case H2Outcome::Whole:
        break;
    }
    return {
        ErrorCode::Reset,
        "the server ended the request before its answer was complete",
        {},
        0,
        SourcePlace::here()};
}

H2FieldList fieldsOf(const Call& call, std::string_view scheme)
{
    const Request& request = call.request;
    const bool isUnix = call.address.family() == net::SocketAddress::Family::Unix;
    const std::string address = isUnix ? std::string("localhost") : call.address.toText();
    H2FieldList list;
    list.add(":method", request.method);
    list.add(":scheme", std::string(scheme));
    list.add(":authority", std::string(findHeader(request.headers, "host").value_or(address)));
    list.add(":path", request.target);
    list.addAll(request.headers);
    const Method method = methodOf(request.method);
    const bool usuallyHasBody =
        method == Method::Post || method == Method::Put || method == Method::Patch;
    if (!request.body.empty() || usuallyHasBody) {
        list.add("content-length", std::to_string(request.body.size()));
    }
    return list;
}

} // namespace

ClientStreams::ClientStreams(Client::State& client, std::string_view scheme)
    : m_client(client)
    , m_scheme(scheme)
{}

Result<std::unique_ptr<ClientStreams>> ClientStreams::make(
    Client::State& client, std::string_view scheme
)
{
    std::unique_ptr<ClientStreams> made(new ClientStreams(client, scheme));
    MESH_TRY(made->m_codec, H2ClientCodec::make(*made));
    return made;
}

bool ClientStreams::begin(const PendingCall& call)
{
    auto stream = std::make_unique<Stream>(call.id);
    stream->wasKept = m_hasAnswered;
    const H2FieldList list = fieldsOf(call.call, m_scheme);
    const auto number = m_codec->submit(
        list.fields(), methodOf(call.call.request.method), call.call.request.body, stream.get()
    );
    if (!number) {
        return false;
    }
    stream->number = *number;
    m_calls.insert_or_assign(call.id, std::move(stream));
    return true;
}

void ClientStreams::drop(CallId id)
{
    const auto found = m_calls.find(id);
    if (found != m_calls.end()) {
        m_codec->cancel(found->second->number);
        m_calls.erase(found);
    }
}

std::vector<ClientStreams::Left> ClientStreams::abandon()
{
    m_isAbandoned = true;
    std::vector<Left> left;
    for (const auto& [id, stream] : m_calls) {
        left.push_back({id, stream->hasHead, stream->wasKept});
    }
    m_calls.clear();
    return left;
}

void ClientStreams::onHead(void* user, const H2HeadReader& head)
{
    if (m_isAbandoned) {
        return;
    }
    Stream& stream = *static_cast<Stream*>(user);
    PendingCall* call = m_client.find(stream.id);
    m_parser.reset();
    if (call == nullptr
        || m_parser.parse(head.text(), methodOf(call->call.request.method), m_head)
               != ParseStatus::Done) {
        return; // The reader writes proper heads.
    }
    m_hasAnswered = true;
    stream.hasHead = true;
    stream.response.status = m_head.status;
    for (const FieldPlace& field : m_head.fields) {
        stream.response.headers.push_back(
            {std::string(m_head.fields.name(field)), std::string(m_head.fields.value(field))}
        );
    }
    if (!call->onResponse) {
        call->deadline->cancel();
        if (call->stream.onHead) {
            const auto onHead = call->stream.onHead; // The call may end in it.
            const Response response = stream.response;
            onHead(response.status, response.headers);
        }
    }
}

void ClientStreams::onData(void* user, std::string_view data)
{
    if (m_isAbandoned) {
        return;
    }
    Stream& stream = *static_cast<Stream*>(user);
    const PendingCall* call = m_client.find(stream.id);
    if (call == nullptr) {
        return;
    }
    if (!call->onResponse) {
        if (call->stream.onBytes && !data.empty()) {
            const auto onBytes = call->stream.onBytes;
            onBytes(data);
        }
        return;
    }
    if (stream.response.body.size() + data.size() > m_client.options.bodyBytesMax) {
        const CallId id = stream.id;
        drop(id);
        m_client.finish(id, fail(ErrorCode::LimitExceeded, "the answer is larger than its limit"));
        return;
    }
    stream.response.body.append(data);
}

void ClientStreams::onClosed(void* user, H2Outcome outcome)
{
    if (m_isAbandoned) {
        return;
    }
    const CallId id = static_cast<const Stream*>(user)->id;
    auto node = m_calls.extract(id);
    PendingCall* call = m_client.find(id);
    if (node.empty() || call == nullptr) {
        return;
    }
    if (outcome == H2Outcome::Whole) {
        m_client.finish(id, std::move(node.mapped()->response));
    } else if (outcome == H2Outcome::Unprocessed && !call->wasSentAgain) {
        call->wasSentAgain = true;
        call->connection = nullptr;
        m_client.begin(id);
    } else {
        m_client.finish(id, tl::unexpected(errorFor(outcome)));
    }
}

} // namespace mesh::http
