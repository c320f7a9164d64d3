#include "app/fleet/admin_link.h"

#include "proxyengine/config/codec.h"
#include "proxyengine/config/tree.h"

#include <fmt/format.h>

#include <atomic>
#include <limits>

namespace mesh::fleet {
namespace {

using control::NodeAnswer;
using control::NodeCall;
using model::Value;

constexpr Duration kSendTimeout = std::chrono::seconds(60); // A large document compiles.
constexpr Duration kReadTimeout = std::chrono::seconds(10);

std::string textOf(const Value& record, std::string_view key)
{
    const Value* const found = record.find(key);
    return found != nullptr && found->isString() ? found->text() : std::string();
}

int numberOf(const Value& record, std::string_view key)
{
    const Value* const found = record.find(key);
    const bool isSmall = found != nullptr && found->isInt() && found->toInt() >= 0
                         && found->toInt() <= std::numeric_limits<int>::max();
    return isSmall ? static_cast<int>(found->toInt()) : 0;
}

Value parsed(const NodeAnswer& answer)
{
    auto tree = config::parseTree(answer.body);
    return tree && tree->isMap() ? *std::move(tree) : Value(Value::Map());
}

std::string messageOf(const NodeAnswer& answer, const Value& body)
{
    const std::string message = textOf(body, "message");
    return message.empty() ? fmt::format("status {}", answer.status) : message;
}

// An answer that says nothing of the document: the node is overloaded, draining or no node at all.
bool isTransient(int status)
{
    return status >= 500 || status == 401 || status == 403 || status == 404 || status == 408
           || status == 429;
}

SendAnswer sendAnswerOf(const Result<NodeAnswer>& result)
{
    SendAnswer answer;
    if (!result) {
        answer.text = result.error().message;
        return answer;
    }
    const Value body = parsed(*result);
    answer.hash = textOf(body, "hash");
    answer.text = messageOf(*result, body);
    if (result->status < 300) {
        answer.outcome = SendOutcome::Acknowledged;
        return answer;
    }
    if (result->status == 409 || result->status == 412) {
        answer.outcome = SendOutcome::Superseded;
        return answer;
    }
    if (isTransient(result->status)) {
        return answer;
    }
    answer.outcome = SendOutcome::Rejected;
    const Value* const errors = body.find("errors");
    if (errors != nullptr && errors->isList()) {
        for (const Value& error : errors->list()) {
            answer.problems.push_back(
                {textOf(error, "path"),
                 numberOf(error, "line"),
                 numberOf(error, "column"),
                 textOf(error, "code"),
                 textOf(error, "message")}
            );
        }
    }
    return answer;
}

Result<std::string> hashOf(const Result<NodeAnswer>& result)
{
    if (!result) {
        return tl::unexpected(result.error());
    }
    const Value body = parsed(*result);
    const std::string hash = textOf(body, "hash");
    if (result->status != 200 || hash.size() != 64) {
        const bool isEmpty = result->status == 404;
        return fail(
            isEmpty ? ErrorCode::NotFound : ErrorCode::Unavailable, messageOf(*result, body)
        );
    }
    return hash;
}

using DocumentResult = Result<std::shared_ptr<const model::Document>>;

DocumentResult documentOf(const Result<NodeAnswer>& result)
{
    if (!result) {
        return tl::unexpected(result.error());
    }
    if (result->status != 200) {
        return fail(ErrorCode::Unavailable, messageOf(*result, parsed(*result)));
    }
    config::DecodeResult decoded = config::decode(result->body);
    for (const config::Problem& problem : decoded.problems) {
        if (problem.severity == config::Severity::Error) {
            return fail(
                ErrorCode::Unavailable,
                "what the node runs cannot be read here: " + problem.path + ": " + problem.message
            );
        }
    }
    return std::make_shared<const model::Document>(std::move(decoded.document));
}

class AdminLink final : public NodeLink
{
public:
    AdminLink(
        control::NodeCalls& calls,
        control::AdminAddress address,
        control::NodeCredentials credentials
    )
        : m_calls(calls)
        , m_caller(calls.makeCaller())
        , m_address(std::move(address))
        , m_credentials(std::move(credentials))
    {}

    ~AdminLink() override
    {
        m_calls.cancel(m_caller);
        for (std::size_t left = m_open->load(); left != 0; left = m_open->load()) {
            m_open->wait(left);
        }
    }

    void send(
        std::shared_ptr<const model::Document> document,
        const std::string& onlyIfHash,
        std::function<void(SendAnswer)> onAnswer
    ) override
    {
        NodeCall call = callOf("POST", "/config", kSendTimeout);
        call.request.body = config::toJson(*document);
        call.request.onlyIfHash = onlyIfHash;
        begin(std::move(call), [onAnswer = std::move(onAnswer)](const auto& result) {
            onAnswer(sendAnswerOf(result));
        });
    }

    void readHash(std::function<void(Result<std::string>)> onAnswer) override
    {
        begin(
            callOf("GET", "/config/hash", kReadTimeout),
            [onAnswer = std::move(onAnswer)](const auto& result) { onAnswer(hashOf(result)); }
        );
    }

    void readDocument(std::function<void(DocumentResult)> onAnswer) override
    {
        begin(
            callOf("GET", "/config?secrets=shown", kSendTimeout),
            [onAnswer = std::move(onAnswer)](const auto& result) { onAnswer(documentOf(result)); }
        );
    }

private:
    [[nodiscard]] NodeCall callOf(std::string method, std::string path, Duration timeout) const
    {
        NodeCall call;
        call.caller = m_caller;
        call.request.address = m_address;
        call.request.credentials = m_credentials;
        call.request.method = std::move(method);
        call.request.path = std::move(path);
        call.request.timeout = timeout;
        return call;
    }

    template <typename OnResult>
    void begin(NodeCall call, OnResult onResult)
    {
        m_open->fetch_add(1);
        m_calls.call(
            std::move(call),
            [open = m_open, onResult = std::move(onResult)](const Result<NodeAnswer>& result) {
                onResult(result);
                open->fetch_sub(1);
                open->notify_all();
            }
        );
    }

    control::NodeCalls& m_calls;
    const control::NodeCaller m_caller;
    const control::AdminAddress m_address;
    const control::NodeCredentials m_credentials;
    // Outlives this: whoever answers last still tells it.
    const std::shared_ptr<std::atomic<std::size_t>> m_open =
        std::make_shared<std::atomic<std::size_t>>(0);
};

} // namespace

std::unique_ptr<NodeLink> makeAdminLink(
    control::NodeCalls& calls, control::AdminAddress address, control::NodeCredentials credentials
)
{
    return std::make_unique<AdminLink>(calls, std::move(address), std::move(credentials));
}

} // namespace mesh::fleet
