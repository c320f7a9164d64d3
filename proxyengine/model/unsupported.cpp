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
    Row{"filter_chains", " document service route ", "filter chains are"},
    Row{"licenses", " document ", "licenses are"},
    Row{"partials", " document ", "partials are"},
    Row{"rbac_roles", " document ", "RBAC roles are"},
    Row{"service_packages", " document ", "service packages are"},
    Row{"_konnect", " document ", "control plane settings are"},
    Row{"permissions", " document ", "permissions are"},
    Row{"expression", " route ", "router expressions are"},
    Row{"priority", " route ", "router expressions are"},
    Row{"anonymous", " mtls_auth ", "consumers are"},
    Row{"consumer_by", " mtls_auth ", "consumers are"},
    Row{"default_consumer", " mtls_auth ", "consumers are"},
    Row{"authenticated_group_by", " mtls_auth ", "consumer groups are"},
    Row{"cache_ttl", " mtls_auth ", "caches of consumers are"},
    Row{"cert_cache_ttl", " mtls_auth ", "revocation lists over HTTP are"},
    Row{"http_timeout", " mtls_auth ", "revocation lists over HTTP are"},
    Row{"http_proxy_host", " mtls_auth ", "revocation lists over HTTP are"},
    Row{"http_proxy_port", " mtls_auth ", "revocation lists over HTTP are"},
    Row{"https_proxy_host", " mtls_auth ", "revocation lists over HTTP are"},
    Row{"https_proxy_port", " mtls_auth ", "revocation lists over HTTP are"},
    Row{"consumer", " plugin ", "consumers are"},
    Row{"consumer_group", " plugin ", "consumer groups are"},
    Row{"protocols", " plugin ", "protocols of plugins are"},
    Row{"ordering", " plugin ", "orders of plugins are"},
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
