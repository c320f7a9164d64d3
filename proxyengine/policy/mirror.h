#pragma once

#include "proxyengine/model/resilience.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mesh::policy {

enum class MirrorVerdict : std::uint8_t {
    Send,
    NotInShare,
    BodyTooLarge, // Declared length beyond max_body_bytes.
};

// Whether a request is copied to the shadow service: by request id, exact to 0.01 %, and
// independent of faults.
// Threads: any, after construction (immutable).
class MirrorRule
{
public:
    explicit MirrorRule(const model::Mirror& settings);

    // bodyBytes: the declared length; nothing when unknown. A body of unknown length is copied as
    // long as it fits (see fits()).
    [[nodiscard]] MirrorVerdict decide(
        std::string_view requestId, std::optional<std::uint64_t> bodyBytes
    ) const;

    // Whether a body that has grown to this many bytes is still mirrored.
    [[nodiscard]] bool fits(std::uint64_t bodyBytes) const { return bodyBytes <= m_maxBodyBytes; }

private:
    std::uint64_t m_maxBodyBytes;
    std::uint32_t m_share; // Basis points.
};

} // namespace mesh::policy
