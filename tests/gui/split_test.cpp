// Goal: the shares of a traffic split add up to 100 whatever is done to them, and a split that
// nobody touches keeps its weights.
// Method: random steps through the arithmetic; then the editor by mouse and by keyboard.
#include "app/forms/schema_form.h"
#include "app/forms/split_controls.h"
#include "app/forms/split_editor.h"
#include "app/forms/split_shares.h"
#include "app/theme/theme.h"
#include "proxyengine/base/random.h"
#include "proxyengine/model/schema.h"

#include <QComboBox>
#include <QDir>
#include <QLineEdit>
#include <QTest>
#include <QToolButton>

#include <functional>
#include <numeric>

namespace mesh::forms {

namespace {

using Parts = std::vector<SplitShare>;
using Mover = std::function<Parts(Parts, std::size_t, int)>;

constexpr std::uint64_t kSeed = 20260301;
constexpr int kSteps = 20'000;

int sumOf(const Parts& parts)
{
    return std::accumulate(parts.begin(), parts.end(), 0, [](int sum, const SplitShare& part) {
        return sum + part.share;
    });
}

bool isSound(const Parts& parts)
{
    for (const SplitShare& part : parts) {
        if (part.share < 0 || part.share > kSharesTotal) {
            return false;
        }
    }
    return parts.empty() || sumOf(parts) == kSharesTotal;
}

// Plays random steps; the first step after which the shares are wrong, or -1.
int firstWrongStep(const Mover& move)
{
    Random random{Seed{kSeed}};
    Parts parts;
    for (int step = 0; step < kSteps; ++step) {
        const auto dice = random.below(10);
        const std::size_t index = parts.empty() ? 0 : random.below(parts.size());
        if (parts.empty() || (dice == 0 && parts.size() < 8)) {
            parts = withPart(parts, QString::number(step));
        } else if (dice == 1) {
            parts = withoutPart(parts, index);
        } else if (dice == 2) {
            parts[index].isLocked = !parts[index].isLocked;
        } else {
            const Parts before = parts;
            parts = move(parts, index, static_cast<int>(random.below(140)) - 20);
            for (std::size_t i = 0; i < parts.size(); ++i) {
                if (i != index && before[i].isLocked && before[i].share != parts[i].share) {
                    return step;
                }
            }
        }
        if (!isSound(parts)) {
            return step;
        }
    }
    return -1;
}

model::Value splitOf(std::initializer_list<std::pair<const char*, int>> parts)
{
    model::Value::List list;
    for (const auto& [service, weight] : parts) {
        model::Value part(model::Value::Map{});
        part.set("service", model::Value(service));
        part.set("weight", model::Value(weight));
        list.push_back(std::move(part));
    }
    return model::Value(std::move(list));
}

std::int64_t weightsOf(const model::Value& value)
{
    std::int64_t sum = 0;
    for (const model::Value& part : value.list()) {
        sum += part.find("weight")->toInt();
    }
    return sum;
}

} // namespace

class SplitTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void sharesAddUpAfterAnySteps();
    void aWrongMoveIsNoticed();
    void sharesFollowWeightsOfAnySum();
    void aMoveTakesFromTheOthersInProportion();
    void anUntouchedSplitWritesNothing();
    void slidersMoveByKeyboardAndAlwaysSumTo100();
    void goingBackRestoresTheOthers();
    void typedSharesCount();
    void partsComeAndGoByTheirControls();
    void aLockedShareStays();
    void aSplitOfAnotherShapeIsLeftToTheText();
    void everyControlIsNamed();
    void drawsARouteWithASplit();

private:
    [[nodiscard]] static const model::Field& field();
};

const model::Field& SplitTest::field() { return *model::schemaOf<model::Route>().field("split"); }

void SplitTest::sharesAddUpAfterAnySteps()
{
    const int wrong = firstWrongStep(withShare);
    QVERIFY2(wrong < 0, qPrintable(QStringLiteral("seed %1, step %2").arg(kSeed).arg(wrong)));
}

// The property can fail: a mover that rounds each share by itself is caught.
void SplitTest::aWrongMoveIsNoticed()
{
    const auto careless = [](Parts parts, std::size_t index, int share) {
        const int rest = kSharesTotal - parts[index].share;
        const int wanted = std::clamp(share, 0, kSharesTotal);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (i != index && rest > 0) {
                parts[i].share = parts[i].share * (kSharesTotal - wanted) / rest;
            }
        }
        parts[index].share = wanted;
        return parts;
    };
    QVERIFY(firstWrongStep(careless) >= 0);
}

