#include "proxyengine/config/parse.h"
#include "proxyengine/config/tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

// Values to canonical text.
namespace mesh::config {
namespace {

using model::Value;

void writeQuoted(std::string_view text, std::string& out)
{
    out.push_back('"');
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        switch (byte) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        default:
            if (byte < 0x20U || byte == 0x7fU) {
                fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
            } else {
                out.push_back(text[at]);
            }
            break;
        }
    }
    out.push_back('"');
}

// The shortest text that reads back as the same number; always with a '.' or an 'e'.
void writeNumber(double number, std::string& out)
{
    std::string text = fmt::format("{}", number);
    if (text.find_first_of(".en") == std::string::npos) {
        text += ".0";
    }
    out += std::isfinite(number) ? text : "null";
}

void writeJson(const Value& value, std::string& out)
{
    switch (value.type()) {
    case Value::Type::Null:
        out += "null";
        return;
    case Value::Type::Bool:
        out += value.toBool() ? "true" : "false";
        return;
    case Value::Type::Int:
        fmt::format_to(std::back_inserter(out), "{}", value.toInt());
        return;
    case Value::Type::Double:
        writeNumber(value.toNumber(), out);
        return;
    case Value::Type::String:
        writeQuoted(value.text(), out);
        return;
    case Value::Type::List: {
        out.push_back('[');
        for (const Value& element : value.list()) {
            if (&element != &value.list().front()) {
                out.push_back(',');
            }
            writeJson(element, out);
        }
        out.push_back(']');
        return;
    }
    case Value::Type::Map:
        out.push_back('{');
        for (const Value::Member& member : value.map()) {
            if (&member != &value.map().front()) {
                out.push_back(',');
            }
            writeQuoted(member.key, out);
            out.push_back(':');
            writeJson(member.value, out);
        }
        out.push_back('}');
        return;
    }
}

bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool isDigit(char c) { return c >= '0' && c <= '9'; }

// Words that some readers of YAML (1.1) take for booleans.
bool isOldWord(std::string_view text)
{
    static constexpr std::array<std::string_view, 6> kWords = {"y", "n", "yes", "no", "on", "off"};
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return std::ranges::find(kWords, lower) != kWords.end();
}

// Whether every reader takes the unquoted text for the same string, in and outside of [] and {}.
bool isPlain(std::string_view text)
{
    constexpr std::size_t kOldWordBytesMax = 3;
    constexpr std::size_t kWordBytesMax = 5;
    if (text.empty()) {
        return false;
    }
    if (isDigit(text.front())) { // 4ms, 2nd: but neither numbers nor addresses nor dates.
        const bool isSimple =
            std::ranges::all_of(text, [](char c) { return isLetter(c) || isDigit(c); });
        const bool isBased = text.size() > 1 && text[0] == '0';
        return isSimple && !isBased && resolvePlain(text).isString();
    }
    if (!isLetter(text.front()) && text.front() != '/' && text.front() != '_') {
        return false;
    }
    const bool isSimple = std::ranges::all_of(text, [](char c) {
        return isLetter(c) || isDigit(c) || c == '_' || c == '.' || c == '/' || c == '-' || c == '~'
               || c == '+' || c == '@' || c == '%' || c == '$';
    });
    const bool isWord = (text.size() <= kOldWordBytesMax && isOldWord(text))
                        || (text.size() <= kWordBytesMax && !resolvePlain(text).isString());
    return isSimple && !isWord;
}

// Texts of several lines that a literal block can hold exactly: PEM.
bool isBlock(std::string_view text)
{
    if (text.find('\n') == std::string_view::npos || text.front() == ' ' || text.front() == '\n') {
        return false;
    }
    return text.ends_with('\n') && !text.ends_with("\n\n") && text.find(" \n") == std::string::npos
           && std::ranges::all_of(text, [](char c) {
                  return c == '\n' || (c >= 0x20 && c < 0x7f);
              });
}

