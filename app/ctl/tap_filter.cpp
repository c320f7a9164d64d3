#include "app/ctl/tap_filter.h"

#include "proxyengine/base/duration_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace mesh::ctl {
namespace {

using api::AccessEvent;
using Test = std::function<bool(const AccessEvent&)>;

constexpr std::size_t kFilterBytesMax = 4096;
constexpr int kFilterDepthMax = 32;

struct TextField
{
    std::string_view name;
    std::string AccessEvent::*member;
};
constexpr std::array<TextField, 10> kTextFields = {{
    {"node", &AccessEvent::node},
    {"method", &AccessEvent::method},
    {"host", &AccessEvent::host},
    {"path", &AccessEvent::path},
    {"route", &AccessEvent::route},
    {"service", &AccessEvent::service},
    {"target", &AccessEvent::target},
    {"source", &AccessEvent::source},
    {"request_id", &AccessEvent::requestId},
    {"failure", &AccessEvent::failure},
}};

struct NumberField
{
    std::string_view name;
    double (*read)(const AccessEvent&);
    bool isDuration;
};
constexpr std::array<NumberField, 7> kNumberFields = {{
    {"status", [](const AccessEvent& e) { return static_cast<double>(e.status); }, false},
    {"attempts", [](const AccessEvent& e) { return static_cast<double>(e.attempts); }, false},
    {"latency", [](const AccessEvent& e) { return e.latencyTotal_ms; }, true},
    {"upstream_latency", [](const AccessEvent& e) { return e.latencyUpstream_ms; }, true},
    {"proxy_latency", [](const AccessEvent& e) { return e.latencyProxy_ms; }, true},
    {"bytes_in", [](const AccessEvent& e) { return static_cast<double>(e.bytesIn); }, false},
    {"bytes_out", [](const AccessEvent& e) { return static_cast<double>(e.bytesOut); }, false},
}};

struct WordField
{
    std::string_view name;
    bool (*test)(const AccessEvent&);
};
constexpr std::array<WordField, 2> kWordFields = {{
    {"failed", [](const AccessEvent& e) { return e.status == 0 || e.status >= 500; }},
    {"retried", [](const AccessEvent& e) { return e.attempts > 1; }},
}};

struct NumberOperator
{
    std::string_view text;
    bool (*holds)(double, double);
};
constexpr std::array<NumberOperator, 6> kNumberOperators = {{
    {"=", [](double a, double b) { return a == b; }},
    {"!=", [](double a, double b) { return a != b; }},
    {"<", [](double a, double b) { return a < b; }},
    {"<=", [](double a, double b) { return a <= b; }},
    {">", [](double a, double b) { return a > b; }},
    {">=", [](double a, double b) { return a >= b; }},
}};

struct Token
{
    std::string text; // Empty: the end.
    std::size_t offset = 0;
    bool isQuoted = false;

