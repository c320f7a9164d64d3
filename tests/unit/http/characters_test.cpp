#include "proxyengine/http/characters.h"

#include "proxyengine/http/header_id.h"

#include <QTest>

#include <string>

namespace mesh::http {

// The loops that look at many bytes at once must say what the tables say of each.
class CharactersTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aTokenEndsAtTheFirstByteThatIsNone();
    void aHostEndsAtTheFirstByteThatIsNone();
    void namesAreEqualExactlyWhenTheirLettersAre();
};

// Every byte at every place of a text that is longer than what is looked at together.
template <typename Find, typename Is>
void compareWithTable(Find find, Is is)
{
    constexpr std::size_t kLength = 35;
    for (std::size_t place = 0; place < kLength; ++place) {
        for (int code = 0; code < 256; ++code) {
            std::string text(kLength, 'a');
            text[place] = static_cast<char>(code);
            const char* const end = text.data() + text.size();
            const auto found = static_cast<std::size_t>(find(text.data(), end) - text.data());
            QCOMPARE(found, is(text[place]) ? kLength : place);
        }
    }
}

void CharactersTest::aTokenEndsAtTheFirstByteThatIsNone()
{
    compareWithTable(findTokenEnd, isTokenCharacter);
}

void CharactersTest::aHostEndsAtTheFirstByteThatIsNone()
{
    compareWithTable(findHostEnd, isHostCharacter);
}

void CharactersTest::namesAreEqualExactlyWhenTheirLettersAre()
{
    for (const std::size_t length : {1U, 7U, 8U, 9U, 15U, 16U, 23U}) {
        for (std::size_t place = 0; place < length; ++place) {
            for (int code = 0; code < 256; ++code) {
                std::string one(length, 'q');
                one[place] = static_cast<char>(code);
                for (int bit = 0; bit < 8; ++bit) {
                    std::string other = one;
                    other[place] = static_cast<char>(code ^ (1 << bit));
                    const bool isSame = lowerOf(one[place]) == lowerOf(other[place]);
                    QCOMPARE(equalsIgnoringCase(one, other), isSame);
                }
                QVERIFY(equalsIgnoringCase(one, one));
            }
        }
    }
    QVERIFY(!equalsIgnoringCase("transfer-encoding", "transfer-encodin"));
    QCOMPARE(headerIdOf("TRANSFER-ENCODING"), HeaderId::TransferEncoding);
    QCOMPARE(headerIdOf("transfer\rencoding"), HeaderId::Other);
}

} // namespace mesh::http

QTEST_APPLESS_MAIN(mesh::http::CharactersTest)
#include "characters_test.moc"
