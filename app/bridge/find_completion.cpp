#include "app/bridge/find_tokens.h"

#include <algorithm>
#include <array>

namespace mesh::bridge {
namespace {

constexpr qsizetype kCompletionsMax = 50;

QStringList valuesOf(const FindOperandRow& row, const QStringList& names)
{
    struct ValuesRow
    {
        FindOperand operand;
        const char* values;
    };
    static constexpr std::array<ValuesRow, 8> kValues = {{
        {FindOperand::State, "healthy degraded failing idle nodata stale"},
        {FindOperand::Kind, "service gateway external unknown"},
        {FindOperand::Mtls, "closed half open"},
        {FindOperand::Breaker, "open half closed"},
        {FindOperand::Role, "gateway sidecar"},
        {FindOperand::Protocol, "http tcp tls udp"},
        {FindOperand::Method, "GET POST PUT DELETE PATCH HEAD OPTIONS"},
        {FindOperand::Policy, "breaker failover split mirror ejection fault"},
    }};
    for (const ValuesRow& values : kValues) {
        if (values.operand == row.operand) {
            return QString::fromLatin1(values.values).split(u' ');
        }
    }
    return row.isText ? names : QStringList();
}

bool endsCondition(const FindToken& token)
{
    return token.kind == FindTokenKind::Word || token.kind == FindTokenKind::Quoted
           || token.kind == FindTokenKind::Close;
}

} // namespace

FindCompletion completeFind(
    const QString& text, qsizetype cursor, FindScopes scopes, const QStringList& names
)
{
    FindCompletion completion;
    completion.begin = std::clamp<qsizetype>(cursor, 0, text.size());
    const std::vector<FindToken> tokens = findTokens(QStringView(text).left(completion.begin));
    std::size_t last = tokens.size() - 1; // Of the tokens before the one being typed.
    QString typed;
    if (last > 0) {
        const FindToken& before = tokens[last - 1];
        const bool isTyped =
            before.begin + before.length == completion.begin && before.kind != FindTokenKind::Quoted
            && before.kind != FindTokenKind::Open && before.kind != FindTokenKind::Close
            && !(before.kind == FindTokenKind::Sign && before.text.isEmpty());
        if (isTyped) {
            typed = text.mid(before.begin, before.length);
            completion.length = before.length;
            completion.begin = before.begin;
            --last;
        }
    }
    const FindToken* previous = last > 0 ? &tokens[last - 1] : nullptr;
    QStringList words;
    if (previous != nullptr && previous->kind == FindTokenKind::Sign) {
        QString key;
        const FindOperandRow* row =
            last > 1 ? findOperandNamed(tokens[last - 2].text, key) : nullptr;
        for (const QString& value : row != nullptr ? valuesOf(*row, names) : QStringList()) {
            words << findQuoted(value);
        }
    } else if (previous != nullptr && endsCondition(*previous)) {
        words << QStringLiteral("and") << QStringLiteral("or");
    } else {
        for (const FindOperandRow& row : findOperands()) {
            if ((row.scopes & scopes) != 0) {
                words << QString::fromLatin1(row.name);
            }
        }
        words << QStringLiteral("not");
        words += names;
    }
    for (const QString& word : words) {
        if (word.startsWith(typed, Qt::CaseInsensitive) && word != typed
            && completion.words.size() < kCompletionsMax) {
            completion.words << word;
        }
    }
    return completion;
}

} // namespace mesh::bridge
