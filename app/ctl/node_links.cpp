#include "app/ctl/node_links.h"

#include "app/ctl/json.h"
#include "proxyengine/config/codec.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <utility>

namespace mesh::ctl {
namespace {

std::vector<fleet::NodeProblem> problemsOf(const OrderedJson& reply)
{
    std::vector<fleet::NodeProblem> problems;
    const auto errors = reply.is_object() ? reply.find("errors") : reply.end();
    if (errors == reply.end() || !errors->is_array()) {
        return problems;
    }
    const auto number = [](const OrderedJson& json, const char* key) {
        const auto found = json.is_object() ? json.find(key) : json.end();
        return found != json.end() && found->is_number_integer() ? found->get<int>() : 0;
    };
    for (const OrderedJson& each : *errors) {
        problems.push_back(
            {textMember(each, "path"),
             number(each, "line"),
             number(each, "column"),
             textMember(each, "code"),
             textMember(each, "message")}
        );
    }
    return problems;
}

fleet::SendAnswer answerOf(const Result<control::NodeAnswer>& reply)
{
    constexpr int kCreated = 201;
    constexpr int kPreconditionFailed = 412;
    fleet::SendAnswer answer;
    if (!reply) {
        answer.text = reply.error().message;
        return answer;
    }
    const OrderedJson json = OrderedJson::parse(reply->body, nullptr, false);
    answer.hash = textMember(json, "hash");
    answer.text = textMember(json, "message");
    if (reply->status == kCreated) {
        answer.outcome = fleet::SendOutcome::Acknowledged;
    } else if (reply->status == kPreconditionFailed) {
        answer.outcome = fleet::SendOutcome::Superseded;
    } else {
        answer.outcome = fleet::SendOutcome::Rejected;
        answer.problems = problemsOf(json);
        if (answer.text.empty()) {
            answer.text = fmt::format("status {}", reply->status);
        }
    }
    return answer;
}

class AdminLink final : public fleet::NodeLink
{
public:
    AdminLink(AskPool& pool, const Clock& clock, NodeTarget node, CredentialFiles credentials)
        : m_pool(pool)
        , m_clock(clock)
        , m_node(std::move(node))
        , m_credentials(std::move(credentials))
    {}
    ~AdminLink() override
    {
        while (m_open > 0) {
            m_answered.acquire();
            --m_open;
        }
    }

    void send(
        std::shared_ptr<const model::Document> document,
        const std::string& onlyIfHash,
        std::function<void(fleet::SendAnswer)> onAnswer
    ) override
    {
        ask<fleet::SendAnswer>(
            [this, document = std::move(document), onlyIfHash] {
                NodeQuestion question{"POST", "/config", config::toJson(*document), onlyIfHash};
                return answerOf(askNode(m_clock, m_node, m_credentials, question));
            },
            [](const Error& error) {
                return fleet::SendAnswer{fleet::SendOutcome::Unreachable, {}, error.message, {}};
            },
            std::move(onAnswer)
        );
    }

    void readHash(std::function<void(Result<std::string>)> onAnswer) override
    {
        ask<Result<std::string>>(
            [this] { return readHashNow(); },
            [](const Error& error) { return Result<std::string>(tl::unexpected(error)); },
            std::move(onAnswer)
        );
    }

    void readDocument(std::function<void(Result<std::shared_ptr<const model::Document>>)> onAnswer
    ) override
    {
        using Answer = Result<std::shared_ptr<const model::Document>>;
        ask<Answer>(
            [this] { return readNodeDocument(m_clock, m_node, m_credentials); },
            [](const Error& error) { return Answer(tl::unexpected(error)); },
            std::move(onAnswer)
        );
    }

private:
    template <typename Answer>
    void ask(
        std::function<Answer()> question,
        Answer (*refused)(const Error& error),
        std::function<void(Answer)> onAnswer
    )
    {
        ++m_open;
        const auto posted = m_pool.post([this, question = std::move(question), onAnswer] {
            onAnswer(question());
            m_answered.release();
        });
        if (!posted) {
            --m_open;
            onAnswer(refused(posted.error()));
        }
    }

    [[nodiscard]] Result<std::string> readHashNow() const
    {
        constexpr int kNotFound = 404;
        MESH_TRY(
            const control::NodeAnswer answer,
            askNode(m_clock, m_node, m_credentials, {"GET", "/config/hash"})
        );
        if (answer.status == kNotFound) {
            return std::string(); // It runs nothing yet.
        }
        std::string hash = textMember(OrderedJson::parse(answer.body, nullptr, false), "hash");
        if (hash.empty()) {
            return fail(
                ErrorCode::Protocol, fmt::format("{}: status {}", m_node.name, answer.status)
            );
        }
        return hash;
    }

    AskPool& m_pool;
    const Clock& m_clock;
    const NodeTarget m_node;
    const CredentialFiles m_credentials;
    std::atomic<std::size_t> m_open{0}; // Questions whose answers were not waited for.
    std::counting_semaphore<> m_answered{0};
};

} // namespace

AskPool::AskPool(std::size_t threads, std::size_t jobsMax)
    : m_jobs(jobsMax, [this] { m_waiting.release(); })
{
    for (std::size_t at = 0; at < threads; ++at) {
        m_threads.emplace_back("ctl-push", [this] { run(); });
    }
}

AskPool::~AskPool()
{
    m_isEnding = true;
    m_waiting.release(static_cast<std::ptrdiff_t>(m_threads.size()));
    for (Thread& thread : m_threads) {
        thread.join();
    }
}

Result<void> AskPool::post(std::function<void()> job) { return m_jobs.push(std::move(job)); }

void AskPool::run()
{
    for (;;) {
        m_waiting.acquire();
        if (const auto job = m_jobs.pop(); job) {
            (*job)();
        } else if (m_isEnding) {
            return;
        }
    }
}

std::unique_ptr<fleet::NodeLink> makeNodeLink(
    AskPool& pool, const Clock& clock, NodeTarget node, CredentialFiles credentials
)
{
    return std::make_unique<AdminLink>(pool, clock, std::move(node), std::move(credentials));
}

} // namespace mesh::ctl
