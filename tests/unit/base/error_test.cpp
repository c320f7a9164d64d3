// Goal: an error keeps its code, words and place on the way up, and maps to the documented exit
// code. Method: small functions that fail and callers that pass the failure on.
#include "proxyengine/base/error.h"

#include <QTest>

#include <cerrno>
#include <set>

namespace mesh {
namespace {

Result<int> half(int number)
{
    if (number % 2 != 0) {
        return fail(ErrorCode::InvalidArgument, "expected an even number", Offset{3});
    }
    return number / 2;
}

Result<std::string> quarterText(int number)
{
    MESH_TRY(const int first, half(number));
    MESH_TRY(const int second, half(first));
    return std::to_string(second);
}

Result<void> mustBeEven(int number)
{
    MESH_TRY_VOID(half(number));
    return {};
}

} // namespace

class ErrorTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void tryPassesValuesAndErrorsOn();
    void aPlaceIsKeptWhenThereIsOneAndAddedWhenThereIsNone();
    void textHasCodeMessageAndPlace();
    void errnoBecomesACodeWithTheSystemsWords();
    void everyCodeHasItsOwnTextAndAnExitCode();
};

void ErrorTest::tryPassesValuesAndErrorsOn()
{
    QCOMPARE(*quarterText(12), std::string("3"));
    QCOMPARE(quarterText(6).error().message, std::string("expected an even number"));
    QVERIFY(mustBeEven(2));
    QVERIFY(!mustBeEven(3));
}

void ErrorTest::aPlaceIsKeptWhenThereIsOneAndAddedWhenThereIsNone()
{
    const auto kept = half(1).map_error(withPlace(LineColumn{9, 9}));
    QCOMPARE(std::get<Offset>(kept.error().place).value, std::size_t{3});

    const Result<int> bare = fail(ErrorCode::NotFound, "no such route");
    const auto added = Result<int>(bare).map_error(withPlace(LineColumn{4, 2}));
    QVERIFY((std::get<LineColumn>(added.error().place) == LineColumn{4, 2}));
}

void ErrorTest::textHasCodeMessageAndPlace()
{
    const Result<int> failed =
        fail(ErrorCode::Duplicate, "name cart stands twice", LineColumn{4, 2});

    QCOMPARE(
        toText(failed.error()),
        std::string("duplicate: name cart stands twice (at line 4, column 2)")
    );
}

void ErrorTest::errnoBecomesACodeWithTheSystemsWords()
{
    const Result<void> failed = failErrno("open", ENOENT);

    QVERIFY(failed.error().code == ErrorCode::NotFound);
    QCOMPARE(failed.error().native, ENOENT);
    QCOMPARE(failed.error().message, std::string("open: No such file or directory"));
}

void ErrorTest::everyCodeHasItsOwnTextAndAnExitCode()
{
    std::set<std::string_view> texts;
    for (int at = 0; at <= static_cast<int>(ErrorCode::Internal); ++at) {
        const auto code = static_cast<ErrorCode>(at);
        QVERIFY(texts.insert(toText(code)).second);
        QVERIFY(exitCodeOf(code) >= 1 && exitCodeOf(code) <= 4);
    }
}

} // namespace mesh

QTEST_APPLESS_MAIN(mesh::ErrorTest)
#include "error_test.moc"
