#include "app/bridge/find_language.h"

#include "app/bridge/find_tokens.h"

#include <QCoreApplication>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace mesh::bridge {
namespace {

QString say(const char* text) { return QCoreApplication::translate("FindLanguage", text); }

struct UnitRow
{
    const char* suffix;
    FindUnit unit;
    double factor;
};

// Longer suffixes stand before those they end with.
constexpr std::array<UnitRow, 18> kUnits = {{
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
    {"mb/s", FindUnit::BytesPerSecond, 1e6},
    {"kb/s", FindUnit::BytesPerSecond, 1e3},
    {"b/s", FindUnit::BytesPerSecond, 1},
    {"mb", FindUnit::BytesPerSecond, 1e6},
    {"kb", FindUnit::BytesPerSecond, 1e3},
    {"b", FindUnit::BytesPerSecond, 1},
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
    constexpr std::array<const char*, 6> kExamples = {"10", "100", "1", "200ms", "10s", "1mb/s"};
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
    FindSign sign = FindSign::Equal;
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
        : m_tokens(findTokens(text))
    {}

    std::optional<Term> parse()
    {
        std::optional<Term> term = joined(FindTokenKind::Or, 0);
        if (term && here().kind == FindTokenKind::Close) {
            return refuse(here(), say("a ) without its ("), say("Take it out, or add a ( before."));
        }
        if (term && here().kind != FindTokenKind::End) {
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
    [[nodiscard]] const FindToken& here() const { return m_tokens[m_at]; }

    FindToken next()
    {
        const FindToken token = here();
        m_at += token.kind != FindTokenKind::End ? 1 : 0;
        return token;
    }

    std::optional<Term> refuse(const FindToken& at, const QString& message, const QString& remedy)
    {
        if (!m_problem) {
            m_problem = {
                at.begin, message, remedy, at.kind == FindTokenKind::End || at.isOpenEnded};
        }
        return std::nullopt;
    }

    // `or` joins what `and` has joined.
    std::optional<Term> joined(FindTokenKind kind, int depth)
    {
        const bool isOr = kind == FindTokenKind::Or;
        std::optional<Term> first = isOr ? joined(FindTokenKind::And, depth) : negated(depth);
        if (!first || here().kind != kind) {
            return first;
        }
        Term all;
        all.form = isOr ? Form::Or : Form::And;
        append(all, std::move(*first));
        while (here().kind == kind) {
            next();
            std::optional<Term> more = isOr ? joined(FindTokenKind::And, depth) : negated(depth);
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
        if (here().kind == FindTokenKind::Not) {
            next();
            std::optional<Term> inner = negated(depth + 1);
            return inner ? std::optional<Term>(withPart(Form::Not, std::move(*inner)))
                         : std::nullopt;
        }
        if (here().kind != FindTokenKind::Open) {
            return comparison();
        }
        next();
        std::optional<Term> inner = joined(FindTokenKind::Or, depth + 1);
        if (inner && here().kind != FindTokenKind::Close) {
            return here().kind == FindTokenKind::End
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
        const FindToken word = here();
        if (word.kind == FindTokenKind::Sign) {
            return refuse(
                word,
                say("nothing stands before the comparison"),
                say("Write what is compared, as in rps > 100.")
            );
        }
        if (word.kind != FindTokenKind::Word && word.kind != FindTokenKind::Quoted) {
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
            word.kind == FindTokenKind::Word ? findOperandNamed(word.text, key) : nullptr;
        if (here().kind != FindTokenKind::Sign) {
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

    std::optional<Term> alone(const FindToken& word, const FindOperandRow* row, const QString& key)
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
            here().kind == FindTokenKind::End ? here() : word,
            say("%1 is compared with nothing").arg(QLatin1String(row->name)),
            say("Write %1; a name is written in quotes.").arg(exampleOf(*row))
        );
    }

    std::optional<Term> compared(const FindOperandRow& row, const QString& key)
    {
        const FindToken mark = next();
        const FindSignRow& sign = findSignRow(mark.sign);
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
        const FindToken value = next();
        // What is a word elsewhere is a value here: `name = not`.
        const bool isValue =
            value.kind == FindTokenKind::Word || value.kind == FindTokenKind::Quoted;
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
        const bool isAbsent = value.kind == FindTokenKind::Word
                              && value.text.compare(QLatin1String("nan"), Qt::CaseInsensitive) == 0;
        if (isAbsent) {
            term.form = Form::Absent;
            if (mark.sign == FindSign::Equal || mark.sign == FindSign::NotEqual) {
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

    std::vector<FindToken> m_tokens;
    std::size_t m_at = 0;
    int m_terms = 0;
    std::optional<FindProblem> m_problem;
};

bool isMatch(FindSign sign, const QString& text, const QString& with)
{
    switch (sign) {
    case FindSign::Contains:
        return text.contains(with, Qt::CaseInsensitive);
    case FindSign::StartsWith:
        return text.startsWith(with, Qt::CaseInsensitive);
    case FindSign::EndsWith:
        return text.endsWith(with, Qt::CaseInsensitive);
    default:
        return text.compare(with, Qt::CaseInsensitive) == 0;
    }
}

bool isMatch(FindSign sign, double number, double with)
{
    switch (sign) {
    case FindSign::Greater:
        return number > with;
    case FindSign::GreaterEqual:
        return number >= with;
    case FindSign::Less:
        return number < with;
    case FindSign::LessEqual:
        return number <= with;
    default:
        return number == with;
    }
}

// != is exactly not =, also where there is no value.
bool holds(const Term& term, const FindSubject& subject)
{
    const bool isNot = term.sign == FindSign::NotEqual;
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
void collectKeys(const Term& term, FindOperand operand, QStringList& keys)
{
    for (const Term& part : term.parts) {
        collectKeys(part, operand, keys);
    }
    const bool isIts = term.row != nullptr && term.row->operand == operand && !term.key.isEmpty();
    if (isIts && !keys.contains(term.key)) {
        keys << term.key;
    }
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
        return findOperandNamed(term.text, key) != nullptr ? findInQuotes(term.text)
                                                           : findQuoted(term.text);
    }
    QString name = QString::fromLatin1(term.row->name);
    name += term.key.isEmpty() ? QString() : u':' + term.key;
    if (term.form == Form::Flag) {
        return name;
    }
    const QString sign = QLatin1Char(' ') + QLatin1String(findSignRow(term.sign).mark) + u' ';
    return name + sign
           + (term.form == Form::Text     ? findQuoted(term.text)
              : term.form == Form::Absent ? QStringLiteral("NaN")
                                          : findQuoted(term.written));
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

QStringList FindLanguage::keysOf(FindOperand operand) const
{
    QStringList keys;
    if (m_root) {
        collectKeys(*m_root, operand, keys);
    }
    return keys;
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
    const QString with = value.isEmpty() ? QStringLiteral("NaN") : findQuoted(value);
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
} // namespace mesh::bridge
