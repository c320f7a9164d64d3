#include "proxyengine/base/hash.h"
#include "proxyengine/http/characters.h"
#include "proxyengine/http/h2_bridge.h"
#include "proxyengine/http/head_writer.h"

#include <algorithm>
#include <charconv>

// From HTTP/2's field lists to HTTP/1.1's text.
namespace mesh::http {
namespace {

constexpr std::size_t kListBytesMax = kHeadBytesMax - 1024; // We add a few lines of our own.
constexpr std::size_t kFieldCountMax = kHeadersMax - 8;
constexpr std::string_view kTunnelLines = "connection: Upgrade\r\nupgrade: websocket\r\n";
constexpr std::string_view kSecWebSocketAccept = "sec-websocket-accept";

constexpr std::array<std::string_view, 6> kPseudoNames = {
    ":method", ":scheme", ":authority", ":path", ":protocol", ":status"};

bool isLowerName(std::string_view name)
{
    return !name.empty() && std::ranges::all_of(name, [](char c) {
        return isTokenCharacter(c) && (c < 'A' || c > 'Z');
    });
}

bool isCleanValue(std::string_view value)
{
    return isFieldValue(value) && trimmed(value).size() == value.size();
}

std::optional<std::uint64_t> lengthOf(std::string_view text)
{
    constexpr std::size_t kDigitsMax = 18;
    std::uint64_t length = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), length);
    const bool isWhole = status == std::errc() && end == text.data() + text.size();
    return isWhole && text.size() <= kDigitsMax ? std::optional(length) : std::nullopt;
}

} // namespace

void trimText(std::string& text)
{
    constexpr std::size_t kKeptBytes = 4096; // By an idle reader or stream, for the next.
    if (text.capacity() > kKeptBytes) {
        std::string().swap(text); // Assigning an empty one keeps the room.
    }
}

std::string_view toText(H2Fault fault)
{
    switch (fault) {
    case H2Fault::None:
        return "none";
    case H2Fault::BadName:
        return "malformed field name";
    case H2Fault::BadValue:
        return "malformed field value";
    case H2Fault::UnknownPseudoField:
        return "unknown pseudo-field";
    case H2Fault::RepeatedPseudoField:
        return "repeated pseudo-field";
    case H2Fault::LatePseudoField:
        return "pseudo-field behind a regular one";
    case H2Fault::MissingPseudoField:
        return "missing pseudo-field";
    case H2Fault::BadPseudoField:
        return "malformed pseudo-field";
    case H2Fault::ConnectionField:
        return "connection-specific field";
    case H2Fault::BadTe:
        return "te other than trailers";
    case H2Fault::BadContentLength:
        return "malformed content-length";
    case H2Fault::HostDisagrees:
        return "host disagrees with :authority";
    case H2Fault::BadConnect:
        return "CONNECT that is no WebSocket";
    case H2Fault::BodyDisagrees:
        return "body disagrees with content-length";
    case H2Fault::TooLarge:
        return "field list too large";
    }
    return "";
}

void H2HeadReader::begin(Kind kind)
{
    m_text.clear();
    m_pseudoText.clear();
    m_cookies.clear();
    m_accept.clear();
    m_host = {};
    m_framing = {};
    m_length.reset();
    m_listBytes = 0;
    m_fieldCount = 0;
    m_status = 0;
    m_kind = kind;
    m_method = Method::Get;
    m_fault = H2Fault::None;
    m_seen = 0;
    m_isStartWritten = false;
    m_isTunnel = false;
    m_hasHost = false;
    m_hasTrailersToCome = false;
    m_acceptsTrailers = false;
}

void H2HeadReader::beginRequest() { begin(Kind::Request); }

void H2HeadReader::beginResponse(Method request, std::string_view webSocketAccept)
{
    begin(Kind::Response);
    m_method = request;
    m_accept = webSocketAccept;
}

void H2HeadReader::beginTrailers() { begin(Kind::Trailers); }

bool H2HeadReader::refuse(H2Fault fault)
{
    m_fault = fault;
    return false;
}

