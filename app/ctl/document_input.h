#pragma once

#include "app/ctl/surroundings.h"
#include "proxyengine/config/problem.h"
#include "proxyengine/model/document.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// What FILE means on every command line: a declarative file, or a `.mesh` document.
namespace mesh::ctl {

struct LoadedDocument
{
    std::string file; // As it was named.
    std::string text; // YAML or JSON; of a mesh document that of its revision.
    std::shared_ptr<const model::Document> document; // Meaningful only without errors.
    std::vector<config::Problem> problems;
    std::string hash; // Empty with errors.
    bool isMeshDocument = false;
    std::int64_t revision = 0; // Of a mesh document.
};

// Whether the file begins as a mesh document does, whatever it is called.
[[nodiscard]] bool isMeshDocument(const std::string& file);

// Reads FILE; of a mesh document the newest revision, or the one with that number.
// Errors: NotFound, PermissionDenied, Io; LimitExceeded; OutOfRange for a revision that is not
// there, MissingField for a document without any; InvalidArgument for one of a declarative file.
[[nodiscard]] Result<LoadedDocument> loadDocument(
    const std::string& file, std::int64_t revision = 0
);

// The same, valid. Otherwise tells what is wrong with it and gives the exit code: `whenInvalid` for
// a document with errors.
[[nodiscard]] tl::expected<LoadedDocument, int> requireDocument(
    const std::string& file,
    const Surroundings& around,
    std::int64_t revision = 0,
    int whenInvalid = kUsage
);

// "12" or "#12". Errors: InvalidArgument.
[[nodiscard]] Result<std::int64_t> parseRevision(std::string_view text);

// The mesh document that is meant when none is named: the only one (*.mesh) of this folder.
// Errors: NotFound when there is none, Conflict when there are several.
[[nodiscard]] Result<std::string> onlyMeshDocument(const std::string& folder);

// The node of the document with this name; null when there is none.
[[nodiscard]] const model::Node* findNode(const model::Document& document, std::string_view name);

} // namespace mesh::ctl
