#include "proxyengine/http/h2_field_list.h"

#include "proxyengine/http/head_writer.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace mesh::http {
namespace {

bool isLeftOut(std::string_view lowerName)
{
    constexpr std::array<std::string_view, 6> kLeftOut = {
        "connection", "host", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"};
    return std::ranges::find(kLeftOut, lowerName) != kLeftOut.end();
}

std::string inLowerCase(std::string_view text)
{
    std::string made(text);
    std::ranges::transform(made, made.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return made;
}

} // namespace

void H2FieldList::add(std::string name, std::string value)
{
    const std::string& keptName = m_texts.emplace_back(std::move(name));
    const std::string& keptValue = m_texts.emplace_back(std::move(value));
    m_fields.push_back({keptName, keptValue});
}

void H2FieldList::addAll(const Headers& headers)
{
    for (const Header& header : headers) {
        std::string name = inLowerCase(header.name);
        if (isToken(name) && isFieldValue(header.value) && !isLeftOut(name)) {
            add(std::move(name), header.value);
        }
    }
}

} // namespace mesh::http
