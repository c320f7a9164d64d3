#pragma once

#include "proxyengine/base/limits.h"
#include "proxyengine/http/header_id.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

// What the codec reads from a head: views into the bytes it was given, nothing copied.
namespace mesh::http {

enum class Method : std::uint8_t {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Options,
    Patch,
    Connect,
    Trace,
    Other
};

[[nodiscard]] Method methodOf(std::string_view text); // Case matters, as in RFC 9110, 9.1.

// One header field by its places in the head's bytes.
struct FieldPlace
{
    std::uint32_t nameAt = 0;
    std::uint32_t valueAt = 0;
    std::uint16_t nameLength = 0;
    std::uint16_t valueLength = 0; // Without surrounding spaces and tabs.
    HeaderId id = HeaderId::Other;
    bool isHopByHop = false; // By its name, or because Connection lists it: not to be forwarded.
};

// Header fields in the order received, at most kHeadersMax.
class FieldTable
{
public:
    [[nodiscard]] std::size_t size() const { return m_count; }
    [[nodiscard]] const FieldPlace& operator[](std::size_t at) const { return m_fields[at]; }
    [[nodiscard]] const FieldPlace* begin() const { return m_fields.data(); }
    [[nodiscard]] const FieldPlace* end() const { return m_fields.data() + m_count; }

    [[nodiscard]] std::string_view name(const FieldPlace& field) const
    {
        return {m_base + field.nameAt, field.nameLength};
    }
    [[nodiscard]] std::string_view value(const FieldPlace& field) const
    {
        return {m_base + field.valueAt, field.valueLength};
    }

    // Whether any field has this id; a bit test. False for Other.
    [[nodiscard]] bool has(HeaderId id) const { return (m_seen & bitOf(id)) != 0; }
    // The first field with this id or name (case ignored).
    [[nodiscard]] std::optional<std::string_view> find(HeaderId id) const;
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;

    // The bytes of the head were moved: all views follow.
    void rebase(const char* base) { m_base = base; }

private:
    friend class HeadReader;
    static constexpr std::uint64_t bitOf(HeaderId id)
    {
        return id == HeaderId::Other ? 0 : std::uint64_t{1} << static_cast<unsigned>(id);
    }

    const char* m_base = nullptr;
    std::uint32_t m_count = 0;
    std::uint64_t m_seen = 0;
    std::array<FieldPlace, kHeadersMax> m_fields;
};

// How the end of a body is found (RFC 9112, 6.3).
struct BodyFraming
{
    enum class Kind : std::uint8_t { None, Length, Chunked, UntilClose };
    Kind kind = Kind::None;
    std::uint64_t length = 0; // Of Kind::Length; never 0 (that is None).
};

// Form of the request target (RFC 9112, 3.2).
enum class TargetForm : std::uint8_t { Origin, Absolute, Authority, Asterisk };

struct RequestHead
{
    Method method = Method::Get;
    TargetForm form = TargetForm::Origin;
    std::uint8_t minorVersion = 1; // HTTP/1.x
    bool keepsAlive = true; // What the client wants after this exchange.
    bool expectsContinue = false;
    bool upgradesToWebSocket = false; // Connection: upgrade and Upgrade: websocket, a GET.
    bool asksForUpgrade = false; // Connection: upgrade and an Upgrade field, without a body.
    bool acceptsTrailers = false; // TE: trailers
    BodyFraming body;
    FieldTable fields;
    std::size_t size = 0; // Bytes from the beginning of the input to the body.

    [[nodiscard]] std::string_view methodText() const { return view(m_method); }
    [[nodiscard]] std::string_view target() const { return view(m_target); } // As received.
    // Path and query: of Absolute its part after the authority ("/" when empty), else the target.
    [[nodiscard]] std::string_view path() const;
    // Host to route by, with its port if given: of an absolute target, else of Host. May be empty
    // in HTTP/1.0 only.
    [[nodiscard]] std::string_view host() const { return view(m_host); }

    void rebase(const char* base);

private:
    friend class HeadReader;
    struct Range
    {
        std::uint32_t at = 0;
        std::uint32_t length = 0;
    };
    [[nodiscard]] std::string_view view(Range range) const
    {
        return {m_base + range.at, range.length};
    }

    const char* m_base = nullptr;
    Range m_method;
    Range m_target;
    Range m_path;
    Range m_host;
};

struct ResponseHead
{
    int status = 0; // 100 to 599
    std::uint8_t minorVersion = 1;
    bool keepsAlive = true; // Whether the connection can carry another request after this body.
    BodyFraming body;
    FieldTable fields;
    std::size_t size = 0;

    [[nodiscard]] bool isInterim() const { return status < 200 && status != 101; }
    [[nodiscard]] std::string_view reason() const { return {m_base + m_reasonAt, m_reasonLength}; }
    void rebase(const char* base);

private:
    friend class HeadReader;
    const char* m_base = nullptr;
    std::uint32_t m_reasonAt = 0;
    std::uint32_t m_reasonLength = 0;
};

} // namespace mesh::http
