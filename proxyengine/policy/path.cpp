#include "proxyengine/policy/path.h"

#include <algorithm>
#include <array>
#include <optional>

namespace mesh::policy {

namespace {

using ByteTable = std::array<bool, 256>;

constexpr unsigned char toByte(char c) { return static_cast<unsigned char>(c); }

constexpr ByteTable makeTable(std::string_view members, bool withAlphanumerics)
{
    ByteTable table{};
    for (const char c : members) {
        table[toByte(c)] = true;
    }
    if (withAlphanumerics) {
        for (unsigned c = 0; c < 128; ++c) {
            table[c] = table[c] || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
                       || (c >= 'a' && c <= 'z');
        }
    }
    return table;
}

// Bytes whose escapes are kept. The backslash is ours: decoded it would be a slash to some servers.
constexpr ByteTable kReserved = makeTable("!*'();:@&=+$,/?%#[]\\", false);
// Bytes that escapePath() leaves alone.
constexpr ByteTable kAllowed = makeTable("!#$&'()*+,/:;=?@[]-_.~%", true);

constexpr bool isControl(unsigned char byte) { return byte < 0x20 || byte == 0x7F; }

constexpr int hexValue(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return -1;
}

constexpr char upperHex(unsigned value) { return "0123456789ABCDEF"[value & 0xFU]; }

// Length of the well-formed UTF-8 sequence at the start of `text`, 0 when there is none.
// Source: Unicode 15, table 3-7.
std::size_t utf8Length(std::string_view text)
{
    const auto at = [text](std::size_t i) -> unsigned {
        return i < text.size() ? toByte(text[i]) : 0U;
    };
    const auto isTail = [](unsigned byte) { return (byte & 0xC0U) == 0x80U; };
    const unsigned first = at(0);
    const unsigned second = at(1);
    if (first >= 0xC2 && first <= 0xDF) {
        return isTail(second) ? 2 : 0;
    }
    if (first >= 0xE0 && first <= 0xEF) {
        const bool isFirstPairGood =
            (first != 0xE0 || second >= 0xA0) && (first != 0xED || second <= 0x9F);
        return isFirstPairGood && isTail(second) && isTail(at(2)) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        const bool isFirstPairGood =
            (first != 0xF0 || second >= 0x90) && (first != 0xF4 || second <= 0x8F);
        return isFirstPairGood && isTail(second) && isTail(at(2)) && isTail(at(3)) ? 4 : 0;
    }
    return 0;
}

struct Inspection
{
    std::optional<PathRefusal> refusal;
    bool isNormal = true; // Nothing to decode, no dot segment possible, no run of slashes.
};

// Reads the raw bytes once. What it calls normal is normal; it may call a normal path not normal.
Inspection inspect(std::string_view raw)
{
    Inspection seen;
    seen.isNormal = raw.starts_with('/');
    char previous = '\0';
    for (std::size_t i = 0; i < raw.size(); ++i) {
        const char c = raw[i];
        const unsigned char byte = toByte(c);
        if (isControl(byte)) {
            seen.refusal = PathRefusal::ControlByte;
            return seen;
        }
        if (c == '\\') {
            seen.refusal = PathRefusal::Backslash;
            return seen;
        }
        if (byte >= 0x80) {
            const std::size_t length = utf8Length(raw.substr(i));
            if (length == 0) {
                seen.refusal = PathRefusal::InvalidUtf8;
                return seen;
            }
            i += length - 1;
        } else if (c == '%' || (previous == '/' && (c == '/' || c == '.'))) {
            seen.isNormal = false;
        }
        previous = c;
    }
    return seen;
}

// Decodes into `out`. False when an escape hides a control byte.
bool decode(std::string_view raw, std::string& out)
{
    out.clear();
    for (std::size_t i = 0; i < raw.size(); ++i) {
        const int high = raw[i] == '%' && i + 2 < raw.size() ? hexValue(raw[i + 1]) : -1;
        const int low = high >= 0 ? hexValue(raw[i + 2]) : -1;
        if (low < 0) {
            out.push_back(raw[i]);
            continue;
        }
        const auto byte = static_cast<unsigned char>(high * 16 + low);
        if (isControl(byte)) {
            return false;
        }
        if (kReserved[byte]) {
            out.push_back('%');
            out.push_back(upperHex(byte >> 4U));
            out.push_back(upperHex(byte));
        } else {
            out.push_back(static_cast<char>(byte));
        }
        i += 2;
    }
    return true;
}

// RFC 3986, 5.2.4, in place: what is written never overtakes what is read.
void removeDotSegments(std::string& path)
{
    const std::string_view in(path);
    std::size_t read = 0;
    std::size_t written = 0;
    const auto dropLastSegment = [&] {
        while (written > 0) {
            --written;
            if (path[written] == '/') {
                break;
            }
        }
    };
    while (read < in.size()) {
        const std::string_view rest = in.substr(read);
        if (rest.starts_with("../")) {
            read += 3;
        } else if (rest.starts_with("./")) {
            read += 2;
        } else if (rest.starts_with("/./")) {
            read += 2;
        } else if (rest == "/.") {
            path[written++] = '/';
            break;
        } else if (rest.starts_with("/../")) {
            read += 3;
            dropLastSegment();
        } else if (rest == "/..") {
            dropLastSegment();
            path[written++] = '/';
            break;
        } else if (rest == "." || rest == "..") {
            break;
        } else {
            std::size_t end = rest.find('/', 1);
            end = end == std::string_view::npos ? in.size() : read + end;
            while (read < end) {
                path[written++] = path[read++];
            }
        }
    }
    path.resize(written);
}

void mergeSlashes(std::string& path)
{
    std::size_t written = 0;
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (path[i] != '/' || written == 0 || path[written - 1] != '/') {
            path[written++] = path[i];
        }
    }
    path.resize(written);
}

// What is left of a path after its prefix must not climb above the service's path.
std::string_view sanitizeRest(std::string_view rest)
{
    if (rest == "." || rest == "..") {
        return {};
    }
    if (rest.starts_with("./")) {
        return rest.substr(2);
    }
    if (rest.starts_with("../")) {
        return rest.substr(3);
    }
    return rest;
}

std::string_view concatenate(
    std::string_view first, std::string_view second, std::string_view third, std::string& buffer
)
{
    buffer.clear();
    buffer.append(first);
    buffer.append(second);
    buffer.append(third);
    return buffer;
}

} // namespace

