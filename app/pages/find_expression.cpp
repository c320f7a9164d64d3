#include "app/pages/find_expression.h"

#include <QStringList>

#include <optional>
#include <utility>

namespace mesh::pages {
namespace {

using Test = std::function<bool(const bridge::EntityRow&)>;

constexpr int kDepthMax = 32; // Of parentheses and nots.

bool isOperatorChar(QChar character) { return QStringLiteral("=!<>").contains(character); }

QStringList tokensOf(const QString& text)
{
    QStringList tokens;
    qsizetype at = 0;
    while (at < text.size()) {
        const QChar first = text[at];
        if (first.isSpace()) {
            ++at;
        } else if (first == u'(' || first == u')') {
            tokens << QString(first);
            ++at;
        } else {
            const qsizetype begin = at;
            const bool isOperator = isOperatorChar(first);
            while (at < text.size() && !text[at].isSpace() && text[at] != u'(' && text[at] != u')'
                   && isOperatorChar(text[at]) == isOperator) {
                ++at;
            }
            tokens << text.mid(begin, at - begin);
        }
    }
    return tokens;
}

std::optional<double> numberOf(const bridge::EntityRow& entity, const QString& operand)
{
    if (operand == QStringLiteral("rps")) {
        return entity.figures.rps;
    }
    if (operand == QStringLiteral("error%")) {
        const auto ratio = entity.figures.errorRatio;
        return ratio ? std::optional<double>(*ratio * 100) : std::nullopt;
    }
    if (operand == QStringLiteral("p95")) {
        return entity.figures.p95_ms;
    }
    return entity.findings;
}

QString stateWord(bridge::HealthState state)
{
    switch (state) {
    case bridge::HealthState::Healthy:
        return QStringLiteral("healthy");
    case bridge::HealthState::Degraded:
        return QStringLiteral("degraded");
    case bridge::HealthState::Failure:
        return QStringLiteral("failing");
    case bridge::HealthState::Idle:
        return QStringLiteral("idle");
    case bridge::HealthState::NoData:
        return QStringLiteral("nodata");
    case bridge::HealthState::Stale:
        return QStringLiteral("stale");
    }
    return {};
}

QStringList textsOf(const bridge::EntityRow& entity, const QString& operand)
{
    if (operand == QStringLiteral("zone")) {
        return entity.zones;
    }
    if (operand == QStringLiteral("version")) {
        return {entity.version};
    }
    if (operand == QStringLiteral("state")) {
        return {stateWord(entity.state)};
    }
    if (operand == QStringLiteral("kind")) {
        return {entity.id.section(u':', 0, 0)};
    }
    return {entity.name};
}

bool compare(double value, const QString& sign, double with)
{
    if (sign == QStringLiteral(">")) {
        return value > with;
    }
    if (sign == QStringLiteral(">=")) {
        return value >= with;
    }
    if (sign == QStringLiteral("<")) {
        return value < with;
    }
    if (sign == QStringLiteral("<=")) {
        return value <= with;
    }
    return sign == QStringLiteral("!=") ? value != with : value == with;
}

class Parser
{
public:
    explicit Parser(QStringList tokens)
        : m_tokens(std::move(tokens))
    {}

    std::optional<Test> parse()
    {
        auto test = parseOr(0);
        return test && m_at == m_tokens.size() ? test : std::nullopt;
    }

private:
    bool take(const QString& word)
    {
        if (m_at < m_tokens.size() && m_tokens[m_at].compare(word, Qt::CaseInsensitive) == 0) {
            ++m_at;
            return true;
        }
        return false;
    }

    std::optional<Test> parseOr(int depth)
    {
        auto left = parseAnd(depth);
        while (left && take(QStringLiteral("or"))) {
            auto right = parseAnd(depth);
            if (!right) {
                return std::nullopt;
            }
            left = [a = *left, b = *right](const bridge::EntityRow& row) {
                return a(row) || b(row);
            };
        }
        return left;
    }

    std::optional<Test> parseAnd(int depth)
    {
        auto left = parseNot(depth);
        while (left && take(QStringLiteral("and"))) {
            auto right = parseNot(depth);
            if (!right) {
                return std::nullopt;
            }
            left = [a = *left, b = *right](const bridge::EntityRow& row) {
                return a(row) && b(row);
            };
        }
        return left;
    }

