#pragma once

#include <string>
#include <string_view>

namespace mesh::model {

// What to say about a field that is right, but that this version does not have; empty for all
// others. The schema's name is "service", "route", ...; "document" is the top level of a file.
[[nodiscard]] std::string unsupportedField(std::string_view schema, std::string_view key);

} // namespace mesh::model
