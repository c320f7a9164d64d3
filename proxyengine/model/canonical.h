#pragma once

#include "proxyengine/model/document.h"

namespace mesh::model {

// The same document with every order fixed: objects sorted by name (those without one last, by id,
// then as they stood), top-level routes moved into the service they name, protocols in the order of
// the enumeration, headers by name. Two documents that mean the same have the same canonical form,
// and a node compiles nothing but this form, so that equal hashes mean equal behaviour.
[[nodiscard]] Document canonical(Document document);

} // namespace mesh::model
