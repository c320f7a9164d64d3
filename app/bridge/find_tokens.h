#pragma once

#include "app/bridge/find_language.h"

#include <cstdint>
#include <vector>

// The words and signs of the find language, for its parser and its completion.
namespace mesh::bridge {

enum class FindSign : std::uint8_t {
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

struct FindSignRow
{
    FindSign sign;
    const char* mark;
    const char* word; // Empty: there is only the mark.
    bool isForText;
    bool isForNumbers;
};

[[nodiscard]] const FindSignRow& findSignRow(FindSign sign);

enum class FindTokenKind : std::uint8_t { Word, Quoted, Sign, Open, Close, And, Or, Not, End };

struct FindToken
{
    FindTokenKind kind = FindTokenKind::End;
    qsizetype begin = 0;
    qsizetype length = 0;
    QString text; // Of a word; unquoted.
    FindSign sign = FindSign::Equal;
    bool isOpenEnded = false; // A quote without its end.
};

// The last one is of kind End and stands behind the text.
[[nodiscard]] std::vector<FindToken> findTokens(QStringView text);
// nullptr: no operand is called so. "tag:team" is the operand tag with the key "team".
[[nodiscard]] const FindOperandRow* findOperandNamed(const QString& word, QString& key);
[[nodiscard]] QString findInQuotes(QString text);
// A word that reads as itself needs no quotes.
[[nodiscard]] QString findQuoted(const QString& text);

} // namespace mesh::bridge
