#include "app/bridge/find_tokens.h"

#include <algorithm>
#include <array>
#include <string>

namespace mesh::bridge {
namespace {

// Longer marks stand before those they begin with.
constexpr std::array<FindSignRow, 9> kSigns = {{
    {FindSign::NotEqual, "!=", "", true, true},
    {FindSign::GreaterEqual, ">=", "", false, true},
    {FindSign::LessEqual, "<=", "", false, true},
    {FindSign::Contains, "*=", "contains", true, false},
    {FindSign::StartsWith, "^=", "startswith", true, false},
    {FindSign::EndsWith, "$=", "endswith", true, false},
    {FindSign::Equal, "=", "", true, true},
    {FindSign::Greater, ">", "", false, true},
    {FindSign::Less, "<", "", false, true},
}};

const FindSignRow* signAt(QStringView text, qsizetype at)
{
    for (const FindSignRow& row : kSigns) {
        if (text.mid(at).startsWith(QLatin1String(row.mark))) {
            return &row;
        }
    }
    return nullptr;
}

bool isWordEnd(QStringView text, qsizetype at)
{
    const QChar here = text[at];
    return here.isSpace() || here == u'(' || here == u')' || here == u'"' || here == u'\''
           || here == u'!' || signAt(text, at) != nullptr || text.mid(at).startsWith(u"&&")
           || text.mid(at).startsWith(u"||");
}

FindToken quotedAt(QStringView text, qsizetype at)
{
    FindToken token;
    token.kind = FindTokenKind::Quoted;
    token.begin = at;
    const QChar quote = text[at];
    qsizetype end = at + 1;
    while (end < text.size() && text[end] != quote) {
        end += text[end] == u'\\' && end + 1 < text.size() ? 1 : 0;
        token.text += text[end];
        ++end;
    }
    token.isOpenEnded = end >= text.size();
    token.length = std::min(end + 1, text.size()) - at;
    return token;
}

FindToken wordAt(QStringView text, qsizetype at)
{
    FindToken token;
    token.kind = FindTokenKind::Word;
    token.begin = at;
    qsizetype end = at + 1;
    while (end < text.size() && !isWordEnd(text, end)) {
        ++end;
    }
    token.length = end - at;
    token.text = text.mid(at, token.length).toString();
    const auto is = [&token](const char* word) {
        return token.text.compare(QLatin1String(word), Qt::CaseInsensitive) == 0;
    };
    if (is("and")) {
        token.kind = FindTokenKind::And;
    } else if (is("or")) {
        token.kind = FindTokenKind::Or;
    } else if (is("not")) {
        token.kind = FindTokenKind::Not;
    }
    for (const FindSignRow& row : kSigns) {
        if (row.word[0] != '\0' && is(row.word)) {
            token.kind = FindTokenKind::Sign;
            token.sign = row.sign;
        }
    }
    return token;
}

FindToken tokenAt(QStringView text, qsizetype at)
{
    FindToken token;
    token.begin = at;
    token.length = 1;
    const QStringView rest = text.mid(at);
    if (rest.startsWith(u"&&") || rest.startsWith(u"||")) {
        token.kind = rest[0] == u'&' ? FindTokenKind::And : FindTokenKind::Or;
        token.length = 2;
    } else if (const FindSignRow* row = signAt(text, at)) {
        token.kind = FindTokenKind::Sign;
        token.sign = row->sign;
        token.length = static_cast<qsizetype>(std::char_traits<char>::length(row->mark));
    } else if (rest[0] == u'(' || rest[0] == u')') {
        token.kind = rest[0] == u'(' ? FindTokenKind::Open : FindTokenKind::Close;
    } else if (rest[0] == u'!') {
        token.kind = FindTokenKind::Not;
    } else if (rest[0] == u'"' || rest[0] == u'\'') {
        return quotedAt(text, at);
    } else {
        return wordAt(text, at);
    }
    return token;
}

} // namespace

const FindSignRow& findSignRow(FindSign sign)
{
    return *std::find_if(kSigns.begin(), kSigns.end(), [sign](const FindSignRow& row) {
        return row.sign == sign;
    });
}

std::vector<FindToken> findTokens(QStringView text)
{
    std::vector<FindToken> tokens;
    qsizetype at = 0;
    while (at < text.size()) {
        if (text[at].isSpace()) {
            ++at;
            continue;
        }
        tokens.push_back(tokenAt(text, at));
        at += tokens.back().length;
    }
    FindToken end;
    end.begin = text.size();
    tokens.push_back(end);
    return tokens;
}

const FindOperandRow* findOperandNamed(const QString& word, QString& key)
{
    key.clear();
    QString name = word.toLower();
    const qsizetype colon = name.indexOf(u':');
    if (colon > 0) {
        key = word.mid(colon + 1);
        name = name.left(colon);
    }
    for (const FindOperandRow& row : findOperands()) {
        const QStringList aliases = QString::fromLatin1(row.aliases).split(u' ');
        if (name == QLatin1String(row.name) || aliases.contains(name)) {
            const bool isKeyed =
                row.operand == FindOperand::Tag || row.operand == FindOperand::Header;
            return isKeyed || colon < 0 ? &row : nullptr;
        }
    }
    return nullptr;
}
QString findInQuotes(QString text)
{
    text.replace(u'\\', QStringLiteral("\\\\")).replace(u'"', QStringLiteral("\\\""));
    return u'"' + text + u'"';
}

QString findQuoted(const QString& text)
{
    const std::vector<FindToken> tokens = findTokens(text);
    const bool isPlain = tokens.size() == 2 && tokens.front().kind == FindTokenKind::Word
                         && tokens.front().begin == 0 && tokens.front().length == text.size()
                         && text.compare(QLatin1String("nan"), Qt::CaseInsensitive) != 0;
    return isPlain ? text : findInQuotes(text);
}

} // namespace mesh::bridge
