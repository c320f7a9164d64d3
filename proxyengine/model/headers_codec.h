#pragma once

#include "proxyengine/model/field_build.h"
#include "proxyengine/model/gateway.h"

#include <string>
#include <vector>

namespace mesh::model::build {

// Header matches: a map of names to lists of values.
struct Headers
{
    static constexpr Kind kKind = Kind::Map;
    static Value write(const std::vector<HeaderMatch>& headers)
    {
        Value::Map map;
        for (const HeaderMatch& header : headers) {
            map.push_back(Value::Member{
                header.name, ListOf<Plain<std::string>>::write(header.values), {}});
        }
        return map;
    }
    static void read(const Value& from, std::vector<HeaderMatch>& to)
    {
        if (!from.isMap()) {
            return;
        }
        to.clear();
        for (const Value::Member& member : from.map()) {
            HeaderMatch& header = to.emplace_back();
            header.name = member.key;
            ListOf<Plain<std::string>>::read(member.value, header.values);
        }
    }
};

} // namespace mesh::model::build
