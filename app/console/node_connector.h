#pragma once

#include "app/bridge/mesh_session.h"
#include "app/console/node_credentials_folder.h"
#include "app/shell/connect_dialog.h"
#include "proxyengine/base/clock.h"

namespace mesh::console {

// Reaches nodes through their admin API: GET / and GET /config, whose private keys come along,
// because they go back with each push; what follows them is a remote engine.
//
// Errors of the connector: as control::parseNodeUrl() and control::requestNode(); Protocol when
// what answers is no admin API.
// Lifetime: the clock outlives every session that a node was attached to.
[[nodiscard]] shell::NodeConnector makeNodeConnector(
    const Clock& clock, const CredentialsFolder& credentials
);

// The same for nodes that a document lists with their admin address.
[[nodiscard]] bridge::NodeFollower makeNodeFollower(
    const Clock& clock, const CredentialsFolder& credentials
);

} // namespace mesh::console
