#pragma once

#include "app/ctl/surroundings.h"

#include <string>

// Documents that come in and go out.
namespace mesh::ctl {

struct ImportOptions
{
    std::string file; // Declarative, of the gateway or ours; or a bundle.
    std::string into; // Mesh document; empty: YAML on standard output.
    std::string message; // Of the revision; empty: "imported from FILE".
    bool isDropping = false; // Leaves out what this version does not have.
    bool isCheck = false; // Says what would happen; writes nothing.
};

struct ExportOptions
{
    std::string file;
    std::string format = "native"; // Or gateway.
    bool withSecrets = false;
    bool isStrict = false; // 1 when something cannot be carried.
};

struct BundleOptions
{
    std::string document;
    std::string output;
};

// A new document, or a new revision of one that is there. 0 done; 1 it has problems, nothing was
// written; 2 unreadable.
[[nodiscard]] int runImport(const ImportOptions& options, const Surroundings& around);

// The document to standard output, what cannot be carried to standard error.
[[nodiscard]] int runExport(const ExportOptions& options, const Surroundings& around);

// A consistent copy, also while a console writes to it.
[[nodiscard]] int runBundle(const BundleOptions& options, const Surroundings& around);

} // namespace mesh::ctl
