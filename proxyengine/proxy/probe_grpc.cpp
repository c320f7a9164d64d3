#include "proxyengine/http/grpc_health.h"
#include "proxyengine/proxy/probe_talk.h"

namespace mesh::proxy {
namespace {

class GrpcTalk final : public ProbeTalk
{
public:
    explicit GrpcTalk(const ProbeCall& call)
        : m_call(
            call.type == model::ProbeType::Grpcs ? http::GrpcHealthCall::Scheme::Https
                                                 : http::GrpcHealthCall::Scheme::Http,
            call.authority
        )
    {}

    std::string_view toSend() override { return m_call.toSend(); }
    void onSent(std::size_t count) override { m_call.onSent(count); }

    void onBytes(std::string_view bytes) override { m_call.onBytes(bytes); }

    std::optional<ProbeOutcome> outcome() const override
    {
        auto answer = m_call.answer();
        if (!answer) {
            return std::nullopt;
        }
        using Kind = policy::Observation::Kind;
        const bool isServing = answer->kind == http::GrpcHealthAnswer::Kind::Serving;
        return ProbeOutcome{
            {policy::Check::Active, isServing ? Kind::Success : Kind::NotServing, 0},
            std::move(answer->text)};
    }

private:
    http::GrpcHealthCall m_call;
};

} // namespace

std::unique_ptr<ProbeTalk> makeGrpcTalk(const ProbeCall& call)
{
    return std::make_unique<GrpcTalk>(call);
}

} // namespace mesh::proxy
