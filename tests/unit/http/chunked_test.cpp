// Goal: chunked bodies end where they end, in both modes, however they arrive; faults are refused.
// Method: one row per body, fed whole and in two parts cut at every place.
#include "proxyengine/http/chunked.h"

#include "proxyengine/base/limits.h"

#include <QTest>

#include <array>
#include <string>

namespace mesh::http {
namespace {

// Content, trailers in brackets, and how it ended.
QByteArray decode(const QByteArray& input, ChunkedDecoder::Mode mode, qsizetype cut)
{
    ChunkedDecoder decoder(mode);
    QByteArray result;
    QByteArray waiting = input.left(cut);
    bool hasRest = true;
    for (;;) {
        const std::string_view bytes(waiting.constData(), static_cast<std::size_t>(waiting.size()));
        const ChunkStep step = decoder.next(bytes);
        const QByteArray piece(step.piece.data(), static_cast<qsizetype>(step.piece.size()));
        result += step.status == ChunkStatus::Trailer ? "[" + piece + "]" : piece;
        waiting.remove(0, static_cast<qsizetype>(step.consumed));
        if (step.status == ChunkStatus::Refused) {
            return QByteArray("refused: ") + decoder.refusal().reason;
        }
        if (step.status == ChunkStatus::Done) {
            return result + "|" + waiting + (hasRest ? input.mid(cut) : QByteArray());
        }
        if (step.status == ChunkStatus::NeedMore) {
            if (!hasRest) {
                return result + "...";
            }
            waiting += input.mid(cut);
            hasRest = false;
        }
    }
}

} // namespace

class ChunkedTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsOrRefuses_data();
    void readsOrRefuses();
    void stopsBeforeTheNextMessage();
    void limitsExtensionsAndTrailers();
    void writesChunkHeads();
};

void ChunkedTest::readsOrRefuses_data()
{
    QTest::addColumn<QByteArray>("input");
    QTest::addColumn<QByteArray>("stripped");
    QTest::addColumn<QByteArray>("kept");
    const auto row = [](const char* name, const char* input, const char* stripped, const char* kept
                     ) {
        QTest::newRow(name) << QByteArray(input) << QByteArray(stripped) << QByteArray(kept);
    };
    const auto refused = [&row](const char* name, const char* input, const char* reason) {
        row(name, input, reason, reason);
    };

    row("two chunks",
        "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n",
        "abc0123456789|",
        "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n|");
    row("empty", "0\r\n\r\n", "|", "0\r\n\r\n|");
    row("extensions are dropped",
        "3;a=\"b\"\r\nabc\r\n0;x\r\n\r\n",
        "abc|",
        "3\r\nabc\r\n0\r\n\r\n|");
    row("leading zeros", "0003\r\nabc\r\n000\r\n\r\n", "abc|", "0003\r\nabc\r\n000\r\n\r\n|");
    row("trailers",
        "1\r\na\r\n0\r\nX: y\r\nDigest: z\r\n\r\n",
        "a[X: y][Digest: z]|",
        "1\r\na\r\n0\r\nX: y\r\nDigest: z\r\n\r\n|");
    row("unfinished", "5\r\nabc", "abc...", "5\r\nabc...");
    row("no last chunk", "1\r\na\r\n", "a...", "1\r\na\r\n...");

    refused("no size", "\r\nabc", "refused: malformed chunk size");
    refused("not a number", "xyz\r\n", "refused: malformed chunk size");
    refused("signed", "-1\r\n", "refused: malformed chunk size");
    refused("prefix", "0x1\r\na\r\n", "refused: malformed chunk size");
    refused("space after the size", "1 \r\na\r\n", "refused: malformed chunk size");
    refused("space before the size", " 1\r\na\r\n", "refused: malformed chunk size");
    refused("overflow", "FFFFFFFFFFFFFFFF1\r\n", "refused: chunk size too large");
    refused("above 2^63", "8000000000000000\r\n", "refused: chunk size too large");
    refused("many zeros", "00000000000000001\r\n", "refused: chunk size too large");
    refused("bare LF after the size", "1\na\r\n0\r\n\r\n", "refused: malformed chunk size");
    refused(
        "bare LF in an extension",
        "1;a\nb\r\na\r\n",
        "refused: no CRLF where a chunk's line or content ends"
    );
    refused("bare CR after the size", "1\rXa\r\n", "refused: bare CR in a chunk");
    refused(
        "content too long", "1\r\nab\r\n", "refused: no CRLF where a chunk's line or content ends"
    );
    refused(
        "bare LF after the content",
        "1\r\na\n0\r\n\r\n",
        "refused: no CRLF where a chunk's line or content ends"
    );
    refused(
        "trailer with a length", "0\r\nContent-Length: 5\r\n\r\n", "refused: forbidden trailer"
    );
    refused(
        "trailer with a coding",
        "0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "refused: forbidden trailer"
    );
    refused("trailer with a host", "0\r\nhost: a\r\n\r\n", "refused: forbidden trailer");
    refused("trailer without colon", "0\r\nabc\r\n\r\n", "refused: malformed trailer");
    refused("trailer with space before colon", "0\r\nA : b\r\n\r\n", "refused: malformed trailer");
    refused("folded trailer", "0\r\nA: b\r\n c\r\n\r\n", "refused: malformed trailer");
    refused(
        "bare LF in a trailer",
        "0\r\nA: b\nC: d\r\n\r\n",
        "refused: no CRLF where a chunk's line or content ends"
    );
    refused("bare LF at the end", "0\r\n\n", "refused: malformed trailer");
}

