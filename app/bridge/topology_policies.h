#pragma once

#include "app/bridge/topology_builder.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace mesh::bridge {

// Where the traffic policies of one moment show: on services, their instances and the edges that
// lead to them. What all nodes report is joined with what the configuration says.
class PolicyPlaces
{
public:
    PolicyPlaces(const TopologyInput& input, const EntityNames& names);

    // Ejections that nodes report but that no health row tells: those of the past.
    void markEjected(InstanceRow& instance) const;
    // The most urgent first; ejections are counted from the entity's instances.
    [[nodiscard]] std::vector<PolicyRow> ofEntity(const EntityRow& entity) const;
    // What the nodes of the source apply to the target.
    [[nodiscard]] std::vector<PolicyRow> ofEdge(const QString& source, const QString& target) const;

private:
    struct Known
    {
        PolicyRow row;
        std::string service;
        std::set<QString> sources; // Entities whose calls it concerns.
    };
    void readReports(const TopologyInput& input, const EntityNames& names);
    void readConfiguration(const model::Document& document);
    void readRoute(const model::Route& route, const std::string& owner);
    void readResilience(
        const model::Resilience& resilience, const QString& subject, const std::string& service
    );
    void configure(
        PolicyKind kind,
        const QString& text,
        const QString& reason,
        const QString& subject,
        const std::string& service
    );

    std::vector<Known> m_known;
    std::vector<PolicyReport> m_ejections;
    std::map<std::string, QString> m_instanceOf; // Address of a target -> InstanceRow::id.
    std::map<std::string, std::set<QString>> m_entitiesOf; // Node -> entities that call there.
};

} // namespace mesh::bridge
