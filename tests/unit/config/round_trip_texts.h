#pragma once

#include <array>

namespace mesh::config {

// JSON whose values are hard for YAML: empty things, words, numbers as texts, escapes, odd keys.
extern const std::array<const char*, 7> kRoundTripTexts;

} // namespace mesh::config
