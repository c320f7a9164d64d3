#pragma once

#include "proxyengine/config/problem.h"
#include "proxyengine/model/value.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The short forms of the declarative file, written out in the tree before its fields are checked.
namespace mesh::config {

enum class FormatVersion : std::uint8_t {
    Old, // 1.1 and 2.1: regular expressions among paths are guessed.
    Current, // 3.0: they begin with '~'.
};

// Each takes one record of the file and its path, and adds problems at their places.
struct Sugar
{
    FormatVersion version = FormatVersion::Current;
    std::vector<Problem>& problems;

    // url; client_certificate: {id: x}; the routes inside.
    void service(model::Value& record, const std::string& path) const;
    // service: {name: x}; paths of old versions.
    void route(model::Value& record, const std::string& path) const;
    // hash_on without algorithm; the targets inside.
    void upstream(model::Value& record, const std::string& path) const;
    // service: {name: x}, route: {name: x}.
    void plugin(model::Value& record, const std::string& path) const;
    // "host" -> "host:8000".
    void target(model::Value& record) const;

    // Takes a reference (`x`, `{name: x}`, `{id: x}`) out of the record; absent when there is none.
    std::optional<model::Value> takeReference(
        model::Value& record, std::string_view key, const std::string& path
    ) const;

private:
    void add(const std::string& path, model::Mark mark, ErrorCode code, std::string message) const;
    void url(model::Value& record, const std::string& path) const;
    void reference(model::Value& record, std::string_view key, const std::string& path) const;
    void migratePaths(model::Value& record) const;
};

// Plugins that this version does not have are an error each, with their places, and taken out of
// the owner's `plugins`, so that their settings are not reported too. `path`: the owner's; may be
// empty.
void dropUnknownPlugins(
    model::Value& owner, const std::string& path, std::vector<Problem>& problems
);

// Puts every member of `defaults` into the record that the record does not have; maps are merged.
void mergeDefaults(model::Value& record, const model::Value& defaults);

} // namespace mesh::config