void SplitTest::sharesFollowWeightsOfAnySum()
{
    QCOMPARE(sharesOf({95, 5}), (std::vector<int>{95, 5}));
    QCOMPARE(sharesOf({1, 1, 1}), (std::vector<int>{34, 33, 33}));
    QCOMPARE(sharesOf({0, 0}), (std::vector<int>{50, 50}));
    QCOMPARE(sharesOf({3, 1}), (std::vector<int>{75, 25}));
    QCOMPARE(sharesOf({65535, 1}), (std::vector<int>{100, 0}));
    QCOMPARE(sharesOf({}), std::vector<int>());
}

void SplitTest::aMoveTakesFromTheOthersInProportion()
{
    const Parts parts = {
        {QStringLiteral("a"), 50}, {QStringLiteral("b"), 30}, {QStringLiteral("c"), 20}};

    const Parts moved = withShare(parts, 0, 75);

    QCOMPARE(moved[1].share, 15);
    QCOMPARE(moved[2].share, 10);
}

void SplitTest::anUntouchedSplitWritesNothing()
{
    SplitEditor editor(field(), nullptr);
    int edits = 0;
    connect(&editor, &FieldEditor::edited, this, [&edits] { ++edits; });
    const model::Value split = splitOf({{"cart", 3}, {"cart-v2", 1}});

    editor.setNames({{"services", {QStringLiteral("cart"), QStringLiteral("cart-v2")}}});
    editor.setValue(&split);
    editor.setValue(&split);

    QCOMPARE(edits, 0);
    QCOMPARE(editor.parts().size(), std::size_t(2));
    QCOMPARE(editor.parts()[0].share, 75);
}

void SplitTest::slidersMoveByKeyboardAndAlwaysSumTo100()
{
    SplitEditor editor(field(), nullptr);
    model::Value last = splitOf({{"cart", 90}, {"cart-v2", 7}, {"cart-v3", 3}});
    editor.setValue(&last);
    bool isAlwaysWhole = true;
    connect(&editor, &FieldEditor::edited, this, [&](const model::Value& value) {
        last = value;
        isAlwaysWhole = isAlwaysWhole && weightsOf(value) == kSharesTotal;
        editor.setValue(&value); // As the draft does.
    });
    editor.show();
    auto* slider = editor.findChild<ShareSlider*>(QStringLiteral("splitSlider1"));
    QVERIFY(slider != nullptr);
    slider->setFocus();
    const Qt::Key keys[] = {
        Qt::Key_Right,
        Qt::Key_Right,
        Qt::Key_PageUp,
        Qt::Key_Left,
        Qt::Key_End,
        Qt::Key_Home,
        Qt::Key_PageUp};

    for (const Qt::Key key : keys) {
        QTest::keyClick(slider, key);
        QCOMPARE(sumOf(editor.parts()), kSharesTotal);
        QCOMPARE(slider->value(), editor.parts()[1].share);
    }

    QVERIFY(isAlwaysWhole);
    QCOMPARE(editor.parts()[1].share, 10);
    QCOMPARE(weightsOf(last), kSharesTotal);
}

void SplitTest::goingBackRestoresTheOthers()
{
    SplitEditor editor(field(), nullptr);
    const model::Value split = splitOf({{"a", 50}, {"b", 30}, {"c", 20}});
    editor.setValue(&split);
    connect(&editor, &FieldEditor::edited, this, [&editor](const model::Value& value) {
        editor.setValue(&value);
    });
    auto* slider = editor.findChild<ShareSlider*>(QStringLiteral("splitSlider0"));

    slider->setValue(100);
    slider->setValue(50);

    QCOMPARE(editor.parts()[1].share, 30);
    QCOMPARE(editor.parts()[2].share, 20);
}

void SplitTest::typedSharesCount()
{
    SplitEditor editor(field(), nullptr);
    model::Value last = splitOf({{"cart", 95}, {"cart-v2", 5}});
    editor.setValue(&last);
    connect(&editor, &FieldEditor::edited, this, [&](const model::Value& value) {
        last = value;
        editor.setValue(&value);
    });
    auto* share = editor.findChild<QLineEdit*>(QStringLiteral("splitShare1"));
    share->selectAll();
    QTest::keyClicks(share, QStringLiteral("20"));

    QCOMPARE(editor.parts()[0].share, 80);
    QTest::keyClick(share, Qt::Key_Up);
    QCOMPARE(editor.parts()[1].share, 21);
    QCOMPARE(editor.parts()[0].share, 79);
    QCOMPARE(weightsOf(last), kSharesTotal);
}

