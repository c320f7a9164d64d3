// Goal: the find language keeps the laws of logic and writes what it reads.
// Method: random trees are written as text with random spellings; an evaluator of the test's own
// says what they mean.
#include "app/bridge/find_language.h"

#include <QTest>

#include <rapidcheck.h>

#include <map>

namespace mesh::bridge {
namespace {

int below(int count) { return *rc::gen::inRange(0, count); }

// rps, zone and failing of one row.
class Row : public FindSubject
{
public:
    Row()
        : m_rate(below(2) == 0 ? std::optional<double>() : std::optional<double>(below(4)))
        , m_zone(
              below(3) == 0 ? QString() : QString(QLatin1Char(static_cast<char>('a' + below(3))))
          )
        , m_isFailing(below(2) == 0)
    {}

    [[nodiscard]] FindValue value(FindOperand operand, const QString& /*key*/) const override
    {
        if (operand == FindOperand::Rate) {
            return {m_rate, {}, false};
        }
        if (operand == FindOperand::Zone) {
            return {{}, m_zone.isEmpty() ? QStringList() : QStringList{m_zone}, false};
        }
        return {{}, {QStringLiteral("cart")}, operand == FindOperand::Failing && m_isFailing};
    }

    std::optional<double> m_rate;
    QString m_zone;
    bool m_isFailing;
};

// A text and what it says of a row.
struct Sentence
{
    QString text;
    bool isTrue = false;
};

Sentence comparison(const Row& row)
{
    switch (below(5)) {
    case 0: {
        const int with = below(4);
        return {QStringLiteral("rps >= %1").arg(with), row.m_rate && *row.m_rate >= with};
    }
    case 1: {
        const int with = below(4);
        return {QStringLiteral("rate!=%1").arg(with), !(row.m_rate && *row.m_rate == with)};
    }
    case 2: {
        const QString with(QLatin1Char(static_cast<char>('a' + below(3))));
        return {QStringLiteral("zone = \"%1\"").arg(with), row.m_zone == with};
    }
    case 3:
        return {QStringLiteral("rps = NaN"), !row.m_rate};
    default:
        return {QStringLiteral("failing"), row.m_isFailing};
    }
}

enum class Binds { Or, And, Not };

// strength: what stands around; a weaker sentence is put in parentheses.
Sentence sentence(const Row& row, int depth, Binds strength)
{
    const int form = depth > 4 ? 0 : below(5);
    if (form <= 1) {
        return comparison(row);
    }
    if (form == 2) {
        const Sentence inner = sentence(row, depth + 1, Binds::Not);
        return {
            (below(2) == 0 ? QStringLiteral("not ") : QStringLiteral("!")) + inner.text,
            !inner.isTrue};
    }
    const bool isOr = form == 3;
    const Binds own = isOr ? Binds::Or : Binds::And;
    const Sentence left = sentence(row, depth + 1, own);
    const Sentence right = sentence(row, depth + 1, own);
    const QString sign = isOr ? (below(2) == 0 ? QStringLiteral(" or ") : QStringLiteral("||"))
                              : (below(2) == 0 ? QStringLiteral(" AND ") : QStringLiteral(" && "));
    Sentence both;
    both.text = left.text + sign + right.text;
    both.isTrue = isOr ? left.isTrue || right.isTrue : left.isTrue && right.isTrue;
    if (own < strength || below(4) == 0) {
        both.text = u'(' + both.text + u')';
    }
    return both;
}

} // namespace

class FindLanguageProperty : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void meansWhatItSays()
    {
        QVERIFY(rc::check([] {
            const Row row;
            const Sentence said = sentence(row, 0, Binds::Or);
            const FindLanguage find(said.text);
            if (!find.isValid()) {
                qWarning("%s: %s", qPrintable(said.text), qPrintable(find.problem()->message));
            }
            RC_ASSERT(find.isValid());
            RC_ASSERT(find.matches(row) == said.isTrue);
        }));
    }

    void writesWhatItReads()
    {
        QVERIFY(rc::check([] {
            const Row row;
            const FindLanguage find(sentence(row, 0, Binds::Or).text);
            const FindLanguage again(find.canonical());
            RC_ASSERT(again.isValid());
            RC_ASSERT(again.canonical() == find.canonical());
            RC_ASSERT(again.matches(row) == find.matches(row));
        }));
    }

    void negationIsTheOppositeOfEveryText()
    {
        QVERIFY(rc::check([] {
            const Row row;
            const QString text = sentence(row, 0, Binds::Or).text;
            const FindLanguage find(text);
            const FindLanguage opposite(QStringLiteral("not (") + text + u')');
            RC_ASSERT(find.matches(row) != opposite.matches(row));
        }));
    }

    void narrowingIsTheConjunction()
    {
        QVERIFY(rc::check([] {
            const Row row;
            const QString text = sentence(row, 0, Binds::Or).text;
            const Sentence more = comparison(row);
            const FindLanguage both(narrowed(text, more.text));
            RC_ASSERT(both.isValid());
            RC_ASSERT(both.matches(row) == (FindLanguage(text).matches(row) && more.isTrue));
        }));
    }

    void aBrokenTextHasItsPlaceInTheText()
    {
        QVERIFY(rc::check([] {
            const Row row;
            QString text = sentence(row, 0, Binds::Or).text;
            text.remove(below(static_cast<int>(text.size())), 1 + below(3));
            const FindLanguage find(text);
            if (const auto& problem = find.problem()) {
                RC_ASSERT(problem->position >= 0 && problem->position <= text.size());
                RC_ASSERT(!problem->remedy.isEmpty());
            }
        }));
    }

    void namesAndAbbreviationsAreUnique()
    {
        std::map<QString, QString> seen;
        for (const FindOperandRow& row : findOperands()) {
            QCOMPARE(&findOperandRow(row.operand), &row);
            QStringList words = QString::fromLatin1(row.aliases).split(u' ', Qt::SkipEmptyParts);
            words << QString::fromLatin1(row.name);
            for (const QString& word : words) {
                QVERIFY2(seen.count(word) == 0, qPrintable(word));
                seen[word] = QString::fromLatin1(row.name);
            }
        }
        QCOMPARE(static_cast<int>(findOperands().size()), kFindOperandCount);
    }
};

} // namespace mesh::bridge

QTEST_APPLESS_MAIN(mesh::bridge::FindLanguageProperty)
#include "find_language_property.moc"
