#include "proxyengine/config/tree.h"

#include "proxyengine/base/limits.h"
#include "proxyengine/config/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace mesh::config {
namespace {

using model::Mark;
using model::Value;

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::size_t sequenceLength(unsigned char first)
{
    if (first < 0x80U) {
        return 1;
    }
    if (first >= 0xc2U && first <= 0xdfU) {
        return 2;
    }
    if (first >= 0xe0U && first <= 0xefU) {
        return 3;
    }
    return first >= 0xf0U && first <= 0xf4U ? 4 : 0;
}

// Source: RFC 3629. Overlong forms, surrogates and what lies above U+10FFFF are refused.
bool isSequence(std::string_view bytes)
{
    const auto at = [&](std::size_t index) { return static_cast<unsigned char>(bytes[index]); };
    for (std::size_t index = 1; index < bytes.size(); ++index) {
        if ((at(index) & 0xc0U) != 0x80U) {
            return false;
        }
    }
    switch (at(0)) {
    case 0xe0:
        return at(1) >= 0xa0U;
    case 0xed:
        return at(1) < 0xa0U;
    case 0xf0:
        return at(1) >= 0x90U;
    case 0xf4:
        return at(1) < 0x90U;
    default:
        return true;
    }
}

// True when the text begins with a whole character of that many bytes.
bool isCharacter(std::string_view text, std::size_t length)
{
    return length != 0 && length <= text.size() && isSequence(text.substr(0, length));
}

// Both parsers rest on this: yaml-cpp takes one of the control characters for the end of the text.
std::optional<Problem> findBadByte(std::string_view text)
{
    std::size_t lineStart = 0;
    int line = 1;
    for (std::size_t at = 0; at < text.size();) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte >= 0x20U && byte < 0x7fU) {
            ++at;
            continue;
        }
        std::string_view wrong;
        const std::size_t length = sequenceLength(byte);
        if (byte == '\n') {
            ++line;
            lineStart = at + 1;
        } else if (byte < 0x80U) {
            wrong = byte == '\t' || byte == '\r' ? "" : "a control character";
        } else if (!isCharacter(text.substr(at), length)) {
            wrong = "bytes that are not UTF-8";
        }
        if (!wrong.empty()) {
            return Problem{
                {},
                LineColumn{line, static_cast<int>(at - lineStart + 1)},
                ErrorCode::Syntax,
                Severity::Error,
                fmt::format("the text has {} (0x{:02x})", wrong, byte)};
        }
        at += std::max<std::size_t>(length, 1);
    }
    return std::nullopt;
}

} // namespace

bool isUtf8(std::string_view text)
{
    while (!text.empty()) {
        const auto byte = static_cast<unsigned char>(text.front());
        const std::size_t length = byte < 0x80U ? 1 : sequenceLength(byte);
        if (byte >= 0x80U && !isCharacter(text, length)) {
            return false;
        }
        text.remove_prefix(length);
    }
    return true;
}

TextForm formOf(std::string_view text)
{
    if (text.starts_with(kByteOrderMark)) {
        text.remove_prefix(kByteOrderMark.size());
    }
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    const bool isJson = first != std::string_view::npos && text[first] == '{';
    return isJson ? TextForm::Json : TextForm::Yaml;
}

TreeNode parseTree(std::string_view text, std::vector<Problem>& problems)
{
    if (text.size() > kConfigBytesMax) {
        problems.push_back(Problem{
            {},
            std::nullopt,
            ErrorCode::LimitExceeded,
            Severity::Error,
            fmt::format("the text is longer than {} MiB", kConfigBytesMax >> 20U)});
        return TreeNode();
    }
    if (text.starts_with(kByteOrderMark)) {
        text.remove_prefix(kByteOrderMark.size());
    }
    if (std::optional<Problem> bad = findBadByte(text)) {
        problems.push_back(std::move(*bad));
        return TreeNode();
    }
    return formOf(text) == TextForm::Json ? parseJson(text, problems) : parseYaml(text, problems);
}

Result<TreeNode> parseTree(std::string_view text)
{
    std::vector<Problem> problems;
    TreeNode root = parseTree(text, problems);
    if (problems.empty()) {
        return root;
    }
    const Problem& first = problems.front();
    return fail(first.code, first.message, first.place ? ErrorPlace(*first.place) : ErrorPlace());
}

const TreeNode* nodeAt(const TreeNode& root, std::string_view path)
{
    const TreeNode* node = &root;
    while (!path.empty()) {
        const TreeNode* next = nullptr;
        if (path.front() == '[') {
            const std::size_t close = path.find(']');
            std::size_t index = 0;
            if (close == std::string_view::npos
                || std::from_chars(path.data() + 1, path.data() + close, index).ec != std::errc{}) {
                return node;
            }
            next = node->isList() && index < node->list().size() ? &node->list()[index] : nullptr;
            path.remove_prefix(close + 1);
        } else {
            // A key may have dots of its own (header names): the longest that exists wins.
            std::size_t length = path.find('[');
            length = length == std::string_view::npos ? path.size() : length;
            while (length != 0 && next == nullptr) {
                next = node->find(path.substr(0, length));
                if (next == nullptr) {
                    const std::size_t dot = path.substr(0, length).rfind('.');
                    length = dot == std::string_view::npos ? 0 : dot;
                }
            }
            path.remove_prefix(length);
        }
        if (next == nullptr) {
            return node;
        }
        node = next;
        if (path.starts_with('.')) {
            path.remove_prefix(1);
        }
    }
    return node;
}

void reportDuplicateKeys(const Value::Map& map, std::vector<Problem>& problems)
{
    constexpr std::size_t kFewKeys = 12; // Below it comparing all pairs is faster than sorting.
    const auto report = [&](const Value::Member& member) {
        problems.push_back(Problem{
            {},
            member.keyMark.place(),
            ErrorCode::Duplicate,
            Severity::Error,
            fmt::format("the key '{}' stands twice", member.key)});
    };
    if (map.size() <= kFewKeys) {
        for (std::size_t at = 1; at < map.size(); ++at) {
            for (std::size_t before = 0; before < at; ++before) {
                if (map[before].key == map[at].key) {
                    report(map[at]);
                    break;
                }
            }
        }
        return;
    }
    std::vector<const Value::Member*> sorted;
    sorted.reserve(map.size());
    for (const Value::Member& member : map) {
        sorted.push_back(&member);
    }
    std::ranges::stable_sort(sorted, {}, [](const Value::Member* each) -> const std::string& {
        return each->key;
    });
    for (std::size_t at = 1; at < sorted.size(); ++at) {
        if (sorted[at - 1]->key == sorted[at]->key) {
            report(*sorted[at]);
        }
    }
}

} // namespace mesh::config
