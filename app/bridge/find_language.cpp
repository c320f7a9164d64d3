#include "app/bridge/find_language.h"

#include <QCoreApplication>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace mesh::bridge {
namespace {

QString say(const char* text) { return QCoreApplication::translate("FindLanguage", text); }

enum class Sign : std::uint8_t {
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    Contains,
    StartsWith,
    EndsWith,
};

struct SignRow
{
    Sign sign;
    const char* mark;
    const char* word; // Empty: there is only the mark.
    bool isForText;
    bool isForNumbers;
};

// Longer marks stand before those they begin with.
constexpr std::array<SignRow, 9> kSigns = {{
    {Sign::NotEqual, "!=", "", true, true},
    {Sign::GreaterEqual, ">=", "", false, true},
    {Sign::LessEqual, "<=", "", false, true},
    {Sign::Contains, "*=", "contains", true, false},
    {Sign::StartsWith, "^=", "startswith", true, false},
    {Sign::EndsWith, "$=", "endswith", true, false},
    {Sign::Equal, "=", "", true, true},
    {Sign::Greater, ">", "", false, true},
    {Sign::Less, "<", "", false, true},
}};

const SignRow& signRow(Sign sign)
{
    return *std::find_if(kSigns.begin(), kSigns.end(), [sign](const SignRow& row) {
        return row.sign == sign;
    });
}

enum class TokenKind : std::uint8_t { Word, Quoted, Sign, Open, Close, And, Or, Not, End };

struct Token
{
    TokenKind kind = TokenKind::End;
    qsizetype begin = 0;
    qsizetype length = 0;
    QString text; // Of a word; unquoted.
    Sign sign = Sign::Equal;
    bool isOpenEnded = false; // A quote without its end.
};

const SignRow* signAt(QStringView text, qsizetype at)
{
    for (const SignRow& row : kSigns) {
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

Token quotedAt(QStringView text, qsizetype at)
{
    Token token;
    token.kind = TokenKind::Quoted;
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

Token wordAt(QStringView text, qsizetype at)
{
    Token token;
    token.kind = TokenKind::Word;
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
        token.kind = TokenKind::And;
    } else if (is("or")) {
        token.kind = TokenKind::Or;
    } else if (is("not")) {
        token.kind = TokenKind::Not;
    }
    for (const SignRow& row : kSigns) {
        if (row.word[0] != '\0' && is(row.word)) {
            token.kind = TokenKind::Sign;
            token.sign = row.sign;
        }
    }
    return token;
}

Token tokenAt(QStringView text, qsizetype at)
{
    Token token;
    token.begin = at;
    token.length = 1;
    const QStringView rest = text.mid(at);
    if (rest.startsWith(u"&&") || rest.startsWith(u"||")) {
        token.kind = rest[0] == u'&' ? TokenKind::And : TokenKind::Or;
        token.length = 2;
    } else if (const SignRow* row = signAt(text, at)) {
        token.kind = TokenKind::Sign;
        token.sign = row->sign;
        token.length = static_cast<qsizetype>(std::char_traits<char>::length(row->mark));
    } else if (rest[0] == u'(' || rest[0] == u')') {
        token.kind = rest[0] == u'(' ? TokenKind::Open : TokenKind::Close;
    } else if (rest[0] == u'!') {
        token.kind = TokenKind::Not;
    } else if (rest[0] == u'"' || rest[0] == u'\'') {
        return quotedAt(text, at);
    } else {
        return wordAt(text, at);
    }
    return token;
}

// The last one is of kind End and stands behind the text.
std::vector<Token> tokensOf(QStringView text)
{
    std::vector<Token> tokens;
    qsizetype at = 0;
    while (at < text.size()) {
        if (text[at].isSpace()) {
            ++at;
            continue;
        }
        tokens.push_back(tokenAt(text, at));
        at += tokens.back().length;
    }
    Token end;
    end.begin = text.size();
    tokens.push_back(end);
    return tokens;
}

// nullptr: no operand is called so. "tag:team" is the operand tag with the key "team".
const FindOperandRow* operandNamed(const QString& word, QString& key)
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
            const bool isKeyed = row.operand == FindOperand::Tag;
            return isKeyed || colon < 0 ? &row : nullptr;
        }
    }
    return nullptr;
}

struct UnitRow
{
    const char* suffix;
    FindUnit unit;
    double factor;
};