void ChunkedTest::readsOrRefuses()
{
    QFETCH(const QByteArray, input);
    QFETCH(const QByteArray, stripped);
    QFETCH(const QByteArray, kept);

    for (qsizetype cut = 0; cut <= input.size(); ++cut) {
        QCOMPARE(decode(input, ChunkedDecoder::Mode::Strip, cut), stripped);
        QCOMPARE(decode(input, ChunkedDecoder::Mode::Keep, cut), kept);
    }
}

void ChunkedTest::stopsBeforeTheNextMessage()
{
    const QByteArray input = "1\r\na\r\n0\r\n\r\nGET /";

    QCOMPARE(decode(input, ChunkedDecoder::Mode::Strip, input.size()), QByteArray("a|GET /"));
    QCOMPARE(
        decode(input, ChunkedDecoder::Mode::Keep, input.size()),
        QByteArray("1\r\na\r\n0\r\n\r\n|GET /")
    );
}

void ChunkedTest::limitsExtensionsAndTrailers()
{
    const auto extension = [](std::size_t bytes) {
        return QByteArray(
            "1;" + QByteArray(static_cast<qsizetype>(bytes) - 1, 'x') + "\r\na\r\n0\r\n\r\n"
        );
    };
    const QByteArray trailer = "X: " + QByteArray(1000, 'y') + "\r\n";
    const auto modes = {ChunkedDecoder::Mode::Strip, ChunkedDecoder::Mode::Keep};

    QCOMPARE(
        decode(extension(kChunkExtensionBytesMax), ChunkedDecoder::Mode::Strip, 5), QByteArray("a|")
    );
    for (const auto mode : modes) {
        for (const qsizetype cut : {0, 5, 500, 1020}) {
            QCOMPARE(
                decode(extension(kChunkExtensionBytesMax + 1), mode, cut),
                QByteArray("refused: chunk extension too long")
            );
        }
        QCOMPARE(
            decode("0\r\n" + trailer.repeated(20) + "\r\n", mode, 7000),
            QByteArray("refused: trailers too large")
        );
    }
}

void ChunkedTest::writesChunkHeads()
{
    std::array<char, kChunkHeadMax> head{};

    QVERIFY(std::string_view(head.data(), writeChunkHead(500, head.data())) == "1f4\r\n");
    QCOMPARE(writeChunkHead(~std::uint64_t{0}, head.data()), kChunkHeadMax);
}

} // namespace mesh::http

QTEST_APPLESS_MAIN(mesh::http::ChunkedTest)
#include "chunked_test.moc"