bool H2HeadReader::add(std::string_view name, std::string_view value)
{
    if (m_fault != H2Fault::None) {
        return false;
    }
    constexpr std::size_t kOverhead = 32; // Of each field in the count of RFC 9113, 6.5.2.
    m_listBytes += name.size() + value.size() + kOverhead;
    const std::size_t most = m_kind == Kind::Trailers ? kTrailerBytesMax : kListBytesMax;
    if (m_listBytes > most || ++m_fieldCount > kFieldCountMax) {
        return refuse(H2Fault::TooLarge);
    }
    if (!isCleanValue(value)) {
        return refuse(H2Fault::BadValue);
    }
    if (!name.empty() && name.front() == ':') {
        return addPseudo(name, value);
    }
    if (!isLowerName(name)) {
        return refuse(H2Fault::BadName);
    }
    return addRegular(name, value);
}

bool H2HeadReader::addPseudo(std::string_view name, std::string_view value)
{
    if (m_isStartWritten || m_kind == Kind::Trailers) {
        return refuse(H2Fault::LatePseudoField);
    }
    const auto found = std::ranges::find(kPseudoNames, name);
    const auto which = static_cast<std::size_t>(found - kPseudoNames.begin());
    const bool isOfResponse = which == kStatus;
    if (found == kPseudoNames.end() || isOfResponse != (m_kind == Kind::Response)) {
        return refuse(H2Fault::UnknownPseudoField);
    }
    const auto bit = static_cast<std::uint8_t>(1U << which);
    if ((m_seen & bit) != 0) {
        return refuse(H2Fault::RepeatedPseudoField);
    }
    m_seen = static_cast<std::uint8_t>(m_seen | bit);
    m_pseudo[which] = {
        static_cast<std::uint32_t>(m_pseudoText.size()), static_cast<std::uint32_t>(value.size())};
    m_pseudoText += value;
    return true;
}

bool H2HeadReader::closePseudo()
{
    if (m_isStartWritten || m_kind == Kind::Trailers) {
        return true;
    }
    m_isStartWritten = true;
    return m_kind == Kind::Request ? writeRequestStart() : writeResponseStart();
}

bool H2HeadReader::writeRequestStart()
{
    const unsigned int seen = m_seen;
    const auto has = [seen](Pseudo which) { return (seen >> which & 1U) != 0; };
    if (!has(kMethod)) {
        return refuse(H2Fault::MissingPseudoField);
    }
    const std::string_view method = pseudo(kMethod);
    if (!isToken(method)) {
        return refuse(H2Fault::BadPseudoField);
    }
    m_method = methodOf(method);
    const bool isConnect = m_method == Method::Connect;
    if (isConnect != has(kProtocol)
        || (isConnect && !equalsIgnoringCase(pseudo(kProtocol), "websocket"))) {
        return refuse(H2Fault::BadConnect);
    }
    if (!has(kScheme) || !has(kPath)) {
        return refuse(H2Fault::MissingPseudoField);
    }
    const std::string_view scheme = pseudo(kScheme);
    const std::string_view path = pseudo(kPath);
    const bool isPath =
        !path.empty() && (path.front() == '/' || (path == "*" && m_method == Method::Options))
        && findControlOrSpace(path.data(), path.data() + path.size()) == path.data() + path.size();
    if (!isPath || (!equalsIgnoringCase(scheme, "http") && !equalsIgnoringCase(scheme, "https"))) {
        return refuse(H2Fault::BadPseudoField);
    }
    m_isTunnel = isConnect;
    m_method = isConnect ? Method::Get : m_method;
    m_text += isConnect ? std::string_view("GET") : method;
    m_text += ' ';
    m_text += path;
    m_text += " HTTP/1.1\r\n";
    const std::string_view authority = has(kAuthority) ? pseudo(kAuthority) : std::string_view();
    return authority.empty() || addHost(authority);
}

