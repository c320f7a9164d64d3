// Goal: the report is one page that stands alone, is whole and says what the rehearsal says.
// Method: a rehearsal made by hand; the page is parsed as XML, its outline and cells are compared.
#include "simulator/report/html.h"
#include "simulator/report/margins.h"
#include "simulator/report/svg_timeline.h"
#include "tests/unit/simulator/rehearsal_sample.h"

#include <QFile>
#include <QRegularExpression>
#include <QTest>
#include <QXmlStreamReader>

namespace mesh::simulator {
namespace {

using namespace std::chrono_literals;

// What a reader of the page meets, in order.
struct Outline
{
    QStringList sections; // Ids.
    QStringList titles; // h2.
    QStringList cells; // Texts of td and th.
    QStringList elements; // All tags, unique.
    QString error; // Empty: well-formed.
};

Outline outlineOf(const std::string& page)
{
    Outline outline;
    QXmlStreamReader reader(QByteArray::fromStdString(page));
    while (!reader.atEnd()) {
        if (reader.readNext() != QXmlStreamReader::StartElement) {
            continue;
        }
        const QString tag = reader.name().toString();
        if (!outline.elements.contains(tag)) {
            outline.elements << tag;
        }
        if (tag == QStringLiteral("section")) {
            outline.sections << reader.attributes().value(QStringLiteral("id")).toString();
        }
        const auto text = [&reader] {
            return reader.readElementText(QXmlStreamReader::IncludeChildElements);
        };
        if (tag == QStringLiteral("h2")) {
            outline.titles << text();
        } else if (tag == QStringLiteral("td") || tag == QStringLiteral("th")) {
            outline.cells << text();
        }
    }
    outline.error = reader.hasError() ? reader.errorString() : QString();
    return outline;
}

QString plain(QString text)
{
    return text.replace(QChar(0x202F), u' ')
        .replace(QChar(0x2009), u' ')
        .replace(QChar(0x2212), u'-');
}

} // namespace

class HtmlReportTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void partsStandInTheirOrder();
    void aRehearsalOfNothingIsAPageToo();
    void nothingIsLoadedFromOutside();
    void namesAreTextWhateverTheySay();
    void figuresAreThoseOfTheRehearsal();
    void slowRequestsSayWhichHopTheyWaitedFor();
    void theBudgetIsCountedAgainstTheObjective();
    void verdictsHaveTheirWords_data();
    void verdictsHaveTheirWords();
    void missingSecondsAreGaps();
    void colorsAreThoseOfTheConsole();
    void stepsOfAnAxisAreRound_data();
    void stepsOfAnAxisAreRound();
    void capacityIsSharedByAttempts();
    void aLossRaisesTheUtilization();
};

void HtmlReportTest::partsStandInTheirOrder()
{
    HtmlOptions options;
    options.command = "meshwrightctl rehearse zone-loss.yaml --html out.html";
    const Outline outline = outlineOf(renderHtml(sampleRehearsal(), options));

    QCOMPARE(outline.error, QString());
    const QStringList sections{
        QStringLiteral("verdict"),
        QStringLiteral("windows"),
        QStringLiteral("timeline"),
        QStringLiteral("reactions"),
        QStringLiteral("blast-radius"),
        QStringLiteral("waterfalls"),
        QStringLiteral("amplification"),
        QStringLiteral("ablation"),
        QStringLiteral("margins"),
        QStringLiteral("trust"),
        QStringLiteral("repeat")};
    QCOMPARE(outline.sections, sections);
    QCOMPARE(outline.titles.front(), QStringLiteral("Fails: 2 of 3 assertions hold"));
    QCOMPARE(outline.titles.size(), sections.size());
}

void HtmlReportTest::aRehearsalOfNothingIsAPageToo()
{
    const Outline outline = outlineOf(renderHtml(Rehearsal{}, {}));

    QCOMPARE(outline.error, QString());
    QVERIFY(outline.sections.contains(QStringLiteral("verdict")));
    QVERIFY(outline.sections.contains(QStringLiteral("repeat")));

    Rehearsal bare; // A variant without any call, series or fault.
    bare.variants.push_back(VariantResult{});
    bare.entries = {"frontend"};
    QCOMPARE(outlineOf(renderHtml(bare, {})).error, QString());
}

