#pragma once

#include "proxyengine/base/clock.h"
#include "proxyengine/base/error.h"
#include "proxyengine/control/listen_text.h"
#include "proxyengine/control/node_credentials.h"
#include "proxyengine/http/channel.h"
#include "proxyengine/http/message.h"
#include "proxyengine/tls/certificate.h"
#include "proxyengine/tls/context.h"
#include "proxyengine/tls/verifier.h"

#include <memory>
#include <optional>
#include <string>

// Mutual TLS of admin connections: both sides show a certificate, both judge the other's.
namespace mesh::control {

// The server's side, from its files.
struct NodeTls
{
    std::shared_ptr<const tls::ServerContext> context;
    std::shared_ptr<const tls::PeerVerifier> verifier; // Judges clients.
    tls::CertificateFacts own;
    std::string authorities; // Subjects of those that may vouch for clients.
    std::string caPem;
};

// Errors: Tls, or of reading, each with the option's name for the file and its path;
//         InvalidArgument when a file is not named.
[[nodiscard]] Result<std::shared_ptr<const NodeTls>> loadNodeTls(const NodeCredentials& files);

// A server's connection. A client without a certificate that the authorities vouch for now is
// answered with 401 and why, by HTTP/1.1 before a byte of it is read as HTTP, by HTTP/2 on each of
// its streams; it is logged as admin.refused with its address, subject and issuer.
[[nodiscard]] Result<std::unique_ptr<http::Channel>> makeServerChannel(
    std::shared_ptr<const NodeTls> ours, int socket, const Clock& clock
);

// Connections to this node; each reads the files anew. The node's certificate must be of one of the
// authorities, in force, and name the host of the address (DNS name or IP address).
[[nodiscard]] http::ChannelFunction clientChannels(
    NodeCredentials files, const AdminAddress& address
);

// What a node with TLS that does not take our certificate has answered; nothing when it does.
[[nodiscard]] std::optional<Error> refusalOf(
    const AdminAddress& address, const http::Response& response
);

// "subject CN=edge-1, issuer CN=shop, names edge-1.shop, 10.0.0.2, valid until 2026-03-14T...Z"
[[nodiscard]] std::string describe(const tls::CertificateFacts& facts);

} // namespace mesh::control
