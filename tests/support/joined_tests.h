// No #pragma once: a compiler cache may hand out a header that was precompiled elsewhere.
#ifndef MESH_TESTS_SUPPORT_JOINED_TESTS_H
#define MESH_TESTS_SUPPORT_JOINED_TESTS_H

#include <QObject>
#include <QTest>

#include <memory>

// Many test classes in one program: each file's QTEST_APPLESS_MAIN becomes an entry of a list, and
// main() runs the list. Precompiled before every file of such a program (mesh_join_test() in
// packaging/cmake/MeshTests.cmake), so that the files need not know.
namespace mesh::test {

using TestMaker = std::unique_ptr<QObject> (*)();

struct JoinedTest
{
    explicit JoinedTest(TestMaker make);
};

template <typename Test>
std::unique_ptr<QObject> makeTest()
{
    return std::make_unique<Test>();
}

} // namespace mesh::test

#undef QTEST_APPLESS_MAIN
#define QTEST_APPLESS_MAIN(Test)                                                                   \
    namespace {                                                                                    \
    const mesh::test::JoinedTest kJoined(&mesh::test::makeTest<Test>);                             \
    }

#endif
