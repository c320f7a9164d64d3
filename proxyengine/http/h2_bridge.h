#pragma once

#include "proxyengine/http/chunked.h"
#include "proxyengine/http/head.h"
#include "proxyengine/http/parser.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// HTTP/2 messages told as HTTP/1.1 and back: pure translation, no session, no sockets.
//
//   what the peer sends (HTTP/2)       H2HeadReader    -> head text    H1BodyWriter -> body text
//   what the driver says (HTTP/1.1)    H1MessageReader -> fields, data, trailers, end
//
// A server's session reads requests with the first pair and answers with the second; a client's
// session does the same with the roles changed. A WebSocket is an extended CONNECT on the HTTP/2
// side (RFC 8441) and an upgrade on the other: `:method CONNECT, :protocol websocket` and
// `GET, Upgrade: websocket`; `:status 200` and `101`; raw bytes behind both.
// Source: RFC 9113, 8; RFC 9110, 7.6; RFC 9112, 6.
namespace mesh::http {

enum class MessageRole : std::uint8_t { Request, Response };

// Why a field list is no message. Each ends its stream with PROTOCOL_ERROR but TooLarge, which a
// server answers with 431.
enum class H2Fault : std::uint8_t {
    None,
    BadName, // Empty, upper case, not a token.
    BadValue, // NUL, CR, LF, other control characters, blanks at an end.
    UnknownPseudoField,
    RepeatedPseudoField,
    LatePseudoField, // Behind a regular field, or in trailers.
    MissingPseudoField,
    BadPseudoField, // A :path that is none, a :status that is no number, :scheme of another kind.
    ConnectionField, // connection, keep-alive, proxy-connection, transfer-encoding, upgrade.
    BadTe, // Other than "trailers".
    BadContentLength, // Malformed, twice and different, beside an end without a body.
    HostDisagrees, // With :authority.
    BadConnect, // Plain CONNECT, or a :protocol other than websocket or without CONNECT.
    BodyDisagrees, // More or fewer bytes than content-length said.
    TooLarge, // kHeadBytesMax, kHeadersMax, kTargetBytesMax, kTrailerBytesMax.
};
[[nodiscard]] std::string_view toText(H2Fault fault); // For logs: "upper case in a field name".

enum class StreamEnds : std::uint8_t { No, Yes }; // Whether END_STREAM stood on the frame.

// Gives memory back beyond what usual messages take, and the text with it.
void trimText(std::string& text);

// Turns one field list, field by field as it is decoded, into the text of a head or of trailers.
//
//   begin...() -> add() for each -> finish(); text() until the next begin
//
// Framing: content-length as given; without one, and with a body to come, chunked. A list that
// announces trailers (`trailer`, or a content-type of gRPC) is chunked in any case, because behind
// a content-length HTTP/1.1 has no trailers. Cookies are joined. Hop-by-hop fields do not pass;
// `te: trailers` does, as TE with its Connection.
// Cost: the text keeps its room between messages; names and values are copied once.
class H2HeadReader
{
public:
    void beginRequest();
    // `request`: what is answered. HEAD has no body; Connect means that we asked for a WebSocket,
    // whose 2xx becomes 101 with this Sec-WebSocket-Accept.
    void beginResponse(Method request, std::string_view webSocketAccept = {});
    void beginTrailers();

    // False: malformed; fault() says why, and further fields are ignored.
    bool add(std::string_view name, std::string_view value);
    // Completes the text. An extended CONNECT gets `webSocketKey` as its Sec-WebSocket-Key.
    bool finish(StreamEnds ends, std::string_view webSocketKey = kAnyWebSocketKey);

    [[nodiscard]] H2Fault fault() const { return m_fault; }
    // The head with its empty line; of trailers the field lines alone, for H1BodyWriter::end().
    [[nodiscard]] std::string_view text() const { return m_text; }
    [[nodiscard]] const BodyFraming& framing() const { return m_framing; } // Of the text's body.
    // What content-length said of the body that follows, even where it is framed as chunks.
    [[nodiscard]] std::optional<std::uint64_t> announced() const { return m_length; }
    [[nodiscard]] bool isInterim() const
    {
        return m_status >= 100 && m_status < 200 && !m_isTunnel;
    }
    [[nodiscard]] int status() const { return m_status; } // As received; 0 in requests.
    [[nodiscard]] Method method() const { return m_method; } // As in the text: a tunnel is a Get.
    // Raw bytes follow: UntilClose in both directions.
    [[nodiscard]] bool isTunnel() const { return m_isTunnel; }
    void swapText(std::string& other) { m_text.swap(other); } // Saves a copy of it.
    // Gives memory back beyond what a usual head takes; text() is lost then.
    void trim();

