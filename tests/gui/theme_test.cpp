// Goal: text and graphics of both themes and both palettes are readable, figures line up, every
// state and icon draws its own picture. Method: WCAG contrast over the token table; small images.
#include "app/theme/theme.h"

#include "app/theme/figures.h"
#include "app/theme/glyphs.h"
#include "app/theme/icons.h"
#include "app/theme/numbers.h"

#include <QPainter>
#include <QtTest>

namespace mesh::test {

namespace {

template <typename Draw>
QImage drawn(const Draw& draw)
{
    QImage image(32, 32, QImage::Format_ARGB32_Premultiplied);
    image.fill(Qt::transparent);
    QPainter painter(&image);
    draw(painter);
    return image;
}

} // namespace

class ThemeTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { theme::apply(*qApp, theme::Choice::Dark); }

    void tokensHaveEnoughContrast_data()
    {
        QTest::addColumn<bool>("isDark");
        QTest::addColumn<bool>("isColorBlind");
        QTest::newRow("dark") << true << false;
        QTest::newRow("light") << false << false;
        QTest::newRow("dark, colour-blind") << true << true;
        QTest::newRow("light, colour-blind") << false << true;
    }

    void tokensHaveEnoughContrast()
    {
        QFETCH(const bool, isDark);
        QFETCH(const bool, isColorBlind);
        theme::Tokens t = isDark ? theme::kDark : theme::kLight;
        if (isColorBlind) {
            t = theme::colorBlind(t, isDark);
        }
        const auto check = [](const QColor& text, const QColor& ground, double minimum) {
            const double found = theme::contrast(text, ground);
            return found >= minimum
                       ? QString()
                       : QStringLiteral("%1 on %2: %3").arg(text.name(), ground.name()).arg(found);
        };
        for (const QColor& ground : {t.chrome, t.canvas, t.panel, t.raised}) {
            for (const QColor& text : {t.text1, t.text2, t.text3, t.accent}) {
                QCOMPARE(check(text, ground, 4.5), QString());
            }
        }
        for (const theme::State state :
             {theme::State::Healthy, theme::State::Degraded, theme::State::Failure}) {
            QCOMPARE(check(t.of(state).text, t.panel, 4.5), QString());
            QCOMPARE(check(t.of(state).text, t.canvas, 4.5), QString());
        }
        for (const QColor& graphic : {t.borderStrong, t.edge, t.edgeTcp, t.accent}) {
            QCOMPARE(check(graphic, t.canvas, 3.0), QString());
        }
        QCOMPARE(check(t.onFill, t.accentFill, 4.5), QString());
    }

    void everyStateDrawsItsOwnGlyph()
    {
        std::vector<QImage> images;
        for (int i = 0; i < theme::kStateCount; ++i) {
            images.push_back(drawn([i](QPainter& painter) {
                const auto state = static_cast<theme::State>(i);
                theme::drawStateGlyph(painter, QRectF(8, 8, 16, 16), state, Qt::white);
            }));
        }
        for (int i = 0; i < theme::kPipCount; ++i) {
            images.push_back(drawn([i](QPainter& painter) {
                theme::drawPip(painter, QRectF(10, 10, 12, 12), static_cast<theme::Pip>(i));
            }));
        }
        for (std::size_t one = 0; one < images.size(); ++one) {
            for (std::size_t other = one + 1; other < images.size(); ++other) {
                QVERIFY2(images[one] != images[other], qPrintable(QString::number(other)));
            }
        }
    }

    void everyIconDrawsSomething()
    {
        const QStringList names = theme::iconNames();
        QVERIFY(names.size() >= 45);
        const QImage empty = drawn([](QPainter&) {});
        for (const QString& name : names) {
            const QImage image = drawn([&name](QPainter& painter) {
                theme::drawIcon(painter, QRectF(0, 0, 32, 32), name, Qt::white);
            });
            QVERIFY2(image != empty, qPrintable(name));
        }
    }

    void figuresAreAsWideWhateverTheDigits()
    {
        const QFont font = theme::font(theme::Role::Body);

        QCOMPARE(
            theme::figuresWidth(font, QStringLiteral("11.1")),
            theme::figuresWidth(font, QStringLiteral("08.4"))
        );
    }

    void numbersFollowTheHouseRules()
    {
        QCOMPARE(theme::rateText(0.25), QStringLiteral("0.25"));
        QCOMPARE(theme::rateText(84), QStringLiteral("84.0"));
        QCOMPARE(theme::rateText(1977), QStringLiteral("1\u2009977"));
        QCOMPARE(theme::shareText(0.045), QStringLiteral("4.5\u202F%"));
        QCOMPARE(theme::shareText(std::nullopt), QStringLiteral("\u2013"));
        QCOMPARE(theme::millisecondsText(486), QStringLiteral("486\u202Fms"));
        QCOMPARE(theme::millisecondsText(3400), QStringLiteral("3.4\u202Fs"));
    }

    void changingTheThemeTellsAndRecolors()
    {
        int changes = 0;
        const auto connection =
            connect(&theme::current(), &theme::Theme::changed, this, [&changes] { ++changes; });

        theme::current().setTheme(theme::Choice::Light);

        disconnect(connection);
        QCOMPARE(changes, 1);
        QCOMPARE(qApp->palette().color(QPalette::Base), theme::kLight.panel);
        theme::current().setTheme(theme::Choice::Dark);
    }
};

} // namespace mesh::test

QTEST_MAIN(mesh::test::ThemeTest)
#include "theme_test.moc"