void HtmlReportTest::nothingIsLoadedFromOutside()
{
    HtmlOptions options;
    options.command = "meshwrightctl rehearse x";
    const std::string page = renderHtml(sampleRehearsal(), options);

    for (const std::string_view word :
         {"http:", "https:", "//", "src=", "href=", "@import", "<script", "<link", "<iframe"}) {
        QVERIFY2(page.find(word) == std::string::npos, std::string(word).c_str());
    }
    const QRegularExpression url(QStringLiteral("url\\((?!#)"));
    QVERIFY(!QString::fromStdString(page).contains(url));
}

void HtmlReportTest::namesAreTextWhateverTheySay()
{
    const std::string hostile = "a</title></style><script>x</script>&\"'\x01\xFF -->]]>";
    Rehearsal rehearsal = sampleRehearsal();
    rehearsal.scenario.name = hostile;
    rehearsal.scenario.mesh = hostile;
    rehearsal.entries = {hostile};
    rehearsal.stoppedBy = hostile;
    rehearsal.faults[0] = {hostile, {hostile}};
    rehearsal.trust.notModelled = {hostile};
    rehearsal.trust.beyond = {hostile};
    rehearsal.ablation[0].policy = hostile;
    rehearsal.ablation[0].amplification = {{hostile, 2.0}};
    for (VariantResult& variant : rehearsal.variants) {
        variant.name = hostile;
        variant.services[Window::During][hostile] = variant.services[Window::During]["payment"];
        variant.services[Window::Always][hostile] = variant.services[Window::Always]["payment"];
        variant.edges[Window::During][hostile] = variant.edges[Window::During]["frontend->payment"];
        variant.series[0].name = hostile;
        variant.reaction.hurt = {hostile};
        variant.asserts[0].assertion.text = hostile;
        variant.asserts[0].assertion.window = hostile;
        for (TracedStep& step : variant.slowest[0].steps) {
            step.name = step.service = step.outcome = hostile;
        }
        for (RunMarker& marker : variant.record.markers) {
            marker.caller = marker.callee = marker.instance = hostile;
        }
    }
    HtmlOptions options{hostile, hostile, hostile, hostile, hostile, hostile, nullptr};
    const std::string page = renderHtml(rehearsal, options);
    const Outline outline = outlineOf(page);

    QCOMPARE(outline.error, QString());
    QVERIFY(!outline.elements.contains(QStringLiteral("script")));
    const QString kept =
        QStringLiteral("a</title></style><script>x</script>&\"'\uFFFD\uFFFD -->]]>");
    QVERIFY(outline.cells.contains(kept));
    QVERIFY(page.find('\x01') == std::string::npos);
}

void HtmlReportTest::slowRequestsSayWhichHopTheyWaitedFor()
{
    const std::vector<TracedStep> steps = sampleTrace().steps;
    // The pause between the two tries is the call's own; cart was done before anybody waited for
    // it.
    QCOMPARE(steps[0].own, 0ms);
    QCOMPARE(steps[1].own, 30ms);
    QCOMPARE(steps[2].own, 40ms);
    QCOMPARE(steps[3].own, 500ms);
    QCOMPARE(steps[4].own, 330ms);
    QVERIFY(!steps[5].isCritical && !steps[6].isCritical);

    const std::string page = renderHtml(sampleRehearsal(), {});
    const QString text = plain(QString::fromStdString(page));
    QVERIFY(text.contains(QStringLiteral("at 1 min 3 s: 900 ms, succeeded; waited for payment "
                                         "870 ms, frontend 30 ms")));
    QVERIFY(text.contains(QStringLiteral("870 ms · 2 tries")));
    QVERIFY(text.contains(
        QStringLiteral("payment-1: timeout after 500 ms; 500 ms before a worker began")
    ));
}