// Longer suffixes stand before those they end with.
constexpr std::array<UnitRow, 12> kUnits = {{
    {"rps", FindUnit::PerSecond, 1},
    {"/s", FindUnit::PerSecond, 1},
    {"%", FindUnit::Percent, 1},
    {"us", FindUnit::Milliseconds, 0.001},
    {"ms", FindUnit::Milliseconds, 1},
    {"min", FindUnit::Milliseconds, 60'000},
    {"s", FindUnit::Milliseconds, 1000},
    {"ms", FindUnit::Seconds, 0.001},
    {"min", FindUnit::Seconds, 60},
    {"s", FindUnit::Seconds, 1},
    {"m", FindUnit::Seconds, 60},
    {"h", FindUnit::Seconds, 3600},
}};

// Nothing: it is no figure of this unit.
std::optional<double> figureOf(const QString& word, FindUnit unit)
{
    QString digits = word.toLower();
    double factor = 1;
    for (const UnitRow& row : kUnits) {
        const QLatin1String suffix(row.suffix);
        if (row.unit == unit && digits.endsWith(suffix)) {
            digits.chop(suffix.size());
            factor = row.factor;
            break;
        }
    }
    if (digits.endsWith(u'k')) {
        digits.chop(1);
        factor *= 1000;
    }
    bool isFigure = false;
    const double figure = digits.toDouble(&isFigure);
    return isFigure && std::isfinite(figure) ? std::optional<double>(figure * factor)
                                             : std::nullopt;
}

QString exampleOf(const FindOperandRow& row)
{
    const QString name = QString::fromLatin1(row.name);
    if (row.isFlag) {
        return name;
    }
    if (!row.isNumber) {
        return name + QStringLiteral(" = ")
               + (row.operand == FindOperand::Zone ? QStringLiteral("b") : QStringLiteral("cart"));
    }
    constexpr std::array<const char*, 5> kExamples = {"10", "100", "1", "200ms", "10s"};
    return name + QStringLiteral(" > ")
           + QLatin1String(kExamples[static_cast<std::size_t>(row.unit)]);
}

} // namespace

// A comparison, a flag, a plain word, or some terms joined.
struct FindLanguage::Term
{
    enum class Form : std::uint8_t { Word, Flag, Text, Number, Absent, And, Or, Not };
    Form form = Form::Word;
    const FindOperandRow* row = nullptr;
    QString key;
    Sign sign = Sign::Equal;
    QString text;
    QString written; // The figure as it was written.
    double number = 0;
    std::vector<Term> parts;
};

namespace {

using Term = FindLanguage::Term;
using Form = FindLanguage::Term::Form;

Term withPart(Form form, Term first)
{
    Term joined;
    joined.form = form;
    joined.parts.push_back(std::move(first));
    return joined;
}

// One pass over the tokens; the first problem ends it.
class FindParser
{
public:
    explicit FindParser(QStringView text)
        : m_tokens(tokensOf(text))
    {}

    std::optional<Term> parse()
    {
        std::optional<Term> term = joined(TokenKind::Or, 0);
        if (term && here().kind == TokenKind::Close) {
            return refuse(here(), say("a ) without its ("), say("Take it out, or add a ( before."));
        }
        if (term && here().kind != TokenKind::End) {
            return refuse(
                here(),
                say("two conditions stand side by side"),
                say("Write and, or or, between them.")
            );
        }
        return term;
    }

    [[nodiscard]] const std::optional<FindProblem>& problem() const { return m_problem; }

private:
    [[nodiscard]] const Token& here() const { return m_tokens[m_at]; }

    Token next()
    {
        const Token token = here();
        m_at += token.kind != TokenKind::End ? 1 : 0;
        return token;
    }

    std::optional<Term> refuse(const Token& at, const QString& message, const QString& remedy)
    {
        if (!m_problem) {
            m_problem = {at.begin, message, remedy, at.kind == TokenKind::End || at.isOpenEnded};
        }
        return std::nullopt;
    }

    // `or` joins what `and` has joined.
    std::optional<Term> joined(TokenKind kind, int depth)
    {
        const bool isOr = kind == TokenKind::Or;
        std::optional<Term> first = isOr ? joined(TokenKind::And, depth) : negated(depth);
        if (!first || here().kind != kind) {
            return first;
        }
        Term all;
        all.form = isOr ? Form::Or : Form::And;
        append(all, std::move(*first));
        while (here().kind == kind) {
            next();
            std::optional<Term> more = isOr ? joined(TokenKind::And, depth) : negated(depth);
            if (!more) {
                return std::nullopt;
            }
            append(all, std::move(*more));
        }
        return all;
    }

