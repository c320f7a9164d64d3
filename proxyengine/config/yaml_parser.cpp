#include "proxyengine/base/limits.h"
#include "proxyengine/config/parse.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <array>
#include <charconv>
#include <istream>
#include <streambuf>
#include <string>
#include <utility>

// The only door of yaml-cpp: its events become values, its exceptions problems.
namespace mesh::config {
namespace {

using model::Mark;
using model::Value;

Mark markOf(const YAML::Mark& mark)
{
    if (mark.is_null()) {
        return Mark();
    }
    return Mark{
        static_cast<std::uint32_t>(mark.line) + 1, static_cast<std::uint32_t>(mark.column) + 1};
}

// Reads from the caller's text without a copy.
class TextBuffer : public std::streambuf
{
public:
    explicit TextBuffer(std::string_view text)
    {
        char* const begin = const_cast<char*>(text.data()); // Only ever read.
        setg(begin, begin, begin + text.size());
    }
};

class TreeBuilder : public YAML::EventHandler
{
public:
    explicit TreeBuilder(std::vector<Problem>& problems)
        : m_problems(problems)
    {}

    Value takeRoot() { return m_isStopped ? Value() : std::move(m_root); }

    void OnDocumentStart(const YAML::Mark& mark) override
    {
        if (m_hasDocument) {
            stop(mark, "only one document in a file; remove what follows the first");
        }
        m_hasDocument = true;
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override
    {
        refuseAnchor(mark, anchor);
        add(markOf(mark), Value());
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override
    {
        refuseAnchor(mark, anchor);
    }
    void OnScalar(
        const YAML::Mark& mark,
        const std::string& tag,
        YAML::anchor_t anchor,
        const std::string& value
    ) override
    {
        refuseAnchor(mark, anchor);
        if (!isUtf8(value)) { // yaml-cpp 0.7 turns two escapes into single bytes.
            stop(mark, R"(the escapes \N and \_ are not supported; write \u0085 and \u00a0)");
        }
        if (isExpectingKey()) {
            m_stack.back().key = value;
            m_stack.back().keyMark = markOf(mark);
            m_stack.back().hasKey = true;
            return;
        }
        add(markOf(mark), scalarOf(mark, tag, value));
    }
    void OnSequenceStart(
        const YAML::Mark& mark,
        const std::string& tag,
        YAML::anchor_t anchor,
        YAML::EmitterStyle::value /*style*/
    ) override
    {
        refuseAnchor(mark, anchor);
        open(mark, tag, Value(Value::List()));
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(
        const YAML::Mark& mark,
        const std::string& tag,
        YAML::anchor_t anchor,
        YAML::EmitterStyle::value /*style*/
    ) override
    {
        refuseAnchor(mark, anchor);
        open(mark, tag, Value(Value::Map()));
    }
    void OnMapEnd() override
    {
        if (!m_isStopped) {
            reportDuplicateKeys(m_stack.back().value.map(), m_problems);
        }
        close();
    }

private:
    // A list or map that is not complete yet.
    struct Frame
    {
        Value value;
        std::string key; // Of the member whose value comes next.
        Mark keyMark;
        bool hasKey = false;
    };

    static constexpr std::string_view kCoreTag = "tag:yaml.org,2002:";

    // Parsing goes on, because yaml-cpp can only be stopped by a throw, but nothing is kept.
    void stop(const YAML::Mark& mark, std::string message, ErrorCode code = ErrorCode::Unsupported)
    {
        if (!m_isStopped) {
            m_problems.push_back(Problem{
                {}, markOf(mark).place(), code, Severity::Error, std::move(message)});
        }
        m_isStopped = true;
        m_stack.clear();
    }

    void refuseAnchor(const YAML::Mark& mark, YAML::anchor_t anchor)
    {
        if (anchor != YAML::NullAnchor) {
            stop(mark, "anchors and aliases are not supported; write the value out");
        }
    }

    [[nodiscard]] bool isExpectingKey() const
    {
        return !m_isStopped && !m_stack.empty() && m_stack.back().value.isMap()
               && !m_stack.back().hasKey;
    }

    Value scalarOf(const YAML::Mark& mark, const std::string& tag, const std::string& text)
    {
        if (tag == "!" || tag == std::string(kCoreTag) + "str") {
            return Value(text);
        }
        if (!tag.empty() && tag != "?" && !tag.starts_with(kCoreTag)) {
            stop(mark, "tags are not supported; remove '" + tag + "'");
        }
        return resolvePlain(text);
    }

    void open(const YAML::Mark& mark, const std::string& tag, Value value)
    {
        if (!tag.empty() && tag != "?" && tag != "!" && !tag.starts_with(kCoreTag)) {
            stop(mark, "tags are not supported; remove '" + tag + "'");
        }
        if (isExpectingKey()) {
            stop(mark, "a key must be a text", ErrorCode::Syntax);
        }
        if (m_stack.size() > kConfigDepthMax) {
            stop(mark, "nested too deep", ErrorCode::LimitExceeded);
        }
        if (m_isStopped) {
            return;
        }
        value.setMark(markOf(mark));
        m_stack.push_back(Frame{std::move(value), {}, {}, false});
    }

    void close()
    {
        if (m_isStopped) {
            return;
        }
        Value done = std::move(m_stack.back().value);
        m_stack.pop_back();
        add(done.mark(), std::move(done));
    }

    void add(Mark mark, Value value)
    {
        if (m_isStopped) {
            return;
        }
        if (!value.mark().isKnown()) {
            value.setMark(mark);
        }
        if (m_stack.empty()) {
            m_root = std::move(value);
            return;
        }
        Frame& frame = m_stack.back();
        if (frame.value.isList()) {
            frame.value.list().push_back(std::move(value));
            return;
        }
        if (!frame.hasKey) { // Only a null can come here: texts became keys.
            frame.key = "null";
            frame.keyMark = mark;
            frame.hasKey = true;
            return;
        }
        frame.value.map().push_back(Value::Member{
            std::move(frame.key), std::move(value), frame.keyMark});
        frame.hasKey = false;
    }

    std::vector<Problem>& m_problems;
    std::vector<Frame> m_stack;
    Value m_root;
    bool m_hasDocument = false;
    bool m_isStopped = false;
};

bool isAnyOf(std::string_view text, std::initializer_list<std::string_view> words)
{
    for (const std::string_view word : words) {
        if (text == word) {
            return true;
        }
    }
    return false;
}

// A decimal number of the core rules, which from_chars alone would take too widely or too narrowly.
bool looksNumeric(std::string_view text)
{
    bool hasDigit = false;
    for (const char c : text) {
        const bool isDigit = c >= '0' && c <= '9';
        hasDigit = hasDigit || isDigit;
        if (!isDigit && c != '+' && c != '-' && c != '.' && c != 'e' && c != 'E') {
            return false;
        }
    }
    return hasDigit;
}

template <typename Number, typename... Base>
bool readAll(std::string_view text, Number& to, Base... base)
{
    const char* const end = text.data() + text.size();
    const auto [rest, status] = std::from_chars(text.data(), end, to, base...);
    return status == std::errc{} && rest == end;
}

} // namespace

Value resolvePlain(std::string_view text)
{
    if (isAnyOf(text, {"", "~", "null", "Null", "NULL"})) {
        return Value();
    }
    if (isAnyOf(text, {"true", "True", "TRUE"})) {
        return Value(true);
    }
    if (isAnyOf(text, {"false", "False", "FALSE"})) {
        return Value(false);
    }
    std::int64_t whole = 0;
    if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'o')) {
        const bool isRead =
            text[2] != '-' && readAll(text.substr(2), whole, text[1] == 'x' ? 16 : 8);
        return isRead ? Value(whole) : Value(text);
    }
    if (!looksNumeric(text)) {
        return Value(text);
    }
    const std::string_view digits = text.front() == '+' ? text.substr(1) : text;
    const std::string_view unsignedText = digits.front() == '-' ? digits.substr(1) : digits;
    const bool hasSignTwice = digits.size() != text.size() && digits.front() == '-';
    // 010 means eight to some readers of YAML and ten to others: a text, then.
    const bool isPadded = unsignedText.size() > 1 && unsignedText[0] == '0'
                          && unsignedText[1] != '.' && unsignedText[1] != 'e'
                          && unsignedText[1] != 'E';
    if (hasSignTwice || isPadded || unsignedText.empty()) {
        return Value(text);
    }
    if (readAll(digits, whole)) {
        return Value(whole);
    }
    double number = 0;
    return readAll(digits, number) ? Value(number) : Value(text);
}

Value parseYaml(std::string_view text, std::vector<Problem>& problems)
{
    const auto refuse = [&](const YAML::Mark& mark, std::string message) {
        problems.push_back(Problem{
            {}, markOf(mark).place(), ErrorCode::Syntax, Severity::Error, std::move(message)});
        return Value();
    };
    try {
        TextBuffer buffer(text);
        std::istream stream(&buffer);
        YAML::Parser parser(stream);
        TreeBuilder builder(problems);
        // Not until it says no: a stray bracket makes yaml-cpp 0.7 find empty documents for ever.
        if (parser.HandleNextDocument(builder)) {
            parser.HandleNextDocument(builder);
        }
        return builder.takeRoot();
    } catch (const YAML::Exception& thrown) {
        return refuse(thrown.mark, thrown.msg);
    } catch (const std::exception& thrown) {
        return refuse(YAML::Mark::null_mark(), thrown.what());
    }
}

} // namespace mesh::config
