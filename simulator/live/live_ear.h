#pragma once

#include "proxyengine/base/clock.h"
#include "proxyengine/base/mailbox.h"
#include "proxyengine/model/document.h"
#include "simulator/live/live_mesh.h"
#include "simulator/mesh/measures.h"
#include "simulator/mesh/run_record.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <semaphore>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace mesh::simulator {

// Listens to the engines of a live mesh and keeps what a rehearsal wants of them: attempts beyond
// the first by edge, what policies did, the processor time of the process.
//
// Threads: the owner's; onNodeEvent() any.
class LiveEar final : public MeshSink
{
public:
    LiveEar(const Clock& clock, std::vector<MeasureWindow> windows);

    void onNodeEvent(const std::string& node, const api::Event& event) override;

    struct Mesh
    {
        std::shared_ptr<const model::Document> document;
        std::map<std::string, std::string, std::less<>> byAddress; // Workloads.
        std::set<std::pair<std::string, std::string>> calls; // Caller and service.
        TimePoint begin; // From here on time counts.
    };
    // Once the mesh runs: who is who. What came before is forgotten. Proxies also check instances
    // that they never call; what they find of these is left out, as virtual time has it.
    void setMesh(Mesh mesh);
    // Takes in what has come; waits at most this long when nothing has.
    void listen(Duration waitMax);

    // Attempts beyond the first of "a->b", in one of the windows.
    [[nodiscard]] double extraAttempts(const std::string& edge, std::size_t window) const;
    // The same by second.
    [[nodiscard]] const std::vector<double>& extraBySecond(const std::string& edge) const;
    // In one second, of an edge or of all edges to a service, as far as it has been told.
    [[nodiscard]] double extraIn(std::string_view subject, std::size_t second) const;
    [[nodiscard]] const std::vector<RunMarker>& markers() const { return m_markers; } // By time.
    [[nodiscard]] std::uint64_t markersLost() const { return m_markersLost; }
    // Mean over what was heard.
    [[nodiscard]] double processorsUsed() const;

private:
    struct Heard
    {
        std::string node;
        TimePoint at; // When it was told.
        std::variant<
            std::shared_ptr<const telemetry::StatsFrame>,
            api::PolicyEvent,
            api::HealthEvent>
            what;
    };
    struct Extra
    {
        std::vector<double> byWindow;
        std::vector<double> bySecond;
    };

    void take(const Heard& heard);
    void takeFrame(const Heard& heard, const telemetry::StatsFrame& frame);
    void takePolicy(const Heard& heard, const api::PolicyEvent& event);
    void takeHealth(const Heard& heard, const api::HealthEvent& event);
    void mark(const Heard& heard, RunMarker::Kind kind, std::string callee, std::string instance);
    [[nodiscard]] std::string callerOf(const std::string& node) const;
    [[nodiscard]] std::string instanceAt(std::string_view address) const;

    const Clock& m_clock;
    const std::vector<MeasureWindow> m_windows;
    std::counting_semaphore<> m_arrived{0};
    Mailbox<Heard> m_mailbox;
    Mesh m_mesh;
    std::map<std::string, Extra> m_extra; // By edge.
    std::vector<RunMarker> m_markers;
    std::uint64_t m_markersLost = 0;
    std::set<std::pair<std::string, std::string>> m_failing; // Node and instance.
    Duration m_cpu{};
    Duration m_cpuSpan{};
};

} // namespace mesh::simulator
