#pragma once

#include "app/ctl/surroundings.h"
#include "proxyengine/base/time.h"
#include "proxyengine/control/listen_text.h"
#include "proxyengine/control/node_client.h"
#include "proxyengine/control/node_credentials.h"
#include "proxyengine/model/document.h"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// How commands reach nodes: --node NAME|URL, the files of mutual TLS, one question at a time.
namespace mesh::ctl {

inline constexpr Duration kNodeTimeout = std::chrono::seconds(60); // A large document compiles.
inline constexpr std::size_t kNodesAskedAtOnce = 64; // Threads that mostly wait.

using CredentialFiles = control::NodeCredentials;

// A node that a command speaks to.
struct NodeTarget
{
    std::string name; // Of the document, otherwise the URL.
    std::string url;
    std::string role; // "gateway", "sidecar"; empty: the document does not know it.
    std::string zone;
    control::AdminAddress address;
};

// What --node takes: the name of a node in the document, or a URL. Without a document: a URL.
// Errors: InvalidArgument; NotFound for a name that the document does not have; MissingField for a
//         node without `admin`.
[[nodiscard]] Result<NodeTarget> resolveNode(
    const model::Document* document, const std::string& nameOrUrl
);

// The nodes of the document, or those that are named. Errors: as resolveNode(); MissingField when
// the document lists none.
[[nodiscard]] Result<std::vector<NodeTarget>> resolveNodes(
    const model::Document& document, const std::vector<std::string>& named
);

// One question to a node's admin API. Errors: as control::requestNode(), with the node's name.
struct NodeQuestion
{
    std::string method = "GET";
    std::string path;
    std::string body = {};
    std::string onlyIfHash = {};
    Duration timeout = kNodeTimeout;
};
[[nodiscard]] Result<control::NodeAnswer> askNode(
    const Clock& clock,
    const NodeTarget& node,
    const CredentialFiles& credentials,
    const NodeQuestion& question
);

// What the node runs, secrets included. Errors: as askNode(); NotFound when it runs nothing yet,
// Conflict for another status, Syntax when it is no document.
[[nodiscard]] Result<std::shared_ptr<const model::Document>> readNodeDocument(
    const Clock& clock, const NodeTarget& node, const CredentialFiles& credentials
);

// The member when it is a text; empty otherwise.
[[nodiscard]] std::string textMember(const nlohmann::ordered_json& json, const char* key);

} // namespace mesh::ctl
