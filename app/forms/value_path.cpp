#include "app/forms/value_path.h"

#include "proxyengine/config/tree.h"
#include "proxyengine/model/objects.h"

#include <algorithm>
#include <charconv>

namespace mesh::forms {
namespace {

using model::Value;

constexpr std::size_t kShortList = 8; // Longer lists of scalars take one line per element.

bool isScalar(const Value& value) { return !value.isList() && !value.isMap(); }

void appendPretty(std::string& out, const Value& value, std::size_t depth)
{
    const std::string pad((depth + 1) * 2, ' ');
    const std::string closing(depth * 2, ' ');
    if (value.isMap() && !value.map().empty()) {
        out += "{\n";
        for (std::size_t i = 0; i < value.map().size(); ++i) {
            const auto& member = value.map()[i];
            out += pad + config::toJson(Value(member.key)) + ": ";
            appendPretty(out, member.value, depth + 1);
            out += i + 1 < value.map().size() ? ",\n" : "\n";
        }
        out += closing + "}";
        return;
    }
    const bool isLong = value.isList()
                        && (value.list().size() > kShortList
                            || !std::all_of(value.list().begin(), value.list().end(), isScalar));
    if (!isLong) {
        out += config::toJson(value);
        return;
    }
    out += "[\n";
    for (std::size_t i = 0; i < value.list().size(); ++i) {
        out += pad;
        appendPretty(out, value.list()[i], depth + 1);
        out += i + 1 < value.list().size() ? ",\n" : "\n";
    }
    out += closing + "]";
}

// Where a new member belongs: behind the last member that stands before it in the schema.
void insertInOrder(Value& record, std::string_view key, Value value, const model::Schema& schema)
{
    const auto rank = [&schema](std::string_view name) {
        const auto& fields = schema.fields();
        const auto found = std::find_if(fields.begin(), fields.end(), [name](const auto& field) {
            return field.key == name;
        });
        return found - fields.begin();
    };
    const auto own = rank(key);
    Value::Map& map = record.map();
    auto place = map.begin();
    for (auto member = map.begin(); member != map.end(); ++member) {
        if (rank(member->key) < own) {
            place = member + 1;
        }
    }
    Value::Member fresh;
    fresh.key = std::string(key);
    fresh.value = std::move(value);
    map.insert(place, std::move(fresh));
}

// The schema of the record below a step, seen from the record above it; null above: the file.
const model::Schema* schemaBelow(const model::Schema* above, const PathStep& step, bool isFile)
{
    const auto* key = std::get_if<std::string>(&step);
    if (key == nullptr) {
        return above; // An index into a list of records keeps the records' schema.
    }
    const model::EntityKind* kind = model::entityKind(*key);
    if (isFile) {
        return kind != nullptr ? kind->schema : nullptr;
    }
    const model::Field* field = above != nullptr ? above->field(*key) : nullptr;
    if (field == nullptr) {
        return nullptr;
    }
    return field->isChild && kind != nullptr ? kind->schema : field->record;
}

void setSteps(
    Value& node,
    const std::vector<PathStep>& steps,
    std::size_t at,
    Value value,
    const model::Schema* schema,
    bool isFile
)
{
    const bool isLast = at + 1 == steps.size();
    if (const auto* index = std::get_if<std::size_t>(&steps[at])) {
        if (!node.isList() || *index >= node.list().size()) {
            return;
        }
        if (isLast && value.isNull()) {
            node.list().erase(node.list().begin() + static_cast<std::ptrdiff_t>(*index));
        } else if (isLast) {
            node.list()[*index] = std::move(value);
        } else {
            setSteps(node.list()[*index], steps, at + 1, std::move(value), schema, false);
        }
        return;
    }
    const auto& key = std::get<std::string>(steps[at]);
    if (node.isNull()) {
        node = Value(Value::Map{});
    }
    if (!node.isMap()) {
        return;
    }
    const auto put = [&](Value member) {
        if (Value* old = node.find(key)) {
            *old = std::move(member);
        } else if (schema != nullptr) {
            insertInOrder(node, key, std::move(member), *schema);
        } else {
            node.set(key, std::move(member));
        }
    };
    if (isLast) {
        if (value.isNull()) {
            node.remove(key);
        } else {
            put(std::move(value));
        }
        return;
    }
    const bool isRemoval = value.isNull();
    const Value* old = node.find(key);
    if (old == nullptr && isRemoval) {
        return;
    }
    Value child = old != nullptr ? *old : Value(Value::Map{});
    const model::Schema* below = schemaBelow(schema, steps[at], isFile);
    setSteps(child, steps, at + 1, std::move(value), below, false);
    put(std::move(child));
}

} // namespace

std::vector<PathStep> stepsOf(std::string_view path)
{
    std::vector<PathStep> steps;
    while (!path.empty()) {
        if (path.front() == '.') {
            path.remove_prefix(1);
            continue;
        }
        if (path.front() == '[') {
            std::size_t index = 0;
            const auto [rest, status] =
                std::from_chars(path.data() + 1, path.data() + path.size(), index);
            if (status != std::errc{}) {
                return steps;
            }
            steps.emplace_back(index);
            const auto used = static_cast<std::size_t>(rest - path.data());
            path.remove_prefix(std::min(path.size(), used + 1));
            continue;
        }
        const std::size_t end = std::min(path.find_first_of(".["), path.size());
        steps.emplace_back(std::string(path.substr(0, end)));
        path.remove_prefix(end);
    }
    return steps;
}

const Value* valueAt(const Value& root, std::string_view path)
{
    const Value* node = &root;
    for (const PathStep& step : stepsOf(path)) {
        if (const auto* key = std::get_if<std::string>(&step)) {
            node = node->find(*key);
        } else {
            const std::size_t index = std::get<std::size_t>(step);
            node = node->isList() && index < node->list().size() ? &node->list()[index] : nullptr;
        }
        if (node == nullptr) {
            return nullptr;
        }
    }
    return node;
}

void setValueAt(Value& root, std::string_view path, Value value)
{
    const auto steps = stepsOf(path);
    if (steps.empty()) {
        root = std::move(value);
        return;
    }
    setSteps(root, steps, 0, std::move(value), nullptr, true);
}

const model::Schema* schemaAtPath(std::string_view path)
{
    const model::Schema* schema = nullptr;
    bool isFile = true;
    for (const PathStep& step : stepsOf(path)) {
        schema = schemaBelow(schema, step, isFile);
        isFile = false;
        if (schema == nullptr) {
            return nullptr;
        }
    }
    return schema;
}

std::string joinPath(std::string_view path, std::string_view key)
{
    if (path.empty()) {
        return std::string(key);
    }
    return std::string(path) + "." + std::string(key);
}

std::string toDisplay(const Value& value)
{
    if (value.isNull()) {
        return {};
    }
    if (value.isString()) {
        return value.text();
    }
    if (value.isList() && std::all_of(value.list().begin(), value.list().end(), isScalar)) {
        std::string text;
        for (const Value& element : value.list()) {
            text += (text.empty() ? "" : ", ") + toDisplay(element);
        }
        return text;
    }
    return config::toJson(value);
}

std::string toPrettyJson(const Value& value)
{
    std::string out;
    appendPretty(out, value, 0);
    out += "\n";
    return out;
}

} // namespace mesh::forms
