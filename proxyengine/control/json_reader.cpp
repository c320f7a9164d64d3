#include "proxyengine/control/json_reader.h"

namespace mesh::control {

using Json = nlohmann::ordered_json;

const Json& memberOf(const Json& json, const char* key)
{
    static const Json kNull;
    if (!json.is_object()) {
        return kNull;
    }
    const auto found = json.find(key);
    return found == json.end() ? kNull : *found;
}

std::string textOf(const Json& json, const char* key)
{
    const Json& member = memberOf(json, key);
    return member.is_string() ? member.get<std::string>() : std::string();
}

std::int64_t integerOf(const Json& json, const char* key)
{
    const Json& member = memberOf(json, key);
    return member.is_number_integer() ? member.get<std::int64_t>() : 0;
}

std::uint64_t countOf(const Json& json, const char* key)
{
    const Json& member = memberOf(json, key);
    return member.is_number_unsigned() ? member.get<std::uint64_t>() : 0;
}

double numberOf(const Json& json, const char* key)
{
    const Json& member = memberOf(json, key);
    return member.is_number() ? member.get<double>() : 0.0;
}

WallTime wallTimeOf(const Json& json, const char* key)
{
    return WallTime(WallTime::duration(integerOf(json, key)));
}

const Json& listOf(const Json& json, const char* key)
{
    static const Json kEmpty = Json::array();
    const Json& member = memberOf(json, key);
    return member.is_array() ? member : kEmpty;
}

} // namespace mesh::control
