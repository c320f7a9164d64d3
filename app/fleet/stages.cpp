#include "app/fleet/stages.h"

#include "app/fleet/merge.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/model/diff.h"

#include <algorithm>
#include <optional>

namespace mesh::fleet {
namespace {

using model::ChangeKind;
using model::Document;
using model::ObjectChange;
using model::ObjectRef;

// What decides where requests go; everything else only offers somewhere to go.
bool isSwitch(const ObjectChange& change)
{
    return change.kind == ChangeKind::Updated || change.object.kind == "routes"
           || change.object.kind == "plugins" || change.object.kind == "mesh";
}

// `before` with those of the changes that `isWanted`; nothing when that is not a whole document.
template <typename Wanted>
std::optional<Document> stageWith(
    const Document& before,
    const Document& after,
    const std::vector<ObjectChange>& changes,
    const Wanted& isWanted
)
{
    std::vector<ObjectRef> objects;
    for (const ObjectChange& change : changes) {
        if (isWanted(change)) {
            objects.push_back(change.object);
        }
    }
    if (objects.empty() || objects.size() == changes.size()) {
        return std::nullopt;
    }
    auto stage = withChanges(before, after, objects);
    return stage ? std::optional<Document>(*std::move(stage)) : std::nullopt;
}

} // namespace

std::vector<Document> stagesOf(const Document& before, const Document& after)
{
    const std::vector<ObjectChange> changes = model::diff(before, after);
    std::vector<Document> stages;
    const bool doesSwitch = std::ranges::any_of(changes, isSwitch);
    if (doesSwitch && !config::hasErrors(config::validate(after))) {
        auto added = stageWith(before, after, changes, [](const ObjectChange& change) {
            return change.kind == ChangeKind::Created && !isSwitch(change);
        });
        auto switched = stageWith(before, after, changes, [](const ObjectChange& change) {
            return change.kind == ChangeKind::Created || isSwitch(change);
        });
        if (added) {
            stages.push_back(*std::move(added));
        }
        if (switched) {
            stages.push_back(*std::move(switched));
        }
    }
    stages.push_back(after);
    return stages;
}

} // namespace mesh::fleet
