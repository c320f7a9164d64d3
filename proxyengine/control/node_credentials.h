#pragma once

#include <string>

namespace mesh::control {

// With which certificate one side of an admin connection shows itself, and whom it believes: three
// PEM files. They are read when a connection begins, so that a file that was replaced counts from
// the next one on.
struct NodeCredentials
{
    std::string certFile; // Chain, leaf first.
    std::string keyFile;
    std::string caFile; // Authorities that may vouch for the other side.

    [[nodiscard]] bool isEmpty() const
    {
        return certFile.empty() && keyFile.empty() && caFile.empty();
    }
    friend bool operator==(const NodeCredentials&, const NodeCredentials&) = default;
};

} // namespace mesh::control
