#include "proxyengine/http/characters.h"
#include "proxyengine/http/h2_bridge.h"

#include <algorithm>
#include <array>

// From HTTP/1.1's text to HTTP/2's field lists.
namespace mesh::http {
namespace {

// The codes that a response may have, as text that stays.
std::string_view statusText(int status)
{
    constexpr std::size_t kFirst = 100;
    constexpr std::size_t kCount = 500;
    static constexpr auto kTexts = [] {
        std::array<char, kCount * 3> texts{};
        for (std::size_t at = 0; at < kCount; ++at) {
            const std::size_t code = kFirst + at;
            texts[at * 3] = static_cast<char>('0' + code / 100);
            texts[at * 3 + 1] = static_cast<char>('0' + code / 10 % 10);
            texts[at * 3 + 2] = static_cast<char>('0' + code % 10);
        }
        return texts;
    }();
    return {kTexts.data() + (static_cast<std::size_t>(status) - kFirst) * 3, 3};
}

bool isUpper(char c) { return c >= 'A' && c <= 'Z'; }

} // namespace

void H1MessageReader::reset()
{
    m_partial.clear();
    m_trailerText.clear();
    m_state = State::Head;
    m_left = 0;
    m_status = 0;
    m_isPartialUsed = false;
    m_isInterim = false;
    m_isTunnel = false;
    m_endsWithHead = false;
}

void H1MessageReader::trim()
{
    trimText(m_partial);
    trimText(m_trailerText);
}

H1MessageReader::Step H1MessageReader::refuse(const char* reason)
{
    m_state = State::Bad;
    m_reason = reason;
    return {Event::Refused, 0, {}};
}

H1MessageReader::Step H1MessageReader::next(std::string_view bytes)
{
    if (m_isPartialUsed) {
        m_partial.clear();
        m_isPartialUsed = false;
    }
    switch (m_state) {
    case State::Head:
        return bytes.empty() ? Step() : readHead(bytes);
    case State::Length: {
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(m_left, bytes.size()));
        if (count == 0) {
            return {};
        }
        m_left -= count;
        m_state = m_left == 0 ? State::End : State::Length;
        return {Event::Data, count, bytes.substr(0, count)};
    }
    case State::Chunked:
        return readChunked(bytes);
    case State::Raw:
        return bytes.empty() ? Step() : Step{Event::Data, bytes.size(), bytes};
    case State::End:
        m_state = State::Head;
        return {Event::End, 0, {}};
    case State::Bad:
        break;
    }
    return {Event::Refused, 0, {}};
}

// An unfinished head is read again from its beginning: our own side writes it in one piece.
H1MessageReader::Step H1MessageReader::readHead(std::string_view bytes)
{
    const std::size_t kept = m_partial.size();
    std::string_view all = bytes;
    if (kept > 0) {
        m_partial += bytes;
        all = m_partial;
    }
    ParseStatus status = ParseStatus::NeedMore;
    std::size_t size = 0;
    if (m_role == MessageRole::Request) {
        RequestParser parser;
        status = parser.parse(all, m_room->request);
        m_reason = parser.refusal().reason;
        size = m_room->request.size;
    } else {
        ResponseParser parser;
        const Method answered = m_request == Method::Connect ? Method::Get : m_request;
        status = parser.parse(all, answered, m_room->response);
        m_reason = parser.refusal().reason;
        size = m_room->response.size;
    }
    if (status == ParseStatus::Refused) {
        return refuse(m_reason);
    }
    if (status == ParseStatus::NeedMore) {
        if (kept == 0) {
            m_partial = bytes;
        }
        return {Event::NeedMore, bytes.size(), {}};
    }
    m_isPartialUsed = kept > 0;
    m_room->fields.clear();
    m_room->names.clear();
    m_room->names.reserve(size); // So that views stay.
    const bool isFine = m_role == MessageRole::Request ? takeRequest() : takeResponse();
    return isFine ? Step{Event::Head, size - kept, {}} : refuse(m_reason);
}

bool H1MessageReader::takeRequest()
{
    const RequestHead& head = m_room->request;
    if (head.form == TargetForm::Authority) {
        m_reason = "CONNECT is not sent over HTTP/2";
        return false;
    }
    m_isTunnel = head.upgradesToWebSocket;
    m_method = m_isTunnel ? Method::Connect : head.method;
    addField(":method", m_isTunnel ? std::string_view("CONNECT") : head.methodText());
    if (m_isTunnel) {
        addField(":protocol", "websocket");
    }
    addField(":scheme", m_scheme);
    const std::string_view path =
        head.form == TargetForm::Asterisk ? std::string_view("*") : head.path();
    addField(":path", path.empty() ? std::string_view("/") : path);
    if (!head.host().empty()) {
        addField(":authority", head.host());
    }
    m_webSocketKey = {};
    if (m_isTunnel) {
        m_webSocketKey = head.fields.find(HeaderId::SecWebSocketKey).value_or(std::string_view());
    }
    copyFields(head.fields);
    if (head.acceptsTrailers) {
        addField("te", "trailers");
    }
    startBody(m_isTunnel ? BodyFraming{BodyFraming::Kind::UntilClose, 0} : head.body);
    return true;
}

