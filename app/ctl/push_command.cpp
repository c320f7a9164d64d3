#include "app/ctl/push_command.h"

#include "app/ctl/document_input.h"
#include "app/ctl/push_record.h"
#include "app/ctl/push_report.h"
#include "app/ctl/push_session.h"
#include "proxyengine/base/duration_text.h"
#include "proxyengine/config/codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>

namespace mesh::ctl {
namespace {

constexpr Duration kBakeForGates = std::chrono::seconds(10); // When nothing else is said.

Result<fleet::RolloutPlan> planOf(const PlanOptions& options)
{
    fleet::RolloutPlan plan;
    MESH_TRY(plan.waves, fleet::parseWaves(options.waves));
    if (!options.gates.empty()) {
        MESH_TRY(fleet::GateText gates, fleet::parseGates(options.gates));
        plan.gates = std::move(gates.rules);
        plan.bake = gates.bake.value_or(kBakeForGates);
    }
    if (!options.bake.empty()) {
        MESH_TRY(plan.bake, parseDuration(options.bake));
    }
    plan.onFailure =
        options.onFailure == "stop" ? fleet::OnGateFailure::Stop : fleet::OnGateFailure::RollBack;
    plan.absent = fleet::AbsentNode::SetAside; // Nobody is here any more when it returns.
    return plan;
}

// Everything about the order but the document.
Result<PushOrder> orderOf(const PlanOptions& options, const model::Document& document)
{
    PushOrder order;
    order.message = options.message;
    order.credentials = options.credentials;
    MESH_TRY(order.plan, planOf(options));
    MESH_TRY(order.nodes, resolveNodes(document, options.nodes));
    std::set<std::string> names;
    for (const NodeTarget& node : order.nodes) {
        if (!names.insert(node.name).second) {
            return fail(ErrorCode::Duplicate, fmt::format("node {} is named twice", node.name));
        }
    }
    return order;
}

int push(const PushOrder& order, const Surroundings& around)
{
    const fleet::Rollout rollout = carryOut(order, around);
    tellRollout(order, rollout, around);
    return exitCodeOfRollout(rollout);
}

// The same, remembered by the document.
int pushRecorded(PushOrder order, PushRecorder& recorder, const Surroundings& around)
{
    order.revisions = recorder.revisionsByHash();
    order.keep = [&recorder](const std::string& json) { recorder.keep(json); };
    const auto begun =
        recorder.begin(order.revision, order.revisionBefore, static_cast<int>(order.nodes.size()));
    if (!begun) {
        return failed(around, begun.error(), kUnreachable);
    }
    const fleet::Rollout rollout = carryOut(order, around);
    tellRollout(order, rollout, around);
    if (const auto ended = recorder.end(rollout); !ended) {
        around.output.err += fmt::format(
            "meshwrightctl: how the push ended is not in the document: {}\n", ended.error().message
        );
    }
    return exitCodeOfRollout(rollout);
}

// The draft as a new revision. Errors: MissingField without a draft, InvalidArgument when it has
// errors.
Result<LoadedDocument> revisionOfDraft(
    const PushOptions& options, PushRecorder& recorder, const Surroundings& around
)
{
    if (!recorder.draft()) {
        return fail(ErrorCode::MissingField, options.file + " has no draft");
    }
    config::DecodeResult decoded = config::decode(*recorder.draft());
    if (config::hasErrors(decoded.problems)) {
        around.output.err += problemsToText(decoded.problems, options.file + " (draft)");
        return fail(ErrorCode::InvalidArgument, "the draft has errors; nothing was done");
    }
    LoadedDocument loaded;
    loaded.file = options.file;
    loaded.text = config::toYaml(decoded.document);
    loaded.hash = config::hashOf(decoded.document);
    loaded.document = std::make_shared<const model::Document>(std::move(decoded.document));
    loaded.isMeshDocument = true;
    MESH_TRY(
        const store::Revision added,
        recorder.addRevision(loaded.text, loaded.hash, options.plan.message)
    );
    loaded.revision = added.id;
    recorder.dropDraft();
    return loaded;
}

int pushMeshDocument(const PushOptions& options, const Surroundings& around)
{
    // Read before it is opened for writing: one program has one connection to it.
    Result<LoadedDocument> loaded = loadDocument(options.file);
    auto recorder = PushRecorder::open(options.file, around.clock());
    if (!recorder) {
        return failed(around, recorder.error(), exitCodeOfFile(recorder.error()));
    }
    const std::int64_t newest =
        (*recorder)->revisions().empty() ? 0 : (*recorder)->revisions().back().id;
    if (options.isDraft) {
        loaded = revisionOfDraft(options, **recorder, around);
    }
    if (!loaded) {
        const bool isInvalid = loaded.error().code == ErrorCode::InvalidArgument;
        return failed(around, loaded.error(), isInvalid ? kNo : exitCodeOfFile(loaded.error()));
    }
    if (!options.isDraft && config::hasErrors(loaded->problems)) {
        around.output.err += problemsToText(loaded->problems, options.file);
        return failed(
            around, ErrorCode::InvalidArgument, options.file + " has errors; nothing was sent", kNo
        );
    }
    if (!options.isDraft && (*recorder)->draft() && !around.isJson()) {
        around.output.err +=
            fmt::format("{}: its draft is not pushed; --draft pushes it\n", options.file);
    }
    auto order = orderOf(options.plan, *loaded->document);
    if (!order) {
        return failed(around, order.error(), kUsage);
    }
    order->file = options.file;
    order->document = loaded->document;
    order->revision = loaded->revision;
    order->revisionBefore = options.isDraft ? newest : 0;
    return pushRecorded(*std::move(order), **recorder, around);
}

} // namespace

int runPush(const PushOptions& options, const Surroundings& around)
{
    if (options.file != "-" && isMeshDocument(options.file)) {
        return pushMeshDocument(options, around);
    }
    if (options.isDraft) {
        return failed(
            around, ErrorCode::InvalidArgument, options.file + " is no mesh document", kUsage
        );
    }
    const auto loaded = requireDocument(options.file, around, 0, kNo);
    if (!loaded) {
        return loaded.error();
    }
    auto order = orderOf(options.plan, *loaded->document);
    if (!order) {
        return failed(around, order.error(), kUsage);
    }
    order->file = options.file;
    order->document = loaded->document;
    return push(*order, around);
}

int runRollback(const RollbackOptions& options, const Surroundings& around)
{
    const bool hasBoth = options.words.size() == 2;
    if (options.words.empty() || (hasBoth && !options.document.empty())) {
        return failed(
            around,
            ErrorCode::InvalidArgument,
            "rollback takes REV and a document: `rollback DOC REV` or `rollback REV --document "
            "DOC`",
            kUsage
        );
    }
    const auto revision = parseRevision(options.words.back());
    if (!revision) {
        return failed(around, revision.error(), kUsage);
    }
    const std::string named = hasBoth ? options.words.front() : options.document;
    const auto path = named.empty() ? onlyMeshDocument(".") : Result<std::string>(named);
    if (!path) {
        return failed(around, path.error(), kUsage);
    }
    const auto loaded = requireDocument(*path, around, *revision, kNo);
    if (!loaded) {
        return loaded.error();
    }
    auto recorder = PushRecorder::open(*path, around.clock());
    if (!recorder) {
        return failed(around, recorder.error(), exitCodeOfFile(recorder.error()));
    }
    auto order = orderOf(options.plan, *loaded->document);
    if (!order) {
        return failed(around, order.error(), kUsage);
    }
    if (order->message.empty()) {
        order->message = fmt::format("rolled back to revision {}", *revision);
    }
    order->revisionBefore = (*recorder)->revisions().back().id;
    const auto added = (*recorder)->addRevision(loaded->text, loaded->hash, order->message);
    if (!added) {
        return failed(around, added.error(), kUnreachable);
    }
    order->file = *path;
    order->document = loaded->document;
    order->revision = added->id;
    return pushRecorded(*std::move(order), **recorder, around);
}

} // namespace mesh::ctl