bool H2HeadReader::writeResponseStart()
{
    const std::optional<std::uint64_t> status = lengthOf(pseudo(kStatus));
    if ((m_seen >> kStatus & 1U) == 0) {
        return refuse(H2Fault::MissingPseudoField);
    }
    if (!status || pseudo(kStatus).size() != 3 || *status < 100 || *status > 599
        || *status == 101) {
        return refuse(H2Fault::BadPseudoField);
    }
    m_status = static_cast<int>(*status);
    m_isTunnel = m_method == Method::Connect && m_status >= 200 && m_status < 300;
    if (m_isTunnel) {
        m_text += "HTTP/1.1 101 Switching Protocols\r\n";
        m_text += kTunnelLines;
        appendField(kSecWebSocketAccept, m_accept);
        return true;
    }
    if (m_status == 200) {
        m_text += "HTTP/1.1 200 OK\r\n";
        return true;
    }
    m_text += "HTTP/1.1 ";
    m_text += pseudo(kStatus);
    m_text += ' ';
    m_text += reasonOf(m_status);
    m_text += "\r\n";
    return true;
}

void H2HeadReader::appendField(std::string_view name, std::string_view value)
{
    m_text += name;
    m_text += ": ";
    m_text += value;
    m_text += "\r\n";
}

bool H2HeadReader::addRegular(std::string_view name, std::string_view value)
{
    if (!closePseudo()) {
        return false;
    }
    const HeaderId id = headerIdOf(name);
    if (id != HeaderId::Other) {
        return addSpecial(id, name, value);
    }
    if (!m_isTunnel || name != kSecWebSocketAccept) {
        appendField(name, value);
    }
    return true;
}

// Of a name that is looked at.
bool H2HeadReader::addSpecial(HeaderId id, std::string_view name, std::string_view value)
{
    constexpr std::string_view kGrpc = "application/grpc";
    const bool isTrailer = m_kind == Kind::Trailers;
    switch (id) {
    case HeaderId::Connection:
    case HeaderId::KeepAlive:
    case HeaderId::ProxyConnection:
    case HeaderId::TransferEncoding:
    case HeaderId::Upgrade:
        return refuse(H2Fault::ConnectionField);
    case HeaderId::Te:
        if (!equalsIgnoringCase(value, "trailers")) {
            return refuse(H2Fault::BadTe);
        }
        m_acceptsTrailers = true;
        return true;
    case HeaderId::ContentLength:
        return isTrailer || addLength(value);
    case HeaderId::Host:
        return m_kind != Kind::Request || addHost(value);
    case HeaderId::Cookie:
        if (m_kind == Kind::Request) {
            m_cookies += m_cookies.empty() ? std::string_view() : std::string_view("; ");
            m_cookies += value;
            return true;
        }
        break;
    case HeaderId::SecWebSocketKey:
        if (m_isTunnel) {
            return true; // It gets one that our side knows.
        }
        break;
    case HeaderId::Trailer:
        m_hasTrailersToCome = true;
        return true;
    case HeaderId::ContentType:
        m_hasTrailersToCome = m_hasTrailersToCome || value.starts_with(kGrpc);
        break;
    default:
        break;
    }
    appendField(name, value);
    return true;
}

bool H2HeadReader::addHost(std::string_view value)
{
    if (!isHostText(value)) {
        return refuse(m_hasHost ? H2Fault::HostDisagrees : H2Fault::BadPseudoField);
    }
    if (m_hasHost) {
        const std::string_view known = std::string_view(m_text).substr(m_host.at, m_host.length);
        return equalsIgnoringCase(known, value) || refuse(H2Fault::HostDisagrees);
    }
    m_hasHost = true;
    m_text += "host: ";
    m_host = {static_cast<std::uint32_t>(m_text.size()), static_cast<std::uint32_t>(value.size())};
    m_text += value;
    m_text += "\r\n";
    return true;
}

bool H2HeadReader::addLength(std::string_view value)
{
    const std::optional<std::uint64_t> length = lengthOf(value);
    if (!length || (m_length && *m_length != *length)) {
        return refuse(H2Fault::BadContentLength);
    }
    m_length = length;
    return true;
}

bool H2HeadReader::finish(StreamEnds ends, std::string_view webSocketKey)
{
    if (m_fault != H2Fault::None || !closePseudo()) {
        return false;
    }
    if (m_kind == Kind::Trailers) {
        return true;
    }
    if (ends == StreamEnds::Yes && m_length.value_or(0) > 0 && !isBodiless() && !m_isTunnel) {
        return refuse(H2Fault::BadContentLength);
    }
    if (m_kind == Kind::Request) {
        finishRequest(ends, webSocketKey);
    } else {
        finishResponse(ends);
    }
    m_text += "\r\n";
    return true;
}

