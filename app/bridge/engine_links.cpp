#include "app/bridge/engine_links.h"

#include "proxyengine/config/codec.h"

#include <optional>
#include <utility>

namespace mesh::bridge {

namespace {

fleet::SendAnswer unreachable(std::string text)
{
    fleet::SendAnswer answer;
    answer.outcome = fleet::SendOutcome::Unreachable;
    answer.text = std::move(text);
    return answer;
}

bool isAway(ErrorCode code)
{
    switch (code) {
    case ErrorCode::Unavailable:
    case ErrorCode::Timeout:
    case ErrorCode::Reset:
    case ErrorCode::Dns:
    case ErrorCode::NotFound:
    case ErrorCode::Cancelled:
    case ErrorCode::Overloaded:
        return true;
    default:
        return false;
    }
}

fleet::SendAnswer answerOf(const api::CommandDone& done)
{
    fleet::SendAnswer answer;
    for (const api::CommandDone::Problem& problem : done.problems) {
        answer.problems.push_back(
            {problem.path, problem.line, problem.column, problem.code, problem.message}
        );
    }
    if (done.result) {
        answer.outcome = fleet::SendOutcome::Acknowledged;
        answer.hash = done.result->hash;
        return answer;
    }
    const Error& error = done.result.error();
    answer.text = error.message;
    answer.outcome = isAway(error.code)                  ? fleet::SendOutcome::Unreachable
                     : error.code == ErrorCode::Conflict ? fleet::SendOutcome::Superseded
                                                         : fleet::SendOutcome::Rejected;
    return answer;
}

} // namespace

// One question to a node, until it is answered. Exactly one of the callbacks is set.
struct EngineLinks::Ask
{
    const void* link = nullptr; // Who asks.
    std::string node;
    NodeReads reads;
    std::shared_ptr<const model::Document> document; // Of a send.
    std::string onlyIfHash;
    std::function<void(fleet::SendAnswer)> onSent;
    std::function<void(Result<std::string>)> onHash;
    std::function<void(Result<std::shared_ptr<const model::Document>>)> onDocument;
    WallTime askedAt{};
    bool isBegun = false;
    std::optional<CommandId> command;

    void refuse(const std::string& why) const
    {
        if (onSent) {
            onSent(unreachable(why));
        } else if (onHash) {
            onHash(fail(ErrorCode::Unavailable, why));
        } else if (onDocument) {
            onDocument(fail(ErrorCode::Unavailable, why));
        }
    }
};

// What links and the session's thread share: the questions that wait.
class EngineLinks::Core
{
public:
    explicit Core(QObject& receiver, std::function<void()> drain)
        : m_receiver(&receiver)
        , m_drain(std::move(drain))
    {}

    void add(Ask ask)
    {
        {
            const MutexLock lock(m_mutex);
            if (m_receiver != nullptr) {
                m_asks.emplace(++m_last, std::move(ask));
                // Under the lock, so that the receiver is there while it is told.
                QMetaObject::invokeMethod(m_receiver, m_drain, Qt::QueuedConnection);
                return;
            }
        }
        ask.refuse("the console is closing the mesh");
    }

    // Takes out what fits, in order.
    template <typename Fits>
    std::vector<std::pair<std::int64_t, Ask>> take(Fits fits)
    {
        std::vector<std::pair<std::int64_t, Ask>> taken;
        const MutexLock lock(m_mutex);
        for (auto at = m_asks.begin(); at != m_asks.end();) {
            if (fits(at->second)) {
                taken.emplace_back(at->first, std::move(at->second));
                at = m_asks.erase(at);
            } else {
                ++at;
            }
        }
        return taken;
    }

    // Copies of those that nobody has begun; they count as begun then.
    std::vector<std::pair<std::int64_t, Ask>> beginAll()
    {
        std::vector<std::pair<std::int64_t, Ask>> begun;
        const MutexLock lock(m_mutex);
        for (auto& [id, ask] : m_asks) {
            if (!std::exchange(ask.isBegun, true)) {
                begun.emplace_back(id, ask);
            }
        }
        return begun;
    }

    void setCommand(std::int64_t id, CommandId command)
    {
        const MutexLock lock(m_mutex);
        const auto found = m_asks.find(id);
        if (found != m_asks.end()) {
            found->second.command = command;
        }
    }

    void setAskedAt(std::int64_t id, WallTime time)
    {
        const MutexLock lock(m_mutex);
        const auto found = m_asks.find(id);
        if (found != m_asks.end()) {
            found->second.askedAt = time;
        }
    }

    std::optional<Ask> takeOne(std::int64_t id)
    {
        const MutexLock lock(m_mutex);
        const auto found = m_asks.find(id);
        if (found == m_asks.end()) {
            return std::nullopt;
        }
        std::optional<Ask> taken(std::move(found->second));
        m_asks.erase(found);
        return taken;
    }

    void close()
    {
        const MutexLock lock(m_mutex);
        m_receiver = nullptr;
    }

private:
    Mutex m_mutex;
    QObject* m_receiver MESH_GUARDED_BY(m_mutex);
    const std::function<void()> m_drain;
    std::map<std::int64_t, Ask> m_asks MESH_GUARDED_BY(m_mutex);
    std::int64_t m_last MESH_GUARDED_BY(m_mutex) = 0;
};

class EngineLinks::Link final : public fleet::NodeLink
{
public:
    Link(std::shared_ptr<Core> core, std::string node, NodeReads reads)
        : m_core(std::move(core))
        , m_node(std::move(node))
        , m_reads(std::move(reads))
    {}
    ~Link() override
    {
        for (const auto& [id, ask] :
             m_core->take([this](const Ask& a) { return a.link == this; })) {
            ask.refuse("the push has ended");
        }
    }

