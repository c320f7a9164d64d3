#include "proxyengine/policy/fault.h"

#include "proxyengine/policy/share.h"

namespace mesh::policy {

FaultRule::FaultRule(const model::Fault& settings)
{
    if (settings.delay) {
        m_delay = settings.delay->time;
        m_delayShare = toBasisPoints(settings.delay->percent);
    }
    if (settings.abort) {
        m_status = settings.abort->status;
        m_abortShare = toBasisPoints(settings.abort->percent);
    }
}

FaultVerdict FaultRule::decide(std::string_view requestId) const
{
    FaultVerdict verdict;
    if (m_delayShare > 0 && isInShare(HashPurpose::FaultDelay, requestId, m_delayShare)) {
        verdict.delay = m_delay;
    }
    if (m_abortShare > 0 && isInShare(HashPurpose::FaultAbort, requestId, m_abortShare)) {
        verdict.abortStatus = m_status;
    }
    return verdict;
}

} // namespace mesh::policy
