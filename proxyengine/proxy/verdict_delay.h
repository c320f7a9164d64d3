#pragma once

#include "proxyengine/net/event_loop.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mesh::proxy {

// Verdicts about targets that are under way to balancing: where news of endpoints is late, as
// rehearsals ask for it (api::DelayVerdicts).
//
// Threads: the control loop's.
class VerdictDelay
{
public:
    struct Verdict
    {
        std::string upstream;
        std::string target;
        bool isAvailable = true;
    };
    using ShowFunction = std::function<void(const Verdict&)>;

    VerdictDelay(net::EventLoop& loop, ShowFunction show);
    ~VerdictDelay();

    // From now on verdicts about targets of this upstream (empty: of all) are this late. What is
    // under way keeps its time.
    void set(const std::string& upstream, Duration by);
    // Shows it, now or later. One that is shown at once overtakes what is under way about the same
    // target, which is then forgotten.
    void take(Verdict verdict);
    // What was shown last, when this is the newest verdict.
    [[nodiscard]] bool shown(std::string_view upstream, std::string_view target, bool newest) const;

private:
    struct Late;

    [[nodiscard]] Duration lateness(std::string_view upstream) const;
    void show(const Late& late);

    net::EventLoop& m_loop;
    const ShowFunction m_show;
    std::map<std::string, Duration, std::less<>> m_by; // By upstream; "": of all.
    std::vector<std::unique_ptr<Late>> m_underWay; // The oldest first.
};

} // namespace mesh::proxy