std::string_view toText(PathRefusal refusal)
{
    switch (refusal) {
    case PathRefusal::ControlByte:
        return "the path has a control byte";
    case PathRefusal::Backslash:
        return "the path has a backslash";
    case PathRefusal::InvalidUtf8:
        return "the path is not valid UTF-8";
    }
    return "";
}

tl::expected<std::string_view, PathRefusal> normalizePath(
    std::string_view raw, std::string& buffer, Slashes slashes
)
{
    const Inspection seen = inspect(raw);
    if (seen.refusal) {
        return tl::unexpected(*seen.refusal);
    }
    if (seen.isNormal) {
        return raw;
    }
    if (!decode(raw, buffer)) {
        return tl::unexpected(PathRefusal::ControlByte);
    }
    removeDotSegments(buffer);
    if (slashes == Slashes::Merge) {
        mergeSlashes(buffer);
    }
    return std::string_view(buffer);
}

std::string_view escapePath(std::string_view path, std::string& buffer)
{
    std::size_t plain = 0;
    while (plain < path.size() && kAllowed[toByte(path[plain])]) {
        ++plain;
    }
    if (plain == path.size()) {
        return path;
    }
    buffer.assign(path.substr(0, plain));
    for (const char c : path.substr(plain)) {
        if (kAllowed[toByte(c)]) {
            buffer.push_back(c);
        } else {
            buffer.push_back('%');
            buffer.push_back(upperHex(toByte(c) >> 4U));
            buffer.push_back(upperHex(toByte(c)));
        }
    }
    return buffer;
}

std::string_view joinUpstreamPath(
    std::string_view servicePath,
    std::string_view requestPath,
    std::size_t matchedBytes,
    StripPath strip,
    std::string& buffer
)
{
    const std::string_view base = servicePath.empty() ? std::string_view("/") : servicePath;
    const std::string_view path = requestPath.empty() ? std::string_view("/") : requestPath;
    const bool isBaseClosed = base.ends_with('/');

    if (strip == StripPath::No) {
        if (isBaseClosed) {
            return base == "/" && path.starts_with('/')
                       ? path
                       : concatenate(base, path.substr(1), {}, buffer);
        }
        return path == "/" ? base : concatenate(base, path, {}, buffer);
    }

    const std::size_t taken = matchedBytes > 0 ? matchedBytes : path.starts_with('/') ? 1U : 0U;
    const std::string_view rest = sanitizeRest(path.substr(std::min(taken, path.size())));
    if (rest.empty()) {
        if (!isBaseClosed) {
            return path.size() > 1 && path.ends_with('/') ? concatenate(base, "/", {}, buffer)
                                                          : base;
        }
        return base == "/" || path.ends_with('/') ? base : base.substr(0, base.size() - 1);
    }
    if (rest.starts_with('/')) {
        return concatenate(isBaseClosed ? base.substr(0, base.size() - 1) : base, rest, {}, buffer);
    }
    return concatenate(base, isBaseClosed ? "" : "/", rest, buffer);
}

} // namespace mesh::policy
