// Goal: files are read whole up to a limit, and written so that a reader sees old or new, never
// half. Method: a temporary folder; the folder is listed afterwards to show that nothing stays
// behind.
#include "proxyengine/base/file.h"

#include "proxyengine/base/handles.h"

#include <QDir>
#include <QTemporaryDir>
#include <QTest>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

namespace mesh {

class FileTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsBackWhatWasWritten();
    void replacesTheOldContentWhole();
    void setsTheMode();
    void aFileOverTheLimitIsRefused();
    void aMissingFileSaysItsName();
    void aFailedWriteLeavesTheOldFileAndNoTemporaryOne();
    void aPipeIsWrittenToAndStaysOne();
};

void FileTest::readsBackWhatWasWritten()
{
    const QTemporaryDir folder;
    const std::string path = folder.filePath(QStringLiteral("a")).toStdString();

    QVERIFY(writeFileAtomically(path, std::string("x\0y", 3)));

    QCOMPARE(*readFile(path, 100), std::string("x\0y", 3));
}

void FileTest::replacesTheOldContentWhole()
{
    const QTemporaryDir folder;
    const std::string path = folder.filePath(QStringLiteral("a")).toStdString();
    QVERIFY(writeFileAtomically(path, "a longer content"));

    QVERIFY(writeFileAtomically(path, "short"));

    QCOMPARE(*readFile(path, 100), std::string("short"));
    QCOMPARE(QDir(folder.path()).entryList(QDir::Files).size(), 1);
}

void FileTest::setsTheMode()
{
    const QTemporaryDir folder;
    const std::string path = folder.filePath(QStringLiteral("secret")).toStdString();

    QVERIFY(writeFileAtomically(path, "s"));

    struct stat facts = {};
    QCOMPARE(::stat(path.c_str(), &facts), 0);
    QCOMPARE(facts.st_mode & 0777U, 0600U);
}

void FileTest::aFileOverTheLimitIsRefused()
{
    const QTemporaryDir folder;
    const std::string path = folder.filePath(QStringLiteral("big")).toStdString();
    QVERIFY(writeFileAtomically(path, std::string(11, 'x')));

    QVERIFY(readFile(path, 11));
    QVERIFY(readFile(path, 10).error().code == ErrorCode::LimitExceeded);
}

void FileTest::aMissingFileSaysItsName()
{
    const auto read = readFile("/nonexistent/file", 10);

    QVERIFY(read.error().code == ErrorCode::NotFound);
    QVERIFY(read.error().message.find("/nonexistent/file") != std::string::npos);
}

void FileTest::aFailedWriteLeavesTheOldFileAndNoTemporaryOne()
{
    const QTemporaryDir folder;
    QVERIFY(QDir(folder.path()).mkdir(QStringLiteral("taken")));
    const std::string path = folder.filePath(QStringLiteral("taken")).toStdString();

    QVERIFY(!writeFileAtomically(path, "cannot replace a folder"));

    QVERIFY(QDir(folder.path()).entryList(QDir::Files).isEmpty());
}

// Nobody's /dev/null becomes a file.
void FileTest::aPipeIsWrittenToAndStaysOne()
{
    const QTemporaryDir folder;
    const std::string path = folder.filePath(QStringLiteral("pipe")).toStdString();
    QCOMPARE(::mkfifo(path.c_str(), 0600), 0);
    const FileDescriptor reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));

    QVERIFY(writeFileAtomically(path, "told"));

    std::array<char, 8> read{};
    QCOMPARE(::read(reader.get(), read.data(), read.size()), ssize_t{4});
    struct stat facts = {};
    QCOMPARE(::stat(path.c_str(), &facts), 0);
    QVERIFY(S_ISFIFO(facts.st_mode));
}

} // namespace mesh

QTEST_APPLESS_MAIN(mesh::FileTest)
#include "file_test.moc"
