#include "app/console/options.h"

#include "proxyengine/base/duration_text.h"
#include "proxyengine/base/version.h"

#include <QStringList>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace mesh::console {
namespace {

constexpr int kUsage = 2;
constexpr int kSizeMin = 400;
constexpr int kSizeMax = 10'000;

EndNow refuse(const std::string& why) { return EndNow{kUsage, "meshwright: " + why + "\n"}; }

bool isOneOf(const std::string& word, std::initializer_list<std::string_view> words)
{
    return std::find(words.begin(), words.end(), word) != words.end();
}

bool readSize(const std::string& text, QSize& size)
{
    const QStringList parts = QString::fromStdString(text).split(u'x');
    if (parts.size() != 2) {
        return false;
    }
    size = QSize(parts[0].toInt(), parts[1].toInt());
    return size.width() >= kSizeMin && size.height() >= kSizeMin && size.width() <= kSizeMax
           && size.height() <= kSizeMax;
}

} // namespace

std::variant<Options, EndNow> readOptions(int argc, char** argv)
{
    CLI::App app("Console for service meshes with the mesh inside.", "meshwright");
    std::string document;
    std::string demo;
    std::string scenario;
    std::string mode;
    std::string scene;
    std::string theme;
    std::string size = "1440x900";
    std::string locale;
    std::string snapshot;
    std::string after = "10s";
    std::string select;
    app.add_option("DOCUMENT", document, "a .mesh document, or YAML or JSON to import");
    app.add_option("--demo", demo, "start a demo mesh");
    app.add_option("--scenario", scenario, "what happens to the demo mesh: policies");
    app.add_option("--mode", mode, "what the window shows first");
    app.add_option(
        "--scene",
        scene,
        "a change of the demo mesh as mode rollout shows it: review, current, history"
    );
    app.add_option("--theme", theme);
    app.add_option("--size", size, "of the window, WIDTHxHEIGHT");
    app.add_option("--locale", locale, "language of the window: en, de, or pseudo");
    app.add_option("--snapshot", snapshot, "write a picture of the window and end");
    app.add_option("--after", after, "how long after the start the picture is taken");
    app.add_option("--select", select, "the service to show in the inspector");
    app.set_version_flag("--version", std::string(mesh::version()));
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        return EndNow{0, app.help()};
    } catch (const CLI::CallForVersion&) {
        return EndNow{0, std::string(mesh::version()) + "\n"};
    } catch (const CLI::ParseError& error) {
        return refuse(error.what());
    }
    Options options;
    if (!readSize(size, options.size)) {
        return refuse("--size is WIDTHxHEIGHT, each 400 to 10000");
    }
    if (!isOneOf(demo, {"", "storefront"})) {
        return refuse("--demo: storefront");
    }
    if (!isOneOf(scenario, {"", "policies"}) || (!scenario.empty() && demo.empty())) {
        return refuse("--scenario: policies, with --demo");
    }
    if (!isOneOf(theme, {"", "system", "light", "dark"})) {
        return refuse("--theme: system, light or dark");
    }
    if (!isOneOf(
            mode,
            {"", "topology", "edit", "rehearse", "rollout", "nodes", "findings", "settings", "tap"}
        )) {
        return refuse("--mode: topology, edit, rehearse, rollout, nodes, findings, settings or tap"
        );
    }
    const bool hasStage = mode == "rollout" && !demo.empty();
    if (!isOneOf(scene, {"", "review", "current", "history"}) || (!scene.empty() && !hasStage)) {
        return refuse("--scene: review, current or history, with --mode rollout and --demo");
    }
    const auto delay = parseDuration(after);
    if (!delay) {
        return refuse("--after: " + delay.error().message);
    }
    options.after = *delay;
    options.document = QString::fromStdString(document);
    options.demo = QString::fromStdString(demo);
    options.scenario = QString::fromStdString(scenario);
    options.mode = QString::fromStdString(mode);
    options.scene = QString::fromStdString(scene);
    options.theme = QString::fromStdString(theme);
    options.locale = QString::fromStdString(locale);
    options.snapshot = QString::fromStdString(snapshot);
    options.select = QString::fromStdString(select);
    return options;
}

} // namespace mesh::console
