#pragma once

#include "proxyengine/config/codec.h"
#include "proxyengine/model/document.h"
#include "proxyengine/model/value.h"

#include <string>

namespace mesh::config {

// The whole document as one value, in the order of the file format; defaults left out. The
// document's own order is kept: canonical() it before.
[[nodiscard]] model::Value toValue(const model::Document& document, Secrets secrets);

// The hash of a document that is canonical already.
[[nodiscard]] std::string hashOfCanonical(const model::Document& document);

} // namespace mesh::config
