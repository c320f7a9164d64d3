#include "proxyengine/daemon/options.h"

#include "proxyengine/base/duration_text.h"
#include "proxyengine/base/version.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <map>
#include <sstream>

namespace mesh::daemon {
namespace {

constexpr int kWorkersMax = 256; // More than any machine this runs on has processors.

// The command line as written, before its parts are read.
struct Texts
{
    std::string node;
    std::string proxyListen = "127.0.0.1:8000";
    std::string streamListen = "off";
    std::string adminListen = "127.0.0.1:8001";
    std::string adminTls;
    std::string accessLog = "off";
    std::string logLevel = "info";
    std::string logFormat = "text";
    std::string drain = "30s";
};

void describe(CLI::App& run, Texts& texts, RunOptions& options)
{
    run.add_option("--config", options.config, "Declarative file, YAML or JSON; SIGHUP re-reads it")
        ->type_name("FILE");
    run.add_option(
           "--state-dir",
           options.stateDirectory,
           "Keeps the last good configuration here; starts from it when --config is not given"
    )
        ->type_name("DIR");
    run.add_option("--workers", options.engine.workers, "Worker threads; 0: one per processor")
        ->check(CLI::Range(0, kWorkersMax));
    run.add_option("--node", texts.node, "Which node of the file this is; none: a gateway")
        ->type_name("NAME");
    run.add_option(
           "--proxy-listen",
           texts.proxyListen,
           "Where clients connect: \"ADDR:PORT [ssl] [http2] [proxy_protocol], ...\" or off; port "
           "0: any "
           "free one"
    )
        ->type_name("LIST")
        ->capture_default_str();
    run.add_option(
           "--stream-listen",
           texts.streamListen,
           "TCP and UDP listeners: \"ADDR:PORT [ssl] [proxy_protocol] [udp], ...\" or off"
    )
        ->type_name("LIST")
        ->capture_default_str();
    run.add_option(
           "--admin-listen",
           texts.adminListen,
           "The admin API: ADDR:PORT or unix:PATH; not loopback: --admin-tls"
    )
        ->type_name("ADDR")
        ->capture_default_str();
    run.add_option(
           "--admin-tls",
           texts.adminTls,
           "Mutual TLS for the admin API: three PEM files, SIGHUP re-reads them"
    )
        ->type_name("CERT,KEY,CA");
    run.add_option("--access-log", texts.accessLog, "One line per request")
        ->check(CLI::IsMember({"off", "text", "json"}))
        ->capture_default_str();
    run.add_option(
           "--access-log-file", options.engine.accessLogFile, "Where; standard output if not given"
    )
        ->type_name("FILE");
    run.add_option("--log-level", texts.logLevel, "What is logged to standard error")
        ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}))
        ->capture_default_str();
    run.add_option("--log-format", texts.logFormat, "Form of a log line")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    run.add_option("--drain-grace", texts.drain, "How long SIGTERM lets requests finish")
        ->type_name("DURATION")
        ->capture_default_str();
}

auto inOption(std::string_view name)
{
    return [name = std::string(name)](Error error) {
        const auto* offset = std::get_if<Offset>(&error.place);
        error.message = offset == nullptr
                            ? fmt::format("{}: {}", name, error.message)
                            : fmt::format("{} at {}: {}", name, offset->value + 1, error.message);
        return error;
    };
}

// "CERT,KEY,CA"; a path with a comma cannot be written.
Result<control::NodeCredentials> readCredentials(std::string_view text)
{
    control::NodeCredentials files;
    if (text.empty()) {
        return files;
    }
    const std::size_t first = text.find(',');
    const std::size_t second = first == std::string_view::npos ? first : text.find(',', first + 1);
    if (second != std::string_view::npos && text.find(',', second + 1) == std::string_view::npos) {
        files.certFile = text.substr(0, first);
        files.keyFile = text.substr(first + 1, second - first - 1);
        files.caFile = text.substr(second + 1);
    }
    if (files.certFile.empty() || files.keyFile.empty() || files.caFile.empty()) {
        return fail(
            ErrorCode::InvalidArgument,
            fmt::format(
                "--admin-tls: '{}' is not CERT,KEY,CA: the node's certificate, its key, and the "
                "authority that vouches for those who may connect, as PEM files",
                text
            )
        );
    }
    return files;
}

Result<void> read(const Texts& texts, RunOptions& options)
{
    options.engine.node = texts.node;
    MESH_TRY(
        options.engine.proxyListen,
        control::parseListen(texts.proxyListen, control::ListenUse::Proxy)
            .map_error(inOption("--proxy-listen"))
    );
    MESH_TRY(
        options.engine.streamListen,
        control::parseListen(texts.streamListen, control::ListenUse::Stream)
            .map_error(inOption("--stream-listen"))
    );
    MESH_TRY(options.adminCredentials, readCredentials(texts.adminTls));
    const auto security =
        texts.adminTls.empty() ? control::AdminSecurity::None : control::AdminSecurity::MutualTls;
    MESH_TRY(
        options.admin,
        control::parseAdminListen(texts.adminListen, security).map_error(inOption("--admin-listen"))
    );
    MESH_TRY(options.drainGrace, parseDuration(texts.drain).map_error(inOption("--drain-grace")));
    MESH_TRY(options.log.level, parseLogLevel(texts.logLevel));
    options.log.format = texts.logFormat == "json" ? LogFormat::Json : LogFormat::Text;
    static const std::map<std::string, api::AccessLogFormat> kFormats = {
        {"off", api::AccessLogFormat::Off},
        {"text", api::AccessLogFormat::Text},
        {"json", api::AccessLogFormat::Json}};
    options.engine.accessLog = kFormats.at(texts.accessLog);
    if (options.config.empty() && options.stateDirectory.empty()) {
        return fail(
            ErrorCode::MissingField, "give --config FILE, --state-dir DIR, or both; see --help"
        );
    }
    return {};
}

} // namespace

std::variant<RunOptions, EndNow> readCommandLine(int argc, const char* const* argv)
{
    constexpr int kUsage = 2;
    RunOptions options;
    Texts texts;
    CLI::App app("A node of the mesh: proxies traffic as gateway or sidecar.", "meshwrightd");
    app.set_version_flag("--version", fmt::format("meshwrightd {}", version()));
    app.require_subcommand(1);
    CLI::App* run = app.add_subcommand("run", "Run the node until SIGTERM, which drains");
    describe(*run, texts, options);
    app.footer("Exit codes: 0 ended as asked, 2 bad usage or configuration, 3 a file or address "
               "cannot be used.");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::ostringstream out;
        std::ostringstream err;
        const int code = app.exit(error, out, err);
        return EndNow{out.str(), err.str(), code == 0 ? 0 : kUsage};
    }
    if (auto result = read(texts, options); !result) {
        return EndNow{{}, fmt::format("meshwrightd: {}\n", result.error().message), kUsage};
    }
    return options;
}

} // namespace mesh::daemon
