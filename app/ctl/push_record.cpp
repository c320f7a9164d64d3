#include "app/ctl/push_record.h"

#include "app/ctl/store_answer.h"

#include <fmt/format.h>

#include <unistd.h>

#include <array>
#include <utility>

namespace mesh::ctl {
namespace {

std::int64_t microseconds(WallTime time) { return time.time_since_epoch().count(); }

} // namespace

PushRecorder::PushRecorder(std::unique_ptr<store::MeshDocument> document, const Clock& clock)
    : m_document(std::move(document))
    , m_clock(clock)
{}

std::string PushRecorder::author()
{
    std::array<char, 256> name{};
    return ::getlogin_r(name.data(), name.size()) == 0 ? std::string(name.data()) : "meshwrightctl";
}

Result<std::unique_ptr<PushRecorder>> PushRecorder::open(
    const std::string& path, const Clock& clock
)
{
    MESH_TRY(auto document, store::MeshDocument::open(path));
    if (!document->access().isWritable()) {
        return fail(
            ErrorCode::PermissionDenied,
            fmt::format("{} cannot be written: {}", path, document->access().text)
        );
    }
    auto recorder = std::unique_ptr<PushRecorder>(new PushRecorder(std::move(document), clock));
    MESH_TRY(const store::Opening opening, answered<store::Opening>([&](auto answer) {
                 recorder->m_document->opening(std::move(answer));
             }));
    recorder->m_revisions = opening.revisions;
    recorder->m_draft = opening.draft;
    return recorder;
}

std::map<std::string, std::int64_t> PushRecorder::revisionsByHash() const
{
    std::map<std::string, std::int64_t> byHash;
    for (const store::Revision& revision : m_revisions) {
        byHash[revision.hash] = revision.id;
    }
    return byHash;
}

void PushRecorder::dropDraft() { m_document->saveDraft(std::nullopt); }

Result<store::Revision> PushRecorder::addRevision(
    std::string text, std::string hash, std::string message
)
{
    store::NewRevision revision;
    revision.author = author();
    revision.message = std::move(message);
    revision.time = m_clock.wallNow();
    revision.hash = std::move(hash);
    revision.text = std::move(text);
    MESH_TRY(store::Revision added, answered<store::Revision>([&](auto answer) {
                 m_document->addRevision(revision, std::move(answer));
             }));
    m_revisions.push_back(added);
    return added;
}

Result<void> PushRecorder::begin(std::int64_t revision, std::int64_t before, int expected)
{
    m_record.revision = revision;
    m_record.revisionBefore = before;
    m_record.begin_us = microseconds(m_clock.wallNow());
    m_record.expected = expected;
    MESH_TRY_VOID(save(m_record));
    audit("push.started", fmt::format("to {} nodes", expected));
    return {};
}

void PushRecorder::keep(const std::string& json)
{
    store::PushRecord record = m_record;
    record.json = json;
    // What cannot be kept does not keep nodes from what was asked: end() tells the failure.
    static_cast<void>(answered<std::int64_t>([&](auto answer) {
        m_document->savePush(record, std::move(answer));
    }));
}

Result<void> PushRecorder::end(const fleet::Rollout& rollout)
{
    m_record.end_us = microseconds(m_clock.wallNow());
    m_record.outcome = fleet::toText(rollout.state);
    m_record.converged = static_cast<int>(rollout.convergedCount());
    m_record.json = fleet::toJson(rollout);
    audit(
        "push.ended",
        fmt::format("{}: {} of {} nodes", m_record.outcome, m_record.converged, m_record.expected)
    );
    return save(m_record);
}

Result<void> PushRecorder::save(const store::PushRecord& record)
{
    MESH_TRY(m_record.id, answered<std::int64_t>([&](auto answer) {
                 m_document->savePush(record, std::move(answer));
             }));
    return {};
}

void PushRecorder::audit(const std::string& action, const std::string& detail)
{
    store::AuditRecord record;
    record.time_us = microseconds(m_clock.wallNow());
    record.actor = author();
    record.action = action;
    record.subject = fmt::format("revision {}", m_record.revision);
    record.detail = detail;
    m_document->addAudit(std::move(record));
}

} // namespace mesh::ctl
