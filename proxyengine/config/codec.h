#pragma once

#include "proxyengine/config/problem.h"
#include "proxyengine/model/document.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// The declarative file: text in, values out, and back.
namespace mesh::config {

struct DecodeResult
{
    model::Document document; // Meaningful only when hasErrors(problems) is false.
    std::vector<Problem> problems; // Every problem with line and column, sorted by place.
};

// Reads YAML, or JSON when the first character is '{' (both through the same schema), then
// validates fields, objects and references. Never throws. Limits: kConfigBytesMax, kConfigDepthMax;
// at most kConfigProblemsMax problems are kept.
[[nodiscard]] DecodeResult decode(std::string_view text);

// Validation alone, for documents that were built or edited as values. Places are absent.
[[nodiscard]] std::vector<Problem> validate(const model::Document& document);

enum class Secrets : std::uint8_t {
    Masked, // "***" instead of private keys; for people.
    Shown, // For files, pushes and the hash.
};

// Canonical YAML and JSON: entities sorted by name, fields in the schema's order, defaults left
// out. decode(toYaml(d)) and decode(toJson(d)) give the canonical d back. JSON has no white space.
[[nodiscard]] std::string toYaml(const model::Document& document, Secrets secrets = Secrets::Shown);
[[nodiscard]] std::string toJson(const model::Document& document, Secrets secrets = Secrets::Shown);

// SHA-256 of toJson(document, Secrets::Shown): the configuration's hash, 64 hex digits.
[[nodiscard]] std::string hashOf(const model::Document& document);

} // namespace mesh::config
