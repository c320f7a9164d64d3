#include "app/bridge/run_records.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include <array>
#include <utility>

namespace mesh::bridge {

namespace {

constexpr int kRunFormat = 1;
constexpr int kVerdictKinds = 5;
constexpr int kReactionKinds = 7;

using Optional = std::optional<double>;

QJsonValue toValue(const Optional& number)
{
    return number ? QJsonValue(*number) : QJsonValue(QJsonValue::Null);
}

Optional numberOf(const QJsonValue& value)
{
    return value.isDouble() ? Optional(value.toDouble()) : std::nullopt;
}

template <typename Rows, typename Make>
QJsonArray listOf(const Rows& rows, Make make)
{
    QJsonArray list;
    for (const auto& row : rows) {
        list.append(make(row));
    }
    return list;
}

template <typename Row, typename Make>
std::vector<Row> rowsIn(const QJsonValue& value, Make make)
{
    std::vector<Row> rows;
    for (const QJsonValue& one : value.toArray()) {
        rows.push_back(make(one));
    }
    return rows;
}

QStringList wordsIn(const QJsonValue& value)
{
    QStringList words;
    for (const QJsonValue& one : value.toArray()) {
        words << one.toString();
    }
    return words;
}

QJsonArray pairOf(double first, double second) { return {first, second}; }

std::optional<std::pair<double, double>> pairIn(const QJsonValue& value)
{
    const QJsonArray list = value.toArray();
    if (list.size() != 2) {
        return std::nullopt;
    }
    return std::pair(list[0].toDouble(), list[1].toDouble());
}

QJsonArray secondsJson(const SecondRows& seconds)
{
    return listOf(seconds, [](const SecondRow& second) {
        return QJsonArray{
            second.rps, toValue(second.success), toValue(second.p50_ms), toValue(second.p99_ms)};
    });
}

SecondRows secondsIn(const QJsonValue& value)
{
    return rowsIn<SecondRow>(value, [](const QJsonValue& one) {
        const QJsonArray list = one.toArray();
        return SecondRow{
            list.at(0).toDouble(),
            numberOf(list.at(1)),
            numberOf(list.at(2)),
            numberOf(list.at(3))};
    });
}

QJsonObject scenarioJson(const ScenarioRow& row)
{
    return {
        {QStringLiteral("name"), row.name},
        {QStringLiteral("seed"), QString::number(row.seed)}, // Numbers of JSON have 53 bits.
        {QStringLiteral("replications"), row.replications},
        {QStringLiteral("duration"), row.duration_s},
        {QStringLiteral("warmup"), row.warmup_s},
        {QStringLiteral("asserts"), row.asserts},
        {QStringLiteral("variants"), QJsonArray::fromStringList(row.variants)},
        {QStringLiteral("ablated"), QJsonArray::fromStringList(row.ablated)},
        {QStringLiteral("loads"),
         listOf(
             row.loads,
             [](const LoadRow& load) {
                 const auto steps = listOf(load.steps, [](const auto& step) {
                     return pairOf(step.first, step.second);
                 });
                 return QJsonArray{load.entry, steps};
             }
         )},
        {QStringLiteral("clips"), listOf(row.clips, [](const ClipRow& clip) {
             return QJsonArray{
                 clip.index,
                 clip.kind,
                 clip.icon,
                 clip.title,
                 clip.detail,
                 clip.words,
                 clip.at_s,
                 toValue(clip.length_s)};
         })}};
}

ScenarioRow scenarioIn(const QJsonObject& json)
{
    ScenarioRow row;
    row.name = json.value(QStringLiteral("name")).toString();
    row.seed = json.value(QStringLiteral("seed")).toString().toULongLong();
    row.replications = json.value(QStringLiteral("replications")).toInt(1);
    row.duration_s = json.value(QStringLiteral("duration")).toDouble();
    row.warmup_s = json.value(QStringLiteral("warmup")).toDouble();
    row.asserts = json.value(QStringLiteral("asserts")).toInt();
    row.variants = wordsIn(json.value(QStringLiteral("variants")));
    row.ablated = wordsIn(json.value(QStringLiteral("ablated")));
    row.loads = rowsIn<LoadRow>(json.value(QStringLiteral("loads")), [](const QJsonValue& one) {
        LoadRow load;
        load.entry = one.toArray().at(0).toString();
        for (const QJsonValue& step : one.toArray().at(1).toArray()) {
            load.steps.push_back(pairIn(step).value_or(std::pair(0.0, 0.0)));
        }
        return load;
    });
    row.clips = rowsIn<ClipRow>(json.value(QStringLiteral("clips")), [](const QJsonValue& one) {
        const QJsonArray list = one.toArray();
        return ClipRow{
            list.at(0).toInt(),
            list.at(1).toString(),
            list.at(2).toString(),
            list.at(3).toString(),
            list.at(4).toString(),
            list.at(5).toString(),
            list.at(6).toDouble(),
            numberOf(list.at(7))};
    });
    return row;
}

QJsonObject variantJson(const VariantRow& row)
{
    return {
        {QStringLiteral("name"), row.name},
        {QStringLiteral("entry"), secondsJson(row.entry)},
        {QStringLiteral("reactions"),
         listOf(
             row.reactions,
             [](const ReactionMark& mark) {
                 return QJsonArray{mark.at_s, static_cast<int>(mark.kind), mark.words};
             }
         )},
        {QStringLiteral("detected"), toValue(row.detected_s)},
        {QStringLiteral("mitigated"), toValue(row.mitigated_s)},
        {QStringLiteral("recovered"), toValue(row.recovered_s)},
        {QStringLiteral("hurt"), QJsonArray::fromStringList(row.hurt)},
        {QStringLiteral("worst"), row.worst}};
}

VariantRow variantIn(const QJsonValue& value)
{
    const QJsonObject json = value.toObject();
    VariantRow row;
    row.name = json.value(QStringLiteral("name")).toString();
    row.entry = secondsIn(json.value(QStringLiteral("entry")));
    row.reactions =
        rowsIn<ReactionMark>(json.value(QStringLiteral("reactions")), [](const QJsonValue& one) {
            const QJsonArray list = one.toArray();
            const int kind = qBound(0, list.at(1).toInt(), kReactionKinds - 1);
            return ReactionMark{
                list.at(0).toDouble(),
                static_cast<ReactionMark::Kind>(kind),
                list.at(2).toString()};
        });
    row.detected_s = numberOf(json.value(QStringLiteral("detected")));
    row.mitigated_s = numberOf(json.value(QStringLiteral("mitigated")));
    row.recovered_s = numberOf(json.value(QStringLiteral("recovered")));
    row.hurt = wordsIn(json.value(QStringLiteral("hurt")));
    row.worst = json.value(QStringLiteral("worst")).toInt();
    return row;
}

QJsonArray verdictJson(const VerdictLine& line)
{
    return {line.window, line.text, line.value, line.interval, line.holds, line.hit, line.of};
}

VerdictLine verdictIn(const QJsonValue& value)
{
    const QJsonArray list = value.toArray();
    return {
        list.at(0).toString(),
        list.at(1).toString(),
        list.at(2).toString(),
        list.at(3).toString(),
        list.at(4).toBool(),
        list.at(5).toInt(),
        list.at(6).toInt(1)};
}

QJsonArray windowJson(const WindowLine& line)
{
    return {line.label, line.before, line.during, line.after, line.isReference, line.isDuringWorse};
}

WindowLine windowIn(const QJsonValue& value)
{
    const QJsonArray list = value.toArray();
    return {
        list.at(0).toString(),
        list.at(1).toString(),
        list.at(2).toString(),
        list.at(3).toString(),
        list.at(4).toBool(),
        list.at(5).toBool()};
}

// A text member of a row, by its name.
struct TextMember
{
    const char* name;
    QString RunRow::*member;
};
constexpr std::array<TextMember, 9> kTexts = {{
    {"name", &RunRow::name},
    {"source", &RunRow::source},
    {"headline", &RunRow::headline},
    {"summary", &RunRow::summary},
    {"entry", &RunRow::entry},
    {"shown", &RunRow::shown},
    {"reference", &RunRow::reference},
    {"hash", &RunRow::hash},
    {"effort", &RunRow::effort},
}};

QJsonObject rowJson(const RunRow& row)
{
    QJsonObject json;
    for (const TextMember& text : kTexts) {
        json.insert(QLatin1String(text.name), row.*text.member);
    }
    json.insert(QStringLiteral("time"), QString::number(row.time_us));
    json.insert(QStringLiteral("verdict"), static_cast<int>(row.verdict));
    json.insert(QStringLiteral("scenario"), scenarioJson(row.scenario));
    json.insert(QStringLiteral("verdicts"), listOf(row.verdicts, verdictJson));
    json.insert(QStringLiteral("windows"), listOf(row.windows, windowJson));
    json.insert(QStringLiteral("variants"), listOf(row.variants, variantJson));
    json.insert(QStringLiteral("resolved"), QJsonArray::fromStringList(row.resolved));
    json.insert(QStringLiteral("worth"), listOf(row.worth, [](const WorthLine& line) {
                    const QJsonValue interval =
                        line.interval ? pairOf(line.interval->first, line.interval->second)
                                      : QJsonValue();
                    return QJsonArray{line.policy, line.value, interval};
                }));
    if (row.objective) {
        json.insert(
            QStringLiteral("objective"), QJsonArray{row.objective->first, row.objective->second}
        );
    }
    json.insert(
        QStringLiteral("trust"),
        QJsonArray{row.trust.isCalibrated, row.trust.badge, row.trust.text, row.trust.missing}
    );
    return json;
}

RunRow rowIn(const QJsonObject& json)
{
    RunRow row;
    for (const TextMember& text : kTexts) {
        row.*text.member = json.value(QLatin1String(text.name)).toString();
    }
    row.isKept = true;
    row.time_us = json.value(QStringLiteral("time")).toString().toLongLong();
    row.verdict = static_cast<VerdictKind>(
        qBound(0, json.value(QStringLiteral("verdict")).toInt(), kVerdictKinds - 1)
    );
    row.scenario = scenarioIn(json.value(QStringLiteral("scenario")).toObject());
    row.verdicts = rowsIn<VerdictLine>(json.value(QStringLiteral("verdicts")), verdictIn);
    row.windows = rowsIn<WindowLine>(json.value(QStringLiteral("windows")), windowIn);
    row.variants = rowsIn<VariantRow>(json.value(QStringLiteral("variants")), variantIn);
    row.resolved = wordsIn(json.value(QStringLiteral("resolved")));
    row.worth = rowsIn<WorthLine>(json.value(QStringLiteral("worth")), [](const QJsonValue& one) {
        const QJsonArray list = one.toArray();
        return WorthLine{list.at(0).toString(), list.at(1).toDouble(), pairIn(list.at(2))};
    });
    if (const QJsonArray list = json.value(QStringLiteral("objective")).toArray();
        list.size() == 2) {
        row.objective = std::pair(list.at(0).toDouble(), list.at(1).toString());
    }
    const QJsonArray trust = json.value(QStringLiteral("trust")).toArray();
    row.trust = {
        trust.at(0).toBool(),
        trust.at(1).toString(),
        trust.at(2).toString(),
        trust.at(3).toString()};
    return row;
}

} // namespace

QByteArray toJson(const KeptRun& run)
{
    const QJsonObject json{
        {QStringLiteral("format"), kRunFormat},
        {QStringLiteral("row"), rowJson(run.row)},
        {QStringLiteral("scenario"), run.scenario},
        {QStringLiteral("revision_hash"), run.revisionHash},
        {QStringLiteral("report"), run.report}};
    return QJsonDocument(json).toJson(QJsonDocument::Compact);
}

Result<KeptRun> keptRunFromJson(const QByteArray& text)
{
    QJsonParseError error;
    const QJsonObject json = QJsonDocument::fromJson(text, &error).object();
    if (error.error != QJsonParseError::NoError) {
        return fail(ErrorCode::Syntax, error.errorString().toStdString());
    }
    if (json.value(QStringLiteral("format")).toInt() != kRunFormat) {
        return fail(ErrorCode::Syntax, "a kept run of another version");
    }
    KeptRun run;
    run.row = rowIn(json.value(QStringLiteral("row")).toObject());
    run.scenario = json.value(QStringLiteral("scenario")).toString();
    run.revisionHash = json.value(QStringLiteral("revision_hash")).toString();
    run.report = json.value(QStringLiteral("report")).toString();
    return run;
}

} // namespace mesh::bridge
