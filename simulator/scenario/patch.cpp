#include "simulator/scenario/patch.h"

#include "proxyengine/config/codec.h"
#include "proxyengine/config/document_value.h"
#include "proxyengine/config/tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace mesh::simulator {
namespace {

using config::Problem;
using model::Value;

struct NamedList
{
    std::string_view list; // "upstreams"
    std::string_view singular; // "upstream"
    std::string_view key; // Which field of an element names it.
    bool isTop; // Stands at the top of a document.
};

constexpr std::array<NamedList, 11> kNamedLists = {{
    {"services", "service", "name", true},
    {"routes", "route", "name", true},
    {"upstreams", "upstream", "name", true},
    {"targets", "target", "target", false},
    {"certificates", "certificate", "id", true},
    {"ca_certificates", "CA certificate", "id", true},
    {"plugins", "plugin", "name", true},
    {"nodes", "node", "name", true},
    {"workloads", "workload", "name", true},
    {"models", "model", "service", true},
    {"split", "part of the split", "service", false},
}};

constexpr std::size_t kNamesShownMax = 12;

const NamedList* namedList(std::string_view key)
{
    const auto found = std::ranges::find(kNamedLists, key, &NamedList::list);
    return found == kNamedLists.end() ? nullptr : &*found;
}

std::string_view nameIn(const Value& element, std::string_view key)
{
    const Value* name = element.find(key);
    return name != nullptr && name->isString() ? std::string_view(name->text())
                                               : std::string_view();
}

Value* elementNamed(Value* list, std::string_view key, std::string_view name)
{
    if (list == nullptr || !list->isList()) {
        return nullptr;
    }
    const auto found = std::ranges::find_if(list->list(), [&](const Value& element) {
        return nameIn(element, key) == name;
    });
    return found == list->list().end() ? nullptr : &*found;
}

// Merges a patch into the value of a whole document.
class PatchMerge
{
public:
    PatchMerge(Value& root, std::vector<Problem>& problems)
        : m_root(root)
        , m_problems(problems)
    {}

    void merge(const Value& patch, const std::string& path) { mergeMap(m_root, patch, path); }

private:
    void mergeMap(Value& to, const Value& patch, const std::string& path)
    {
        for (const Value::Member& member : patch.map()) {
            const std::string own = fmt::format("{}.{}", path, member.key);
            const NamedList* list = namedList(member.key);
            if (member.value.isNull()) {
                to.remove(member.key);
            } else if (member.value.isMap() && list != nullptr) {
                mergeList(to, *list, member.value, own);
            } else if (member.value.isMap()) {
                mergeMember(to, member, own);
            } else {
                to.set(member.key, member.value);
            }
        }
    }

    void mergeMember(Value& to, const Value::Member& member, const std::string& path)
    {
        Value* existing = to.find(member.key);
        if (existing == nullptr || !existing->isMap()) {
            Value empty{Value::Map()};
            empty.setMark(member.value.mark());
            to.set(member.key, std::move(empty));
            existing = to.find(member.key);
        }
        mergeMap(*existing, member.value, path);
    }

    void mergeList(Value& to, const NamedList& list, const Value& patch, const std::string& path)
    {
        for (const Value::Member& member : patch.map()) {
            const std::string own = fmt::format("{}.{}", path, member.key);
            Value* holder = holderOf(to, list, member.key);
            Value* element = elementNamed(holder, list.key, member.key);
            if (element == nullptr && mayMake(list, member)) {
                element = make(to, list, member);
            }
            if (element == nullptr) {
                reportAbsent(to, list, member, own);
            } else if (member.value.isNull()) {
                std::erase_if(holder->list(), [&](const Value& each) {
                    return nameIn(each, list.key) == member.key;
                });
            } else if (!member.value.isMap()) {
                add(own,
                    member.value.mark(),
                    ErrorCode::InvalidArgument,
                    "expected fields to change, as in {key: value}, or null");
            } else {
                mergeMap(*element, member.value, own);
            }
        }
    }

