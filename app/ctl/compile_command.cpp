#include "app/ctl/config_commands.h"
#include "app/ctl/document_input.h"
#include "app/ctl/text_table.h"
#include "proxyengine/config/effective.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace mesh::ctl {
namespace {

using CompileJson = nlohmann::ordered_json;

std::string originOf(const config::EffectiveValue& value)
{
    const std::string_view word = config::toText(value.origin);
    return value.from.empty() ? std::string(word) : fmt::format("{} {}", word, value.from);
}

CompileJson valueToJson(const config::EffectiveValue& value, bool isExplained)
{
    CompileJson json = {
        {"object", value.object},
        {"field", value.field},
        {"value", CompileJson::parse(value.value, nullptr, false)}};
    if (isExplained) {
        json["origin"] = config::toText(value.origin);
        json["from"] = value.from;
    }
    return json;
}

} // namespace

int runCompile(const CompileOptions& options, const Surroundings& around)
{
    const auto loaded = requireDocument(options.file, around);
    if (!loaded) {
        return loaded.error();
    }
    const auto effective = config::effective(*loaded->document, options.node);
    if (!effective) {
        return failed(around, effective.error(), kNo);
    }
    if (around.isJson()) {
        CompileJson values = CompileJson::array();
        for (const config::EffectiveValue& value : effective->values) {
            values.push_back(valueToJson(value, options.isExplained));
        }
        around.output.out += dumped(
            {{"file", options.file},
             {"node", options.node},
             {"hash", effective->hash},
             {"values", std::move(values)}}
        );
        return kDone;
    }
    std::string object;
    for (const config::EffectiveValue& value : effective->values) {
        if (value.object != object) {
            object = value.object;
            around.output.out += printable(object) + '\n';
        }
        around.output.out +=
            fmt::format("  {}: {}", printable(value.field), printable(value.value));
        if (options.isExplained) {
            around.output.out += fmt::format("  # {}", printable(originOf(value)));
        }
        around.output.out += '\n';
    }
    return kDone;
}

} // namespace mesh::ctl
