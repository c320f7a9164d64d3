#include "app/bridge/scenario_text.h"

#include "proxyengine/config/tree.h"

#include <algorithm>

namespace mesh::bridge {

namespace {

using config::TreeNode;

// The text, its tree, and where things stand in it.
class PlacedText
{
public:
    explicit PlacedText(std::string_view text)
        : m_text(text)
    {
        auto parsed = config::parseTree(text);
        if (parsed && (parsed->isMap() || parsed->isNull())) {
            m_root = *std::move(parsed);
            m_isParsed = true;
        }
    }

    [[nodiscard]] bool isParsed() const { return m_isParsed; }
    [[nodiscard]] const TreeNode& root() const { return m_root; }
    [[nodiscard]] bool isJson() const { return config::formOf(m_text) == config::TextForm::Json; }

    [[nodiscard]] std::size_t offsetOf(model::Mark mark) const
    {
        std::size_t at = 0;
        for (std::uint32_t line = 1; line < mark.line; ++line) {
            const std::size_t end = m_text.find('\n', at);
            if (end == std::string_view::npos) {
                return m_text.size();
            }
            at = end + 1;
        }
        return std::min(m_text.size(), at + std::max(1U, mark.column) - 1);
    }

    [[nodiscard]] const model::Value::Member* topMember(std::string_view key) const
    {
        if (!m_root.isMap()) {
            return nullptr;
        }
        const auto& map = m_root.map();
        const auto found = std::ranges::find(map, key, &model::Value::Member::key);
        return found == map.end() ? nullptr : &*found;
    }

    [[nodiscard]] bool isFlow(const TreeNode& value) const
    {
        const std::size_t at = offsetOf(value.mark());
        return at < m_text.size() && (m_text[at] == '{' || m_text[at] == '[');
    }

    // One past the last byte of a value. `isInFlow`: it stands between brackets.
    [[nodiscard]] std::size_t endOf(const TreeNode& value, bool isInFlow) const
    {
        const std::size_t begin = offsetOf(value.mark());
        if (begin >= m_text.size()) {
            return m_text.size();
        }
        const char first = m_text[begin];
        if (first == '{' || first == '[') {
            return endOfBrackets(begin);
        }
        if (value.isMap() && !value.map().empty()) {
            return endOf(value.map().back().value, false);
        }
        if (value.isList() && !value.list().empty()) {
            return endOf(value.list().back(), false);
        }
        if (first == '"' || first == '\'') {
            return endOfQuotes(begin);
        }
        return endOfPlain(begin, isInFlow);
    }

    [[nodiscard]] std::size_t lineBegin(std::size_t at) const
    {
        const std::size_t before = at == 0 ? std::string_view::npos : m_text.rfind('\n', at - 1);
        return before == std::string_view::npos ? 0 : before + 1;
    }
    // Of the line break, or the end of the text.
    [[nodiscard]] std::size_t lineEnd(std::size_t at) const
    {
        return std::min(m_text.size(), m_text.find('\n', at));
    }
    [[nodiscard]] std::string_view text() const { return m_text; }

    [[nodiscard]] std::string with(std::size_t begin, std::size_t end, std::string_view replacement)
        const
    {
        std::string changed(m_text.substr(0, begin));
        changed += replacement;
        changed += m_text.substr(end);
        return changed;
    }

private:
    [[nodiscard]] std::size_t endOfQuotes(std::size_t begin) const
    {
        const char quote = m_text[begin];
        for (std::size_t at = begin + 1; at < m_text.size(); ++at) {
            if (m_text[at] == '\\' && quote == '"') {
                ++at;
            } else if (m_text[at] == quote) {
                return at + 1;
            }
        }
        return m_text.size();
    }

