#include "app/bridge/object_diff.h"

#include "app/bridge/rollout_session.h"
#include "proxyengine/config/codec.h"
#include "proxyengine/config/tree.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

namespace mesh::bridge {

namespace {

QString toQString(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

QString singular(const std::string& kind)
{
    const model::EntityKind* known = model::entityKind(kind);
    QString word = known == nullptr ? QString::fromStdString(kind) : toQString(known->singular);
    return word.replace(u'_', u' ');
}

QString firstPart(const std::string& path)
{
    QString part = QString::fromStdString(path.substr(0, path.find_first_of(".[")));
    return part.replace(u'_', u' ');
}

// Longest common subsequence of two lists: pairs of equal places, ascending.
template <typename T>
std::vector<std::pair<int, int>> commonPlaces(const std::vector<T>& a, const std::vector<T>& b)
{
    constexpr std::size_t kPairsMax = 4'000'000;
    std::vector<std::pair<int, int>> pairs;
    std::size_t head = 0;
    while (head < a.size() && head < b.size() && a[head] == b[head]) {
        pairs.emplace_back(static_cast<int>(head), static_cast<int>(head));
        ++head;
    }
    std::size_t tail = 0;
    while (tail < a.size() - head && tail < b.size() - head
           && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) {
        ++tail;
    }
    const std::size_t rows = a.size() - head - tail;
    const std::size_t columns = b.size() - head - tail;
    if (rows > 0 && columns > 0 && rows * columns <= kPairsMax) {
        std::vector<std::uint32_t> table((rows + 1) * (columns + 1), 0);
        const auto at = [&](std::size_t row, std::size_t column) -> std::uint32_t& {
            return table[row * (columns + 1) + column];
        };
        for (std::size_t row = rows; row-- > 0;) {
            for (std::size_t column = columns; column-- > 0;) {
                at(row, column) = a[head + row] == b[head + column]
                                      ? at(row + 1, column + 1) + 1
                                      : std::max(at(row + 1, column), at(row, column + 1));
            }
        }
        std::size_t row = 0;
        std::size_t column = 0;
        while (row < rows && column < columns) {
            if (a[head + row] == b[head + column]) {
                pairs.emplace_back(
                    static_cast<int>(head + row++), static_cast<int>(head + column++)
                );
            } else if (at(row + 1, column) >= at(row, column + 1)) {
                ++row;
            } else {
                ++column;
            }
        }
    }
    for (std::size_t i = tail; i > 0; --i) {
        pairs.emplace_back(static_cast<int>(a.size() - i), static_cast<int>(b.size() - i));
    }
    return pairs;
}

// Which object each line of a text belongs to.
class LineOwners
{
public:
    explicit LineOwners(const model::Document& document)
        : m_text(toQString(config::toYaml(document, config::Secrets::Masked)))
        , m_lines(m_text.split(u'\n'))
    {
        m_owners.resize(static_cast<std::size_t>(m_lines.size()) + 2);
        std::vector<config::Problem> problems;
        const config::TreeNode root = config::parseTree(m_text.toStdString(), problems);
        // Parents stand before their children in the table of kinds, so children win.
        for (const model::EntityKind& kind : model::entityKinds()) {
            for (const model::ObjectRef& ref : model::objectsOf(document, kind.plural)) {
                const std::string path = model::pathOf(document, ref);
                const config::TreeNode* node = config::nodeAt(root, path);
                if (path.empty() || node == nullptr || !node->mark().isKnown()) {
                    continue;
                }
                const std::uint32_t begin = firstLine(*node);
                const std::uint32_t end = lastLine(*node);
                for (std::uint32_t line = begin; line <= end && line < m_owners.size(); ++line) {
                    m_owners[line] = keyOf(ref);
                }
            }
        }
    }

    [[nodiscard]] const QStringList& lines() const { return m_lines; }
    [[nodiscard]] const QString& ownerOf(int line) const // 1-based.
    {
        return m_owners[static_cast<std::size_t>(line)];
    }

private:
    static std::uint32_t firstLine(const config::TreeNode& node)
    {
        std::uint32_t first = node.mark().line;
        if (node.isMap()) {
            for (const auto& member : node.map()) {
                if (member.keyMark.isKnown()) {
                    first = std::min(first, member.keyMark.line);
                }
            }
        }
        return first;
    }

    static std::uint32_t lastLine(const config::TreeNode& node)
    {
        std::uint32_t last = node.mark().line;
        if (node.isMap()) {
            for (const auto& member : node.map()) {
                last = std::max({last, member.keyMark.line, lastLine(member.value)});
            }
        } else if (node.isList()) {
            for (const config::TreeNode& item : node.list()) {
                last = std::max(last, lastLine(item));
            }
        }
        return last;
    }

    QString m_text;
    QStringList m_lines;
    std::vector<QString> m_owners;
};

// "  consecutive_5xx: 5" -> "consecutive_5xx"; empty when the line begins no member.
QString fieldOf(const QString& line)
{
    QString begin = line.section(u':', 0, 0).trimmed();
    if (begin.startsWith(QStringLiteral("- "))) {
        begin = begin.mid(2).trimmed();
    }
    return line.contains(u':') ? begin : QString();
}

struct Token
{
    QString text;
    int begin = 0;
    friend bool operator==(const Token& a, const Token& b) { return a.text == b.text; }
};

std::vector<Token> tokensOf(const QString& line)
{
    std::vector<Token> tokens;
    const auto isWord = [](QChar c) {
        return c.isLetterOrNumber() || c == u'_' || c == u'-' || c == u'.' || c == u'/';
    };
    for (int at = 0; at < line.size();) {
        int end = at + 1;
        while (isWord(line[at]) && end < line.size() && isWord(line[end])) {
            ++end;
        }
        tokens.push_back({line.mid(at, end - at), at});
        at = end;
    }
    return tokens;
}

void addMarks(DiffLine& line, const std::vector<Token>& tokens, const std::vector<bool>& isCommon)
{
    QString field = fieldOf(line.text);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const Token& token = tokens[i];
        // Inside a flow the nearest key before the value names it: "{service: a, weight: 90}".
        if (i + 1 < tokens.size() && tokens[i + 1].text == QStringLiteral(":")) {
            field = token.text;
        }
        if (isCommon[i] || token.text.trimmed().isEmpty()) {
            continue;
        }
        const bool isWeight = isWeighty(field.toStdString());
        const auto length = static_cast<int>(token.text.size());
        DiffLine::Mark* last = line.marks.empty() ? nullptr : &line.marks.back();
        if (last != nullptr && last->begin + last->length >= token.begin - 1) {
            last->length = token.begin + length - last->begin;
            last->isWeighty = last->isWeighty || isWeight;
        } else {
            line.marks.push_back({token.begin, length, isWeight});
        }
    }
}

// Removed and added lines of one change, those of one field beside each other.
std::vector<DiffLine> paired(std::vector<DiffLine> removed, std::vector<DiffLine> added)
{
    std::vector<DiffLine> lines;
    std::size_t next = 0;
    for (DiffLine& gone : removed) {
        const QString field = fieldOf(gone.text);
        std::size_t match = next;
        while (match < added.size() && fieldOf(added[match].text) != field) {
            ++match;
        }
        if (match == added.size()) {
            lines.push_back(std::move(gone));
            continue;
        }
        for (; next < match; ++next) {
            lines.push_back(std::move(added[next]));
        }
        markDifference(gone, added[match]);
        lines.push_back(std::move(gone));
        lines.push_back(std::move(added[match]));
        ++next;
    }
    for (; next < added.size(); ++next) {
        lines.push_back(std::move(added[next]));
    }
    return lines;
}

// All lines of both texts in order, replaced ones in pairs.
std::vector<DiffLine> allLines(const LineOwners& before, const LineOwners& after)
{
    const std::vector<QString> a(before.lines().begin(), before.lines().end());
    const std::vector<QString> b(after.lines().begin(), after.lines().end());
    std::vector<DiffLine> lines;
    int i = 0;
    int j = 0;
    const auto flush = [&](int toA, int toB) {
        std::vector<DiffLine> removed;
        std::vector<DiffLine> added;
        for (; i < toA; ++i) {
            removed.push_back(
                {DiffLine::Kind::Removed, i + 1, 0, a[static_cast<std::size_t>(i)], {}}
            );
        }
        for (; j < toB; ++j) {
            added.push_back({DiffLine::Kind::Added, 0, j + 1, b[static_cast<std::size_t>(j)], {}});
        }
        for (DiffLine& line : paired(std::move(removed), std::move(added))) {
            lines.push_back(std::move(line));
        }
    };
    for (const auto& [placeA, placeB] : commonPlaces(a, b)) {
        flush(placeA, placeB);
        lines.push_back({DiffLine::Kind::Same, i + 1, j + 1, a[static_cast<std::size_t>(i)], {}});
        ++i;
        ++j;
    }
    flush(static_cast<int>(a.size()), static_cast<int>(b.size()));
    return lines;
}

QString fieldsText(const model::ObjectChange& change)
{
    constexpr int kNamedMax = 3;
    QStringList names;
    for (const model::FieldChange& field : change.fields) {
        const QString name = firstPart(field.path);
        if (!names.contains(name)) {
            names << name;
        }
    }
    if (names.size() > kNamedMax) {
        return RolloutSession::tr("%n field(s)", nullptr, static_cast<int>(change.fields.size()));
    }
    return names.size() < 2
               ? names.join(QString())
               : RolloutSession::tr("%1 and %2")
                     .arg(names.mid(0, names.size() - 1).join(QStringLiteral(", ")), names.back());
}

// What is shown of one object: its lines that differ and one line of context.
std::vector<DiffLine> excerpt(const std::vector<DiffLine>& lines, const std::vector<bool>& isOwn)
{
    std::vector<DiffLine> kept;
    const std::size_t count = lines.size();
    for (std::size_t i = 0; i < count; ++i) {
        const auto isChange = [&](std::size_t at) {
            return at < count && isOwn[at] && lines[at].kind != DiffLine::Kind::Same;
        };
        const bool isContext =
            isOwn[i] && lines[i].kind == DiffLine::Kind::Same
            && (isChange(i + 1) || (i > 0 && isChange(i - 1)) || isChange(i + 2));
        if (isChange(i) || isContext) {
            kept.push_back(lines[i]);
        }
    }
    return kept;
}

} // namespace

QString keyOf(const model::ObjectRef& ref)
{
    return QString::fromStdString(ref.kind) + u'\n' + QString::fromStdString(ref.parent) + u'\n'
           + QString::fromStdString(ref.name);
}

bool isWeighty(std::string_view fieldPath)
{
    constexpr std::array<std::string_view, 14> kWords = {
        "weight",
        "target",
        "timeout",
        "tls",
        "host",
        "port",
        "consecutive",
        "max_",
        "retries",
        "attempts",
        "split",
        "zone",
        "verify",
        "action"};
    return std::ranges::any_of(kWords, [fieldPath](std::string_view word) {
        return fieldPath.find(word) != std::string_view::npos;
    });
}

ChangeRow changeRowOf(const model::ObjectChange& change)
{
    ChangeRow row;
    row.key = keyOf(change.object);
    row.name = QString::fromStdString(change.object.name);
    QString what;
    switch (change.kind) {
    case model::ChangeKind::Created:
        row.sign = ChangeSign::Created;
        what = RolloutSession::tr("new");
        break;
    case model::ChangeKind::Deleted:
        row.sign = ChangeSign::Deleted;
        what = RolloutSession::tr("deleted");
        break;
    case model::ChangeKind::Updated:
        row.sign = ChangeSign::Updated;
        what = RolloutSession::tr("%n field(s)", nullptr, static_cast<int>(change.fields.size()));
        break;
    }
    row.detail = singular(change.object.kind) + QStringLiteral(" · ") + what;
    return row;
}

void markDifference(DiffLine& removed, DiffLine& added)
{
    const std::vector<Token> a = tokensOf(removed.text);
    const std::vector<Token> b = tokensOf(added.text);
    std::vector<bool> isCommonA(a.size(), false);
    std::vector<bool> isCommonB(b.size(), false);
    for (const auto& [placeA, placeB] : commonPlaces(a, b)) {
        isCommonA[static_cast<std::size_t>(placeA)] = true;
        isCommonB[static_cast<std::size_t>(placeB)] = true;
    }
    addMarks(removed, a, isCommonA);
    addMarks(added, b, isCommonB);
}

std::vector<ObjectDiff> objectDiffs(const model::Document& before, const model::Document& after)
{
    const std::vector<model::ObjectChange> changes = model::diff(before, after);
    std::vector<ObjectDiff> diffs;
    if (changes.empty()) {
        return diffs;
    }
    const LineOwners ownersBefore(before);
    const LineOwners ownersAfter(after);
    const std::vector<DiffLine> lines = allLines(ownersBefore, ownersAfter);
    for (const model::ObjectChange& change : changes) {
        ObjectDiff diff;
        diff.key = keyOf(change.object);
        diff.name = QString::fromStdString(change.object.name);
        const QString what = change.kind == model::ChangeKind::Updated ? fieldsText(change)
                             : change.kind == model::ChangeKind::Created
                                 ? RolloutSession::tr("new")
                                 : RolloutSession::tr("deleted");
        diff.detail = singular(change.object.kind) + QStringLiteral(" · ") + what;
        std::vector<bool> isOwn;
        isOwn.reserve(lines.size());
        for (const DiffLine& line : lines) {
            const QString& owner = line.after > 0 ? ownersAfter.ownerOf(line.after)
                                                  : ownersBefore.ownerOf(line.before);
            isOwn.push_back(owner == diff.key);
        }
        diff.lines = excerpt(lines, isOwn);
        for (std::size_t i = 0; i < diff.lines.size(); ++i) {
            const bool isReplaced = diff.lines[i].kind == DiffLine::Kind::Removed
                                    && i + 1 < diff.lines.size()
                                    && diff.lines[i + 1].kind == DiffLine::Kind::Added;
            diff.changed += diff.lines[i].kind != DiffLine::Kind::Same && !isReplaced ? 1 : 0;
        }
        diffs.push_back(std::move(diff));
    }
    return diffs;
}

} // namespace mesh::bridge
