#include "proxyengine/proxy/verdict_delay.h"

#include <algorithm>
#include <utility>

namespace mesh::proxy {

struct VerdictDelay::Late
{
    Late(VerdictDelay& delay, Verdict toShow)
        : verdict(std::move(toShow))
        , timer(delay.m_loop.timers(), [&delay, this] { delay.show(*this); })
    {}

    [[nodiscard]] bool isOf(std::string_view upstream, std::string_view target) const
    {
        return verdict.upstream == upstream && verdict.target == target;
    }

    Verdict verdict;
    net::FunctionTimer timer;
};

VerdictDelay::VerdictDelay(net::EventLoop& loop, ShowFunction show)
    : m_loop(loop)
    , m_show(std::move(show))
{}

VerdictDelay::~VerdictDelay() = default;

void VerdictDelay::set(const std::string& upstream, Duration by)
{
    if (by > Duration::zero()) {
        m_by[upstream] = by;
    } else {
        m_by.erase(upstream);
    }
}

Duration VerdictDelay::lateness(std::string_view upstream) const
{
    Duration late{};
    for (const std::string_view name : {upstream, std::string_view()}) {
        const auto by = m_by.find(name);
        late = std::max(late, by == m_by.end() ? Duration::zero() : by->second);
    }
    return late;
}

void VerdictDelay::take(Verdict verdict)
{
    const Duration late = lateness(verdict.upstream);
    if (late == Duration::zero()) {
        std::erase_if(m_underWay, [&verdict](const auto& each) {
            return each->isOf(verdict.upstream, verdict.target);
        });
        m_show(verdict);
        return;
    }
    m_underWay.push_back(std::make_unique<Late>(*this, std::move(verdict)));
    m_underWay.back()->timer.arm(m_loop.now() + late);
}

// Called by its timer.
void VerdictDelay::show(const Late& late)
{
    const auto place =
        std::ranges::find_if(m_underWay, [&late](const auto& each) { return each.get() == &late; });
    std::unique_ptr<Late> over = std::move(*place);
    m_underWay.erase(place);
    m_show(over->verdict);
    m_loop.destroyLater(std::move(over));
}

// Verdicts about a target take turns, so that what was shown is the opposite of the next.
bool VerdictDelay::shown(std::string_view upstream, std::string_view target, bool newest) const
{
    const auto next = std::ranges::find_if(m_underWay, [&](const auto& each) {
        return each->isOf(upstream, target);
    });
    return next == m_underWay.end() ? newest : !(*next)->verdict.isAvailable;
}

} // namespace mesh::proxy
