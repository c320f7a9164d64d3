#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/model/document.h"
#include "simulator/live/mesh_credentials.h"
#include "simulator/scenario/scenario.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mesh::simulator {

// What the nodes of a live mesh are configured with while a timeline is played: callers in a retry
// storm, versions that were deployed, certificates that have expired, and who gets it late.
class LiveConfiguration
{
public:
    // `written`: the document of the scenario, whose nodes the faults name. Its instances have
    // sidecars of their own in the document that runs.
    LiveConfiguration(std::shared_ptr<const model::Document> written, std::vector<Fault> timeline);

    // True for faults that are played by other configurations, or by their being late.
    [[nodiscard]] static bool isOfConfiguration(FaultKind kind);

    // The document to start with: under mutual TLS with certificates of its own when the timeline
    // asks for it, or the same. Errors: those of MeshCredentials::make().
    [[nodiscard]] Result<model::Document> begin(model::Document document, WallTime now);
    // The document that runs, with real addresses.
    void setRunning(std::shared_ptr<const model::Document> running);

    struct Change
    {
        std::vector<std::string> nodes;
        model::Document document; // For all of these.
    };
    // What has to be applied at this time since the begin; told once. Not before setRunning().
    // `stoppedAfter`: faults that would begin later stay away.
    [[nodiscard]] std::vector<Change> changesAt(
        Duration passed, std::optional<Duration> stoppedAfter
    );

    struct Delay
    {
        std::string node;
        std::string upstream;
        Duration by{};
    };
    // How late nodes are to see verdicts from now on, where that has changed; told once.
    [[nodiscard]] std::vector<Delay> delaysAt(Duration passed);

    // How late a node sees changes of a service's instances at this time.
    [[nodiscard]] Duration lateness(std::string_view node, std::string_view service, Duration at)
        const;

private:
    // What is different for a node.
    struct Wanted
    {
        std::vector<Fault> storms;
        std::set<std::string> expired; // Its workloads.
        std::map<std::string, std::string> versions; // By workload.
        friend bool operator==(const Wanted&, const Wanted&) = default;
    };

    [[nodiscard]] bool isActive(const Fault& fault, Duration at) const;
    [[nodiscard]] bool isOfNode(const std::string& named, std::string_view node) const;
    [[nodiscard]] Duration configLateness(std::string_view node, Duration at) const;
    [[nodiscard]] Wanted wantedBy(const model::Node& node, Duration at) const;
    void addExpired(Wanted& wanted, const model::Node& node, Duration at) const;
    void addVersions(Wanted& wanted, const model::Node& node, Duration at) const;
    [[nodiscard]] model::Document made(const Wanted& wanted) const;

    const std::shared_ptr<const model::Document> m_written;
    const std::vector<Fault> m_timeline;
    std::optional<Duration> m_stoppedAfter;
    std::optional<MeshCredentials> m_credentials;
    std::shared_ptr<const model::Document> m_running;
    std::map<std::string, Wanted> m_told; // By node.
    std::map<std::pair<std::string, std::string>, Duration> m_delays; // By node and upstream.
};

} // namespace mesh::simulator