    // (a and b) and c is one row of three.
    static void append(Term& all, Term part)
    {
        if (part.form != all.form) {
            all.parts.push_back(std::move(part));
            return;
        }
        for (Term& inner : part.parts) {
            all.parts.push_back(std::move(inner));
        }
    }

    std::optional<Term> negated(int depth)
    {
        if (depth > kFindDepthMax) {
            return refuse(here(), say("too many parentheses"), say("Split it into two filters."));
        }
        if (here().kind == TokenKind::Not) {
            next();
            std::optional<Term> inner = negated(depth + 1);
            return inner ? std::optional<Term>(withPart(Form::Not, std::move(*inner)))
                         : std::nullopt;
        }
        if (here().kind != TokenKind::Open) {
            return comparison();
        }
        next();
        std::optional<Term> inner = joined(TokenKind::Or, depth + 1);
        if (inner && here().kind != TokenKind::Close) {
            return here().kind == TokenKind::End
                       ? refuse(here(), say("a ( without its )"), say("Add a ) at the end."))
                       : refuse(
                           here(),
                           say("two conditions stand side by side"),
                           say("Write and, or or, between them.")
                       );
        }
        next();
        return inner;
    }

    std::optional<Term> comparison()
    {
        if (++m_terms > kFindTermsMax) {
            return refuse(here(), say("too many conditions"), say("Split it into two filters."));
        }
        const Token word = here();
        if (word.kind == TokenKind::Sign) {
            return refuse(
                word,
                say("nothing stands before the comparison"),
                say("Write what is compared, as in rps > 100.")
            );
        }
        if (word.kind != TokenKind::Word && word.kind != TokenKind::Quoted) {
            return refuse(
                word, say("a condition is missing here"), say("Write one, as in error% > 1.")
            );
        }
        next();
        if (word.isOpenEnded) {
            return refuse(word, say("a quote without its end"), say("Close it."));
        }
        QString key;
        const FindOperandRow* row =
            word.kind == TokenKind::Word ? operandNamed(word.text, key) : nullptr;
        if (here().kind != TokenKind::Sign) {
            return alone(word, row, key);
        }
        if (row == nullptr) {
            return refuse(
                word,
                say("\"%1\" is no property").arg(word.text),
                say("Press Tab for those there are, or search the names with name *= %1.")
                    .arg(word.text)
            );
        }
        return compared(*row, key);
    }

    std::optional<Term> alone(const Token& word, const FindOperandRow* row, const QString& key)
    {
        Term term;
        term.row = row;
        term.key = key;
        term.text = word.text;
        if (row == nullptr) {
            term.form = Form::Word;
            return term;
        }
        term.form = Form::Flag;
        if (row->isFlag) {
            return term;
        }
        return refuse(
            here().kind == TokenKind::End ? here() : word,
            say("%1 is compared with nothing").arg(QLatin1String(row->name)),
            say("Write %1; a name is written in quotes.").arg(exampleOf(*row))
        );
    }

    std::optional<Term> compared(const FindOperandRow& row, const QString& key)
    {
        const Token mark = next();
        const SignRow& sign = signRow(mark.sign);
        const QString name = QString::fromLatin1(row.name);
        const bool canBeText = row.isText && sign.isForText;
        const bool canBeNumber = row.isNumber && sign.isForNumbers;
        if (!canBeText && !canBeNumber) {
            return refuse(
                mark,
                say("%1 cannot be compared with %2").arg(name, QLatin1String(sign.mark)),
                say("Write %1.").arg(exampleOf(row))
            );
        }
        const Token value = next();
        // What is a word elsewhere is a value here: `name = not`.
        const bool isValue = value.kind == TokenKind::Word || value.kind == TokenKind::Quoted;
        if (!isValue) {
            return refuse(
                value,
                say("%1 is compared with nothing").arg(name),
                say("Write %1.").arg(exampleOf(row))
            );
        }
        if (value.isOpenEnded) {
            return refuse(value, say("a quote without its end"), say("Close it."));
        }
        Term term;
        term.row = &row;
        term.key = key;
        term.sign = mark.sign;
        term.text = value.text;
        term.written = value.text;
        const bool isAbsent = value.kind == TokenKind::Word
                              && value.text.compare(QLatin1String("nan"), Qt::CaseInsensitive) == 0;
        if (isAbsent) {
            term.form = Form::Absent;
            if (mark.sign == Sign::Equal || mark.sign == Sign::NotEqual) {
                return term;
            }
            return refuse(
                mark, say("NaN is neither more nor less"), say("Write %1 = NaN.").arg(name)
            );
        }
        const auto figure = canBeNumber ? figureOf(value.text, row.unit) : std::nullopt;
        if (figure) {
            term.form = Form::Number;
            term.number = *figure;
            return term;
        }
        term.form = Form::Text;
        if (canBeText) {
            return term;
        }
        return refuse(
            value,
            say("%1 needs a figure, not \"%2\"").arg(name, value.text),
            say("Write %1.").arg(exampleOf(row))
        );
    }

