// Goal: figures read as the visual design says, and escaped text means itself.
// Method: a table of numbers and texts; the special spaces are shown as "_" and "'".
#include "simulator/report/report_text.h"

#include <QTest>

#include <limits>

namespace mesh::simulator {
namespace {

using namespace std::chrono_literals;

QString shown(const std::string& text)
{
    return QString::fromStdString(text)
        .replace(QChar(0x202F), u'_')
        .replace(QChar(0x2009), u'\'')
        .replace(QChar(0x2212), u'-')
        .replace(QChar(0x2013), u'0');
}

} // namespace

class ReportTextTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void millisecondsChangeTheirUnit();
    void onlyAllIsAHundredPercent();
    void ratesKeepThreeDigits();
    void lengthsAreMinutesAndSeconds();
    void differencesHaveASign();
    void whatIsNoNumberIsADash();
    void markupIsEscaped();
    void whatNoDocumentMayCarryIsReplaced();
};

void ReportTextTest::millisecondsChangeTheirUnit()
{
    QCOMPARE(shown(millisecondsText(0.4)), QStringLiteral("0.40_ms"));
    QCOMPARE(shown(millisecondsText(4.21)), QStringLiteral("4.2_ms"));
    QCOMPARE(shown(millisecondsText(486.4)), QStringLiteral("486_ms"));
    QCOMPARE(shown(millisecondsText(999.6)), QStringLiteral("1.0_s"));
    QCOMPARE(shown(millisecondsText(3400)), QStringLiteral("3.4_s"));
    QCOMPARE(shown(millisecondsText(298'000)), QStringLiteral("4_min 58_s"));
}

void ReportTextTest::onlyAllIsAHundredPercent()
{
    QCOMPARE(shown(shareText(1.0)), QStringLiteral("100_%"));
    QCOMPARE(shown(shareText(0.999'999)), QStringLiteral(">99.99_%"));
    QCOMPARE(shown(shareText(0.9971)), QStringLiteral("99.71_%"));
    QCOMPARE(shown(shareText(0.000'01)), QStringLiteral("<0.01_%"));
    QCOMPARE(shown(shareText(0.0)), QStringLiteral("0_%"));
}

void ReportTextTest::ratesKeepThreeDigits()
{
    QCOMPARE(shown(rateText(0.25)), QStringLiteral("0.25"));
    QCOMPARE(shown(rateText(84.0)), QStringLiteral("84.0"));
    QCOMPARE(shown(rateText(1977.2)), QStringLiteral("1'977"));
    QCOMPARE(shown(countText(1'234'567)), QStringLiteral("1'234'567"));
    QCOMPARE(shown(countText(999)), QStringLiteral("999"));
}

void ReportTextTest::lengthsAreMinutesAndSeconds()
{
    QCOMPARE(shown(lengthText(12s)), QStringLiteral("12_s"));
    QCOMPARE(shown(lengthText(1200ms)), QStringLiteral("1.2_s"));
    QCOMPARE(shown(lengthText(0s)), QStringLiteral("0_s"));
    QCOMPARE(shown(lengthText(350ms)), QStringLiteral("350_ms"));
    QCOMPARE(shown(lengthText(10min)), QStringLiteral("10_min"));
    QCOMPARE(shown(lengthText(298s)), QStringLiteral("4_min 58_s"));
    QCOMPARE(shown(lengthText(std::nullopt)), QStringLiteral("0"));
}

void ReportTextTest::differencesHaveASign()
{
    QCOMPARE(shown(typesetDifference(Quantity::Success, 0.041)), QStringLiteral("+4.10_pp"));
    QCOMPARE(shown(typesetDifference(Quantity::Success, -0.012)), QStringLiteral("-1.20_pp"));
    QCOMPARE(shown(typesetDifference(Quantity::P99, -38.0)), QStringLiteral("-38_ms"));
    QCOMPARE(shown(typesetDifference(Quantity::Amplification, 0.5)), QStringLiteral("+0.50_×"));
    QCOMPARE(shown(numberText(-0.001, 2)), QStringLiteral("0.00")); // Not minus nothing.
}

void ReportTextTest::whatIsNoNumberIsADash()
{
    const double none = std::numeric_limits<double>::quiet_NaN();
    QCOMPARE(shown(millisecondsText(none)), QStringLiteral("0"));
    QCOMPARE(shown(shareText(std::nullopt)), QStringLiteral("0"));
    QCOMPARE(shown(rateText(std::numeric_limits<double>::infinity())), QStringLiteral("0"));
    QCOMPARE(shown(typesetDifference(Quantity::P50, none)), QStringLiteral("0"));
}

void ReportTextTest::markupIsEscaped()
{
    QCOMPARE(
        escapeMarkup("<a href=\"x\">'&'</a>"),
        std::string("&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;")
    );
    QCOMPARE(
        escapeMarkup("gr\u00fcn \u2192 \U0001f600\n\t"),
        std::string("gr\u00fcn \u2192 \U0001f600\n\t")
    );
}

void ReportTextTest::whatNoDocumentMayCarryIsReplaced()
{
    const std::string sign = "\ufffd";
    QCOMPARE(escapeMarkup(std::string_view("a\0b", 3)), "a" + sign + "b");
    QCOMPARE(escapeMarkup("\x1b[0m"), sign + "[0m");
    QCOMPARE(escapeMarkup("\xC0\xAF"), sign + sign); // Overlong.
    QCOMPARE(escapeMarkup("\xED\xA0\x80"), sign + sign + sign); // Half of a pair.
    QCOMPARE(escapeMarkup("\xE2\x82"), sign + sign); // Cut off.
    QCOMPARE(escapeMarkup("\xEF\xBF\xBE"), sign + sign + sign); // No character.
    QCOMPARE(escapeMarkup("\xF4\x90\x80\x80"), sign + sign + sign + sign); // Beyond Unicode.
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::ReportTextTest)
#include "report_text_test.moc"
