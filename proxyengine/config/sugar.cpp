#include "proxyengine/config/sugar.h"

#include "proxyengine/model/format.h"

#include <fmt/format.h>

#include <algorithm>

namespace mesh::config {
namespace {

using model::Mark;
using model::Value;

Value placed(Value value, Mark mark)
{
    value.setMark(mark);
    return value;
}

void setPlaced(Value& record, std::string_view key, Value value, Mark mark)
{
    record.set(key, placed(std::move(value), mark));
    record.map().back().keyMark = mark;
}

// What old versions took for a regular expression: anything but these characters.
bool looksLikeRegex(std::string_view path)
{
    return !std::ranges::all_of(path, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
               || std::string_view("._-~/%").find(c) != std::string_view::npos;
    });
}

} // namespace

void Sugar::add(const std::string& path, Mark mark, ErrorCode code, std::string message) const
{
    problems.push_back(Problem{path, mark.place(), code, Severity::Error, std::move(message)});
}

void Sugar::service(Value& record, const std::string& path) const
{
    if (!record.isMap()) {
        return;
    }
    if (record.find("url") != nullptr) {
        url(record, path);
    }
    reference(record, "client_certificate", path);
    dropUnknownPlugins(record, path, problems);
    Value* const routes = record.find("routes");
    if (routes == nullptr || !routes->isList()) {
        return;
    }
    for (std::size_t at = 0; at < routes->list().size(); ++at) {
        Value& each = routes->list()[at];
        if (const Value* const owner = each.find("service"); owner != nullptr) {
            add(fmt::format("{}.routes[{}].service", path, at),
                owner->mark(),
                ErrorCode::Conflict,
                "a route inside a service belongs to it; remove this field");
            each.remove("service");
        }
        dropUnknownPlugins(each, fmt::format("{}.routes[{}]", path, at), problems);
        migratePaths(each);
    }
}

// Source: the gateway's shorthand: scheme, host, port and path of one text.
void Sugar::url(Value& record, const std::string& path) const
{
    const Value url = *record.find("url");
    record.remove("url");
    const std::string place = path + ".url";
    const auto refuse = [&](std::string message, ErrorCode code = ErrorCode::InvalidArgument) {
        add(place, url.mark(), code, std::move(message));
        if (record.find("host") == nullptr) { // So that its absence is not reported too.
            record.set("host", "url.invalid");
        }
    };
    for (const std::string_view key : {"protocol", "host", "port", "path"}) {
        if (record.find(key) != nullptr) {
            return refuse(
                fmt::format("cannot set 'url' together with '{}'", key), ErrorCode::Conflict
            );
        }
    }
    if (!url.isString()) {
        return refuse("expected a string");
    }
    std::string_view rest = url.text();
    const std::size_t scheme = rest.find("://");
    if (scheme == std::string_view::npos) {
        return refuse("missing scheme in url");
    }
    const std::string protocol(rest.substr(0, scheme));
    rest.remove_prefix(scheme + 3);
    const std::size_t slash = rest.find_first_of("/?#");
    const std::optional<model::HostPort> parts = model::splitHostPort(rest.substr(0, slash));
    if (!parts || parts->host.empty()) {
        return refuse("missing host in url");
    }
    const bool isTls = protocol == "https" || protocol == "grpcs" || protocol == "tls";
    setPlaced(record, "protocol", Value(protocol), url.mark());
    setPlaced(record, "host", Value(parts->host), url.mark());
    setPlaced(record, "port", Value(int{parts->port.value_or(isTls ? 443 : 80)}), url.mark());
    if (slash != std::string_view::npos && rest.substr(slash) != "/") {
        setPlaced(record, "path", Value(rest.substr(slash)), url.mark());
    }
}

std::optional<Value> Sugar::takeReference(
    Value& record, std::string_view key, const std::string& path
) const
{
    const Value* const found = record.find(key);
    if (found == nullptr || found->isNull()) {
        record.remove(key);
        return std::nullopt;
    }
    Value taken = *found;
    record.remove(key);
    if (taken.isString()) {
        return taken;
    }
    if (taken.isMap() && taken.map().size() == 1) {
        const Value::Member& member = taken.map().front();
        if ((member.key == "name" || member.key == "id") && member.value.isString()) {
            return placed(Value(member.value.text()), taken.mark());
        }
    }
    add(fmt::format("{}.{}", path, key),
        taken.mark(),
        ErrorCode::InvalidArgument,
        "expected a name, {name: ...} or {id: ...}");
    return std::nullopt;
}

void Sugar::reference(Value& record, std::string_view key, const std::string& path) const
{
    if (std::optional<Value> name = takeReference(record, key, path)) {
        setPlaced(record, key, *name, name->mark());
    }
}

void Sugar::plugin(Value& record, const std::string& path) const
{
    reference(record, "service", path);
    reference(record, "route", path);
}

void Sugar::route(Value& record, const std::string& path) const
{
    dropUnknownPlugins(record, path, problems);
    reference(record, "service", path);
    migratePaths(record);
}

void Sugar::migratePaths(Value& record) const
{
    Value* const paths = record.find("paths");
    if (version == FormatVersion::Current || paths == nullptr || !paths->isList()) {
        return;
    }
    for (Value& each : paths->list()) {
        if (each.isString() && looksLikeRegex(each.text()) && !each.text().starts_with('~')) {
            each = placed(Value("~" + each.text()), each.mark());
        }
    }
}

void Sugar::upstream(Value& record, const std::string& path) const
{
    if (!record.isMap()) {
        return;
    }
    reference(record, "client_certificate", path);
    const Value* const hashOn = record.find("hash_on");
    if (hashOn != nullptr && hashOn->isString() && hashOn->text() != "none"
        && record.find("algorithm") == nullptr) {
        setPlaced(record, "algorithm", Value("consistent-hashing"), hashOn->mark());
    }
    if (Value* const targets = record.find("targets"); targets != nullptr && targets->isList()) {
        for (Value& each : targets->list()) {
            target(each);
        }
    }
}

void Sugar::target(Value& record) const
{
    Value* const address = record.find("target");
    if (address != nullptr && address->isString()) {
        *address = placed(Value(model::withDefaultPort(address->text())), address->mark());
    }
}

void dropUnknownPlugins(Value& owner, const std::string& path, std::vector<Problem>& problems)
{
    Value* const plugins = owner.find("plugins");
    if (plugins == nullptr || !plugins->isList()) {
        return;
    }
    Value::List known;
    std::size_t at = 0;
    for (Value& each : plugins->list()) {
        const Value* const name = each.find("name");
        const bool isKnown = name == nullptr || !name->isString() || name->text() == "mtls-auth";
        if (isKnown) {
            known.push_back(std::move(each));
        } else {
            problems.push_back(Problem{
                fmt::format("{}{}plugins[{}].name", path, path.empty() ? "" : ".", at),
                name->mark().place(),
                ErrorCode::Unsupported,
                Severity::Error,
                fmt::format(
                    "the plugin '{}' is not supported by this version; remove it or use a later "
                    "version",
                    name->text()
                )});
        }
        ++at;
    }
    plugins->list() = std::move(known);
}

void mergeDefaults(Value& record, const Value& defaults)
{
    if (!record.isMap() || !defaults.isMap()) {
        return;
    }
    for (const Value::Member& member : defaults.map()) {
        Value* const present = record.find(member.key);
        if (present == nullptr) {
            record.map().push_back(member);
        } else {
            mergeDefaults(*present, member.value);
        }
    }
}

} // namespace mesh::config
