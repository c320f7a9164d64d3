#include "proxyengine/policy/mirror.h"

#include "proxyengine/policy/share.h"

#include <algorithm>

namespace mesh::policy {

MirrorRule::MirrorRule(const model::Mirror& settings)
    : m_maxBodyBytes(static_cast<std::uint64_t>(std::max(0, settings.maxBodyBytes)))
    , m_share(toBasisPoints(settings.percent))
{}

MirrorVerdict MirrorRule::decide(std::string_view requestId, std::optional<std::uint64_t> bodyBytes)
    const
{
    if (!isInShare(HashPurpose::Mirror, requestId, m_share)) {
        return MirrorVerdict::NotInShare;
    }
    return bodyBytes && !fits(*bodyBytes) ? MirrorVerdict::BodyTooLarge : MirrorVerdict::Send;
}

} // namespace mesh::policy
