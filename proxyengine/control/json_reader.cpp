#include "proxyengine/control/json_reader.h"

namespace mesh::control {

const nlohmann::ordered_json& memberOf(const nlohmann::ordered_json& json, const char* key)
{
    static const nlohmann::ordered_json kNull;
    if (!json.is_object()) {
        return kNull;
    }
    const auto found = json.find(key);
    return found == json.end() ? kNull : *found;
}

std::string textOf(const nlohmann::ordered_json& json, const char* key)
{
    const nlohmann::ordered_json& member = memberOf(json, key);
    return member.is_string() ? member.get<std::string>() : std::string();
}

std::int64_t integerOf(const nlohmann::ordered_json& json, const char* key)
{
    const nlohmann::ordered_json& member = memberOf(json, key);
    return member.is_number_integer() ? member.get<std::int64_t>() : 0;
}

std::uint64_t countOf(const nlohmann::ordered_json& json, const char* key)
{
    const nlohmann::ordered_json& member = memberOf(json, key);
    return member.is_number_unsigned() ? member.get<std::uint64_t>() : 0;
}

double numberOf(const nlohmann::ordered_json& json, const char* key)
{
    const nlohmann::ordered_json& member = memberOf(json, key);
    return member.is_number() ? member.get<double>() : 0.0;
}

WallTime wallTimeOf(const nlohmann::ordered_json& json, const char* key)
{
    return WallTime(WallTime::duration(integerOf(json, key)));
}

const nlohmann::ordered_json& listOf(const nlohmann::ordered_json& json, const char* key)
{
    static const nlohmann::ordered_json kEmpty = nlohmann::ordered_json::array();
    const nlohmann::ordered_json& member = memberOf(json, key);
    return member.is_array() ? member : kEmpty;
}

} // namespace mesh::control
