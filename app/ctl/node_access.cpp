#include "app/ctl/node_access.h"

#include "app/ctl/document_input.h"
#include "app/ctl/json.h"
#include "proxyengine/config/codec.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <utility>

namespace mesh::ctl {
namespace {

std::string_view roleOf(const model::Node& node)
{
    return node.role == model::NodeRole::Gateway ? "gateway" : "sidecar";
}

Result<NodeTarget> targetOf(const model::Node& node)
{
    if (!node.admin) {
        return fail(
            ErrorCode::MissingField,
            fmt::format("node {} has no `admin` in the document; write its URL there", node.name)
        );
    }
    MESH_TRY(auto address, control::parseNodeUrl(*node.admin));
    return NodeTarget{
        node.name,
        *node.admin,
        std::string(roleOf(node)),
        node.zone.value_or(std::string()),
        std::move(address)};
}

bool looksLikeUrl(std::string_view text)
{
    return text.find(':') != std::string_view::npos || text.find('/') != std::string_view::npos;
}

} // namespace

Result<NodeTarget> resolveNode(const model::Document* document, const std::string& nameOrUrl)
{
    if (document != nullptr) {
        if (const model::Node* node = findNode(*document, nameOrUrl); node != nullptr) {
            return targetOf(*node);
        }
        if (!looksLikeUrl(nameOrUrl)) {
            return fail(
                ErrorCode::NotFound,
                fmt::format(
                    "the document has no node '{}'; name one of its nodes, or a URL", nameOrUrl
                )
            );
        }
        for (const model::Node& node : document->nodes) {
            if (node.admin == nameOrUrl) {
                return targetOf(node);
            }
        }
    }
    MESH_TRY(auto address, control::parseNodeUrl(nameOrUrl));
    return NodeTarget{nameOrUrl, nameOrUrl, {}, {}, std::move(address)};
}

Result<std::vector<NodeTarget>> resolveNodes(
    const model::Document& document, const std::vector<std::string>& named
)
{
    std::vector<NodeTarget> targets;
    for (const std::string& each : named) {
        MESH_TRY(NodeTarget target, resolveNode(&document, each));
        targets.push_back(std::move(target));
    }
    if (!named.empty()) {
        return targets;
    }
    for (const model::Node& node : document.nodes) {
        MESH_TRY(NodeTarget target, targetOf(node));
        targets.push_back(std::move(target));
    }
    if (targets.empty()) {
        return fail(
            ErrorCode::MissingField, "the document lists no nodes; name them with --node URL"
        );
    }
    return targets;
}

Result<control::NodeAnswer> askNode(
    const Clock& clock,
    const NodeTarget& node,
    const CredentialFiles& credentials,
    const NodeQuestion& question
)
{
    control::NodeRequest request;
    request.address = node.address;
    request.method = question.method;
    request.path = question.path;
    request.body = question.body;
    request.onlyIfHash = question.onlyIfHash;
    request.credentials = credentials;
    request.timeout = question.timeout;
    auto answer = control::requestNode(clock, request);
    if (!answer) {
        Error error = std::move(answer).error();
        error.message = fmt::format("{}: {}", node.name, error.message);
        return tl::unexpected(std::move(error));
    }
    return answer;
}

Result<std::shared_ptr<const model::Document>> readNodeDocument(
    const Clock& clock, const NodeTarget& node, const CredentialFiles& credentials
)
{
    MESH_TRY(
        const control::NodeAnswer answer,
        askNode(clock, node, credentials, {"GET", "/config?secrets=shown"})
    );
    if (answer.status != 200) {
        const OrderedJson json = OrderedJson::parse(answer.body, nullptr, false);
        return fail(
            answer.status == 404 ? ErrorCode::NotFound : ErrorCode::Conflict,
            fmt::format("{}: {} {}", node.name, answer.status, textMember(json, "message"))
        );
    }
    config::DecodeResult decoded = config::decode(answer.body);
    for (const config::Problem& problem : decoded.problems) {
        // A certificate that has expired since does not keep anybody from looking.
        if (problem.code == ErrorCode::Syntax) {
            return fail(
                ErrorCode::Syntax,
                fmt::format("{}: its configuration cannot be read: {}", node.name, problem.message)
            );
        }
    }
    return std::make_shared<const model::Document>(std::move(decoded.document));
}

std::string textMember(const OrderedJson& json, const char* key)
{
    const auto found = json.is_object() ? json.find(key) : json.end();
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

} // namespace mesh::ctl
