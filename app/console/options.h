#pragma once

#include <QSize>
#include <QString>

#include <chrono>
#include <optional>
#include <string>
#include <variant>

namespace mesh::console {

// The command line of the console, read and checked.
struct Options
{
    QString document; // Empty: the first-run page, or the demo.
    QString demo; // Name of a demo mesh; empty: none.
    QString scenario; // Of the demo; empty: its usual one.
    QString mode;
    QString scene; // Of the mode Rollout with a demo: "review", "current", "history"; empty: none.
    QString theme;
    QSize size;
    QString locale;
    QString snapshot; // File; empty: a window for people.
    QString select; // Entity's name or id.
    std::chrono::nanoseconds after = std::chrono::seconds(10);
};

// The program ends now: --help, --version, or something was wrong.
struct EndNow
{
    int exitCode = 0;
    std::string text; // Standard output when the code is 0, else standard error.
};

[[nodiscard]] std::variant<Options, EndNow> readOptions(int argc, char** argv);

} // namespace mesh::console
