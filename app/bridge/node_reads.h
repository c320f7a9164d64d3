#pragma once

#include "proxyengine/base/error.h"

#include <functional>
#include <string>

namespace mesh::bridge {

// How to ask an engine that runs in another process. Each may block for a few seconds and is called
// on a thread of its own. Empty: the node is believed what its next measurement says.
struct NodeReads
{
    std::function<Result<std::string>()> hash;
    std::function<Result<std::string>()> document; // As text, secrets included.
};

} // namespace mesh::bridge