    std::vector<Token> m_tokens;
    std::size_t m_at = 0;
    int m_terms = 0;
    std::optional<FindProblem> m_problem;
};

bool isMatch(Sign sign, const QString& text, const QString& with)
{
    switch (sign) {
    case Sign::Contains:
        return text.contains(with, Qt::CaseInsensitive);
    case Sign::StartsWith:
        return text.startsWith(with, Qt::CaseInsensitive);
    case Sign::EndsWith:
        return text.endsWith(with, Qt::CaseInsensitive);
    default:
        return text.compare(with, Qt::CaseInsensitive) == 0;
    }
}

bool isMatch(Sign sign, double number, double with)
{
    switch (sign) {
    case Sign::Greater:
        return number > with;
    case Sign::GreaterEqual:
        return number >= with;
    case Sign::Less:
        return number < with;
    case Sign::LessEqual:
        return number <= with;
    default:
        return number == with;
    }
}

// != is exactly not =, also where there is no value.
bool holds(const Term& term, const FindSubject& subject)
{
    const bool isNot = term.sign == Sign::NotEqual;
    switch (term.form) {
    case Form::And:
        return std::all_of(term.parts.begin(), term.parts.end(), [&](const Term& part) {
            return holds(part, subject);
        });
    case Form::Or:
        return std::any_of(term.parts.begin(), term.parts.end(), [&](const Term& part) {
            return holds(part, subject);
        });
    case Form::Not:
        return !holds(term.parts.front(), subject);
    case Form::Word: {
        const QStringList names = subject.value(FindOperand::Name, {}).texts;
        return std::any_of(names.begin(), names.end(), [&](const QString& name) {
            return name.contains(term.text, Qt::CaseInsensitive);
        });
    }
    case Form::Flag:
        return subject.value(term.row->operand, term.key).isTrue;
    case Form::Absent: {
        const FindValue value = subject.value(term.row->operand, term.key);
        const bool isAbsent = !value.number && value.texts.isEmpty();
        return isAbsent != isNot;
    }
    case Form::Number: {
        const auto number = subject.value(term.row->operand, term.key).number;
        return (number && isMatch(term.sign, *number, term.number)) != isNot;
    }
    case Form::Text: {
        const QStringList texts = subject.value(term.row->operand, term.key).texts;
        const bool isFound = std::any_of(texts.begin(), texts.end(), [&](const QString& text) {
            return isMatch(term.sign, text, term.text);
        });
        return isFound != isNot;
    }
    }
    return false;
}

void collectForeign(const Term& term, FindScopes scopes, QStringList& names)
{
    for (const Term& part : term.parts) {
        collectForeign(part, scopes, names);
    }
    const QString name = term.row != nullptr ? QString::fromLatin1(term.row->name) : QString();
    if (term.row != nullptr && (term.row->scopes & scopes) == 0 && !names.contains(name)) {
        names << name;
    }
}

QString inQuotes(QString text)
{
    text.replace(u'\\', QStringLiteral("\\\\")).replace(u'"', QStringLiteral("\\\""));
    return u'"' + text + u'"';
}

// A word that reads as itself needs no quotes.
QString quoted(const QString& text)
{
    const std::vector<Token> tokens = tokensOf(text);
    const bool isPlain = tokens.size() == 2 && tokens.front().kind == TokenKind::Word
                         && tokens.front().begin == 0 && tokens.front().length == text.size()
                         && text.compare(QLatin1String("nan"), Qt::CaseInsensitive) != 0;
    return isPlain ? text : inQuotes(text);
}

// inside: what the term stands in; Word: nothing that could take a part of it.
QString written(const Term& term, Form inside)
{
    if (term.form == Form::And || term.form == Form::Or) {
        QStringList parts;
        for (const Term& part : term.parts) {
            parts << written(part, term.form);
        }
        const bool isOr = term.form == Form::Or;
        const QString all = parts.join(isOr ? QStringLiteral(" or ") : QStringLiteral(" and "));
        const bool isLoose = inside == Form::Not || (isOr && inside == Form::And);
        return isLoose ? u'(' + all + u')' : all;
    }
    if (term.form == Form::Not) {
        return QStringLiteral("not ") + written(term.parts.front(), Form::Not);
    }
    if (term.form == Form::Word) {
        QString key;
        return operandNamed(term.text, key) != nullptr ? inQuotes(term.text) : quoted(term.text);
    }
    QString name = QString::fromLatin1(term.row->name);
    name += term.key.isEmpty() ? QString() : u':' + term.key;
    if (term.form == Form::Flag) {
        return name;
    }
    const QString sign = QLatin1Char(' ') + QLatin1String(signRow(term.sign).mark) + u' ';
    return name + sign
           + (term.form == Form::Text     ? quoted(term.text)
              : term.form == Form::Absent ? QStringLiteral("NaN")
                                          : quoted(term.written));
}

} // namespace