void HtmlReportTest::figuresAreThoseOfTheRehearsal()
{
    const Outline outline = outlineOf(renderHtml(sampleRehearsal(), {}));
    QStringList cells;
    for (const QString& cell : outline.cells) {
        cells << plain(cell);
    }

    for (const QString& text :
         {QStringLiteral("99.98 %"), // success before
          QStringLiteral("92 %"), // never: two decimals
          QStringLiteral("92.00 %"), // success during
          QStringLiteral("600 ms"),
          QStringLiteral("1.2 s"), // time to detect: both a latency and a time
          QStringLiteral("11 s"),
          QStringLiteral("not while it lasted"),
          QStringLiteral("+2.90 pp"),
          QStringLiteral("+2.60 pp to +3.20 pp"),
          QStringLiteral("-0.10 pp"),
          QStringLiteral("-38 ms"),
          QStringLiteral("2 of 2"),
          QStringLiteral("1: payment"),
          QStringLiteral("frontend-2, payment-2")}) {
        const bool isNever = text == QStringLiteral("92 %");
        QVERIFY2(cells.contains(text) != isNever, qPrintable(text));
    }
}

void HtmlReportTest::theBudgetIsCountedAgainstTheObjective()
{
    // 8 of 100 fail where 5 of 1000 may: 16 times as fast; for 60 s of 30 days: 0.04 %.
    const Outline outline = outlineOf(renderHtml(sampleRehearsal(), {}));
    const qsizetype burn = outline.cells.indexOf(QStringLiteral("error budget, burn rate"));
    const qsizetype share = outline.cells.indexOf(QStringLiteral("of a 30-day budget"));

    QVERIFY(burn > 0 && share > 0);
    QCOMPARE(plain(outline.cells[burn + 2]), QStringLiteral("16.00 ×"));
    QCOMPARE(plain(outline.cells[share + 2]), QStringLiteral("0.04 %"));
}

void HtmlReportTest::verdictsHaveTheirWords_data()
{
    QTest::addColumn<int>("verdict");
    QTest::addColumn<QString>("title");

    QTest::newRow("holds") << static_cast<int>(Verdict::Holds) << QStringLiteral("Holds: ");
    QTest::newRow("fails") << static_cast<int>(Verdict::Fails) << QStringLiteral("Fails: ");
    QTest::newRow("stopped") << static_cast<int>(Verdict::Stopped)
                             << QStringLiteral("Stopped by a guard: ");
    QTest::newRow("not deterministic")
        << static_cast<int>(Verdict::NotDeterministic) << QStringLiteral("Not deterministic: ");
    QTest::newRow("not calibrated") << static_cast<int>(Verdict::NotCalibrated)
                                    << QStringLiteral("Outside the calibrated range: ");
}

void HtmlReportTest::verdictsHaveTheirWords()
{
    QFETCH(const int, verdict);
    QFETCH(const QString, title);
    Rehearsal rehearsal = sampleRehearsal();
    rehearsal.verdict = static_cast<Verdict>(verdict);

    QVERIFY(outlineOf(renderHtml(rehearsal, {})).titles.front().startsWith(title));
}

void HtmlReportTest::missingSecondsAreGaps()
{
    Timeline timeline;
    timeline.length = 6s;
    timeline.bin = 1s;
    TimelineLane lane;
    lane.lines = {{1, {1.0, 2.0, std::nullopt, std::nullopt, 3.0}}};
    timeline.lanes = {lane};
    const QString svg = QString::fromStdString(renderTimeline(timeline));

    QCOMPARE(svg.count(QStringLiteral("class=\"gap\"")), 2); // In the middle and at the end.
    const QRegularExpression path(QStringLiteral("class=\"line s1\" d=\"([^\"]*)\""));
    const QString drawn = path.match(svg).captured(1);
    QCOMPARE(drawn.count(u'M'), 2);
    QCOMPARE(drawn.count(u'L'), 1);
    QVERIFY(drawn.endsWith(QStringLiteral("h1"))); // A second by itself is seen.
}