    [[nodiscard]] bool is(std::string_view word) const { return !isQuoted && text == word; }
    [[nodiscard]] bool isEnd() const { return text.empty() && !isQuoted; }
};

bool isSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool isSign(char c) { return std::string_view("=!<>").find(c) != std::string_view::npos; }
bool isBracket(char c) { return c == '(' || c == ')'; }

Result<std::vector<Token>> tokensOf(std::string_view text)
{
    std::vector<Token> tokens;
    std::size_t at = 0;
    const auto takeWhile = [&](const auto& belongs) {
        Token token{{}, at, false};
        while (at < text.size() && belongs(text[at])) {
            token.text.push_back(text[at++]);
        }
        tokens.push_back(std::move(token));
    };
    while (at < text.size()) {
        const char c = text[at];
        if (isSpace(c)) {
            ++at;
        } else if (isBracket(c)) {
            tokens.push_back({std::string(1, c), at++, false});
        } else if (c == '"' || c == '\'') {
            const std::size_t end = text.find(c, at + 1);
            if (end == std::string_view::npos) {
                return fail(
                    ErrorCode::InvalidArgument, "a quote is opened and not closed", Offset{at}
                );
            }
            tokens.push_back({std::string(text.substr(at + 1, end - at - 1)), at, true});
            at = end + 1;
        } else if (isSign(c)) {
            takeWhile(isSign);
        } else {
            takeWhile([](char each) { return !isSpace(each) && !isSign(each) && !isBracket(each); }
            );
        }
    }
    tokens.push_back({{}, text.size(), false});
    return tokens;
}

std::string namesOf(const auto& table)
{
    std::string names;
    for (const auto& each : table) {
        names += fmt::format("{}{}", names.empty() ? "" : ", ", each.name);
    }
    return names;
}

template <typename Table>
const typename Table::value_type* findName(const Table& table, std::string_view name)
{
    const auto* const found =
        std::ranges::find_if(table, [&](const auto& each) { return each.name == name; });
    return found == table.end() ? nullptr : &*found;
}

std::optional<double> plainNumber(std::string_view text)
{
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool isWhole = error == std::errc() && end == text.data() + text.size();
    return isWhole ? std::optional(number) : std::nullopt;
}

// or := and {"or" and}; and := not {"and" not}; not := "not" not | "(" or ")" | test
class Parser
{
public:
    explicit Parser(std::vector<Token> tokens)
        : m_tokens(std::move(tokens))
    {}

    Result<Test> run()
    {
        MESH_TRY(Test test, alternatives());
        if (!now().isEnd()) {
            return wrong("expected 'and', 'or' or the end");
        }
        return test;
    }

private:
    [[nodiscard]] const Token& now() const { return m_tokens[m_at]; }

    [[nodiscard]] tl::unexpected<Error> wrong(std::string_view remedy) const
    {
        return fail(
            ErrorCode::InvalidArgument,
            now().isEnd()
                ? fmt::format("the filter ends too early: {}", remedy)
                : fmt::format("'{}' at character {}: {}", now().text, now().offset + 1, remedy),
            Offset{now().offset}
        );
    }

    Result<Test> alternatives()
    {
        MESH_TRY(Test test, conditions());
        while (now().is("or")) {
            ++m_at;
            MESH_TRY(Test other, conditions());
            test = [first = std::move(test), second = std::move(other)](const AccessEvent& each) {
                return first(each) || second(each);
            };
        }
        return test;
    }

    Result<Test> conditions()
    {
        MESH_TRY(Test test, negation());
        while (now().is("and")) {
            ++m_at;
            MESH_TRY(Test other, negation());
            test = [first = std::move(test), second = std::move(other)](const AccessEvent& each) {
                return first(each) && second(each);
            };
        }
        return test;
    }

    Result<Test> negation()
    {
        if (++m_depth > kFilterDepthMax) {
            return fail(
                ErrorCode::LimitExceeded,
                fmt::format("the filter is nested deeper than {}", kFilterDepthMax),
                Offset{now().offset}
            );
        }
        Result<Test> test = nested();
        --m_depth;
        return test;
    }

    Result<Test> nested()
    {
        if (now().is("not")) {
            ++m_at;
            MESH_TRY(Test test, negation());
            return [test = std::move(test)](const AccessEvent& each) { return !test(each); };
        }
        if (now().is("(")) {
            ++m_at;
            MESH_TRY(Test test, alternatives());
            if (!now().is(")")) {
                return wrong("expected ')'");
            }
            ++m_at;
            return test;
        }
        return comparison();
    }

    Result<Test> comparison()
    {
        const Token name = now();
        const bool isWord = !name.isEnd() && !name.is(")") && !name.is("and") && !name.is("or")
                            && (name.isQuoted || !isSign(name.text.front()));
        if (!isWord) {
            return wrong("expected a field or a word; fields are " + fieldNames());
        }
        ++m_at;
        const bool isCompared =
            now().is("contains")
            || (!now().isEnd() && !now().isQuoted && isSign(now().text.front()));
        if (!isCompared || name.isQuoted) {
            return aloneTest(name);
        }
        const Token sign = now();
        if (const TextField* field = findName(kTextFields, name.text); field != nullptr) {
            return textTest(field->member, sign);
        }
        if (name.text == "policy") {
            return policyTest(sign);
        }
        if (const NumberField* field = findName(kNumberFields, name.text); field != nullptr) {
            return numberTest(*field, sign);
        }
        --m_at;
        return wrong("there is no such field; fields are " + fieldNames());
    }

