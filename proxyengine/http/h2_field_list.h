#pragma once

#include "proxyengine/http/h2_bridge.h"
#include "proxyengine/http/message.h"

#include <deque>
#include <span>
#include <string>
#include <vector>

namespace mesh::http {

// The head of a whole message for HTTP/2, with the texts that its fields refer to.
class H2FieldList
{
public:
    void add(std::string name, std::string value); // `name`: lower case.
    // All that may stand in a head: not what speaks of an HTTP/1.1 connection (RFC 9113, 8.2.2),
    // not what is no field, and not Host, which is :authority.
    void addAll(const Headers& headers);
    [[nodiscard]] std::span<const H2Field> fields() const { return m_fields; }

private:
    std::deque<std::string> m_texts; // Stay where they are.
    std::vector<H2Field> m_fields;
};

} // namespace mesh::http
