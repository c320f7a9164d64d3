#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/model/document.h"
#include "proxyengine/net/event_loop.h"
#include "simulator/live/relay.h"
#include "simulator/scenario/scenario.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mesh::simulator {

// The lines between proxies that a timeline makes bad, or whose ends it takes away with an
// instance: each leads from callers of one service and zone over a relay to one workload's inbound
// listener. Lines that no fault touches have no relay, and those callers go straight to the
// listener.
//
// Threads: the loop's; what the relays' addresses are, any.
class LineSet
{
public:
    // True for faults of lines alone: between zones, and narrow ones.
    [[nodiscard]] static bool isOfLines(const Fault& fault);
    // Also for those that take away what is at the end of a line.
    [[nodiscard]] static bool touches(const Fault& fault);

    // Makes the relays that faults of the timeline need; the document has its real addresses.
    // Errors: Unsupported when a caller's sidecar is shared with others; those of Relay::listen().
    [[nodiscard]] static Result<std::unique_ptr<LineSet>> make(
        net::EventLoop& loop, const model::Document& document, const std::vector<Fault>& timeline
    );

    // The document as this node has to be given it: with relays where its calls go over one.
    [[nodiscard]] model::Document seenFrom(model::Document document, std::string_view node) const;
    // By address of a relay, the workload behind it.
    [[nodiscard]] const std::map<std::string, std::string>& workloads() const
    {
        return m_workloads;
    }

    // Any fault of the timeline; those that touch no line do nothing.
    void begin(const std::shared_ptr<const Fault>& fault);
    void end(const std::shared_ptr<const Fault>& fault);

private:
    // Who calls: the service of a node's workloads or "gateway", and the node's zone.
    struct Caller
    {
        std::string service;
        std::string zone;
        friend auto operator<=>(const Caller&, const Caller&) = default;
    };
    struct Line
    {
        Caller caller;
        const model::Workload* workload; // Of m_document.
        std::unique_ptr<Relay> relay;
    };
    // What callers of one workload share of a narrow line.
    struct Narrow
    {
        explicit Narrow(double bytesPerSecond)
            : there(bytesPerSecond)
            , back(bytesPerSecond)
        {}
        NarrowWay there;
        NarrowWay back;
    };
    struct Active
    {
        std::shared_ptr<const Fault> fault;
        std::map<std::string, std::unique_ptr<Narrow>> narrow; // By workload.
    };

    explicit LineSet(const model::Document& document);
    [[nodiscard]] Result<void> addLines(net::EventLoop& loop, const Fault& fault);
    [[nodiscard]] bool isHit(
        const Fault& fault, const Caller& caller, const model::Workload& workload
    ) const;
    void update();
    [[nodiscard]] LineFaults faultsOf(const Line& line) const;

    std::map<std::string, Caller, std::less<>> m_callers; // By node.
    const model::Document m_document;
    std::vector<Line> m_lines;
    std::map<std::pair<Caller, std::string>, std::string> m_addresses; // By caller and workload.
    std::map<std::string, std::string> m_workloads;
    std::vector<Active> m_active;
};

} // namespace mesh::simulator