FindLanguage::FindLanguage(const QString& text)
{
    if (text.trimmed().isEmpty()) {
        return;
    }
    if (text.size() > kFindTextMax) {
        m_problem = {
            kFindTextMax, say("the filter is too long"), say("Split it into two filters."), false};
        return;
    }
    FindParser parser(text);
    std::optional<Term> root = parser.parse();
    m_problem = parser.problem();
    if (root && !m_problem) {
        m_root = std::make_shared<const Term>(std::move(*root));
    }
}

bool FindLanguage::matches(const FindSubject& subject) const
{
    return m_root && holds(*m_root, subject);
}

QStringList FindLanguage::foreignOperands(FindScopes scopes) const
{
    QStringList names;
    if (m_root) {
        collectForeign(*m_root, scopes, names);
    }
    return names;
}

QString FindLanguage::canonical() const
{
    return m_root ? written(*m_root, Form::Word) : QString();
}

QString findTerm(FindOperand operand, const QString& value, FindSense sense)
{
    const FindOperandRow& row = findOperandRow(operand);
    const bool isOnly = sense == FindSense::Only;
    if (row.isFlag && !row.isText && !row.isNumber) {
        return (isOnly ? QString() : QStringLiteral("not ")) + QLatin1String(row.name);
    }
    const QString with = value.isEmpty() ? QStringLiteral("NaN") : quoted(value);
    return QLatin1String(row.name) + (isOnly ? QStringLiteral(" = ") : QStringLiteral(" != "))
           + with;
}

QString narrowed(const QString& text, const QString& term)
{
    const FindLanguage known(text);
    if (known.isEmpty() || !known.isValid()) {
        return term;
    }
    const FindLanguage both(u'(' + text + QStringLiteral(") and ") + term);
    // Written anew, so that terms added one by one do not pile up parentheses.
    return both.isValid() ? both.canonical() : text;
}

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

} // namespace

FindCompletion completeFind(
    const QString& text, qsizetype cursor, FindScopes scopes, const QStringList& names
)
{
    FindCompletion completion;
    completion.begin = std::clamp<qsizetype>(cursor, 0, text.size());
    const std::vector<Token> tokens = tokensOf(QStringView(text).left(completion.begin));
    std::size_t last = tokens.size() - 1; // Of the tokens before the one being typed.
    QString typed;
    if (last > 0) {
        const Token& before = tokens[last - 1];
        const bool isTyped = before.begin + before.length == completion.begin
                             && before.kind != TokenKind::Quoted && before.kind != TokenKind::Open
                             && before.kind != TokenKind::Close
                             && !(before.kind == TokenKind::Sign && before.text.isEmpty());
        if (isTyped) {
            typed = text.mid(before.begin, before.length);
            completion.length = before.length;
            completion.begin = before.begin;
            --last;
        }
    }
    const Token* previous = last > 0 ? &tokens[last - 1] : nullptr;
    QStringList words;
    if (previous != nullptr && previous->kind == TokenKind::Sign) {
        QString key;
        const FindOperandRow* row = last > 1 ? operandNamed(tokens[last - 2].text, key) : nullptr;
        for (const QString& value : row != nullptr ? valuesOf(*row, names) : QStringList()) {
            words << quoted(value);
        }
    } else if (previous != nullptr && (previous->kind == TokenKind::Word || previous->kind == TokenKind::Quoted || previous->kind == TokenKind::Close)) {
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