    [[nodiscard]] std::size_t endOfBrackets(std::size_t begin) const
    {
        int depth = 0;
        for (std::size_t at = begin; at < m_text.size(); ++at) {
            const char c = m_text[at];
            const bool isToken =
                at == begin
                || std::string_view(" ,:[{\n").find(m_text[at - 1]) != std::string_view::npos;
            if ((c == '"' || c == '\'') && isToken) {
                at = endOfQuotes(at) - 1;
            } else if (c == '#' && (m_text[at - 1] == ' ' || m_text[at - 1] == '\n')) {
                at = lineEnd(at);
            } else if (c == '{' || c == '[') {
                ++depth;
            } else if ((c == '}' || c == ']') && --depth == 0) {
                return at + 1;
            }
        }
        return m_text.size();
    }

    [[nodiscard]] std::size_t endOfPlain(std::size_t begin, bool isInFlow) const
    {
        std::size_t at = begin;
        while (at < m_text.size() && m_text[at] != '\n') {
            const bool isComment = m_text[at] == '#' && at > begin && m_text[at - 1] == ' ';
            if (isComment
                || (isInFlow && std::string_view(",}]").find(m_text[at]) != std::string_view::npos
                )) {
                break;
            }
            ++at;
        }
        while (at > begin && m_text[at - 1] == ' ') {
            --at;
        }
        return at;
    }

