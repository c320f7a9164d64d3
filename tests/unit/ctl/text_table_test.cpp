#include "app/ctl/text_table.h"

#include <QTest>

// Goal: columns line up also with colour and letters of several bytes, and no cell can write on a
//       terminal.
namespace mesh::ctl {

class TextTableTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void columnsAreAsWideAsTheirWidestCell();
    void controlCharactersAreReplaced();
    void colourTakesNoRoom();
};

void TextTableTest::columnsAreAsWideAsTheirWidestCell()
{
    TextTable table({"NODE", "HASH"});
    table.add({{"k\xc3\xbchler-1"}, {"a"}});
    table.add({{"b"}, {""}});

    QCOMPARE(
        table.toText(Colour::Off), std::string("NODE      HASH\nk\xc3\xbchler-1  a\nb         -\n")
    );
}

void TextTableTest::controlCharactersAreReplaced()
{
    TextTable table({"A"});
    table.add({{"x\x1b[2Jy\n"}});

    QCOMPARE(table.toText(Colour::Off), std::string("A\nx?[2Jy?\n"));
}

void TextTableTest::colourTakesNoRoom()
{
    TextTable table({"A", "B"});
    table.add({{"ok", Mood::Good}, {"z"}});

    QCOMPARE(table.toText(Colour::On), std::string("A   B\n\x1b[32mok\x1b[0m  z\n"));
}

} // namespace mesh::ctl

QTEST_APPLESS_MAIN(mesh::ctl::TextTableTest)
#include "text_table_test.moc"
