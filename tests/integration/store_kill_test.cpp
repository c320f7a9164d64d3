// Goal: kill -9 at any moment loses no acknowledged revision and leaves a sound document.
// Method: this program run again as a child (a fork without exec would keep locks of threads that
// are not there) writes revisions and metrics and says each acknowledged revision on its output;
// the parent kills it after a random number of them, reopens and compares. 50 times; and 20 times
// with a draft and the record of a push that goes on.
#include "app/store/database.h"
#include "proxyengine/base/random.h"
#include "tests/support/store_fixture.h"

#include <QTest>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <memory>

using namespace mesh;
using namespace mesh::store;
using mesh::test::answerOf;
using mesh::test::failureOf;

namespace {

constexpr int kKills = 50;
constexpr int kPushKills = 20;
constexpr const char* kWriter = "--write-until-killed";
constexpr const char* kPusher = "--push-until-killed";
constexpr std::int64_t kStart_s = 1'700'000'040;

// Never returns: writes until it is killed.
[[noreturn]] void writeForever(const std::string& path, int acknowledgements)
{
    auto opened = MeshDocument::open(path);
    if (!opened || !(*opened)->access().isWritable()) {
        ::_exit(1);
    }
    MeshDocument& document = **opened;
    for (std::int64_t round = 0;; ++round) {
        for (int second = 0; second < 3; ++second) {
            std::vector<MetricRow> rows;
            for (int service = 0; service < 40; ++service) {
                rows.push_back(mesh::test::requestRow(
                    kStart_s + round * 3 + second, "edge", "s" + std::to_string(service), 1
                ));
            }
            document.addMetrics(std::move(rows));
        }
        const auto revision = answerOf<Revision>([&](auto answer) {
            document.addRevision(mesh::test::revisionOf("round " + std::to_string(round)), answer);
        });
        if (!revision || ::write(acknowledgements, &revision->id, sizeof revision->id) <= 0) {
            ::_exit(1);
        }
    }
}

// Never returns: edits the draft and drives one push after another until it is killed. Says the
// number of each step once it is acknowledged; a push has four, and the draft has its number.
[[noreturn]] void pushForever(const std::string& path, int acknowledgements)
{
    auto opened = MeshDocument::open(path);
    if (!opened || !(*opened)->access().isWritable()) {
        ::_exit(1);
    }
    MeshDocument& document = **opened;
    const auto kept =
        answerOf<std::vector<PushRecord>>([&](auto answer) { document.pushes(answer); });
    PushRecord push;
    for (std::int64_t step = kept && !kept->empty() ? kept->back().revision : 0;;) {
        ++step;
        push.id = push.end_us != 0 ? 0 : push.id;
        push.revision = step;
        push.end_us = step % 4 == 0 ? step : 0;
        push.outcome = push.end_us != 0 ? "done" : "running";
        document.saveDraft("draft " + std::to_string(step));
        const auto id =
            answerOf<std::int64_t>([&](auto answer) { document.savePush(push, answer); });
        if (!id || ::write(acknowledgements, &step, sizeof step) <= 0) {
            ::_exit(1);
        }
        push.id = *id;
    }
}

// Lets a child write until it has said `count` numbers, waits `spin` turns more, kills it and
// gives the last id it said; 0 when it failed by itself.
std::int64_t killAfter(
    const char* what, const std::string& path, std::uint64_t count, std::uint64_t spin
)
{
    int ends[2] = {-1, -1};
    if (::pipe(ends) != 0) {
        return 0;
    }
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(ends[1], STDOUT_FILENO);
        ::close(ends[0]);
        ::close(ends[1]);
        ::execl("/proc/self/exe", "store_kill_writer", what, path.c_str(), nullptr);
        ::_exit(1);
    }
    ::close(ends[1]);
    std::int64_t last = 0;
    for (std::uint64_t at = 0; at < count; ++at) {
        if (::read(ends[0], &last, sizeof last) != sizeof last) {
            break;
        }
    }
    for (std::uint64_t turn = 0; turn < spin; ++turn) {
        static_cast<void>(::getppid());
    }
    ::kill(child, SIGKILL);
    // What was said before the kill counts as acknowledged too.
    std::int64_t more = 0;
    while (::read(ends[0], &more, sizeof more) == sizeof more) {
        last = more;
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? last : 0;
}

} // namespace

class StoreKillTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void noAcknowledgedRevisionIsLostInFiftyKills()
    {
        const mesh::test::TemporaryFolder folder;
        const std::string path = folder.file("a.mesh");
        MeshDocument::create(path).map([](auto&& document) { document->close(); });
        const Seed seed{20260101};
        qInfo("seed %llu", static_cast<unsigned long long>(seed.value));
        Random random(seed);

        for (int kill = 0; kill < kKills; ++kill) {
            const std::int64_t said =
                killAfter(kWriter, path, 1 + random.below(4), random.below(20'000));

            QVERIFY(said > 0);
            const auto revisions = reopenedRevisions(path);
            QVERIFY(!revisions.empty());
            QVERIFY(revisions.back().id >= said);
            for (std::size_t at = 0; at < revisions.size(); ++at) {
                QCOMPARE(revisions[at].id, std::int64_t(at + 1));
                QCOMPARE(revisions[at].parent, std::int64_t(at));
            }
            auto database = Database::open(path, Connect::ReadWrite);
            auto check = database->prepare("PRAGMA integrity_check");
            QVERIFY(check && *check->step());
            QCOMPARE(check->text(0), std::string("ok"));
        }
    }

    // What a console was doing when it was killed is known to the next one, and the draft is there.
    void aKilledConsoleFindsItsPushAndItsDraft()
    {
        const mesh::test::TemporaryFolder folder;
        const std::string path = folder.file("a.mesh");
        MeshDocument::create(path).map([](auto&& document) { document->close(); });
        Random random(Seed{20260102});

        for (int kill = 0; kill < kPushKills; ++kill) {
            const std::int64_t said =
                killAfter(kPusher, path, 1 + random.below(6), random.below(20'000));

            QVERIFY(said > 0);
            auto document = MeshDocument::open(path);
            QVERIFY2(document, failureOf(document).c_str());
            const auto pushes = answerOf<std::vector<PushRecord>>([&](auto answer) {
                (*document)->pushes(answer);
            });
            const auto opening =
                answerOf<Opening>([&](auto answer) { (*document)->opening(answer); });
            QVERIFY(pushes && !pushes->empty());
            const PushRecord& last = pushes->back();
            QVERIFY(last.revision >= said);
            QCOMPARE(last.outcome, std::string(last.end_us != 0 ? "done" : "running"));
            QVERIFY(opening->draft.has_value());
            QVERIFY(std::stoll(opening->draft->substr(6)) >= last.revision);
        }
    }

private:
    static std::vector<Revision> reopenedRevisions(const std::string& path)
    {
        auto document = MeshDocument::open(path);
        if (!document || !(*document)->access().isWritable()) {
            return {};
        }
        auto list =
            answerOf<std::vector<Revision>>([&](auto answer) { (*document)->revisions(answer); });
        return list ? *list : std::vector<Revision>{};
    }
};

int main(int argc, char* argv[])
{
    if (argc == 3 && std::strcmp(argv[1], kWriter) == 0) {
        writeForever(argv[2], STDOUT_FILENO);
    }
    if (argc == 3 && std::strcmp(argv[1], kPusher) == 0) {
        pushForever(argv[2], STDOUT_FILENO);
    }
    StoreKillTest test;
    return QTest::qExec(&test, argc, argv);
}

#include "store_kill_test.moc"
