#include "proxyengine/tls/client_hello.h"

#include "proxyengine/base/limits.h"

#include <algorithm>
#include <optional>

namespace mesh::tls {
namespace {

constexpr std::uint8_t kHandshakeRecord = 22;
constexpr std::uint8_t kClientHello = 1;
constexpr std::uint8_t kMajorVersion = 3;
constexpr std::size_t kRecordHeadBytes = 5;
constexpr std::size_t kMessageHeadBytes = 4;
constexpr std::size_t kRecordBytesMax = 16U << 10U;
constexpr std::size_t kRandomBytes = 32;
constexpr std::size_t kSessionIdBytesMax = 32;
constexpr std::size_t kNameBytesMax = 255;
constexpr std::size_t kServerNameExtension = 0;
constexpr std::size_t kHostName = 0;

std::size_t byteAt(std::string_view bytes, std::size_t at)
{
    return static_cast<std::uint8_t>(bytes[at]);
}

// Takes numbers and vectors off the front of some bytes; nothing when they do not suffice.
class Cursor
{
public:
    explicit Cursor(std::string_view bytes)
        : m_rest(bytes)
    {}

    [[nodiscard]] bool isAtEnd() const { return m_rest.empty(); }

    std::optional<std::size_t> number(std::size_t width)
    {
        if (m_rest.size() < width) {
            return std::nullopt;
        }
        std::size_t value = 0;
        for (std::size_t at = 0; at < width; ++at) {
            value = value << 8U | byteAt(m_rest, at);
        }
        m_rest.remove_prefix(width);
        return value;
    }
    std::optional<std::string_view> take(std::size_t count)
    {
        if (m_rest.size() < count) {
            return std::nullopt;
        }
        const std::string_view taken = m_rest.substr(0, count);
        m_rest.remove_prefix(count);
        return taken;
    }
    // Bytes behind their own length of so many bytes.
    std::optional<std::string_view> vector(std::size_t width)
    {
        const auto length = number(width);
        return length ? take(*length) : std::nullopt;
    }

private:
    std::string_view m_rest;
};

// Of a host name in ASCII; the rules for labels are the router's business.
bool isNameByte(char c)
{
    return c > ' ' && c != '\x7f' && (static_cast<unsigned char>(c) & 0x80U) == 0;
}

} // namespace

ClientHelloReader::Status ClientHelloReader::read(std::string_view bytes)
{
    if (m_status == Status::NeedMore) {
        m_status = readRecords(bytes);
    }
    return m_status;
}

ClientHelloReader::Status ClientHelloReader::readRecords(std::string_view bytes)
{
    for (;;) {
        const std::string_view rest = bytes.substr(std::min(m_at, bytes.size()));
        const bool isOther = (!rest.empty() && byteAt(rest, 0) != kHandshakeRecord)
                             || (rest.size() > 1 && byteAt(rest, 1) != kMajorVersion);
        if (isOther) {
            return m_at == 0 ? Status::NotTls : Status::Malformed;
        }
        if (rest.size() < kRecordHeadBytes) {
            return Status::NeedMore;
        }
        const std::size_t length = byteAt(rest, 3) << 8U | byteAt(rest, 4);
        if (length == 0 || length > kRecordBytesMax) {
            return m_at == 0 && length != 0 ? Status::NotTls : Status::Malformed;
        }
        if (m_at + kRecordHeadBytes + length > kClientHelloBytesMax) {
            return Status::TooLarge;
        }
        if (rest.size() > kRecordHeadBytes && m_message.empty()
            && byteAt(rest, kRecordHeadBytes) != kClientHello) {
            return Status::Malformed;
        }
        if (rest.size() < kRecordHeadBytes + length) {
            return Status::NeedMore;
        }
        m_message += rest.substr(kRecordHeadBytes, length);
        m_at += kRecordHeadBytes + length;
        if (const Status status = parse(); status != Status::NeedMore) {
            return status;
        }
    }
}

// The message as far as it has come.
ClientHelloReader::Status ClientHelloReader::parse()
{
    if (m_message.size() < kMessageHeadBytes) {
        return Status::NeedMore;
    }
    Cursor message(std::string_view(m_message).substr(1)); // Behind its type.
    const std::size_t length = *message.number(3);
    if (length > kClientHelloBytesMax) {
        return Status::TooLarge;
    }
    const auto body = message.take(length);
    if (!body) {
        return Status::NeedMore;
    }
    Cursor hello(*body);
    const auto version = hello.number(2);
    const bool hasRandom = hello.take(kRandomBytes).has_value();
    const auto session = hello.vector(1);
    const auto ciphers = hello.vector(2);
    const auto compressions = hello.vector(1);
    const bool isSound = version && *version >> 8U == kMajorVersion && hasRandom && session
                         && session->size() <= kSessionIdBytesMax && ciphers && !ciphers->empty()
                         && ciphers->size() % 2 == 0 && compressions && !compressions->empty();
    if (!isSound) {
        return Status::Malformed;
    }
    if (hello.isAtEnd()) { // TLS 1.2 without extensions.
        return Status::Done;
    }
    const auto extensions = hello.vector(2);
    const bool isWhole = extensions && hello.isAtEnd() && message.isAtEnd();
    return isWhole && parseExtensions(*extensions) ? Status::Done : Status::Malformed;
}

bool ClientHelloReader::parseExtensions(std::string_view extensions)
{
    Cursor rest(extensions);
    bool hasName = false;
    while (!rest.isAtEnd()) {
        const auto type = rest.number(2);
        const auto content = rest.vector(2);
        if (!type || !content) {
            return false;
        }
        if (*type != kServerNameExtension) {
            continue;
        }
        if (hasName || !parseServerName(*content)) {
            return false;
        }
        hasName = true;
    }
    return true;
}

// A list of names of which only host names exist, and of those one (RFC 6066, 3).
bool ClientHelloReader::parseServerName(std::string_view extension)
{
    Cursor content(extension);
    const auto list = content.vector(2);
    if (!list || !content.isAtEnd()) {
        return false;
    }
    Cursor names(*list);
    const auto type = names.number(1);
    const auto name = names.vector(2);
    const bool isSound = type && *type == kHostName && name && !name->empty()
                         && name->size() <= kNameBytesMax && names.isAtEnd()
                         && std::ranges::all_of(*name, isNameByte);
    if (!isSound) {
        return false;
    }
    m_serverName = *name;
    std::ranges::transform(m_serverName, m_serverName.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (m_serverName.ends_with('.')) {
        m_serverName.pop_back();
    }
    return !m_serverName.empty();
}

} // namespace mesh::tls
