#pragma once

#include "app/bridge/topology.h"
#include "proxyengine/base/error.h"
#include "proxyengine/model/document.h"

#include <QString>
#include <QStringList>

#include <string>
#include <vector>

// Scenarios made from a document, for somebody who has not written one.
namespace mesh::bridge {

// Zones of workloads, models and nodes, sorted.
[[nodiscard]] QStringList zonesOf(const model::Document& document);

// Services with routes and a model; the first model when none has a route.
[[nodiscard]] std::vector<std::string> entriesOf(const model::Document& document);

// When the fault of a template begins.
inline constexpr double kTemplateFault_s = 40;

// The scenario in which one thing happens: an entry of a timeline in one line, empty: nothing yet.
// Rates are those seen at the entries, 100 a second where nothing is seen.
[[nodiscard]] QString scenarioWith(
    const model::Document& document,
    const Topology& seen,
    const QString& name,
    const std::string& entry
);

// The draft as a JSON merge patch of the base, by name, in one line of YAML. Errors: Unsupported
// when objects came or went, because a variant changes what is there.
[[nodiscard]] Result<std::string> patchBetween(
    const model::Document& base, const model::Document& draft
);

} // namespace mesh::bridge
