#include "app/bridge/mesh_session.h"
#include "app/bridge/view_context.h"
#include "app/console/node_connector.h"
#include "app/console/options.h"
#include "app/console/pseudo_translator.h"
#include "app/console/snapshot.h"
#include "app/shell/main_window.h"
#include "app/theme/theme.h"
#include "proxyengine/base/clock.h"
#include "proxyengine/base/log.h"
#include "proxyengine/proxy/local_engine.h"

#include <QApplication>
#include <QDir>
#include <QFileInfo>
#include <QLocale>
#include <QSettings>
#include <QStandardPaths>
#include <QTimer>
#include <QTranslator>

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <memory>

namespace mesh::console {
namespace {

constexpr int kBug = 70; // EX_SOFTWARE of sysexits.h.

// The demo's file: installed beside the program, or in the tree the program was built in.
QString findDemo(const QString& name)
{
    const QString file = name + QStringLiteral(".yaml");
    QDir folder(QCoreApplication::applicationDirPath());
    const QString installed = folder.filePath(QStringLiteral("../share/meshwright/demo/") + file);
    if (QFileInfo::exists(installed)) {
        return QDir::cleanPath(installed);
    }
    do {
        const QString candidate = folder.filePath(QStringLiteral("resources/demo/") + file);
        if (QFileInfo::exists(candidate)) {
            return candidate;
        }
    } while (folder.cdUp());
    return {};
}

// The shipped rehearsals beside the demos; empty: there are none.
QString findScenarios()
{
    QDir folder(QCoreApplication::applicationDirPath());
    const QString installed = folder.filePath(QStringLiteral("../share/meshwright/scenarios"));
    if (QFileInfo(installed).isDir()) {
        return QDir::cleanPath(installed);
    }
    do {
        const QString candidate = folder.filePath(QStringLiteral("resources/scenarios"));
        if (QFileInfo(candidate).isDir()) {
            return candidate;
        }
    } while (folder.cdUp());
    return {};
}

theme::Choice themeOf(const Options& options)
{
    if (options.theme == QStringLiteral("dark")) {
        return theme::Choice::Dark;
    }
    if (options.theme == QStringLiteral("light")) {
        return theme::Choice::Light;
    }
    if (options.theme.isEmpty() && options.snapshot.isEmpty()) {
        const int kept = QSettings().value(QStringLiteral("theme"), 0).toInt();
        return kept >= 0 && kept <= 2 ? static_cast<theme::Choice>(kept) : theme::Choice::System;
    }
    return theme::Choice::System;
}

void applySettings()
{
    const QSettings settings;
    theme::Theme& look = theme::current();
    const auto read = [&settings](const QString& key, int fallback, int last) {
        const int value = settings.value(key, fallback).toInt();
        return value >= 0 && value <= last ? value : fallback;
    };
    look.setVision(static_cast<theme::Vision>(read(QStringLiteral("palette"), 0, 1)));
    look.setDensity(static_cast<theme::Density>(read(QStringLiteral("density"), 1, 2)));
    look.setMotion(static_cast<theme::Motion>(read(QStringLiteral("motion"), 0, 1)));
}

void installLanguage(QApplication& application, const Options& options)
{
    QString code = options.locale;
    if (code.isEmpty() && options.snapshot.isEmpty()) {
        code = QSettings().value(QStringLiteral("language")).toString();
    }
    if (code == QStringLiteral("pseudo")) {
        application.installTranslator(new PseudoTranslator(&application));
        return;
    }
    const QLocale locale = code.isEmpty() ? QLocale::system() : QLocale(code);
    QLocale::setDefault(locale);
    auto* translator = new QTranslator(&application);
    const QString folder = QStringLiteral(":/i18n");
    const bool isLoaded =
        translator->load(locale, QStringLiteral("meshwright"), QStringLiteral("_"), folder)
        || translator->load(QStringLiteral("meshwright_en"), folder); // English plurals.
    if (isLoaded) {
        application.installTranslator(translator);
    }
}

void showSelection(bridge::MeshSession& session, const QString& wanted)
{
    if (wanted.isEmpty()) {
        return;
    }
    auto* once = new QObject(&session);
    QObject::connect(
        &session,
        &bridge::MeshSession::topologyChanged,
        once,
        [&session, once, wanted](const bridge::Topology& topology) {
            for (const bridge::EntityRow& entity : topology.entities) {
                if (entity.id == wanted || entity.name == wanted) {
                    session.context().select(entity.id);
                    once->deleteLater();
                    return;
                }
            }
        }
    );
}

shell::Mode modeOf(const QString& key)
{
    for (int i = 0; i < shell::kModeCount; ++i) {
        if (shell::modeKey(static_cast<shell::Mode>(i)) == key) {
            return static_cast<shell::Mode>(i);
        }
    }
    return shell::Mode::Topology;
}

Result<std::unique_ptr<api::Engine>> makeEngine(
    const api::EngineOptions& options, std::shared_ptr<const model::Document> document
)
{
    static_cast<void>(document); // It comes as the first ApplyDocument.
    return proxy::makeLocalEngine(options);
}

int run(int argc, char** argv, const Options& options)
{
    const bool isForPicture = !options.snapshot.isEmpty();
    const bool hasDisplay =
        !qEnvironmentVariableIsEmpty("DISPLAY") || !qEnvironmentVariableIsEmpty("WAYLAND_DISPLAY");
    if (isForPicture && !hasDisplay && qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM")) {
        qputenv("QT_QPA_PLATFORM", "offscreen");
    }
    QApplication application(argc, argv);
    QCoreApplication::setApplicationName(QStringLiteral("meshwright"));
    QCoreApplication::setOrganizationName(QStringLiteral("Meshwright"));
    LogOptions log;
    log.level = LogLevel::Warn;
    if (const auto started = startLog(log); !started) {
        fmt::print(stderr, "meshwright: {}\n", started.error().message);
    }
    theme::apply(application, themeOf(options));
    if (!isForPicture) {
        applySettings();
    }
    installLanguage(application, options);

    int exitCode = 0;
    const SystemClock clock; // Outlives the engines that follow nodes.
    const CredentialsFolder credentials(
        QStandardPaths::writableLocation(QStandardPaths::AppDataLocation) + QStringLiteral("/nodes")
    );
    {
        bridge::SessionOptions sessionOptions;
        sessionOptions.engineFactory = makeEngine;
        sessionOptions.nodeFollower = makeNodeFollower(clock, credentials);
        bridge::MeshSession session(std::move(sessionOptions));
        shell::WindowOptions windowOptions;
        windowOptions.demoScenario = options.scenario;
        windowOptions.demoFile =
            findDemo(options.demo.isEmpty() ? QStringLiteral("storefront") : options.demo);
        windowOptions.isPersistent = !isForPicture;
        windowOptions.scenarioFolder = findScenarios();
        windowOptions.nodeConnector = makeNodeConnector(clock, credentials);
        windowOptions.nodeEnrolment = credentials.enrolment(clock);
        shell::MainWindow window(session, windowOptions);
        if (isForPicture || options.size != QSize(1440, 900)) {
            window.resize(options.size);
        }
        window.show();
        showSelection(session, options.select);
        QTimer::singleShot(0, &window, [&window, &options] {
            if (!options.document.isEmpty()) {
                window.openPath(options.document);
            } else if (!options.demo.isEmpty()) {
                window.startDemo();
            }
            if (options.mode == QStringLiteral("tap")) {
                window.showTap();
            } else if (!options.mode.isEmpty()) {
                window.setMode(modeOf(options.mode));
            }
        });
        std::unique_ptr<Snapshot> snapshot;
        if (isForPicture) {
            snapshot = std::make_unique<Snapshot>(session, window, options);
        }
        exitCode = QApplication::exec();
        // Reverse order: the picture, the window, then engines and document with the session.
        snapshot.reset();
        session.stopMesh();
    }
    stopLog();
    return exitCode;
}

} // namespace
} // namespace mesh::console

int main(int argc, char** argv)
{
    try {
        const auto read = mesh::console::readOptions(argc, argv);
        if (const auto* ended = std::get_if<mesh::console::EndNow>(&read)) {
            fmt::print(ended->exitCode == 0 ? stdout : stderr, "{}", ended->text);
            return ended->exitCode;
        }
        return mesh::console::run(argc, argv, std::get<mesh::console::Options>(read));
    } catch (const std::exception& error) {
        fmt::print(stderr, "meshwright: {}\n", error.what());
        return mesh::console::kBug;
    }
}