class YamlWriter
{
public:
    std::string write(const Value& value)
    {
        if (value.isMap() && !value.map().empty()) {
            map(value.map(), 0);
        } else if (value.isList() && !value.list().empty()) {
            list(value.list(), 0);
        } else {
            flow(value);
            m_out.push_back('\n');
        }
        return std::move(m_out);
    }

private:
    static constexpr std::size_t kWidthMax = 100;

    void text(std::string_view value)
    {
        if (isPlain(value)) {
            m_out += value;
        } else {
            writeQuoted(value, m_out);
        }
    }

    void flow(const Value& value)
    {
        if (value.isString()) {
            text(value.text());
        } else if (value.isList()) {
            m_out.push_back('[');
            for (const Value& element : value.list()) {
                m_out += &element == &value.list().front() ? "" : ", ";
                flow(element);
            }
            m_out.push_back(']');
        } else if (value.isMap()) {
            m_out.push_back('{');
            for (const Value::Member& member : value.map()) {
                m_out += &member == &value.map().front() ? "" : ", ";
                text(member.key);
                m_out += ": ";
                flow(member.value);
            }
            m_out.push_back('}');
        } else {
            writeJson(value, m_out);
        }
    }

    void block(std::string_view text, std::size_t indent)
    {
        m_out += "|\n";
        while (!text.empty()) {
            const std::size_t end = text.find('\n');
            if (end != 0) {
                m_out.append(indent, ' ');
            }
            m_out += text.substr(0, end + 1);
            text.remove_prefix(end + 1);
        }
    }

    // Writes in one line what is short enough; returns false and writes nothing otherwise.
    bool line(const Value& value)
    {
        const std::size_t start = m_out.size();
        const std::size_t newline = m_out.rfind('\n');
        const std::size_t lineStart = newline == std::string::npos ? 0 : newline + 1;
        m_out.push_back(' ');
        flow(value);
        if (m_out.size() - lineStart > kWidthMax) {
            m_out.resize(start);
            return false;
        }
        m_out.push_back('\n');
        return true;
    }

    static bool hasOnlyScalars(const Value& value)
    {
        return std::ranges::none_of(value.list(), [](const Value& element) {
            return element.isMap() || element.isList();
        });
    }

    void map(const Value::Map& members, std::size_t indent)
    {
        bool isFirst = true;
        for (const Value::Member& member : members) {
            // The first stands behind the "- " of its list, or its parent has indented already.
            if (!isFirst || !m_isInline) {
                m_out.append(indent, ' ');
            }
            isFirst = false;
            m_isInline = false;
            text(member.key);
            m_out.push_back(':');
            memberValue(member.value, indent);
        }
    }

    void memberValue(const Value& value, std::size_t indent)
    {
        if (value.isMap() && !value.map().empty()) {
            m_out.push_back('\n');
            map(value.map(), indent + 2);
            return;
        }
        if (value.isList() && !value.list().empty() && !(hasOnlyScalars(value) && line(value))) {
            m_out.push_back('\n');
            list(value.list(), indent);
            return;
        }
        if (value.isList() && !value.list().empty()) {
            return; // Written by line().
        }
        m_out.push_back(' ');
        if (value.isString() && isBlock(value.text())) {
            block(value.text(), indent + 2);
            return;
        }
        flow(value);
        m_out.push_back('\n');
    }

    void list(const Value::List& elements, std::size_t indent)
    {
        for (const Value& element : elements) {
            m_out.append(indent, ' ');
            m_out += "- ";
            if (element.isMap() && !element.map().empty()) {
                m_isInline = true;
                map(element.map(), indent + 2);
                continue;
            }
            flow(element);
            m_out.push_back('\n');
        }
    }

    std::string m_out;
    bool m_isInline = false; // The next member continues the line.
};

} // namespace

std::string toJson(const TreeNode& value)
{
    std::string out;
    writeJson(value, out);
    return out;
}

std::string toYaml(const TreeNode& value) { return YamlWriter().write(value); }

} // namespace mesh::config
