#pragma once

#include "proxyengine/base/random.h"

#include <QtTest>

#include <string>

namespace mesh::test {

// What a run of random steps found: empty when the property held.
using Violation = std::string;

// The seed of a property's first run: MESH_SEED when set, otherwise a fixed one. Printed, with how
// to repeat the run.
inline Seed firstSeed()
{
    bool isSet = false;
    const std::uint64_t given = qEnvironmentVariable("MESH_SEED").toULongLong(&isSet);
    const Seed seed{isSet ? given : 20261121};
    qInfo(
        "first seed %llu; another with MESH_SEED=...", static_cast<unsigned long long>(seed.value)
    );
    return seed;
}

// Runs check(Seed) with seeds derived from the first one until it tells a violation; the answer
// starts with the part of the seed that fails.
template <typename Check>
Violation runSeeds(Seed first, std::uint64_t runs, Check check)
{
    for (std::uint64_t part = 0; part < runs; ++part) {
        const Violation violation = check(deriveSeed(first, part));
        if (!violation.empty()) {
            return "run " + std::to_string(part) + ": " + violation;
        }
    }
    return {};
}

} // namespace mesh::test