    static std::string fieldNames()
    {
        return fmt::format("{}, policy, {}", namesOf(kTextFields), namesOf(kNumberFields));
    }

    static Test aloneTest(const Token& word)
    {
        const WordField* const field = word.isQuoted ? nullptr : findName(kWordFields, word.text);
        if (field != nullptr) {
            return field->test;
        }
        return [text = word.text](const AccessEvent& each) {
            const std::array<const std::string*, 4> places = {
                &each.host, &each.path, &each.route, &each.service};
            return std::ranges::any_of(places, [&](const std::string* place) {
                return place->find(text) != std::string::npos;
            });
        };
    }

    // Steps over operator and value. Errors: no value.
    Result<std::string> valueBehind()
    {
        ++m_at;
        if (now().isEnd() || now().is("(") || now().is(")")) {
            return wrong("expected a value; put it in quotes when it has spaces or brackets");
        }
        return m_tokens[m_at++].text;
    }

    Result<Test> textTest(std::string AccessEvent::*member, const Token& sign)
    {
        if (!sign.is("=") && !sign.is("!=") && !sign.is("contains")) {
            return wrong("expected =, != or contains before a text");
        }
        MESH_TRY(std::string value, valueBehind());
        if (sign.is("contains")) {
            return [member, value = std::move(value)](const AccessEvent& each) {
                return (each.*member).find(value) != std::string::npos;
            };
        }
        return [member, value = std::move(value), isEqual = sign.is("=")](const AccessEvent& each) {
            return (each.*member == value) == isEqual;
        };
    }

    Result<Test> policyTest(const Token& sign)
    {
        if (!sign.is("=") && !sign.is("!=")) {
            return wrong("expected = or != before a policy");
        }
        MESH_TRY(std::string value, valueBehind());
        return [value = std::move(value), isEqual = sign.is("=")](const AccessEvent& each) {
            return (std::ranges::find(each.policies, value) != each.policies.end()) == isEqual;
        };
    }

    Result<Test> numberTest(const NumberField& field, const Token& sign)
    {
        const auto* const found =
            std::ranges::find(kNumberOperators, sign.text, &NumberOperator::text);
        if (found == kNumberOperators.end()) {
            return wrong("expected =, !=, <, <=, > or >= before a number");
        }
        MESH_TRY(const std::string value, valueBehind());
        std::optional<double> number = plainNumber(value);
        if (!number && field.isDuration) {
            if (const auto duration = parseDuration(value); duration) {
                number = toSeconds(*duration) * 1e3;
            }
        }
        if (!number) {
            --m_at;
            return wrong(field.isDuration ? "expected a time such as 300ms" : "expected a number");
        }
        return [read = field.read, holds = found->holds, limit = *number](const AccessEvent& each) {
            return holds(read(each), limit);
        };
    }

    std::vector<Token> m_tokens;
    std::size_t m_at = 0;
    int m_depth = 0;
};

} // namespace

Result<TapFilter> TapFilter::parse(std::string_view text)
{
    if (text.size() > kFilterBytesMax) {
        return fail(
            ErrorCode::LimitExceeded,
            fmt::format("the filter is longer than {} bytes", kFilterBytesMax)
        );
    }
    MESH_TRY(std::vector<Token> tokens, tokensOf(text));
    TapFilter filter;
    if (tokens.size() > 1) {
        MESH_TRY(filter.m_test, Parser(std::move(tokens)).run());
    }
    return filter;
}

bool TapFilter::matches(const api::AccessEvent& request) const
{
    return !m_test || m_test(request);
}

} // namespace mesh::ctl
