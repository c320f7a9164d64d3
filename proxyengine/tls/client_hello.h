#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mesh::tls {

// Reads the server name out of a ClientHello that is meant for somebody else, from the bytes as
// they come. Needs no OpenSSL and changes nothing: who passes TLS through must pass these bytes.
//
//   NeedMore -> NeedMore | Done | NotTls | Malformed | TooLarge
//
// Reads RFC 8446, 4.1.2 and RFC 6066, 3 strictly: every length must fit what is around it exactly,
// the handshake message may be cut into records in any way. What it does not know (GREASE, ECH,
// extensions to come) is skipped; of an encrypted hello the outer name counts.
// Limits: kClientHelloBytesMax as on the wire. Cost: each byte is looked at once or twice.
class ClientHelloReader
{
public:
    enum class Status : std::uint8_t { NeedMore, Done, NotTls, Malformed, TooLarge };

    // `bytes`: all that has come so far, from the first one. Once it is not NeedMore it stays.
    Status read(std::string_view bytes);

    // Lower case, without a dot at its end; empty when the client named nobody.
    [[nodiscard]] const std::string& serverName() const { return m_serverName; }

private:
    Status readRecords(std::string_view bytes);
    Status parse();
    [[nodiscard]] bool parseExtensions(std::string_view extensions);
    [[nodiscard]] bool parseServerName(std::string_view extension);

    Status m_status = Status::NeedMore;
    std::size_t m_at = 0; // Where the next record begins.
    std::string m_message; // Of the handshake, without the records' heads.
    std::string m_serverName;
};

} // namespace mesh::tls
