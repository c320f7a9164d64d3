#pragma once

#include "proxyengine/base/time.h"
#include "proxyengine/model/gateway.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mesh::model {

enum class MtlsMode : std::uint8_t { Off, Permissive, Strict };

// When a node sheds requests, lowest priority first.
struct Overload
{
    int maxRequests = 0; // In flight on the node; 0: not judged.
    Duration maxLoopLag{}; // How late a worker's event loop may be; zero: not judged.
    double shedFrom = 80; // Percent of either limit at which `low` begins to be shed.
    friend bool operator==(const Overload&, const Overload&) = default;
};

struct MeshSettings
{
    std::string name;
    std::optional<std::string> trustDomain;
    MtlsMode mtls = MtlsMode::Off;
    std::vector<std::string> caCertificates; // Ids; who vouches for the members of the mesh.
    std::optional<Overload> overload; // Of every node.
    friend bool operator==(const MeshSettings&, const MeshSettings&) = default;
};

enum class NodeRole : std::uint8_t { Gateway, Sidecar };

// A machine that runs meshwrightd.
struct Node
{
    std::string name;
    NodeRole role = NodeRole::Gateway;
    std::optional<std::string> zone;
    std::optional<std::string> admin; // URL of its admin API.
    std::optional<std::string> certificate; // Id: what it shows to sidecars.
    Tags tags;
    friend bool operator==(const Node&, const Node&) = default;
};

// One running copy of a service, behind the sidecar of a node.
struct Workload
{
    std::string name;
    std::string service;
    std::string node;
    std::optional<std::string> zone; // Absent: the node's.
    std::optional<std::string> version;
    int weight = 100; // Share of its service's traffic, as a target's.
    std::string address; // Where the process listens, host:port.
    std::optional<std::string> inbound; // Where its sidecar takes calls from other nodes.
    std::optional<std::string> outbound; // Where its sidecar takes calls of the process itself.
    std::optional<std::string> certificate; // Id: its identity; absent: the node's.
    Tags tags;
    friend bool operator==(const Workload&, const Workload&) = default;
};

// A law of a duration: constant, exponential, lognormal (mean and cv), or quantiles joined
// linearly.
struct DurationLaw
{
    enum class Kind : std::uint8_t { Const, Exp, Lognormal, Quantiles };
    Kind kind = Kind::Const;
    Duration mean{};
    double cv = 1.0; // Only lognormal: standard deviation over mean.
    std::vector<std::pair<double, Duration>> quantiles; // Sorted by share; first 0, last 1.
    friend bool operator==(const DurationLaw&, const DurationLaw&) = default;
};

struct ModelCall
{
    std::string call; // A service's name.
    double probability = 1.0; // Drawn for each repeat by itself.
    int count = 1;
    std::optional<double> cached; // Share of the calls that a cache answers.
    friend bool operator==(const ModelCall&, const ModelCall&) = default;
};

// One step of a script: its calls run in parallel; a plain call in the file is a step of one.
struct ModelStep
{
    std::vector<ModelCall> calls;
    bool isParallel = false; // Written as a nested list. Repeats of a call run in parallel too.
    friend bool operator==(const ModelStep&, const ModelStep&) = default;
};

// How a service behaves when simulated.
struct ServiceModel
{
    std::string service;
    int instances = 1;
    std::vector<std::string> zones; // Instances are dealt to these in turn; empty: one zone.
    int concurrency = 1;
    int queue = 1024; // Waiting requests; 0: none.
    DurationLaw serviceTime;
    double errorRate = 0.0;
    std::vector<ModelStep> script;
    bool holdWorkerDuringCalls = false;
    Duration rejectTime = std::chrono::microseconds(100);
    friend bool operator==(const ServiceModel&, const ServiceModel&) = default;
};

// Everything a declarative file says. Entities stand in file order; the canonical form sorts them.
struct Document
{
    std::vector<Service> services;
    std::vector<Route> routes; // Only those without a service.
    std::vector<Upstream> upstreams;
    std::vector<Certificate> certificates;
    std::vector<CaCertificate> caCertificates;
    std::vector<Plugin> plugins; // At the top: of everything, or of the service or route they name.
    std::optional<MeshSettings> mesh;
    std::vector<Node> nodes;
    std::vector<Workload> workloads;
    std::vector<ServiceModel> models;
    friend bool operator==(const Document&, const Document&) = default;
};

} // namespace mesh::model
