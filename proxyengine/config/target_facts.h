#pragma once

#include "proxyengine/model/document.h"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mesh::config {

struct TargetFacts
{
    std::string zone; // Empty: unknown.
    std::string version;
};

// The value of the first tag with this beginning: "zone:" of "zone:a" gives "a".
[[nodiscard]] std::string tagValue(const model::Tags& tags, std::string_view prefix);

// Who the targets of an upstream or a service are, by the rules of compile(): its own targets, or
// the workloads behind it. The document lives longer than the book.
class TargetBook
{
public:
    explicit TargetBook(const model::Document& document);

    [[nodiscard]] std::vector<TargetFacts> ofUpstream(const model::Upstream& upstream) const;
    // Empty when the service names a host outside of the document.
    [[nodiscard]] std::vector<TargetFacts> ofService(const model::Service& service) const;

private:
    void addWorkloads(std::string_view service, std::vector<TargetFacts>& facts) const;

    std::unordered_map<std::string_view, std::vector<const model::Workload*>> m_workloads;
    std::unordered_map<std::string_view, std::vector<std::string_view>> m_servicesByHost;
    std::unordered_map<std::string_view, const model::Upstream*> m_upstreams;
    std::unordered_map<std::string_view, const model::Node*> m_nodes;
};

} // namespace mesh::config
