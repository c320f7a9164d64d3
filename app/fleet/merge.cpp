#include "app/fleet/merge.h"

#include "proxyengine/config/codec.h"
#include "proxyengine/model/canonical.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace mesh::fleet {
namespace {

using model::ChangeKind;
using model::Document;
using model::ObjectChange;
using model::ObjectRef;
using model::Value;

using Key = std::tuple<std::string, std::string, std::string>;

Key keyOf(const ObjectRef& ref) { return {ref.kind, ref.parent, ref.name}; }

Value recordOf(const Document& document, const ObjectRef& ref)
{
    return model::objectAt(document, ref, model::Defaults::Omitted);
}

Value memberOf(const Value& record, std::string_view key)
{
    const Value* const found = record.find(key);
    return found == nullptr ? Value() : *found;
}

// Merges two records of which at least one has changed; both are maps.
class FieldMerge
{
public:
    FieldMerge(const ObjectRef& object, std::vector<MergeConflict>& conflicts)
        : m_object(object)
        , m_conflicts(conflicts)
    {}

    Value merged(
        const Value& base, const Value& mine, const Value& theirs, const std::string& prefix
    )
    {
        Value result{Value::Map()};
        for (const std::string& key : keysOf(mine, theirs)) {
            const Value value = field(
                memberOf(base, key), memberOf(mine, key), memberOf(theirs, key), prefix + key
            );
            if (!value.isNull()) {
                result.set(key, value);
            }
        }
        return result;
    }

private:
    static std::vector<std::string> keysOf(const Value& mine, const Value& theirs)
    {
        std::vector<std::string> keys;
        for (const Value* const side : {&mine, &theirs}) {
            for (const Value::Member& member : side->map()) {
                if (std::ranges::find(keys, member.key) == keys.end()) {
                    keys.push_back(member.key);
                }
            }
        }
        return keys;
    }

    Value field(const Value& base, const Value& mine, const Value& theirs, const std::string& path)
    {
        if (mine == theirs || theirs == base) {
            return mine;
        }
        if (mine == base) {
            return theirs;
        }
        if (mine.isMap() && theirs.isMap()) {
            return merged(base.isMap() ? base : Value(Value::Map()), mine, theirs, path + ".");
        }
        m_conflicts.push_back({m_object, path, base, mine, theirs});
        return mine;
    }

    const ObjectRef& m_object;
    std::vector<MergeConflict>& m_conflicts;
};

// Carries over into a copy of `mine` what `theirs` did to `base`.
class Merging
{
public:
    Merging(Document base, Document mine, Document theirs)
        : m_base(std::move(base))
        , m_mine(std::move(mine))
        , m_theirs(std::move(theirs))
    {
        m_result.merged = m_mine;
        for (const ObjectChange& change : model::diff(m_base, m_mine)) {
            m_changedByMe.insert(keyOf(change.object));
            if (!change.object.parent.empty() && change.kind != ChangeKind::Deleted) {
                m_parentsINeed.insert(
                    {std::string(model::entityKind(change.object.kind)->parent),
                     change.object.parent}
                );
            }
        }
    }

    Merge run()
    {
        const std::vector<ObjectChange> changes = model::diff(m_base, m_theirs);
        for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
            if (change->kind == ChangeKind::Deleted) {
                remove(change->object);
            }
        }
        for (const ObjectChange& change : changes) {
            if (change.kind == ChangeKind::Created) {
                add(change.object);
            } else if (change.kind == ChangeKind::Updated) {
                update(change.object);
            }
        }
        std::ranges::stable_sort(m_result.conflicts, {}, [](const MergeConflict& conflict) {
            return model::entityKind(conflict.object.kind) - model::entityKinds().data();
        });
        return std::move(m_result);
    }

private:
    void addConflict(const ObjectRef& object)
    {
        m_result.conflicts.push_back(
            {object,
             {},
             recordOf(m_base, object),
             recordOf(m_mine, object),
             recordOf(m_theirs, object)}
        );
    }

    void remove(const ObjectRef& object)
    {
        const bool isGone = recordOf(m_mine, object).isNull();
        if (isGone) {
            return;
        }
        if (m_changedByMe.contains(keyOf(object))
            || m_parentsINeed.contains({object.kind, object.name})) {
            addConflict(object);
            return;
        }
        // It may have gone with its parent.
        static_cast<void>(model::removeObject(m_result.merged, object));
    }

