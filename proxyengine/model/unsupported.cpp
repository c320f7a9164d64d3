#include "proxyengine/model/unsupported.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mesh::model {
namespace {

struct Row
{
    std::string_view key;
    std::string_view schemas; // Names between spaces.
    std::string_view what; // Subject of the sentence, with its verb.
};

constexpr std::array kRows = {
    Row{"plugins", " document service route ", "plugins are"},
    Row{"_plugin_configs", " document ", "shared plugin configurations are"},
    Row{"consumers", " document ", "consumers are"},
    Row{"consumer_groups", " document ", "consumer groups are"},
    Row{"keyauth_credentials", " document ", "credentials are"},
    Row{"basicauth_credentials", " document ", "credentials are"},
    Row{"hmacauth_credentials", " document ", "credentials are"},
    Row{"jwt_secrets", " document ", "credentials are"},
    Row{"oauth2_credentials", " document ", "credentials are"},
    Row{"acls", " document ", "access lists are"},
    Row{"vaults", " document ", "vaults are"},
    Row{"keys", " document ", "keys are"},
    Row{"key_sets", " document ", "key sets are"},
    Row{"ca_certificates", " document ", "CA certificates are"},
    Row{"filter_chains", " document service route ", "filter chains are"},
    Row{"licenses", " document ", "licenses are"},
    Row{"partials", " document ", "partials are"},
    Row{"rbac_roles", " document ", "RBAC roles are"},
    Row{"service_packages", " document ", "service packages are"},
    Row{"_konnect", " document ", "control plane settings are"},
    Row{"permissions", " document ", "permissions are"},
    Row{"expression", " route ", "router expressions are"},
    Row{"priority", " route ", "router expressions are"},
    Row{"network", " document ", "network models are"},
};

} // namespace

std::string unsupportedField(std::string_view schema, std::string_view key)
{
    const std::string name = fmt::format(" {} ", schema);
    const auto row = std::ranges::find_if(kRows, [&](const Row& each) {
        return each.key == key && each.schemas.find(name) != std::string_view::npos;
    });
    if (row == kRows.end()) {
        return {};
    }
    return fmt::format(
        "{} not supported by this version; remove {} or use a later version",
        row->what,
        row->what.ends_with(" is") ? "it" : "them"
    );
}

} // namespace mesh::model