bool H2HeadReader::isBodiless() const
{
    return m_kind == Kind::Response
           && (m_method == Method::Head || m_status < 200 || m_status == 204 || m_status == 304);
}

void H2HeadReader::finishRequest(StreamEnds ends, std::string_view webSocketKey)
{
    if (!m_cookies.empty()) {
        appendField("cookie", m_cookies);
    }
    if (m_isTunnel) {
        m_framing.kind = BodyFraming::Kind::UntilClose;
        m_text += kTunnelLines;
        appendField("sec-websocket-key", webSocketKey);
        return;
    }
    if (m_acceptsTrailers) {
        m_text += "te: trailers\r\nconnection: te\r\n";
    }
    const bool isChunked = ends == StreamEnds::No && (!m_length || m_hasTrailersToCome);
    if (isChunked) {
        m_framing.kind = BodyFraming::Kind::Chunked;
        m_text += "transfer-encoding: chunked\r\n";
    } else if (m_length) {
        m_framing.kind = *m_length > 0 ? BodyFraming::Kind::Length : BodyFraming::Kind::None;
        m_framing.length = *m_length;
        appendField("content-length", std::to_string(*m_length));
    }
}

void H2HeadReader::finishResponse(StreamEnds ends)
{
    if (m_isTunnel) {
        m_framing.kind = BodyFraming::Kind::UntilClose;
        return;
    }
    if (isBodiless()) {
        if (m_length && m_status >= 200 && m_status != 204) {
            appendField("content-length", std::to_string(*m_length));
        }
        return;
    }
    const bool isChunked = ends == StreamEnds::No && (!m_length || m_hasTrailersToCome);
    if (isChunked) {
        m_framing.kind = BodyFraming::Kind::Chunked;
        m_text += "transfer-encoding: chunked\r\n";
        return;
    }
    const std::uint64_t length = m_length.value_or(0);
    m_framing.kind = length > 0 ? BodyFraming::Kind::Length : BodyFraming::Kind::None;
    m_framing.length = length;
    appendField("content-length", std::to_string(length));
}

void H2HeadReader::trim()
{
    for (std::string* text : {&m_text, &m_pseudoText, &m_cookies, &m_accept}) {
        trimText(*text);
    }
}

std::string webSocketAcceptOf(std::string_view key)
{
    std::string text(key);
    text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    return sha1Base64(text);
}

bool H1BodyWriter::receive(std::size_t count)
{
    if (m_framing == BodyFraming::Kind::None) {
        return count == 0;
    }
    if (!m_isCounted) {
        return true;
    }
    if (count > m_left) {
        return false;
    }
    m_left -= count;
    return true;
}

bool H1BodyWriter::isComplete() const { return !m_isCounted || m_left == 0; }

H1BodyWriter::Written H1BodyWriter::write(std::string_view data, std::span<char> room) const
{
    if (m_framing != BodyFraming::Kind::Chunked) {
        const std::size_t count = std::min(data.size(), room.size());
        std::ranges::copy(data.substr(0, count), room.begin());
        return {count, count};
    }
    if (data.empty() || room.size() < kRoomMin) {
        return {};
    }
    const std::size_t count = std::min(data.size(), room.size() - kChunkHeadMax - kChunkEnd.size());
    std::size_t at = writeChunkHead(count, room.data());
    std::ranges::copy(data.substr(0, count), room.subspan(at).begin());
    at += count;
    std::ranges::copy(kChunkEnd, room.subspan(at).begin());
    return {count, at + kChunkEnd.size()};
}

std::size_t H1BodyWriter::stage(std::string_view data, std::string& text)
{
    constexpr std::size_t kPiece = 32;
    data = data.substr(0, kPiece);
    std::array<char, kChunkHeadMax> head;
    text.append(head.data(), writeChunkHead(data.size(), head.data()));
    text += data;
    text += kChunkEnd;
    return data.size();
}

void H1BodyWriter::end(std::string_view trailers, std::string& text) const
{
    if (m_framing == BodyFraming::Kind::Chunked) {
        text += "0\r\n";
        text += trailers;
        text += "\r\n";
    }
}

} // namespace mesh::http