    std::optional<Test> parseNot(int depth)
    {
        if (depth > kDepthMax) {
            return std::nullopt;
        }
        if (take(QStringLiteral("not"))) {
            auto inner = parseNot(depth + 1);
            if (!inner) {
                return std::nullopt;
            }
            return Test([test = *inner](const bridge::EntityRow& row) { return !test(row); });
        }
        if (take(QStringLiteral("("))) {
            auto inner = parseOr(depth + 1);
            return inner && take(QStringLiteral(")")) ? inner : std::nullopt;
        }
        return parseComparison();
    }

    std::optional<Test> parseComparison()
    {
        if (m_at >= m_tokens.size() || isOperatorChar(m_tokens[m_at][0])
            || m_tokens[m_at] == QStringLiteral(")")) {
            return std::nullopt;
        }
        const QString operand = m_tokens[m_at++].toLower();
        const bool hasSign =
            m_at < m_tokens.size()
            && (isOperatorChar(m_tokens[m_at][0])
                || m_tokens[m_at].compare(QStringLiteral("contains"), Qt::CaseInsensitive) == 0);
        if (!hasSign) {
            return plainWord(operand);
        }
        const QString sign = m_tokens[m_at++].toLower();
        if (m_at >= m_tokens.size()) {
            return std::nullopt;
        }
        const QString value = m_tokens[m_at++];
        static const QStringList kNumbers = {
            QStringLiteral("rps"),
            QStringLiteral("error%"),
            QStringLiteral("p95"),
            QStringLiteral("findings")};
        static const QStringList kTexts = {
            QStringLiteral("name"),
            QStringLiteral("zone"),
            QStringLiteral("version"),
            QStringLiteral("kind"),
            QStringLiteral("state")};
        if (kNumbers.contains(operand)) {
            return numberTest(operand, sign, value);
        }
        return kTexts.contains(operand) ? textTest(operand, sign, value) : std::nullopt;
    }

    static std::optional<Test> plainWord(const QString& word)
    {
        static const QStringList kStates = {
            QStringLiteral("healthy"),
            QStringLiteral("degraded"),
            QStringLiteral("failing"),
            QStringLiteral("idle"),
            QStringLiteral("stale")};
        if (kStates.contains(word)) {
            return Test([word](const bridge::EntityRow& row) {
                return stateWord(row.state) == word;
            });
        }
        return Test([word](const bridge::EntityRow& row) {
            return row.name.contains(word, Qt::CaseInsensitive);
        });
    }

    static std::optional<Test> numberTest(
        const QString& operand, const QString& sign, const QString& value
    )
    {
        bool isNumber = false;
        const double with = value.toDouble(&isNumber);
        if (!isNumber || sign == QStringLiteral("contains")) {
            return std::nullopt;
        }
        return Test([operand, sign, with](const bridge::EntityRow& row) {
            const auto figure = numberOf(row, operand);
            return figure && compare(*figure, sign, with);
        });
    }

    static std::optional<Test> textTest(
        const QString& operand, const QString& sign, const QString& value
    )
    {
        const bool isNot = sign == QStringLiteral("!=");
        const bool isContains = sign == QStringLiteral("contains");
        if (!isNot && !isContains && sign != QStringLiteral("=")) {
            return std::nullopt;
        }
        return Test([operand, value, isNot, isContains](const bridge::EntityRow& row) {
            bool isFound = false;
            for (const QString& text : textsOf(row, operand)) {
                isFound = isFound
                          || (isContains ? text.contains(value, Qt::CaseInsensitive)
                                         : text.compare(value, Qt::CaseInsensitive) == 0);
            }
            return isFound != isNot;
        });
    }

    QStringList m_tokens;
    qsizetype m_at = 0;
};

} // namespace

FindExpression::FindExpression(const QString& text)
{
    const QStringList tokens = tokensOf(text);
    if (tokens.isEmpty()) {
        return;
    }
    auto test = Parser(tokens).parse();
    m_isValid = test.has_value();
    if (test) {
        m_test = *std::move(test);
    }
}

bool FindExpression::matches(const bridge::EntityRow& entity) const
{
    return m_test && m_test(entity);
}

} // namespace mesh::pages