void HtmlReportTest::colorsAreThoseOfTheConsole()
{
    QFile file(QStringLiteral(MESH_SOURCE_DIR "/app/theme/tokens.h"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QString tokens = QString::fromUtf8(file.readAll());
    const qsizetype lightAt = tokens.indexOf(QStringLiteral("kLight ="));
    const QString sheet = QString::fromStdString(renderHtml(Rehearsal{}, {}));
    const qsizetype darkAt = sheet.indexOf(QStringLiteral("prefers-color-scheme:dark"));
    QVERIFY(lightAt > 0 && darkAt > 0);

    int compared = 0;
    const QRegularExpression variable(QStringLiteral("--(\\w+):#([0-9A-F]{6});"));
    for (auto all = variable.globalMatch(sheet); all.hasNext();) {
        const auto found = all.next();
        const bool isDark = found.capturedStart() > darkAt;
        const QString theme = isDark ? tokens.left(lightAt) : tokens.mid(lightAt);
        const QRegularExpression token(
            QStringLiteral("\\.%1 = rgb\\(0x([0-9A-F]{6})\\)").arg(found.captured(1))
        );
        const auto match = token.match(theme);
        if (match.hasMatch()) {
            QCOMPARE(found.captured(2), match.captured(1));
            ++compared;
        } else { // A state's or a series' colour stands in a list.
            QVERIFY2(
                theme.contains(QStringLiteral("rgb(0x%1)").arg(found.captured(2))),
                qPrintable(found.captured(0))
            );
        }
    }
    QCOMPARE(compared, 2 * 13);
}

void HtmlReportTest::stepsOfAnAxisAreRound_data()
{
    QTest::addColumn<double>("span");
    QTest::addColumn<double>("step");

    QTest::newRow("a little") << 0.2 << 0.1;
    QTest::newRow("one") << 1.0 << 0.5;
    QTest::newRow("three fit exactly") << 3.0 << 1.0;
    QTest::newRow("just more") << 3.1 << 2.0;
    QTest::newRow("hundreds") << 640.0 << 500.0;
    QTest::newRow("thousands") << 14'000.0 << 5000.0;
}

void HtmlReportTest::stepsOfAnAxisAreRound()
{
    QFETCH(const double, span);
    QFETCH(const double, step);

    QVERIFY(std::abs(roundStep(span, 3) - step) < step * 1e-9);
}

void HtmlReportTest::capacityIsSharedByAttempts()
{
    const VariantResult variant = sampleVariant("baseline", 8);
    const std::vector<ServiceMargin> margins = marginsOf(variant, nullptr);

    // 100 calls a second at 0.4 of capacity: 250 attempts; two per call leave 125 calls.
    QCOMPARE(margins.size(), std::size_t{2});
    QCOMPARE(margins[0].service, std::string("payment"));
    QCOMPARE(margins[0].capacity, 250.0);
    QCOMPARE(margins[0].attempts, 2.0);
    QCOMPARE(margins[0].hidden, 125.0);
    QCOMPARE(margins[0].collapseFactor, 1.25);
    QVERIFY(!margins[0].utilizationWithoutInstance);

    RunSeries series{"payment", std::vector<RunSecond>(10, sampleSecond(2, 1, 20ms))};
    QCOMPARE(peakAttemptsOf(series), 1.5);
    series.seconds.resize(9); // 18 calls say nothing.
    QCOMPARE(peakAttemptsOf(series), 1.0);
}

void HtmlReportTest::aLossRaisesTheUtilization()
{
    model::Document document;
    model::ServiceModel payment;
    payment.service = "payment";
    payment.instances = 4;
    payment.zones = {"a", "b"};
    model::ServiceModel single;
    single.service = "frontend";
    document.models = {payment, single};
    const auto margins = marginsOf(sampleVariant("baseline", 8), &document);

    QCOMPARE(margins[0].utilizationWithoutInstance, std::optional(0.4 * 4 / 3));
    QCOMPARE(margins[0].utilizationWithoutZone, std::optional(0.8));
    QCOMPARE(margins[1].service, std::string("frontend"));
    QVERIFY(!margins[1].utilizationWithoutInstance); // Nothing would be left.
    QVERIFY(margins[1].zone.empty());
}

} // namespace mesh::simulator

QTEST_APPLESS_MAIN(mesh::simulator::HtmlReportTest)
#include "html_report_test.moc"
