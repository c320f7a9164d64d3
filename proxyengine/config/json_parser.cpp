#include "proxyengine/base/limits.h"
#include "proxyengine/config/parse.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

// A parser of RFC 8259 that keeps places: the libraries at hand do not say where a value stood.
namespace mesh::config {
namespace {

using model::Mark;
using model::Value;

class JsonParser
{
public:
    JsonParser(std::string_view text, std::vector<Problem>& problems)
        : m_text(text)
        , m_problems(problems)
    {}

    Value parse()
    {
        Value root;
        if (!parseValue(root, 0)) {
            return Value();
        }
        skipSpace();
        if (m_at != m_text.size()) {
            refuse("text after the end of the JSON value");
            return Value();
        }
        return root;
    }

private:
    [[nodiscard]] Mark mark() const
    {
        return Mark{m_line, static_cast<std::uint32_t>(m_at - m_lineStart + 1)};
    }

    // Always false, so that a parser can end with it.
    bool refuse(std::string message, ErrorCode code = ErrorCode::Syntax)
    {
        m_problems.push_back(Problem{{}, mark().place(), code, Severity::Error, std::move(message)}
        );
        return false;
    }

    void skipSpace()
    {
        for (; m_at < m_text.size(); ++m_at) {
            const char c = m_text[m_at];
            if (c == '\n') {
                ++m_line;
                m_lineStart = m_at + 1;
            } else if (c != ' ' && c != '\t' && c != '\r') {
                return;
            }
        }
    }

    [[nodiscard]] char peek() const { return m_at < m_text.size() ? m_text[m_at] : '\0'; }

    bool take(char c)
    {
        if (peek() != c) {
            return false;
        }
        ++m_at;
        return true;
    }

    bool parseValue(Value& to, std::size_t depth);
    bool parseWord(std::string_view word, Value value, Value& to);
    bool parseNumber(Value& to);
    bool parseText(std::string& to);
    bool parseEscape(std::string& to);
    std::optional<std::uint32_t> parseHex4();
    bool parseList(Value& to, std::size_t depth);
    bool parseMap(Value& to, std::size_t depth);