    // The list that has the object: routes stand in services, too.
    Value* holderOf(Value& to, const NamedList& list, std::string_view name)
    {
        Value* services =
            &to == &m_root && list.list == "routes" ? m_root.find("services") : nullptr;
        if (services != nullptr && services->isList()) {
            for (Value& service : services->list()) {
                if (elementNamed(service.find("routes"), list.key, name) != nullptr) {
                    return service.find("routes");
                }
            }
        }
        return to.find(list.list);
    }

    [[nodiscard]] bool mayMake(const NamedList& list, const Value::Member& member)
    {
        if (!member.value.isMap()) {
            return false;
        }
        const bool isOfModel =
            (list.list == "services" || list.list == "upstreams")
            && elementNamed(m_root.find("models"), "service", member.key) != nullptr;
        return isOfModel || nameIn(member.value, list.key) == member.key;
    }

    Value* make(Value& to, const NamedList& list, const Value::Member& member)
    {
        Value made{Value::Map()};
        made.setMark(member.value.mark());
        made.set(list.key, Value(member.key));
        if (list.list == "services") {
            made.set("host", Value(member.key));
            if (elementNamed(m_root.find("models"), "service", member.key) != nullptr) {
                made.set("retries", Value(std::int64_t{0})); // As a run makes it up.
            }
        }
        Value* existing = to.find(list.list);
        if (existing == nullptr || !existing->isList()) {
            to.set(list.list, Value{Value::List()});
            existing = to.find(list.list);
        }
        existing->list().push_back(std::move(made));
        return &existing->list().back();
    }

    void reportAbsent(
        Value& to, const NamedList& list, const Value::Member& member, const std::string& path
    )
    {
        std::vector<std::string_view> names;
        const Value* known = to.find(list.list);
        if (known != nullptr && known->isList()) {
            for (const Value& each : known->list()) {
                names.push_back(nameIn(each, list.key));
            }
        }
        const std::size_t all = names.size();
        names.resize(std::min(all, kNamesShownMax));
        add(path,
            member.keyMark,
            ErrorCode::DanglingReference,
            fmt::format(
                "there is no {} \"{}\"{}{}{}",
                list.singular,
                member.key,
                names.empty() ? "" : "; there are ",
                fmt::join(names, ", "),
                all > kNamesShownMax ? ", ..." : ""
            ));
    }

    void add(std::string path, model::Mark mark, ErrorCode code, std::string message)
    {
        m_problems.push_back(Problem{
            std::move(path), mark.place(), code, config::Severity::Error, std::move(message)});
    }

    Value& m_root;
    std::vector<Problem>& m_problems;
};

// "services[3].resilience" as a patch says it: "services.cart.resilience".
std::string namedPath(const Value& root, std::string_view path)
{
    std::string result;
    const Value* at = &root;
    while (!path.empty()) {
        const std::size_t end = std::min(path.find('.'), path.size());
        const std::string_view part = path.substr(0, end);
        path.remove_prefix(std::min(end + 1, path.size()));
        const std::size_t bracket = std::min(part.find('['), part.size());
        const std::string_view key = part.substr(0, bracket);
        std::string said(part);
        at = at == nullptr ? nullptr : at->find(key);
        const NamedList* list = namedList(key);
        std::size_t place = 0;
        if (bracket < part.size() && at != nullptr && at->isList()) {
            std::from_chars(part.data() + bracket + 1, part.data() + part.size(), place);
            at = place < at->list().size() ? &at->list()[place] : nullptr;
            if (list != nullptr && at != nullptr) {
                said = fmt::format("{}.{}", key, nameIn(*at, list->key));
            }
        }
        result += result.empty() ? said : "." + said;
    }
    return result;
}

} // namespace