    void send(
        std::shared_ptr<const model::Document> document,
        const std::string& onlyIfHash,
        std::function<void(fleet::SendAnswer)> onAnswer
    ) override
    {
        Ask ask = made();
        ask.document = std::move(document);
        ask.onlyIfHash = onlyIfHash;
        ask.onSent = std::move(onAnswer);
        m_core->add(std::move(ask));
    }

    void readHash(std::function<void(Result<std::string>)> onAnswer) override
    {
        Ask ask = made();
        ask.onHash = std::move(onAnswer);
        m_core->add(std::move(ask));
    }

    void readDocument(std::function<void(Result<std::shared_ptr<const model::Document>>)> onAnswer
    ) override
    {
        Ask ask = made();
        ask.onDocument = std::move(onAnswer);
        m_core->add(std::move(ask));
    }

private:
    [[nodiscard]] Ask made() const
    {
        Ask ask;
        ask.link = this;
        ask.node = m_node;
        ask.reads = m_reads;
        return ask;
    }

    std::shared_ptr<Core> m_core;
    std::string m_node;
    NodeReads m_reads;
};

EngineLinks::EngineLinks(Door door)
    : m_door(std::move(door))
    , m_core(std::make_shared<Core>(*this, [this] { drain(); }))
{}

EngineLinks::~EngineLinks() { close(); }

std::shared_ptr<fleet::NodeLink> EngineLinks::link(const std::string& node, NodeReads reads)
{
    return std::make_shared<Link>(m_core, node, std::move(reads));
}

void EngineLinks::close()
{
    m_core->close();
    for (const auto& [id, ask] : m_core->take([](const Ask&) { return true; })) {
        ask.refuse("the mesh was closed");
    }
    m_reads.clear(); // Waits for those on their way; their answers find nobody.
}

void EngineLinks::drain()
{
    for (const auto& [id, ask] : m_core->beginAll()) {
        begin(id, ask);
    }
}

void EngineLinks::begin(std::int64_t id, const Ask& ask)
{
    if (!ask.onSent) {
        read(id, ask);
        return;
    }
    const Result<CommandId> submitted =
        m_door.submit(ask.node, api::ApplyDocument{ask.document, ask.onlyIfHash});
    if (submitted) {
        m_core->setCommand(id, *submitted);
    } else if (const auto taken = m_core->takeOne(id)) {
        taken->refuse(submitted.error().message);
    }
}

void EngineLinks::read(std::int64_t id, const Ask& ask)
{
    reap();
    const bool isRemote = ask.onHash ? bool(ask.reads.hash) : bool(ask.reads.document);
    if (isRemote) {
        m_reads[id] = Thread("node-read", [core = m_core, id, ask] {
            if (ask.onHash) {
                Result<std::string> answer = ask.reads.hash();
                if (const auto taken = core->takeOne(id)) {
                    taken->onHash(std::move(answer));
                }
                return;
            }
            using Answer = Result<std::shared_ptr<const model::Document>>;
            const auto parse = [&]() -> Answer {
                MESH_TRY(const std::string text, ask.reads.document());
                config::DecodeResult decoded = config::decode(text);
                if (config::hasErrors(decoded.problems)) {
                    return fail(
                        ErrorCode::Protocol,
                        "what the node runs cannot be read: " + decoded.problems.front().message
                    );
                }
                return std::make_shared<const model::Document>(std::move(decoded.document));
            };
            Answer answer = parse();
            if (const auto taken = core->takeOne(id)) {
                taken->onDocument(std::move(answer));
            }
        });
        return;
    }
    if (ask.onHash) {
        m_core->setAskedAt(id, m_door.now()); // The next frame answers.
        return;
    }
    const auto known = m_hashes.find(ask.node);
    auto document = known == m_hashes.end() ? nullptr : m_door.documentOf(known->second);
    if (const auto taken = m_core->takeOne(id)) {
        if (document) {
            taken->onDocument(std::move(document));
        } else {
            taken->refuse("what it runs did not come from this console");
        }
    }
}

void EngineLinks::reap()
{
    constexpr std::size_t kReadsKeptMax = 16;
    // The oldest have answered or time out soon; a fleet is read in turns.
    while (m_reads.size() >= kReadsKeptMax) {
        m_reads.erase(m_reads.begin());
    }
}

void EngineLinks::onDone(const std::string& node, const api::CommandDone& done)
{
    if (done.result && !done.result->hash.empty()) {
        m_hashes[node] = done.result->hash;
    }
    for (const auto& [id, ask] : m_core->take([&](const Ask& waiting) {
             return waiting.node == node && waiting.command == done.id;
         })) {
        ask.onSent(answerOf(done));
    }
}

void EngineLinks::onFrame(const std::string& node, const std::string& hash, WallTime end)
{
    if (hash.empty()) {
        return;
    }
    m_hashes[node] = hash;
    for (const auto& [id, ask] : m_core->take([&](const Ask& waiting) {
             return waiting.onHash && !waiting.reads.hash && waiting.node == node
                    && waiting.askedAt != WallTime{} && waiting.askedAt <= end;
         })) {
        ask.onHash(hash);
    }
}

void EngineLinks::onUnreachable(const std::string& node)
{
    for (const auto& [id, ask] : m_core->take([&](const Ask& waiting) {
             return waiting.isBegun && waiting.node == node;
         })) {
        ask.refuse("the node cannot be reached");
    }
}

} // namespace mesh::bridge