void SplitTest::partsComeAndGoByTheirControls()
{
    SplitEditor editor(field(), nullptr);
    model::Value last;
    connect(&editor, &FieldEditor::edited, this, [&](const model::Value& value) {
        last = value;
        editor.setValue(&value);
        QVERIFY(value.isNull() || weightsOf(value) == kSharesTotal);
    });
    editor.setNames({{"services", {QStringLiteral("a"), QStringLiteral("b"), QStringLiteral("c")}}}
    );
    editor.setValue(nullptr);
    auto* add = editor.findChild<QComboBox*>(QStringLiteral("split"));
    QVERIFY(add != nullptr);
    editor.show();
    add->setFocus();

    for (int i = 0; i < 3; ++i) {
        // The first entry is the invitation; the next service comes after it.
        add->setCurrentIndex(1);
        Q_EMIT add->activated(1);
        QCOMPARE(sumOf(editor.parts()), kSharesTotal);
    }
    QCOMPARE(editor.parts().size(), std::size_t(3));
    QVERIFY(!add->isEnabled()); // No service is left.

    auto* slider = editor.findChild<ShareSlider*>(QStringLiteral("splitSlider1"));
    slider->setValue(40);
    for (int i = 0; i < 3; ++i) {
        auto* remove = editor.findChild<QToolButton*>(QStringLiteral("splitRemove0"));
        QVERIFY(remove != nullptr);
        QTest::mouseClick(remove, Qt::LeftButton);
        QVERIFY(editor.parts().empty() || sumOf(editor.parts()) == kSharesTotal);
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    }
    QVERIFY(editor.parts().empty());
    QVERIFY(last.isNull()); // Without parts the field leaves the file.
}

void SplitTest::aLockedShareStays()
{
    SplitEditor editor(field(), nullptr);
    const model::Value split = splitOf({{"a", 60}, {"b", 30}, {"c", 10}});
    editor.setValue(&split);
    connect(&editor, &FieldEditor::edited, this, [&editor](const model::Value& value) {
        editor.setValue(&value);
    });
    QTest::mouseClick(editor.findChild<QToolButton*>(QStringLiteral("splitLock1")), Qt::LeftButton);

    editor.findChild<ShareSlider*>(QStringLiteral("splitSlider0"))->setValue(95);

    QCOMPARE(editor.parts()[0].share, 70); // All that the lock leaves.
    QCOMPARE(editor.parts()[1].share, 30);
    QCOMPARE(editor.parts()[2].share, 0);
}

void SplitTest::aSplitOfAnotherShapeIsLeftToTheText()
{
    SplitEditor editor(field(), nullptr);
    int edits = 0;
    connect(&editor, &FieldEditor::edited, this, [&edits] { ++edits; });
    const model::Value odd(model::Value::List{model::Value("cart")});

    editor.setValue(&odd);

    QVERIFY(editor.parts().empty());
    QVERIFY(!editor.findChild<QComboBox*>(QStringLiteral("split"))->isEnabled());
    QCOMPARE(edits, 0);
}

void SplitTest::everyControlIsNamed()
{
    SplitEditor editor(field(), nullptr);
    const model::Value split = splitOf({{"a", 60}, {"b", 40}});
    editor.setValue(&split);

    int named = 0;
    for (const QWidget* widget : editor.findChildren<QWidget*>()) {
        if (widget->focusPolicy() != Qt::NoFocus && widget->window() == &editor
            && !widget->objectName().startsWith(QStringLiteral("qt_"))) {
            const bool isInside = qobject_cast<QComboBox*>(widget->parentWidget()) != nullptr;
            QVERIFY2(
                isInside || !widget->accessibleName().isEmpty(), qPrintable(widget->objectName())
            );
            ++named;
        }
    }
    QVERIFY(named >= 11);
}

// The picture stays in the build folder for people to look at.
void SplitTest::drawsARouteWithASplit()
{
    theme::apply(*qApp, theme::Choice::Light);
    SchemaForm form;
    form.setSchema(model::schemaOf<model::Route>());
    form.setNames({{"services", {QStringLiteral("cart"), QStringLiteral("cart-v2")}}});
    model::Value record(model::Value::Map{});
    record.set("name", model::Value("cart"));
    record.set("split", splitOf({{"cart", 80}, {"cart-v2", 15}, {"cart-v3", 5}}));
    form.setRecord(record, nullptr);
    form.resize(640, 900);
    form.show();

    const QImage image = form.grab().toImage();

    QDir().mkpath(QStringLiteral(MESH_PICTURE_DIR));
    QVERIFY(image.save(QStringLiteral(MESH_PICTURE_DIR "/split-light.png")));
    auto* bar = form.findChild<SplitBar*>();
    QVERIFY(bar != nullptr && bar->isVisible());
    const QPoint at = bar->mapTo(&form, QPoint(bar->width() / 4, bar->height() - 2));
    QCOMPARE(image.pixelColor(at), theme::tokens().series[0]);
}

} // namespace mesh::forms

QTEST_MAIN(mesh::forms::SplitTest)
#include "split_test.moc"
