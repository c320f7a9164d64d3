#pragma once

#include <QString>
#include <QStringList>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

// The language of every find, hide and filter field, of saved filters and of alert rules:
//
//     error% > 1 and zone = b            (p95 >= 200ms or breaker) and not idle
//     name ^= pay or tag:team = web      latency = NaN
//
// `not` (also !) binds tightest, then `and` (&&), then `or` (||); parentheses as usual. A plain or
// quoted word that is no flag is searched in the names. `NaN` is "no value": an idle service has no
// error ratio. Text is compared without case.
//
// Source: the operands of Kiali's find and hide fields, with the usual precedence and parentheses.
namespace mesh::bridge {

// What kind of row a field filters; an operand belongs to one or more.
enum class FindScope : std::uint8_t {
    Entity = 1,
    Edge = 2,
    Instance = 4,
    Node = 8,
    Request = 16,
    Revision = 32,
    Event = 64,
};
using FindScopes = unsigned; // Of FindScope, added.
inline constexpr FindScopes kGraphScopes = 1U | 2U;
inline constexpr FindScopes kAllScopes = 127U;

enum class FindOperand : std::uint8_t {
    Name,
    Service,
    Version,
    Zone,
    Group,
    Kind,
    Tag,
    State,
    Source,
    Target,
    Protocol,
    Mtls,
    Policy,
    Node,
    Role,
    Address,
    Hash,
    Method,
    Host,
    Path,
    Route,
    Author,
    Message,
    Detail,
    Header,
    Breaker,
    Healthy,
    Degraded,
    Failing,
    Idle,
    NoData,
    Stale,
    LowTraffic,
    Entry,
    Draft,
    Fault,
    Split,
    Mirror,
    Retry,
    Failover,
    RateLimited,
    Ejected,
    Draining,
    Starting,
    Down,
    Frozen,
    Tcp,
    Converged,
    Running,
    Rate,
    Errors,
    ClientErrors,
    P50,
    P95,
    P99,
    Latency,
    Requests,
    Instances,
    Findings,
    Amplification,
    Throughput,
    Status,
    Attempts,
    Cpu,
    Connections,
    Workloads,
    Age,
    Revision,
};
inline constexpr int kFindOperandCount = static_cast<int>(FindOperand::Revision) + 1;

enum class FindUnit : std::uint8_t {
    None,
    PerSecond,
    Percent,
    Milliseconds,
    Seconds,
    BytesPerSecond,
};

// One operand: how it is written and what it takes.
struct FindOperandRow
{
    FindOperand operand;
    const char* name; // As completion writes it.
    const char* aliases; // Separated by blanks.
    FindScopes scopes;
    bool isText; // It has words: = != contains startswith endswith.
    bool isFlag; // It may stand alone.
    bool isNumber; // It has a figure: = != > >= < <=, in `unit`.
    FindUnit unit;
    const char* help; // Source text; findHelp() translates it.
};
// Indexed by operand.
[[nodiscard]] const std::vector<FindOperandRow>& findOperands();
[[nodiscard]] const FindOperandRow& findOperandRow(FindOperand operand);
[[nodiscard]] QString findHelp(const FindOperandRow& row);

// What a row answers for one operand. Nothing of it: the row has no value, which is NaN.
struct FindValue
{
    std::optional<double> number; // In the operand's unit.
    QStringList texts; // Any of them may match.
    bool isTrue = false; // Of a flag.
};

// A row as the language sees it.
class FindSubject
{
public:
    virtual ~FindSubject() = default;
    // key: of a tag or a header ("team" in tag:team); empty for all others, and for any of them.
    [[nodiscard]] virtual FindValue value(FindOperand operand, const QString& key) const = 0;

protected:
    FindSubject() = default;
    FindSubject(const FindSubject&) = default;
    FindSubject& operator=(const FindSubject&) = default;
};

// What is wrong with a text: where, what, and what to write instead.
struct FindProblem
{
    qsizetype position = 0; // 0..length of the text.
    QString message; // "rps needs a figure, not \"fast\""
    QString remedy; // "Write rps > 100."
    // The text only stops too early: it may become right as it is typed on.
    bool isIncomplete = false;
};

// A parsed text. Copying is cheap; evaluation changes nothing, so it may be shared.
//
// Limits: kFindTextMax characters, kFindTermsMax comparisons, kFindDepthMax nested parentheses and
// nots; a longer text has a problem.
class FindLanguage
{
public:
    FindLanguage() = default; // Empty: matches nothing.
    explicit FindLanguage(const QString& text);

    [[nodiscard]] bool isEmpty() const { return !m_root && !m_problem; }
    [[nodiscard]] bool isValid() const { return !m_problem; }
    [[nodiscard]] const std::optional<FindProblem>& problem() const { return m_problem; }
    // False for an empty or wrong text.
    [[nodiscard]] bool matches(const FindSubject& subject) const;
    // Names of operands that no row of these scopes has: "method" among services. Unique.
    [[nodiscard]] QStringList foreignOperands(FindScopes scopes) const;
    // The keys that stand behind an operand: "x-user" in header:x-user = 7. Unique, as written.
    [[nodiscard]] QStringList keysOf(FindOperand operand) const;
    // The same meaning with canonical names, least parentheses and quotes where needed. Parsing it
    // gives the same again. Empty for a wrong text.
    [[nodiscard]] QString canonical() const;

    struct Term; // One node of the tree.

private:
    std::shared_ptr<const Term> m_root;
    std::optional<FindProblem> m_problem;
};

inline constexpr qsizetype kFindTextMax = 2'000;
inline constexpr int kFindTermsMax = 200;
inline constexpr int kFindDepthMax = 32;

// A comparison as text, quoted where needed: `name = "a b"`, and its opposite.
enum class FindSense : std::uint8_t { Only, Without };
[[nodiscard]] QString findTerm(FindOperand operand, const QString& value, FindSense sense);
// `text` narrowed by one more term: "(a or b) and zone = b". An empty or wrong text is replaced.
[[nodiscard]] QString narrowed(const QString& text, const QString& term);

// What Tab may write at the cursor.
struct FindCompletion
{
    qsizetype begin = 0; // What is replaced: [begin, begin + length).
    qsizetype length = 0;
    QStringList words; // Best first; empty: nothing fits.
};
// names: of what is on screen, offered as values; at most 50 words come back.
[[nodiscard]] FindCompletion completeFind(
    const QString& text, qsizetype cursor, FindScopes scopes, const QStringList& names
);

} // namespace mesh::bridge
