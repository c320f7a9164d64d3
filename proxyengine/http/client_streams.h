#pragma once

#include "proxyengine/http/client_connection.h"
#include "proxyengine/http/h2_client_codec.h"
#include "proxyengine/http/parser.h"

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::http {

// The calls of one HTTP/2 connection of the small client, without its socket. Outcomes are told to
// the client's state from receive(); what is to be sent waits for fill().
class ClientStreams final : private H2ClientHandler
{
public:
    // Errors: Overloaded when memory is short.
    [[nodiscard]] static Result<std::unique_ptr<ClientStreams>> make(
        Client::State& client, std::string_view scheme
    );

    // Sends a call; takesMore() must hold. False: the connection takes none any more.
    [[nodiscard]] bool begin(const PendingCall& call);
    void drop(CallId id); // The stream is reset; its call hears nothing.

    [[nodiscard]] bool receive(std::string_view bytes, TimePoint now)
    {
        return m_codec->receive(bytes, now);
    }
    void fill(std::string& out, std::size_t most) { m_codec->fill(out, most); }
    [[nodiscard]] bool takesMore() const { return m_codec->takesMore(); }
    [[nodiscard]] bool isRetired() const { return m_codec->isRetired(); }
    [[nodiscard]] bool isOver() const { return m_codec->isOver(); }
    [[nodiscard]] bool isEmpty() const { return m_calls.empty(); }
    [[nodiscard]] std::string_view failure() const { return m_codec->failure(); }

    // A call that has no outcome.
    struct Left
    {
        CallId id;
        bool hasHead = false;
        bool wasKept = false; // The connection had answered before it took this one.
    };
    // The connection is lost: says no more, and whom it leaves.
    [[nodiscard]] std::vector<Left> abandon();

private:
    struct Stream
    {
        explicit Stream(CallId call)
            : id(call)
        {}
        CallId id;
        std::int32_t number = 0;
        Response response;
        bool hasHead = false;
        bool wasKept = false;
    };

    ClientStreams(Client::State& client, std::string_view scheme);
    void onHead(void* user, const H2HeadReader& head) override;
    void onData(void* user, std::string_view data) override;
    void onClosed(void* user, H2Outcome outcome) override;

    Client::State& m_client; // Not looked at after abandon().
    std::string_view m_scheme;
    std::unique_ptr<H2ClientCodec> m_codec;
    std::map<CallId, std::unique_ptr<Stream>> m_calls;
    ResponseParser m_parser;
    ResponseHead m_head;
    bool m_hasAnswered = false;
    bool m_isAbandoned = false;
};

} // namespace mesh::http
