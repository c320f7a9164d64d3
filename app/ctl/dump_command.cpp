#include "app/ctl/node_commands.h"
#include "proxyengine/config/tree.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace mesh::ctl {

int runDump(const DumpOptions& options, const Surroundings& around)
{
    const auto node = resolveNode(nullptr, options.node);
    if (!node) {
        return failed(around, node.error(), kUsage);
    }
    const std::string path = options.withSecrets ? "/config?secrets=shown" : "/config";
    const auto answer = askNode(around.clock(), *node, options.credentials, {"GET", path});
    if (!answer) {
        return failed(around, answer.error(), exitCodeOfNode(answer.error()));
    }
    if (answer->status != 200) {
        const auto json = nlohmann::ordered_json::parse(answer->body, nullptr, false);
        const std::string message =
            fmt::format("{}: {} {}", options.node, answer->status, textMember(json, "message"));
        return failed(around, ErrorCode::Refused, message, kRefused);
    }
    if (around.isJson()) {
        around.output.out += answer->body;
        return kDone;
    }
    const auto tree = config::parseTree(answer->body);
    if (!tree) {
        return failed(around, tree.error(), kUnreachable);
    }
    around.output.out += config::toYaml(*tree);
    return kDone;
}

} // namespace mesh::ctl