    std::string_view m_text;
    std::vector<Problem>& m_problems;
    std::size_t m_at = 0;
    std::uint32_t m_line = 1;
    std::size_t m_lineStart = 0;
};

bool JsonParser::parseValue(Value& to, std::size_t depth)
{
    skipSpace();
    if (depth > kConfigDepthMax) {
        return refuse("nested too deep", ErrorCode::LimitExceeded);
    }
    const Mark start = mark();
    bool isRead = false;
    switch (peek()) {
    case '{':
        isRead = parseMap(to, depth);
        break;
    case '[':
        isRead = parseList(to, depth);
        break;
    case '"': {
        std::string text;
        isRead = parseText(text);
        to = Value(std::move(text));
        break;
    }
    case 't':
        isRead = parseWord("true", true, to);
        break;
    case 'f':
        isRead = parseWord("false", false, to);
        break;
    case 'n':
        isRead = parseWord("null", Value(), to);
        break;
    default:
        isRead = parseNumber(to);
        break;
    }
    to.setMark(start);
    return isRead;
}

bool JsonParser::parseWord(std::string_view word, Value value, Value& to)
{
    if (m_text.substr(m_at, word.size()) != word) {
        return refuse("expected a value");
    }
    m_at += word.size();
    to = std::move(value);
    return true;
}

bool JsonParser::parseNumber(Value& to)
{
    const auto isDigit = [&] { return peek() >= '0' && peek() <= '9'; };
    const auto digits = [&] {
        const std::size_t from = m_at;
        while (isDigit()) {
            ++m_at;
        }
        return m_at != from;
    };
    const std::size_t start = m_at;
    take('-');
    if (!isDigit()) {
        m_at = start;
        return refuse(m_at == m_text.size() ? "the text ends too early" : "expected a value");
    }
    if (!take('0')) {
        digits();
    }
    bool isWhole = true;
    if (take('.')) {
        isWhole = false;
        if (!digits()) {
            return refuse("expected a digit");
        }
    }
    if (peek() == 'e' || peek() == 'E') {
        ++m_at;
        isWhole = false;
        if (!take('+')) {
            take('-');
        }
        if (!digits()) {
            return refuse("expected a digit");
        }
    }
    const char* const first = m_text.data() + start;
    const char* const last = m_text.data() + m_at;
    std::int64_t whole = 0;
    if (isWhole && std::from_chars(first, last, whole).ec == std::errc{}) {
        to = Value(whole);
        return true;
    }
    double number = 0;
    if (std::from_chars(first, last, number).ec != std::errc{}) {
        return refuse("the number is too large");
    }
    to = Value(number);
    return true;
}

std::optional<std::uint32_t> JsonParser::parseHex4()
{
    std::uint32_t code = 0;
    const std::string_view hex = m_text.substr(std::min(m_at, m_text.size()), 4);
    const auto [rest, status] = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
    if (hex.size() != 4 || status != std::errc{} || rest != hex.data() + 4) {
        return std::nullopt;
    }
    m_at += 4;
    return code;
}

void appendUtf8(std::string& to, std::uint32_t code)
{
    const auto add = [&](std::uint32_t byte) { to.push_back(static_cast<char>(byte)); };
    if (code < 0x80U) {
        add(code);
    } else if (code < 0x800U) {
        add(0xc0U | (code >> 6U));
        add(0x80U | (code & 0x3fU));
    } else if (code < 0x10000U) {
        add(0xe0U | (code >> 12U));
        add(0x80U | ((code >> 6U) & 0x3fU));
        add(0x80U | (code & 0x3fU));
    } else {
        add(0xf0U | (code >> 18U));
        add(0x80U | ((code >> 12U) & 0x3fU));
        add(0x80U | ((code >> 6U) & 0x3fU));
        add(0x80U | (code & 0x3fU));
    }
}

bool JsonParser::parseEscape(std::string& to)
{
    static constexpr std::string_view kLetters = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char letter = peek();
    if (const std::size_t at = kLetters.find(letter); at != std::string_view::npos) {
        ++m_at;
        to.push_back(kMeanings[at]);
        return true;
    }
    if (!take('u')) {
        return refuse("unknown escape");
    }
    std::optional<std::uint32_t> code = parseHex4();
    if (!code) {
        return refuse("expected four hexadecimal digits");
    }
    const auto isBetween = [](std::uint32_t value, std::uint32_t low, std::uint32_t high) {
        return value >= low && value <= high;
    };
    if (isBetween(*code, 0xd800, 0xdbff)) {
        std::optional<std::uint32_t> low;
        if (take('\\') && take('u')) {
            low = parseHex4();
        }
        if (!low || !isBetween(*low, 0xdc00, 0xdfff)) {
            return refuse("half of a surrogate pair");
        }
        code = 0x10000U + ((*code - 0xd800U) << 10U) + (*low - 0xdc00U);
    } else if (isBetween(*code, 0xdc00, 0xdfff)) {
        return refuse("half of a surrogate pair");
    }
    appendUtf8(to, *code);
    return true;
}

bool JsonParser::parseText(std::string& to)
{
    ++m_at; // The opening quote.
    while (true) {
        const std::size_t stop = m_text.find_first_of("\"\\\n\t\r", m_at);
        if (stop == std::string_view::npos) {
            return refuse("the string does not end");
        }
        to.append(m_text.substr(m_at, stop - m_at));
        m_at = stop;
        if (take('"')) {
            return true;
        }
        if (!take('\\')) {
            return refuse("a control character must be escaped");
        }
        if (!parseEscape(to)) {
            return false;
        }
    }
}

bool JsonParser::parseList(Value& to, std::size_t depth)
{
    ++m_at;
    Value::List list;
    skipSpace();
    if (!take(']')) {
        do {
            if (!parseValue(list.emplace_back(), depth + 1)) {
                return false;
            }
            skipSpace();
        } while (take(','));
        if (!take(']')) {
            return refuse("expected ',' or ']'");
        }
    }
    to = Value(std::move(list));
    return true;
}

bool JsonParser::parseMap(Value& to, std::size_t depth)
{
    ++m_at;
    Value::Map map;
    skipSpace();
    if (!take('}')) {
        do {
            skipSpace();
            Value::Member& member = map.emplace_back();
            member.keyMark = mark();
            if (peek() != '"') {
                return refuse("expected a key in double quotes");
            }
            if (!parseText(member.key)) {
                return false;
            }
            skipSpace();
            if (!take(':')) {
                return refuse("expected ':'");
            }
            if (!parseValue(member.value, depth + 1)) {
                return false;
            }
            skipSpace();
        } while (take(','));
        if (!take('}')) {
            return refuse("expected ',' or '}'");
        }
    }
    reportDuplicateKeys(map, m_problems);
    to = Value(std::move(map));
    return true;
}

} // namespace

Value parseJson(std::string_view text, std::vector<Problem>& problems)
{
    return JsonParser(text, problems).parse();
}

} // namespace mesh::config
