// Goal: however many commands come at once, and whatever the workers report meanwhile, every
// command that was taken is answered exactly once and nothing is lost.
// Method: threads that submit as fast as they can while clients meet a target that fails.
#include "proxyengine/base/limits.h"
#include "proxyengine/base/thread.h"
#include "tests/support/policy_fixture.h"

#include <QTest>

#include <atomic>
#include <map>
#include <set>

using namespace mesh;
using namespace mesh::test;

namespace {

std::shared_ptr<const model::Document> documentOf(const std::string& yaml)
{
    return std::make_shared<const model::Document>(config::decode(yaml).document);
}

// What one thread submitted; read after it was joined.
struct Submitted
{
    std::vector<CommandId> documents;
    std::vector<CommandId> others;
    std::size_t refused = 0; // As Overloaded; submitted again.
};

// Submits until it is taken.
CommandId mustSubmit(api::Engine& engine, const api::Command& command, std::size_t& refused)
{
    for (;;) {
        const auto id = engine.submit(command);
        if (id) {
            return *id;
        }
        if (id.error().code != ErrorCode::Overloaded) {
            return CommandId(0);
        }
        ++refused;
    }
}

} // namespace

class ProxyCommandsTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void manyThreadsSubmitAndEveryCommandIsAnsweredOnce()
    {
        constexpr std::size_t kThreads = 4;
        constexpr int kCommands = 600;
        PolicyFixture mesh;
        QVERIFY(mesh.begin(2, 2));
        const std::string checks =
            "  healthchecks: {passive: {healthy: {successes: 1}, unhealthy: {http_failures: 2}}}\n";
        const auto plain = documentOf(mesh.webYaml("", checks));
        const auto other = documentOf(mesh.webYaml("  read_timeout: 5000\n", checks));
        QCOMPARE(mesh.apply(mesh.webYaml("", checks)), std::string());
        mesh.servers[1]->behave(Fault::HalfUnavailable); // Reports of every kind, all the time.

        std::array<Submitted, kThreads> said;
        std::atomic<std::size_t> ended{0};
        {
            std::vector<Thread> threads;
            for (Submitted& mine : said) {
                threads.emplace_back("submit", [&] {
                    for (int at = 0; at < kCommands; ++at) {
                        if (at % 50 == 0) {
                            mine.documents.push_back(mustSubmit(
                                *mesh.engine,
                                api::ApplyDocument{at % 100 == 0 ? plain : other},
                                mine.refused
                            ));
                            continue;
                        }
                        const auto word =
                            at % 2 == 0 ? api::HealthOverride::None : api::HealthOverride::Healthy;
                        mine.others.push_back(mustSubmit(
                            *mesh.engine,
                            api::SetTargetHealth{"pool", mesh.servers[1]->address().toText(), word},
                            mine.refused
                        ));
                    }
                    ++ended;
                });
            }
            while (ended.load() < kThreads) {
                QVERIFY(mesh.load(50, 4).count(0) == 0); // Traffic goes on.
            }
        }

        std::set<std::uint64_t> expected;
        std::size_t documents = 0;
        for (const Submitted& one : said) {
            documents += one.documents.size();
            for (const auto& list : {one.documents, one.others}) {
                for (const CommandId id : list) {
                    QVERIFY(expected.insert(id.value()).second); // No id is given twice.
                }
            }
        }
        QCOMPARE(expected.size(), kThreads * kCommands);
        std::map<std::uint64_t, int> answers;
        std::size_t read = 0;
        QVERIFY(runUntil(*mesh.loop, [&] {
            mesh.box.takeAll();
            for (; read < mesh.box.events.size(); ++read) {
                if (const auto* done = std::get_if<api::CommandDone>(&mesh.box.events[read])) {
                    ++answers[done->id.value()];
                }
            }
            return answers.size() >= expected.size() + 1; // And the first apply's.
        }));
        for (const std::uint64_t id : expected) {
            QCOMPARE(answers[id], 1);
        }
        // Each document that was applied is told once more, by its hash.
        std::size_t applied = 0;
        for (const api::Event& event : mesh.box.events) {
            const auto* policy = std::get_if<api::PolicyEvent>(&event);
            applied += policy != nullptr && policy->kind == "config_applied" ? 1U : 0U;
        }
        QCOMPARE(applied, documents + 1);
    }

    // More than an engine takes at once are refused, at once, and those that were taken answered.
    void tooManyAreRefusedAndTheRestIsAnswered()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(1));
        std::string large = mesh.webYaml("", "");
        large += "- name: other\n  targets:\n";
        for (int at = 0; at < 3000; ++at) {
            large += fmt::format("  - {{target: \"127.0.0.1:{}\"}}\n", 10'000 + at);
        }
        const auto document = documentOf(large);
        std::size_t taken = 0;
        std::size_t refused = 0;
        for (std::size_t at = 0; at < 4 * kEngineCommandsMax; ++at) {
            const api::Command command = at == 0 ? api::Command(api::ApplyDocument{document})
                                                 : api::Command(api::SetLogLevel{LogLevel::Info});
            const auto id = mesh.engine->submit(command);
            taken += id ? 1U : 0U;
            refused += !id && id.error().code == ErrorCode::Overloaded ? 1U : 0U;
        }
        QCOMPARE(taken + refused, 4 * kEngineCommandsMax);
        QVERIFY(taken >= kEngineCommandsMax);
        QVERIFY(runUntil(*mesh.loop, [&] {
            mesh.box.takeAll();
            return static_cast<std::size_t>(std::ranges::count_if(
                       mesh.box.events,
                       [](const api::Event& event) {
                           return std::holds_alternative<api::CommandDone>(event);
                       }
                   ))
                   == taken;
        }));
    }

    // Every request is in exactly one frame, also when the control thread is busy with large
    // documents while each request of two workers has something to report.
    void framesAddUpWhileDocumentsAreCompiled()
    {
        PolicyFixture mesh;
        QVERIFY(mesh.begin(1, 2));
        const std::string checks =
            "  healthchecks: {passive: {unhealthy: {tcp_failures: 1}}}\n"; // 503 is reported.
        std::string large = mesh.webYaml("", checks);
        QCOMPARE(mesh.apply(large), std::string());
        large += "- name: other\n  targets:\n";
        for (int at = 0; at < 20'000; ++at) {
            large += fmt::format("  - {{target: \"127.0.0.1:{}\"}}\n", 10'000 + at);
        }
        const auto document = documentOf(large);
        mesh.servers[0]->behave(Fault::Unavailable);
        for (int at = 0; at < 10; ++at) {
            QVERIFY(mesh.engine->submit(api::ApplyDocument{document}).has_value());
        }

        const std::size_t requests = 6000;
        QCOMPARE(mesh.load(requests, 16).count(503), requests);

        const auto counted = [&mesh] {
            mesh.box.takeAll();
            std::uint64_t sum = 0;
            for (const api::Event& event : mesh.box.events) {
                if (const auto* stats = std::get_if<api::StatsEvent>(&event)) {
                    for (const auto& row : stats->frame->requests) {
                        sum += row.answers[5];
                    }
                }
            }
            return sum;
        };
        static_cast<void>(runUntil(
            *mesh.loop, [&] { return counted() >= requests; }, std::chrono::seconds(20)
        ));
        QCOMPARE(counted(), requests);
    }
};

QTEST_APPLESS_MAIN(ProxyCommandsTest)
#include "proxy_commands_test.moc"
