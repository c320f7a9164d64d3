#include "tests/support/joined_tests.h"

#include <vector>

namespace mesh::test {
namespace {

// Filled before main(), by files in any order: it is made when the first asks.
std::vector<TestMaker>& makers()
{
    static std::vector<TestMaker> list;
    return list;
}

} // namespace

JoinedTest::JoinedTest(TestMaker make) { makers().push_back(make); }

} // namespace mesh::test

// Runs every class; fails when one does, or when there is none.
int main(int argc, char** argv)
{
    int failures = mesh::test::makers().empty() ? 1 : 0;
    for (const mesh::test::TestMaker make : mesh::test::makers()) {
        failures += QTest::qExec(make().get(), argc, argv);
    }
    return failures == 0 ? 0 : 1;
}
