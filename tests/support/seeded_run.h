#pragma once

#include "proxyengine/base/random.h"

#include <QTest>

#include <cstddef>
#include <cstdint>
#include <span>
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

// A policy that is wrong on purpose, and how the property must catch it.
struct Mutant
{
    const char* name;
    const char* words; // Of the violation; empty: any will do.
    Violation (*check)(Seed);
};

// Rows of a data function: one per mutant, by its place.
inline void addRows(std::span<const Mutant> mutants)
{
    QTest::addColumn<int>("mutant");
    for (std::size_t i = 0; i < mutants.size(); ++i) {
        QTest::newRow(mutants[i].name) << static_cast<int>(i);
    }
}

inline void expectCaught(const Mutant& mutant)
{
    const Violation violation = mutant.check(firstSeed());
    qInfo("caught: %s", violation.c_str());
    QVERIFY(!violation.empty() && violation.find(mutant.words) != Violation::npos);
}

} // namespace mesh::test
