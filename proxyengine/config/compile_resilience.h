#pragma once

#include "proxyengine/config/problem.h"
#include "proxyengine/config/snapshot.h"
#include "proxyengine/model/document.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mesh::config {

// Compiles what services and routes say about their traffic into the snapshot's lists. Only for
// compile().
class ResilienceCompiler
{
public:
    static constexpr std::size_t kNoService = static_cast<std::size_t>(-1);

    // `serviceIndex`: from the document's services to the snapshot's, kNoService when disabled. All
    // three live longer than this.
    ResilienceCompiler(
        const model::Document& document,
        const std::vector<std::size_t>& serviceIndex,
        Snapshot& snapshot,
        std::vector<Problem>& problems
    );

    // The plan of a service by itself; absent when it says nothing. `service`: in the document.
    [[nodiscard]] std::optional<std::size_t> ofService(std::size_t service);

    // Fills in resilience, split and stickiness of a route. `path`: of the route, for problems.
    void addTo(RoutePlan& plan, const model::Route& route, std::size_t service, std::string path);

private:
    // What a route says over what its service says, and who they are.
    struct Layers
    {
        const model::Resilience* route = nullptr;
        const model::Resilience* service = nullptr;
        std::string routeSubject;
        std::string serviceSubject;
    };

    // Places of the entries of one list by subject.
    using Places = std::unordered_map<std::string, std::vector<std::size_t>>;

    enum class Fallbacks : std::uint8_t { Followed, Ignored };

    std::optional<std::size_t> merged(
        const model::Route* route, std::string_view routeName, std::size_t service
    );
    std::size_t add(const Layers& layers, Fallbacks fallbacks);
    void addKept(const Layers& layers, ResiliencePlan& plan);
    void addOthers(const Layers& layers, Fallbacks fallbacks, ResiliencePlan& plan);
    std::optional<std::size_t> asFallback(std::size_t service);
    std::optional<std::size_t> find(const std::string& name, std::string_view key);
    [[nodiscard]] Layers layersOf(
        const model::Route* route, std::string_view routeName, std::size_t service
    ) const;

    const model::Document& m_document;
    const std::vector<std::size_t>& m_serviceIndex;
    Snapshot& m_snapshot;
    std::vector<Problem>& m_problems;
    std::string m_path; // Of what is being compiled.
    std::unordered_map<std::string_view, std::size_t> m_byName; // Into the document.
    std::unordered_map<std::size_t, std::size_t> m_ofService; // Plans of services by themselves.
    std::unordered_map<std::size_t, std::size_t> m_asFallback;
    Places m_retries;
    Places m_breakers;
    Places m_rateLimits;
    Places m_adaptive;
};

} // namespace mesh::config