    std::string_view m_text;
    TreeNode m_root;
    bool m_isParsed = false;
};

std::string jsonEntry(const EntryMembers& members)
{
    const std::string flow = flowEntry(members);
    const auto parsed = config::parseTree(flow);
    return parsed ? config::toJson(*parsed) : std::string("{}");
}

std::string entryText(const PlacedText& placed, const EntryMembers& members)
{
    return placed.isJson() ? jsonEntry(members) : flowEntry(members);
}

std::string addToMissing(const PlacedText& placed, std::string_view list, const std::string& entry)
{
    const std::string name(list);
    if (placed.isJson()) {
        const std::size_t close = placed.text().rfind('}');
        const bool isEmpty = !placed.root().isMap() || placed.root().map().empty();
        return placed.with(close, close, (isEmpty ? "\"" : ", \"") + name + "\": [" + entry + "]");
    }
    std::string text(placed.text());
    if (!text.empty() && text.back() != '\n') {
        text += '\n';
    }
    return text + name + ":\n- " + entry + "\n";
}

} // namespace

std::string flowEntry(const EntryMembers& members)
{
    std::string text = "{";
    for (const auto& [key, value] : members) {
        text += (text.size() > 1 ? ", " : "") + key + ": " + value;
    }
    return text + "}";
}

std::optional<std::string> addEntry(
    std::string_view text, std::string_view list, const EntryMembers& members
)
{
    const PlacedText placed(text);
    if (!placed.isParsed()) {
        return std::nullopt;
    }
    const std::string entry = entryText(placed, members);
    const auto* member = placed.topMember(list);
    if (member == nullptr) {
        return addToMissing(placed, list, entry);
    }
    const TreeNode& value = member->value;
    const bool isFlow = value.isList() && placed.isFlow(value);
    if (value.isNull() || (value.isList() && value.list().empty())) {
        const std::size_t key = placed.offsetOf(member->keyMark);
        const std::size_t colon = placed.text().find(':', key) + 1;
        const std::size_t end = isFlow ? placed.endOf(value, false) : colon;
        return placed.isJson() ? placed.with(colon, end, " [" + entry + "]")
                               : placed.with(colon, end, "\n- " + entry);
    }
    if (!value.isList()) {
        return std::nullopt;
    }
    const std::size_t last = placed.endOf(value.list().back(), isFlow);
    if (isFlow) {
        return placed.with(last, last, ", " + entry);
    }
    // As deep as the dash of the first one.
    const std::size_t first = placed.offsetOf(value.list().front().mark());
    const std::size_t begin = placed.lineBegin(first);
    const std::size_t dash = text.find('-', begin);
    const std::string indent(dash < first ? dash - begin : 0, ' ');
    const std::size_t end = placed.lineEnd(last);
    return placed.with(end, end, "\n" + indent + "- " + entry);
}

std::optional<std::string> setEntryMember(
    std::string_view text,
    std::string_view list,
    std::size_t index,
    std::string_view key,
    std::string_view value,
    std::string_view after
)
{
    const PlacedText placed(text);
    const auto* member = placed.isParsed() ? placed.topMember(list) : nullptr;
    if (member == nullptr || !member->value.isList() || index >= member->value.list().size()
        || !member->value.list()[index].isMap()) {
        return std::nullopt;
    }
    const TreeNode& entry = member->value.list()[index];
    const bool isFlow = placed.isFlow(entry);
    const std::string wanted =
        placed.isJson() && !value.empty() && value.front() != '{' && value.front() != '"'
            ? "\"" + std::string(value) + "\""
            : std::string(value);
    const std::string name = placed.isJson() ? "\"" + std::string(key) + "\"" : std::string(key);
    const model::Value::Member* before = nullptr;
    for (const auto& candidate : entry.map()) {
        if (candidate.key == key) {
            const std::size_t begin = placed.offsetOf(candidate.value.mark());
            return placed.with(begin, placed.endOf(candidate.value, isFlow), wanted);
        }
        before = candidate.key == after ? &candidate : before;
    }
    if (before == nullptr) {
        if (entry.map().empty()) {
            return std::nullopt;
        }
        before = &entry.map().front();
    }
    const std::size_t end = placed.endOf(before->value, isFlow);
    if (isFlow) {
        return placed.with(end, end, ", " + name + ": " + wanted);
    }
    const std::string indent(std::max(1U, before->keyMark.column) - 1, ' ');
    const std::size_t line = placed.lineEnd(end);
    return placed.with(line, line, "\n" + indent + name + ": " + wanted);
}

std::optional<std::string> removeEntry(
    std::string_view text, std::string_view list, std::size_t index
)
{
    const PlacedText placed(text);
    const auto* member = placed.isParsed() ? placed.topMember(list) : nullptr;
    if (member == nullptr || !member->value.isList() || index >= member->value.list().size()) {
        return std::nullopt;
    }
    const auto& entries = member->value.list();
    const bool isFlow = placed.isFlow(member->value);
    std::size_t begin = placed.offsetOf(entries[index].mark());
    std::size_t end = placed.endOf(entries[index], isFlow);
    if (isFlow) {
        if (index + 1 < entries.size()) {
            end = placed.offsetOf(entries[index + 1].mark());
        } else if (index > 0) {
            begin = placed.endOf(entries[index - 1], true);
        }
        return placed.with(begin, end, "");
    }
    begin = placed.lineBegin(begin);
    end = std::min(text.size(), placed.lineEnd(end) + 1);
    if (entries.size() > 1) {
        return placed.with(begin, end, "");
    }
    const std::size_t colon = text.find(':', placed.offsetOf(member->keyMark)) + 1;
    std::string changed = placed.with(begin, end, "");
    return changed.insert(colon, " []");
}

std::optional<std::string> setTopMember(
    std::string_view text, std::string_view key, std::string_view value
)
{
    const PlacedText placed(text);
    if (!placed.isParsed() || placed.isJson()) {
        return std::nullopt;
    }
    const auto* member = placed.topMember(key);
    const bool isBlock = !value.empty() && value.front() == '\n';
    const std::string words = (isBlock ? "" : " ") + std::string(value);
    if (member == nullptr) {
        std::string changed(text);
        if (!changed.empty() && changed.back() != '\n') {
            changed += '\n';
        }
        return changed + std::string(key) + ":" + words + "\n";
    }
    const std::size_t colon = text.find(':', placed.offsetOf(member->keyMark)) + 1;
    const std::size_t end = member->value.isNull() ? colon : placed.endOf(member->value, false);
    return placed.with(colon, end, words);
}

int lineOfEntry(std::string_view text, std::string_view list, std::size_t index)
{
    const PlacedText placed(text);
    const auto* member = placed.isParsed() ? placed.topMember(list) : nullptr;
    if (member == nullptr || !member->value.isList() || index >= member->value.list().size()) {
        return 0;
    }
    return static_cast<int>(member->value.list()[index].mark().line);
}

} // namespace mesh::bridge
