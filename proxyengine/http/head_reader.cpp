#include "proxyengine/http/head_reader.h"

#include "proxyengine/http/characters.h"

#include <algorithm>
#include <cstring>

namespace mesh::http {
namespace {

constexpr std::string_view kVersionStart = "HTTP/1.";
constexpr std::size_t kVersionLength = 8;

// RFC 9110, 7.6.1, and what others send by mistake.
bool isHopByHopByName(HeaderId id)
{
    switch (id) {
    case HeaderId::Connection:
    case HeaderId::KeepAlive:
    case HeaderId::ProxyConnection:
    case HeaderId::Proxy:
    case HeaderId::Te:
    case HeaderId::Trailer:
    case HeaderId::TransferEncoding:
    case HeaderId::Upgrade:
        return true;
    default:
        return false;
    }
}

// What a client must not have removed by naming it in Connection.
bool isEndToEndAlways(HeaderId id)
{
    return id == HeaderId::Host || id == HeaderId::ContentLength || id == HeaderId::ContentType
           || id == HeaderId::Authorization || id == HeaderId::Cookie;
}

bool isDigit(char character) { return character >= '0' && character <= '9'; }

// Digits only, below 2^63.
bool parseLength(std::string_view text, std::uint64_t& length)
{
    constexpr std::size_t kDigitsMax = 18;
    if (text.empty() || text.size() > kDigitsMax || !std::ranges::all_of(text, isDigit)) {
        return false;
    }
    length = 0;
    for (const char digit : text) {
        length = length * 10 + static_cast<std::uint64_t>(digit - '0');
    }
    return true;
}

} // namespace

void HeadReader::clear(FieldTable& fields)
{
    fields.m_count = 0; // The places themselves need no clearing.
    fields.m_seen = 0;
}

ParseStatus HeadReader::refuse(const char* reason, int status)
{
    m_refusal = {status, reason};
    return ParseStatus::Refused;
}

bool HeadReader::isLimitPassed(std::size_t bytes) const { return bytes > kHeadBytesMax; }

ParseStatus HeadReader::readRequestLine(RequestHead& head)
{
    const char* at = m_at;
    if (at != m_end && *at == '\r') { // One empty line (RFC 9112, 2.2).
        if (m_end - at < 2) {
            return ParseStatus::NeedMore;
        }
        if (at[1] != '\n') {
            return refuse("bare CR");
        }
        at += 2;
    }
    const char* const methodAt = at;
    while (at != m_end && isTokenCharacter(*at)) {
        ++at;
    }
    constexpr std::ptrdiff_t kMethodLengthMax = 32;
    if (at - methodAt > kMethodLengthMax) {
        return refuse("method too long");
    }
    if (at == m_end) {
        return ParseStatus::NeedMore;
    }
    if (*at != ' ' || at == methodAt) {
        return refuse("request line without a method");
    }
    const char* const targetAt = at + 1;
    const char* const targetEnd = findControlOrSpace(targetAt, m_end);
    if (static_cast<std::size_t>(targetEnd - targetAt) > kTargetBytesMax) {
        return refuse("request target too long", 414);
    }
    if (targetEnd == m_end) {
        return ParseStatus::NeedMore;
    }
    if (*targetEnd != ' ' || targetEnd == targetAt) {
        return refuse("request line without target and version");
    }

    const char* const versionAt = targetEnd + 1;
    const auto known = std::min(static_cast<std::size_t>(m_end - versionAt), kVersionLength + 2);
    constexpr std::string_view kLineEnd = "\r\n";
    constexpr std::string_view kUsual = "HTTP/1.1\r\n";
    const bool isUsual =
        known == kUsual.size() && std::memcmp(versionAt, kUsual.data(), kUsual.size()) == 0;
    for (std::size_t place = isUsual ? known : 0; place < known; ++place) {
        const char character = versionAt[place];
        if (place < kVersionStart.size()) {
            if (character == kVersionStart[place]) {
                continue;
            }
            const bool isOtherMajor = place == 5 && isDigit(character);
            return isOtherMajor ? refuse("HTTP version not supported", 505)
                                : refuse("malformed HTTP version");
        }
        if (place < kVersionLength ? !isDigit(character)
                                   : character != kLineEnd[place - kVersionLength]) {
            return refuse("malformed HTTP version");
        }
    }
    if (known < kVersionLength + kLineEnd.size()) {
        return ParseStatus::NeedMore;
    }

    head.m_base = m_begin;
    head.fields.m_base = m_begin;
    head.m_method = {placeOf(methodAt), static_cast<std::uint32_t>(at - methodAt)};
    head.m_target = {placeOf(targetAt), static_cast<std::uint32_t>(targetEnd - targetAt)};
    head.method = methodOf(head.methodText());
    head.minorVersion = versionAt[kVersionStart.size()] == '0' ? 0 : 1;
    m_at = versionAt + known;
    return placeTarget(head);
}

ParseStatus HeadReader::placeTarget(RequestHead& head)
{
    const std::string_view target = head.target();
    head.m_path = head.m_target;
    head.m_host = {};
    if (head.method == Method::Connect) {
        head.form = TargetForm::Authority;
        head.m_host = head.m_target;
        return isHostText(target) ? ParseStatus::Done : refuse("CONNECT without host and port");
    }
    if (target.front() == '/') {
        head.form = TargetForm::Origin;
        return ParseStatus::Done;
    }
    if (target == "*") {
        head.form = TargetForm::Asterisk;
        return head.method == Method::Options ? ParseStatus::Done
                                              : refuse("target * without OPTIONS");
    }
    const std::size_t schemeEnd = target.find("://");
    const std::string_view scheme = target.substr(0, schemeEnd);
    if (schemeEnd == std::string_view::npos
        || (!equalsIgnoringCase(scheme, "http") && !equalsIgnoringCase(scheme, "https"))) {
        return refuse("request target is neither a path nor a URL");
    }
    head.form = TargetForm::Absolute;
    const std::size_t authorityAt = schemeEnd + 3;
    const std::size_t authorityEnd =
        std::min(target.find_first_of("/?#", authorityAt), target.size());
    if (!isHostText(target.substr(authorityAt, authorityEnd - authorityAt))) {
        return refuse("malformed host in the request target");
    }
    const std::uint32_t base = head.m_target.at;
    head.m_host = {
        base + static_cast<std::uint32_t>(authorityAt),
        static_cast<std::uint32_t>(authorityEnd - authorityAt)};
    head.m_path = {
        base + static_cast<std::uint32_t>(authorityEnd),
        static_cast<std::uint32_t>(target.size() - authorityEnd)};
    if (authorityEnd < target.size() && target[authorityEnd] != '/') {
        return refuse("request target without a path before its query");
    }
    return ParseStatus::Done;
}

ParseStatus HeadReader::readStatusLine(ResponseHead& head)
{
    // HTTP/1.x SSS reason
    constexpr std::string_view kPattern = "HTTP/1.d ddd";
    const auto known = std::min(static_cast<std::size_t>(m_end - m_at), kPattern.size());
    constexpr std::string_view kUsual = "HTTP/1.1 200";
    const bool isUsual =
        known == kUsual.size() && std::memcmp(m_at, kUsual.data(), kUsual.size()) == 0;
    for (std::size_t place = isUsual ? known : 0; place < known; ++place) {
        const bool fits =
            kPattern[place] == 'd' ? isDigit(m_at[place]) : m_at[place] == kPattern[place];
        if (!fits) {
            return refuse("malformed status line");
        }
    }
    const char* const reasonAt = m_at + known;
    const char* const lineEnd = findControl(reasonAt, m_end);
    if (known < kPattern.size() || m_end - lineEnd < 2) {
        if (lineEnd != m_end && *lineEnd != '\r') {
            return refuse("control character in the status line");
        }
        return isLimitPassed(placeOf(m_end)) ? refuse("head too large") : ParseStatus::NeedMore;
    }
    if (lineEnd[0] != '\r' || lineEnd[1] != '\n') {
        return refuse("control character in the status line");
    }
    if (lineEnd != reasonAt && *reasonAt != ' ') {
        return refuse("malformed status line");
    }
    const char* const digits = m_at + kVersionLength + 1;
    head.status = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
    if (head.status < 100 || head.status > 599) {
        return refuse("status outside 100 to 599");
    }
    head.minorVersion = m_at[kVersionStart.size()] == '0' ? 0 : 1;
    head.m_base = m_begin;
    head.fields.m_base = m_begin;
    head.m_reasonAt = placeOf(lineEnd == reasonAt ? reasonAt : reasonAt + 1);
    head.m_reasonLength = placeOf(lineEnd) - head.m_reasonAt;
    m_at = lineEnd + 2;
    return ParseStatus::Done;
}

ParseStatus HeadReader::readFields(FieldTable& fields)
{
    for (;;) {
        if (m_at == m_end) {
            return isLimitPassed(placeOf(m_at)) ? refuse("head too large") : ParseStatus::NeedMore;
        }
        if (*m_at == '\r') {
            if (m_end - m_at < 2) {
                return ParseStatus::NeedMore;
            }
            if (m_at[1] != '\n') {
                return refuse("bare CR");
            }
            m_at += 2;
            return isLimitPassed(placeOf(m_at)) ? refuse("head too large") : ParseStatus::Done;
        }
        if (const ParseStatus status = readField(fields); status != ParseStatus::Done) {
            return status;
        }
    }
}

ParseStatus HeadReader::readField(FieldTable& fields)
{
    const char* const at = findTokenEnd(m_at, m_end);
    const char* const nameEnd = at;
    if (isLimitPassed(placeOf(at))) {
        return refuse("head too large");
    }
    if (at == m_end) {
        return ParseStatus::NeedMore;
    }
    if (*at != ':' || at == m_at) {
        const bool isFolded = at == m_at && (*at == ' ' || *at == '\t');
        const bool isSpaced = at != m_at && (*at == ' ' || *at == '\t');
        return refuse(
            isFolded   ? "folded header line"
            : isSpaced ? "space before colon"
                       : "malformed header name"
        );
    }
    const char* const lineEnd = findControl(at + 1, m_end);
    if (isLimitPassed(placeOf(lineEnd))) {
        return refuse("head too large");
    }
    if (lineEnd != m_end && *lineEnd != '\r') {
        return refuse(*lineEnd == '\n' ? "bare LF" : "control character in a header value");
    }
    if (m_end - lineEnd < 2) {
        return ParseStatus::NeedMore;
    }
    if (lineEnd[1] != '\n') {
        return refuse("bare CR");
    }
    if (fields.m_count == kHeadersMax) {
        return refuse("too many header fields");
    }

    const char* valueAt = at + 1;
    while (valueAt != lineEnd && (*valueAt == ' ' || *valueAt == '\t')) {
        ++valueAt;
    }
    const char* valueEnd = lineEnd;
    while (valueEnd != valueAt && (valueEnd[-1] == ' ' || valueEnd[-1] == '\t')) {
        --valueEnd;
    }
    FieldPlace& field = fields.m_fields[fields.m_count++];
    field.nameAt = placeOf(m_at);
    field.nameLength = static_cast<std::uint16_t>(nameEnd - m_at);
    field.valueAt = placeOf(valueAt);
    field.valueLength = static_cast<std::uint16_t>(valueEnd - valueAt);
    field.id = headerIdOf({m_at, field.nameLength});
    field.isHopByHop = isHopByHopByName(field.id);
    fields.m_seen |= FieldTable::bitOf(field.id);
    m_at = lineEnd + 2;
    return ParseStatus::Done;
}

void HeadReader::readConnection(FieldTable& fields, std::string_view value, Claims& claims)
{
    std::string_view element;
    while (takeElement(value, element)) {
        if (equalsIgnoringCase(element, "close")) {
            claims.saysClose = true;
        } else if (equalsIgnoringCase(element, "keep-alive")) {
            claims.saysKeepAlive = true;
        } else if (equalsIgnoringCase(element, "upgrade")) {
            claims.saysUpgrade = true;
        } else {
            for (std::uint32_t at = 0; at < fields.m_count; ++at) {
                FieldPlace& field = fields.m_fields[at];
                if (!isEndToEndAlways(field.id)
                    && equalsIgnoringCase(fields.name(field), element)) {
                    field.isHopByHop = true;
                }
            }
        }
    }
}

ParseStatus HeadReader::readClaims(FieldTable& fields, std::uint8_t minorVersion, Claims& claims)
{
    constexpr auto kMatters = FieldTable::bitOf(HeaderId::Connection)
                              | FieldTable::bitOf(HeaderId::ContentLength)
                              | FieldTable::bitOf(HeaderId::TransferEncoding);
    if ((fields.m_seen & kMatters) == 0) {
        return ParseStatus::Done;
    }
    for (const FieldPlace& field : fields) {
        const std::string_view value = fields.value(field);
        if (field.id == HeaderId::Connection) {
            readConnection(fields, value, claims);
        } else if (field.id == HeaderId::ContentLength) {
            if (claims.hasLength) {
                return refuse("more than one Content-Length");
            }
            if (!parseLength(value, claims.length)) {
                return refuse("malformed Content-Length");
            }
            claims.hasLength = true;
        } else if (field.id == HeaderId::TransferEncoding) {
            if (claims.isChunked || !equalsIgnoringCase(value, "chunked")) {
                return refuse("Transfer-Encoding is not exactly chunked");
            }
            if (minorVersion == 0) {
                return refuse("Transfer-Encoding in HTTP/1.0");
            }
            claims.isChunked = true;
        }
    }
    if (claims.hasLength && claims.isChunked) {
        return refuse("Content-Length beside Transfer-Encoding");
    }
    return ParseStatus::Done;
}

ParseStatus HeadReader::checkHost(RequestHead& head)
{
    int hosts = 0;
    for (const FieldPlace& field : head.fields) {
        if (field.id != HeaderId::Host) {
            continue;
        }
        if (++hosts > 1) {
            return refuse("more than one Host");
        }
        if (!isHostText(head.fields.value(field))) {
            return refuse("malformed Host");
        }
        if (head.form == TargetForm::Origin || head.form == TargetForm::Asterisk) {
            head.m_host = {field.valueAt, field.valueLength};
        }
    }
    if (hosts == 0 && head.minorVersion == 1) {
        return refuse("no Host");
    }
    return ParseStatus::Done;
}

ParseStatus HeadReader::finish(RequestHead& head)
{
    Claims claims;
    if (checkHost(head) != ParseStatus::Done
        || readClaims(head.fields, head.minorVersion, claims) != ParseStatus::Done) {
        return ParseStatus::Refused;
    }
    head.keepsAlive =
        head.minorVersion == 1 ? !claims.saysClose : claims.saysKeepAlive && !claims.saysClose;
    head.body = {};
    if (claims.isChunked) {
        head.body.kind = BodyFraming::Kind::Chunked;
    } else if (claims.length > 0) {
        head.body = {BodyFraming::Kind::Length, claims.length};
    }
    head.expectsContinue = false;
    if (head.minorVersion == 1 && head.fields.has(HeaderId::Expect)) {
        if (!equalsIgnoringCase(*head.fields.find(HeaderId::Expect), "100-continue")) {
            return refuse("unknown expectation", 417);
        }
        head.expectsContinue = true;
    }
    head.upgradesToWebSocket = false;
    head.asksForUpgrade = claims.saysUpgrade && head.minorVersion == 1
                          && head.body.kind == BodyFraming::Kind::None
                          && head.fields.has(HeaderId::Upgrade);
    if (claims.saysUpgrade && head.method == Method::Get && head.fields.has(HeaderId::Upgrade)) {
        head.upgradesToWebSocket =
            equalsIgnoringCase(*head.fields.find(HeaderId::Upgrade), "websocket");
    }
    head.acceptsTrailers = false;
    if (head.fields.has(HeaderId::Te)) {
        std::string_view list = *head.fields.find(HeaderId::Te);
        std::string_view element;
        while (takeElement(list, element)) {
            head.acceptsTrailers = head.acceptsTrailers || equalsIgnoringCase(element, "trailers");
        }
    }
    head.size = placeOf(m_at);
    return ParseStatus::Done;
}

ParseStatus HeadReader::finish(ResponseHead& head, Method request)
{
    Claims claims;
    if (readClaims(head.fields, head.minorVersion, claims) != ParseStatus::Done) {
        return ParseStatus::Refused;
    }
    head.keepsAlive =
        head.minorVersion == 1 ? !claims.saysClose : claims.saysKeepAlive && !claims.saysClose;
    head.size = placeOf(m_at);
    head.body = {};
    const bool hasNoBody = request == Method::Head || head.status < 200 || head.status == 204
                           || head.status == 304
                           || (request == Method::Connect && head.status < 300);
    if (hasNoBody) {
        return ParseStatus::Done;
    }
    if (claims.isChunked) {
        head.body.kind = BodyFraming::Kind::Chunked;
    } else if (claims.hasLength) {
        if (claims.length > 0) {
            head.body = {BodyFraming::Kind::Length, claims.length};
        }
    } else {
        head.body.kind = BodyFraming::Kind::UntilClose;
        head.keepsAlive = false;
    }
    return ParseStatus::Done;
}

} // namespace mesh::http