    void add(const ObjectRef& object)
    {
        const Value theirs = recordOf(m_theirs, object);
        if (m_changedByMe.contains(keyOf(object))) {
            update(object);
        } else if (!model::addObject(m_result.merged, object.kind, object.parent, theirs)) {
            addConflict(object); // I have deleted what it belongs to.
        }
    }

    void update(const ObjectRef& object)
    {
        const Value base = recordOf(m_base, object);
        const Value mine = recordOf(m_mine, object);
        const Value theirs = recordOf(m_theirs, object);
        if (mine == theirs) {
            return;
        }
        if (mine.isNull()) {
            addConflict(object);
            return;
        }
        std::vector<MergeConflict> conflicts;
        FieldMerge fields(object, conflicts);
        const Value merged =
            fields.merged(base.isNull() ? Value(Value::Map()) : base, mine, theirs, {});
        // Fields that are right alone may be wrong together.
        if (!model::replaceObject(m_result.merged, object, merged)) {
            addConflict(object);
            return;
        }
        m_result.conflicts.insert(m_result.conflicts.end(), conflicts.begin(), conflicts.end());
    }

    const Document m_base;
    const Document m_mine;
    const Document m_theirs;
    Merge m_result;
    std::set<Key> m_changedByMe;
    std::set<std::pair<std::string, std::string>> m_parentsINeed; // Kind and name.
};

std::string nameOf(const ObjectRef& ref)
{
    return ref.parent.empty() ? fmt::format("{}/{}", ref.kind, ref.name)
                              : fmt::format("{}/{}/{}", ref.kind, ref.parent, ref.name);
}

Error naming(const ObjectRef& object, Error error)
{
    error.message = nameOf(object) + ": " + error.message;
    return error;
}

// Deleted first and from the inside out, so that what moves to another parent finds its name free.
Result<void> apply(
    Document& document, const Document& after, const std::vector<const ObjectChange*>& changes
)
{
    for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
        if ((*change)->kind == ChangeKind::Deleted) {
            MESH_TRY_VOID(model::removeObject(document, (*change)->object));
        }
    }
    for (const ObjectChange* change : changes) {
        const ObjectRef& object = change->object;
        const Value record = recordOf(after, object);
        if (change->kind == ChangeKind::Updated) {
            if (auto done = model::replaceObject(document, object, record); !done) {
                return tl::unexpected(naming(object, std::move(done).error()));
            }
        } else if (change->kind == ChangeKind::Created) {
            auto done = model::addObject(document, object.kind, object.parent, record);
            if (!done) {
                return tl::unexpected(naming(object, std::move(done).error()));
            }
        }
    }
    return {};
}

} // namespace

Merge merge(const Document& base, const Document& mine, const Document& theirs)
{
    // Changes are named as they stand in the canonical form: a route belongs to its service.
    return Merging(model::canonical(base), model::canonical(mine), model::canonical(theirs)).run();
}

Result<Document> withChanges(
    const Document& before, const Document& after, const std::vector<ObjectRef>& objects
)
{
    const std::vector<ObjectChange> all = model::diff(before, after);
    std::set<Key> wanted;
    for (const ObjectRef& object : objects) {
        wanted.insert(keyOf(object));
    }
    std::vector<const ObjectChange*> changes;
    for (const ObjectChange& change : all) {
        if (wanted.erase(keyOf(change.object)) == 1) {
            changes.push_back(&change);
        }
    }
    if (!wanted.empty()) {
        const auto& [kind, parent, name] = *wanted.begin();
        return fail(
            ErrorCode::NotFound, nameOf(ObjectRef{kind, name, parent}) + " does not change"
        );
    }
    Document document = model::canonical(before);
    MESH_TRY_VOID(apply(document, model::canonical(after), changes));
    for (const config::Problem& problem : config::validate(document)) {
        if (problem.severity == config::Severity::Error) {
            return fail(problem.code, problem.path + ": " + problem.message);
        }
    }
    return document;
}

} // namespace mesh::fleet