    // A key for peers that need one and do not look at it (RFC 8441 has none): base64 of 16 bytes.
    static constexpr std::string_view kAnyWebSocketKey = "AAAAAAAAAAAAAAAAAAAAAA==";

private:
    enum class Kind : std::uint8_t { Request, Response, Trailers };
    enum Pseudo : std::uint8_t {
        kMethod,
        kScheme,
        kAuthority,
        kPath,
        kProtocol,
        kStatus,
        kPseudos
    };
    struct Range
    {
        std::uint32_t at = 0;
        std::uint32_t length = 0;
    };

    void begin(Kind kind);
    bool refuse(H2Fault fault);
    bool addPseudo(std::string_view name, std::string_view value);
    bool addRegular(std::string_view name, std::string_view value);
    bool addSpecial(HeaderId id, std::string_view name, std::string_view value);
    bool addHost(std::string_view value);
    bool addLength(std::string_view value);
    bool closePseudo();
    bool writeRequestStart();
    bool writeResponseStart();
    void appendField(std::string_view name, std::string_view value);
    void finishRequest(StreamEnds ends, std::string_view webSocketKey);
    void finishResponse(StreamEnds ends);
    [[nodiscard]] bool isBodiless() const;
    [[nodiscard]] std::string_view pseudo(Pseudo which) const
    {
        return std::string_view(m_pseudoText).substr(m_pseudo[which].at, m_pseudo[which].length);
    }

    std::string m_text;
    std::string m_pseudoText; // Values of the pseudo-fields, until the first line is written.
    std::string m_cookies; // Joined (RFC 9113, 8.2.3).
    std::string m_accept;
    std::array<Range, kPseudos> m_pseudo{};
    Range m_host; // Within m_text.
    BodyFraming m_framing;
    std::optional<std::uint64_t> m_length;
    std::size_t m_listBytes = 0; // As RFC 9113, 6.5.2 counts them.
    std::size_t m_fieldCount = 0;
    int m_status = 0;
    Kind m_kind = Kind::Request;
    Method m_method = Method::Get;
    H2Fault m_fault = H2Fault::None;
    std::uint8_t m_seen = 0; // A bit per pseudo-field.
    bool m_isStartWritten = false;
    bool m_isTunnel = false;
    bool m_hasHost = false;
    bool m_hasTrailersToCome = false;
    bool m_acceptsTrailers = false;
};

// The Sec-WebSocket-Accept that answers this Sec-WebSocket-Key. Source: RFC 6455, 4.2.2.
[[nodiscard]] std::string webSocketAcceptOf(std::string_view key);

// Puts body bytes of a stream into HTTP/1.1 framing and holds them to their content-length.
class H1BodyWriter
{
public:
    // `announced`: the content-length of a body that is framed as chunks, when it had one.
    void start(const BodyFraming& framing, std::optional<std::uint64_t> announced = std::nullopt)
    {
        const bool isChunked = framing.kind == BodyFraming::Kind::Chunked;
        m_framing = framing.kind;
        m_isCounted = framing.kind == BodyFraming::Kind::Length || (isChunked && announced);
        m_left = isChunked ? announced.value_or(0) : framing.length;
    }

    // Data as it arrives, before any is written. False: more than content-length said.
    [[nodiscard]] bool receive(std::size_t count);
    // The stream ended. False: fewer than content-length said.
    [[nodiscard]] bool isComplete() const;
    [[nodiscard]] bool hasEnd() const { return m_framing == BodyFraming::Kind::Chunked; }

    struct Written
    {
        std::size_t taken = 0; // Of the data.
        std::size_t written = 0; // Into the room.
    };
    // As much of the data as fits, as one chunk or as it is. Takes nothing when the room is below
    // kRoomMin and the body is chunked.
    [[nodiscard]] Written write(std::string_view data, std::span<char> room) const;
    // For a room below kRoomMin: puts a chunk of a few bytes into `text`, which can be handed on in
    // pieces. How much of the data it took.
    [[nodiscard]] static std::size_t stage(std::string_view data, std::string& text);
    // What stands behind all data: the last chunk with these trailer lines (of H2HeadReader), or
    // nothing. Trailers behind a content-length are dropped.
    void end(std::string_view trailers, std::string& text) const;

