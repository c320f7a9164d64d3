#pragma once

#include "proxyengine/base/source_place.h"

#include <cstdint>

namespace mesh {

// Ends the process after printing the condition and its place. Never returns.
[[noreturn]] void assertionFailed(const char* condition, SourcePlace place);

// Counts and logs a bug that was contained; ends the process in builds without NDEBUG.
void bugFound(const char* text, SourcePlace place);

// How many contained bugs this process has seen. Threads: any.
std::uint64_t bugCount();

} // namespace mesh

// A condition that holds unless our own code is wrong. Stays on in release builds.
#define MESH_ASSERT(condition)                                                                     \
    ((condition) ? static_cast<void>(0)                                                            \
                 : ::mesh::assertionFailed(#condition, ::mesh::SourcePlace::here()))

// A bug that can be contained: counted, logged, and the caller goes on.
#define MESH_BUG(text) ::mesh::bugFound(text, ::mesh::SourcePlace::here())
