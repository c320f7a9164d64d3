// Goal: the graph draws the design's sample in both themes. The pictures stay in the build folder
// for people to look at; the test checks that state colours are in them.
#include "app/graph/topology_view.h"
#include "app/theme/theme.h"
#include "tests/gui/graph_sample.h"

#include <QDir>
#include <QtTest>

namespace mesh::test {

namespace {

// Pixels within a small distance of a colour.
int countOf(const QImage& image, const QColor& color)
{
    int count = 0;
    for (int y = 0; y < image.height(); ++y) {
        for (int x = 0; x < image.width(); ++x) {
            const QColor pixel = image.pixelColor(x, y);
            const int distance = std::abs(pixel.red() - color.red())
                                 + std::abs(pixel.green() - color.green())
                                 + std::abs(pixel.blue() - color.blue());
            count += distance < 12 ? 1 : 0;
        }
    }
    return count;
}

} // namespace

class GraphPictureTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void drawsTheShop_data()
    {
        QTest::addColumn<theme::Choice>("choice");
        QTest::addColumn<double>("zoom");
        QTest::newRow("dark") << theme::Choice::Dark << 1.0;
        QTest::newRow("light") << theme::Choice::Light << 1.0;
        QTest::newRow("dark-70") << theme::Choice::Dark << 0.7;
        QTest::newRow("dark-45") << theme::Choice::Dark << 0.45;
        QTest::newRow("dark-25") << theme::Choice::Dark << 0.25;
    }

    void drawsTheShop()
    {
        QFETCH(const theme::Choice, choice);
        QFETCH(const double, zoom);
        theme::apply(*qApp, choice);
        graph::TopologyView view;
        view.resize(1032, 708);
        view.setPositions(shopPositions());
        view.setTopology(shopTopology());
        view.setSelection(QStringLiteral("service:payment"));
        view.show();
        view.setZoom(zoom);
        view.centerOn(zoom < 1 ? QPointF(500, 370) : QPointF(516, 354));

        const QImage image = view.grab().toImage();

        QDir().mkpath(QStringLiteral(MESH_PICTURE_DIR));
        const QString name = QStringLiteral(MESH_PICTURE_DIR "/graph-%1.png")
                                 .arg(QString::fromUtf8(QTest::currentDataTag()));
        QVERIFY(image.save(name));
        QVERIFY(countOf(image, theme::tokens().of(theme::State::Degraded).line) > 20);
        QVERIFY(countOf(image, theme::tokens().selection) > 10);
    }
};

} // namespace mesh::test

QTEST_MAIN(mesh::test::GraphPictureTest)
#include "graph_picture_test.moc"
