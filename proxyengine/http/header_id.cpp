#include "proxyengine/http/header_id.h"

#include "proxyengine/http/characters.h"

#include <array>
#include <cstddef>
#include <cstring>

namespace mesh::http {
namespace {

// In the order of HeaderId.
constexpr std::array<std::string_view, static_cast<std::size_t>(HeaderId::Count)> kNames = {
    "",
    "accept",
    "accept-encoding",
    "age",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "etag",
    "expect",
    "forwarded",
    "host",
    "if-modified-since",
    "if-none-match",
    "keep-alive",
    "last-modified",
    "location",
    "origin",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "proxy",
    "range",
    "referer",
    "retry-after",
    "sec-websocket-key",
    "server",
    "set-cookie",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-path",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
};
static_assert(static_cast<std::size_t>(HeaderId::Count) <= 64);

constexpr std::size_t kSlots = 256;
constexpr std::size_t kLengthMax = 19;

// Length, first, last and one letter between tell all known names apart.
constexpr std::size_t slotOf(std::string_view name, std::uint32_t multiplier)
{
    const auto letter = [name](std::size_t at) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(name[at]) | 0x20U);
    };
    const std::uint32_t key = letter(0) | letter(name.size() - 1) << 8U
                              | letter(name.size() * 3 / 4) << 16U
                              | static_cast<std::uint32_t>(name.size()) << 24U;
    return (key * multiplier) >> 24U;
}

constexpr bool isPerfect(std::uint32_t multiplier)
{
    std::array<bool, kSlots> isTaken{};
    for (std::size_t id = 1; id < kNames.size(); ++id) {
        bool& slot = isTaken[slotOf(kNames[id], multiplier)];
        if (slot) {
            return false;
        }
        slot = true;
    }
    return true;
}

constexpr std::uint32_t kMultiplier = 0x53355155; // Found by trying: no two names share a slot.
static_assert(isPerfect(kMultiplier), "try other multipliers until no two names share a slot");

constexpr std::array<std::uint8_t, kSlots> makeSlots()
{
    std::array<std::uint8_t, kSlots> slots{};
    for (std::size_t id = 1; id < kNames.size(); ++id) {
        slots[slotOf(kNames[id], kMultiplier)] = static_cast<std::uint8_t>(id);
    }
    return slots;
}

constexpr auto kSlotTable = makeSlots();

// The first four and the last four of four to eight bytes, lowered.
std::uint64_t loweredEnds(std::string_view text)
{
    constexpr std::size_t kHalf = 4;
    std::array<char, 2 * kHalf> both;
    std::memcpy(both.data(), text.data(), kHalf);
    std::memcpy(both.data() + kHalf, text.data() + text.size() - kHalf, kHalf);
    return loweredEight(both.data());
}

} // namespace

HeaderId headerIdOf(std::string_view name)
{
    if (name.empty() || name.size() > kLengthMax) {
        return HeaderId::Other;
    }
    const std::size_t id = kSlotTable[slotOf(name, kMultiplier)];
    return equalsIgnoringCase(name, kNames[id]) ? static_cast<HeaderId>(id) : HeaderId::Other;
}

std::string_view toText(HeaderId id) { return kNames[static_cast<std::size_t>(id)]; }

bool equalsIgnoringCase(std::string_view a, std::string_view b)
{
    if (a.size() != b.size()) {
        return false;
    }
    constexpr std::size_t kStep = 8;
    if (a.size() >= kStep) {
        const std::size_t last = a.size() - kStep; // The last eight overlap those before.
        for (std::size_t at = 0; at < last; at += kStep) {
            if (loweredEight(a.data() + at) != loweredEight(b.data() + at)) {
                return false;
            }
        }
        return loweredEight(a.data() + last) == loweredEight(b.data() + last);
    }
    if (a.size() >= kStep / 2) {
        return loweredEnds(a) == loweredEnds(b);
    }
    for (std::size_t at = 0; at < a.size(); ++at) {
        if (lowerOf(a[at]) != lowerOf(b[at])) {
            return false;
        }
    }
    return true;
}

} // namespace mesh::http
