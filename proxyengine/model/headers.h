#pragma once

#include <string>
#include <vector>

namespace mesh::model {

struct HeaderMatch
{
    std::string name; // As written; compared without case.
    std::vector<std::string> values; // One may match. A single "~*..." is a regular expression.
    friend bool operator==(const HeaderMatch&, const HeaderMatch&) = default;
};

} // namespace mesh::model