    static constexpr std::size_t kRoomMin = kChunkHeadMax + 3;

private:
    BodyFraming::Kind m_framing = BodyFraming::Kind::None;
    bool m_isCounted = false; // How many bytes there will be is known.
    std::uint64_t m_left = 0; // To be received, when that is known.
};

// One field for nghttp2: views that live until the next step of the reader.
struct H2Field
{
    std::string_view name; // Lower case.
    std::string_view value;
};

// Where heads are parsed; large, so one serves all streams of a session or worker.
struct H1HeadRoom
{
    RequestHead request;
    ResponseHead response;
    std::vector<H2Field> fields;
    std::string names; // Lower-cased.
};

// Reads what the driver writes, message after message of one role, and says what it means in
// HTTP/2. Incremental: bytes come in any pieces.
//
//   Head (interim ones first) -> Data ... -> Trailers, if any -> End -> Head of the next ...
//
// Names are lower-cased, hop-by-hop fields left out, Host becomes :authority, framing disappears
// (content-length stays). An upgrade to WebSocket becomes an extended CONNECT and its 101 a 200;
// then Data until the driver ends. Other upgrades are refused.
class H1MessageReader
{
public:
    H1MessageReader(MessageRole role, H1HeadRoom& room)
        : m_room(&room)
        , m_role(role)
    {}

    enum class Event : std::uint8_t {
        NeedMore, // All that was given is used: what is unfinished of it is kept.
        Head, // fields(), status() or method(), endsWithHead().
        Data, // `data`: a view into what was given, at least one byte.
        Trailers, // fields(). Only before End.
        End, // The message is whole. What follows is the next.
        Refused, // Not proper HTTP/1.1: a fault of ours, or of an upstream's body. reason().
    };
    struct Step
    {
        Event event = Event::NeedMore;
        std::size_t consumed = 0; // Of the bytes given, `data` included.
        std::string_view data;
    };
    // Call until NeedMore or Refused, passing on what was not consumed.
    [[nodiscard]] Step next(std::string_view bytes);

    // Responses: the method of the next request, before its answer. `scheme` of requests.
    void expect(Method request) { m_request = request; }
    void setScheme(std::string_view scheme) { m_scheme = scheme; } // A literal; "http" by default.

    [[nodiscard]] std::span<const H2Field> fields() const { return m_room->fields; }
    [[nodiscard]] int status() const { return m_status; } // As in HTTP/2: 200 for a tunnel's 101.
    [[nodiscard]] Method method() const { return m_method; } // Of a request; Connect for a tunnel.
    [[nodiscard]] bool isInterim() const { return m_isInterim; }
    [[nodiscard]] bool isTunnel() const { return m_isTunnel; }
    [[nodiscard]] bool endsWithHead() const { return m_endsWithHead; } // No body, no trailers.
    // Of a tunnel's request, for the Sec-WebSocket-Accept of its answer; valid at Head.
    [[nodiscard]] std::string_view webSocketKey() const { return m_webSocketKey; }
    // Content bytes still owed after Head when the length is known.
    [[nodiscard]] std::optional<std::uint64_t> bytesLeft() const;
    // The driver ended its direction. True when that is the proper end of the message.
    [[nodiscard]] bool endByClose();
    // Between two messages: nothing of the next has come.
    [[nodiscard]] bool isIdle() const
    {
        return m_state == State::Head && (m_partial.empty() || m_isPartialUsed);
    }
    void reset(); // As if a new connection began.
    void trim(); // Between two messages: gives memory back beyond what usual ones take.
    [[nodiscard]] const char* reason() const { return m_reason; }

private:
    enum class State : std::uint8_t { Head, Length, Chunked, Raw, End, Bad };

    Step refuse(const char* reason);
    Step readHead(std::string_view bytes);
    Step readChunked(std::string_view bytes);
    Step endOfChunks(std::size_t consumed);
    bool takeRequest();
    bool takeResponse();
    void startBody(const BodyFraming& framing);
    void copyFields(const FieldTable& table);
    void addField(std::string_view name, std::string_view value);
    [[nodiscard]] std::string_view lowered(std::string_view name);

    H1HeadRoom* m_room;
    std::string m_partial; // An unfinished head, or line of a chunked body.
    std::string m_trailerText; // Lines collected for Trailers.
    std::string_view m_scheme = "http";
    std::string_view m_webSocketKey;
    const char* m_reason = "";
    ChunkedDecoder m_decoder{ChunkedDecoder::Mode::Strip};
    std::uint64_t m_left = 0;
    int m_status = 0;
    MessageRole m_role;
    Method m_method = Method::Get;
    Method m_request = Method::Get;
    State m_state = State::Head;
    bool m_isPartialUsed = false; // Its head is done; the views into it live one step longer.
    bool m_isInterim = false;
    bool m_isTunnel = false;
    bool m_endsWithHead = false;
};

} // namespace mesh::http