void checkPatchKinds(const Value& patch, const std::string& path, std::vector<Problem>& problems)
{
    if (!patch.isMap()) {
        problems.push_back(Problem{
            path,
            patch.mark().place(),
            ErrorCode::InvalidArgument,
            config::Severity::Error,
            "expected objects to change by kind and name, as in {services: {cart: {...}}}"});
        return;
    }
    for (const Value::Member& member : patch.map()) {
        const NamedList* list = namedList(member.key);
        const bool isKnown = member.key == "mesh" || (list != nullptr && list->isTop);
        if (isKnown && (member.value.isMap() || (member.key != "mesh" && member.value.isList()))) {
            continue;
        }
        problems.push_back(Problem{
            fmt::format("{}.{}", path, member.key),
            member.keyMark.place(),
            isKnown ? ErrorCode::InvalidArgument : ErrorCode::UnknownField,
            config::Severity::Error,
            isKnown ? "expected objects by name, as in {cart: {...}}"
                    : "a document has no such objects; it has services, routes, upstreams, models "
                      "and so on"});
    }
}

PatchResult patched(const model::Document& document, const Value& patch, const std::string& path)
{
    PatchResult result;
    if (patch.isNull() || (patch.isMap() && patch.map().empty())) {
        result.document = document;
        return result;
    }
    checkPatchKinds(patch, path, result.problems);
    if (!result.problems.empty()) {
        return result;
    }
    Value merged = config::toValue(document, config::Secrets::Shown);
    PatchMerge(merged, result.problems).merge(patch, path);
    if (!result.problems.empty()) {
        return result;
    }
    config::DecodeResult decoded = config::decode(config::toJson(merged));
    for (Problem& problem : decoded.problems) {
        if (problem.severity != config::Severity::Error) {
            continue;
        }
        const Value* node = config::nodeAt(merged, problem.path);
        const bool isOfPatch = node != nullptr && node->mark().isKnown();
        problem.place = isOfPatch ? node->mark().place() : patch.mark().place();
        problem.path = fmt::format("{}.{}", path, namedPath(merged, problem.path));
        result.problems.push_back(std::move(problem));
    }
    result.document = std::move(decoded.document);
    return result;
}

Result<model::Document> applyPatch(const model::Document& document, const Value& patch)
{
    PatchResult result = patched(document, patch, "patch");
    if (result.problems.empty()) {
        return std::move(result.document);
    }
    const Problem& first = result.problems.front();
    ErrorPlace place;
    if (first.place) {
        place = *first.place;
    }
    return fail(first.code, fmt::format("{}: {}", first.path, first.message), place);
}

namespace {

void ablate(std::optional<model::Resilience>& resilience, AblatedPolicy policy)
{
    if (!resilience) {
        return;
    }
    switch (policy) {
    case AblatedPolicy::Retry:
        resilience->retry.reset();
        return;
    case AblatedPolicy::Breaker:
        resilience->breaker.reset();
        return;
    case AblatedPolicy::Hedge:
        resilience->hedge.reset();
        return;
    case AblatedPolicy::OutlierDetection:
        return; // Of upstreams.
    }
}

// A service that only a model knows would get the gateway format's own number of tries.
void nameServicesOfModels(model::Document& document)
{
    for (const model::ServiceModel& each : document.models) {
        const auto known =
            std::ranges::find(document.services, each.service, &model::Service::name);
        if (known == document.services.end()) {
            model::Service service;
            service.name = each.service;
            service.host = each.service;
            service.retries = 0;
            document.services.push_back(std::move(service));
        }
    }
}

} // namespace

model::Document withoutPolicies(
    const model::Document& document, const std::vector<AblatedPolicy>& policies
)
{
    model::Document result = document;
    for (const AblatedPolicy policy : policies) {
        if (policy == AblatedPolicy::Retry) {
            nameServicesOfModels(result);
        }
        for (model::Service& service : result.services) {
            ablate(service.resilience, policy);
            for (model::Route& route : service.routes) {
                ablate(route.resilience, policy);
            }
            if (policy == AblatedPolicy::Retry) {
                service.retries = 0;
            }
        }
        for (model::Route& route : result.routes) {
            ablate(route.resilience, policy);
        }
        for (model::Upstream& upstream : result.upstreams) {
            if (policy == AblatedPolicy::OutlierDetection) {
                upstream.outlierDetection.reset();
            }
        }
    }
    return result;
}

} // namespace mesh::simulator