bool H1MessageReader::takeResponse()
{
    const ResponseHead& head = m_room->response;
    m_isTunnel = head.status == 101 && m_request == Method::Connect;
    if (head.status == 101 && !m_isTunnel) {
        m_reason = "101 to a request that asked for no upgrade";
        return false;
    }
    m_isInterim = head.isInterim();
    m_status = m_isTunnel ? 200 : head.status;
    addField(":status", statusText(m_status));
    copyFields(head.fields);
    if (m_isInterim) {
        m_state = State::Head;
        m_endsWithHead = false;
        return true;
    }
    startBody(m_isTunnel ? BodyFraming{BodyFraming::Kind::UntilClose, 0} : head.body);
    return true;
}

void H1MessageReader::startBody(const BodyFraming& framing)
{
    m_left = framing.length;
    m_endsWithHead = framing.kind == BodyFraming::Kind::None;
    m_trailerText.clear();
    switch (framing.kind) {
    case BodyFraming::Kind::None:
        m_state = State::End;
        return;
    case BodyFraming::Kind::Length:
        m_state = State::Length;
        return;
    case BodyFraming::Kind::Chunked:
        m_decoder = ChunkedDecoder(ChunkedDecoder::Mode::Strip);
        m_state = State::Chunked;
        return;
    case BodyFraming::Kind::UntilClose:
        m_state = State::Raw;
        return;
    }
}

void H1MessageReader::copyFields(const FieldTable& table)
{
    for (const FieldPlace& field : table) {
        const std::string_view name = table.name(field);
        if (field.isHopByHop || field.id == HeaderId::Host) {
            continue;
        }
        if (m_isTunnel
            && (field.id == HeaderId::SecWebSocketKey || field.id == HeaderId::ContentLength
                || equalsIgnoringCase(name, "sec-websocket-accept"))) {
            continue;
        }
        addField(
            field.id == HeaderId::Other ? lowered(name) : toText(field.id), table.value(field)
        );
    }
}

void H1MessageReader::addField(std::string_view name, std::string_view value)
{
    m_room->fields.push_back({name, value});
}

std::string_view H1MessageReader::lowered(std::string_view name)
{
    if (std::ranges::none_of(name, isUpper)) {
        return name;
    }
    std::string& names = m_room->names;
    const std::size_t at = names.size();
    std::ranges::transform(name, std::back_inserter(names), lowerOf);
    return std::string_view(names).substr(at);
}

// A line that is cut by the end of the bytes is kept, and completed from what comes next.
H1MessageReader::Step H1MessageReader::readChunked(std::string_view bytes)
{
    std::size_t consumed = 0;
    for (;;) {
        const bool isCut = !m_partial.empty();
        if (isCut) {
            const std::string_view rest = bytes.substr(consumed);
            const std::size_t count = std::min(rest.find('\n'), rest.size() - 1) + 1;
            m_partial += rest.substr(0, count);
            consumed += std::min(count, rest.size());
        }
        const ChunkStep step = m_decoder.next(isCut ? m_partial : bytes.substr(consumed));
        if (step.status == ChunkStatus::Trailer) {
            m_trailerText += step.piece;
            m_trailerText += '\n';
        }
        if (isCut) {
            m_partial.erase(0, step.consumed);
        } else {
            consumed += step.consumed;
        }
        switch (step.status) {
        case ChunkStatus::NeedMore:
            if (isCut && consumed < bytes.size()) {
                break;
            }
            m_partial += bytes.substr(consumed);
            return {Event::NeedMore, bytes.size(), {}};
        case ChunkStatus::Piece:
            return {Event::Data, consumed, step.piece};
        case ChunkStatus::Trailer:
            break;
        case ChunkStatus::Done:
            m_state = State::End;
            return endOfChunks(consumed);
        case ChunkStatus::Refused:
            return refuse(m_decoder.refusal().reason);
        }
    }
}

H1MessageReader::Step H1MessageReader::endOfChunks(std::size_t consumed)
{
    if (m_trailerText.empty()) {
        m_state = State::Head;
        return {Event::End, consumed, {}};
    }
    m_room->fields.clear();
    m_room->names.clear();
    m_room->names.reserve(m_trailerText.size());
    std::string_view rest = m_trailerText;
    while (!rest.empty()) {
        const std::size_t lineEnd = rest.find('\n');
        const std::string_view line = rest.substr(0, lineEnd);
        rest.remove_prefix(lineEnd + 1);
        const std::size_t colon = line.find(':');
        const std::string_view name = line.substr(0, colon);
        switch (headerIdOf(name)) {
        case HeaderId::KeepAlive:
        case HeaderId::ProxyConnection:
        case HeaderId::Te:
        case HeaderId::Upgrade:
            continue;
        default:
            addField(lowered(name), trimmed(line.substr(colon + 1)));
        }
    }
    return {Event::Trailers, consumed, {}};
}

std::optional<std::uint64_t> H1MessageReader::bytesLeft() const
{
    const bool isKnown = m_state == State::Length || m_state == State::End;
    return isKnown ? std::optional(m_left) : std::nullopt;
}

bool H1MessageReader::endByClose()
{
    if (m_state == State::Raw) {
        m_state = State::Head;
        return true;
    }
    return isIdle() || m_state == State::End;
}

} // namespace mesh::http
