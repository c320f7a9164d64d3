#include "app/ctl/rehearse_command.h"

#include "app/ctl/scenario_file.h"
#include "proxyengine/base/file.h"
#include "proxyengine/base/hash.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/base/log.h"
#include "proxyengine/base/version.h"
#include "proxyengine/proxy/local_engine.h"
#include "simulator/live/live_twin.h"
#include "simulator/report/calibration_record.h"
#include "simulator/report/check.h"
#include "simulator/report/explore.h"
#include "simulator/report/html.h"
#include "simulator/report/json.h"
#include "simulator/report/junit.h"
#include "simulator/report/rehearsal.h"
#include "simulator/report/run_timeline.h"
#include "simulator/report/terminal.h"
#include "simulator/scenario/scenario_text.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <utility>

namespace mesh::ctl {
namespace {

using simulator::Rehearsal;
using simulator::RehearsalRequest;
using simulator::Verdict;

constexpr int kBadFile = 2;
constexpr std::string_view kStandardOutput = "-";
constexpr std::string_view kVirtualMode = "virtual";
constexpr std::string_view kLiveMode = "live"; // The third is "both".
constexpr unsigned kReportMode = 0644; // Reports are no secrets.

int exitCodeFor(Verdict verdict)
{
    constexpr std::array kCodes = {0, 1, 3, 4, 5}; // By Verdict.
    return kCodes.at(static_cast<std::size_t>(verdict));
}

unsigned threadsOf(const RehearseOptions& options)
{
    if (options.threads > 0) {
        return options.threads;
    }
    return static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
}

std::string commandOf(const RehearseOptions& options, const simulator::Scenario& scenario)
{
    return fmt::format(
        "meshwrightctl rehearse {}{} --seed {} --replications {}",
        options.file,
        options.mode == kVirtualMode ? "" : " --mode " + options.mode,
        scenario.seed.value,
        scenario.replications
    );
}

class RehearseCommand
{
public:
    RehearseCommand(
        const RehearseOptions& options,
        const Clock& clock,
        CtlOutput& output,
        const RunInVirtualTime& rehearse
    )
        : m_options(options)
        , m_clock(clock)
        , m_output(output)
        , m_rehearse(rehearse)
    {}

    int run(Colour colour)
    {
        m_file = readScenarioFile(m_options.file);
        if (m_file.text.empty() && !m_file.errors.empty()) {
            return refuse(m_file.errors);
        }
        const RehearsalRequest request = makeRequest();
        const std::vector<Error> errors = problemsOf(request);
        if (!errors.empty() || !m_file.problems.empty() || !m_file.errors.empty()) {
            return refuse(toLines(m_file, errors, m_options.file));
        }
        if (m_options.explores) {
            return exploreFaults(request);
        }
        if (m_options.replay) {
            return replayRun(request, *m_options.replay);
        }
        auto rehearsal = rehearseTimed(request);
        if (!rehearsal) {
            return refuse({fmt::format("{}: {}", m_options.file, rehearsal.error().message)});
        }
        if (m_options.checksDeterminism) {
            checkDeterminism(request, *rehearsal);
        }
        useCalibration(*rehearsal);
        return tell(*rehearsal, colour);
    }

private:
    int refuse(const std::vector<std::string>& errors)
    {
        for (const std::string& error : errors) {
            m_output.err += error + '\n';
        }
        return kBadFile;
    }

    // What stands against the run, beyond what the file's own problems explain.
    [[nodiscard]] std::vector<Error> problemsOf(const RehearsalRequest& request) const
    {
        std::vector<Error> errors =
            simulator::unexplained(simulator::checkRehearsal(request), m_file.problems);
        if (m_options.mode != kVirtualMode && request.document != nullptr) {
            auto more = simulator::unexplained(simulator::checkTwin(twinOf(request)), errors);
            more = simulator::unexplained(std::move(more), m_file.problems);
            std::ranges::move(more, std::back_inserter(errors));
        }
        if (m_options.checksDeterminism && m_options.mode == kLiveMode) {
            Error error;
            error.message = "--check-determinism: a live run never repeats exactly";
            errors.push_back(std::move(error));
        }
        return errors;
    }

    RehearsalRequest makeRequest()
    {
        RehearsalRequest request;
        request.scenario = m_file.scenario;
        request.document = m_file.document;
        request.threads = threadsOf(m_options);
        request.waterfalls = m_options.explores ? 0 : simulator::kReportWaterfalls;
        if (m_options.seed) {
            request.scenario.seed = Seed{static_cast<std::uint64_t>(*m_options.seed)};
        }
        if (m_options.replications) {
            request.scenario.replications = *m_options.replications;
        }
        return request;
    }

    Result<Rehearsal> rehearseTimed(const RehearsalRequest& request) const
    {
        if (m_options.mode != kVirtualMode) {
            setLogLevel(LogLevel::Error); // Thirty engines that start and stop are no news here.
        }
        const TimePoint from = m_clock.now();
        auto rehearsal = m_options.mode == kVirtualMode
                             ? m_rehearse(request)
                             : simulator::rehearseWithTwin(twinOf(request));
        if (rehearsal) {
            rehearsal->wall_s = toSeconds(m_clock.now() - from);
        }
        return rehearsal;
    }

    [[nodiscard]] simulator::TwinRequest twinOf(const RehearsalRequest& request) const
    {
        simulator::TwinRequest twin;
        twin.rehearsal = request;
        twin.mode =
            m_options.mode == kLiveMode ? simulator::TwinMode::Live : simulator::TwinMode::Both;
        twin.engineFactory = [](const api::EngineOptions& options,
                                const std::shared_ptr<const model::Document>&) {
            return proxy::makeLocalEngine(options);
        };
        twin.clock = &m_clock;
        return twin;
    }

    // The same once more, on another number of threads.
    void checkDeterminism(RehearsalRequest request, Rehearsal& rehearsal)
    {
        request.scenario.network = rehearsal.scenario.network; // As it was measured.
        request.threads = request.threads == 1 ? 2 : 1;
        const auto again = m_rehearse(request);
        if (!again || again->eventHash != rehearsal.eventHash) {
            rehearsal.verdict = Verdict::NotDeterministic;
        }
    }

    [[nodiscard]] bool isStandardOutputTaken() const
    {
        return m_options.json == kStandardOutput || m_options.junit == kStandardOutput
               || m_options.html == kStandardOutput;
    }

    int tell(const Rehearsal& rehearsal, Colour colour)
    {
        int code = exitCodeFor(rehearsal.verdict);
        if (!isStandardOutputTaken()) {
            m_output.out +=
                coloured(simulator::toTerminalText(rehearsal), rehearsal.verdict, colour);
            m_output.out += fmt::format("{}\n", commandOf(m_options, rehearsal.scenario));
            if (m_options.checksDeterminism) {
                m_output.out += rehearsal.verdict == Verdict::NotDeterministic
                                    ? "A second run gave another event hash.\n"
                                    : "A second run gave the same event hash.\n";
            }
        }
        if (!m_options.json.empty()) {
            code = write(m_options.json, simulator::toJson(rehearsal), code);
        }
        if (!m_options.junit.empty()) {
            code = write(m_options.junit, simulator::toJunit(rehearsal), code);
        }
        if (!m_options.html.empty()) {
            code = write(m_options.html, pageOf(rehearsal), code);
        }
        return code;
    }

    [[nodiscard]] std::string pageOf(const Rehearsal& rehearsal) const
    {
        simulator::HtmlOptions page;
        page.command = commandOf(m_options, rehearsal.scenario);
        if (!rehearsal.variants.empty()) {
            page.replayCommand =
                fmt::format("{} --replay {}", page.command, rehearsal.variants.front().worst + 1);
        }
        page.version = fmt::format("meshwrightctl {}", version());
        page.scenarioHash = sha256Hex(m_file.text);
        page.meshHash = sha256Hex(m_file.meshText);
        page.document = m_file.document;
        page.calibration = m_calibration;
        return simulator::renderHtml(rehearsal, page);
    }

    // What `meshwrightctl fit` left beside the mesh file, when it is of this very file.
    void useCalibration(Rehearsal& rehearsal)
    {
        const std::string path = m_file.meshPath + ".fit.json";
        const auto text = readFile(path, kConfigBytesMax);
        if (!text) {
            return;
        }
        const auto record = simulator::parseCalibration(*text);
        if (!record) {
            m_output.err += fmt::format("{}: {}; not used\n", path, record.error().message);
        } else if (record->meshHash != sha256Hex(m_file.meshText)) {
            m_output.err +=
                fmt::format("{}: the mesh file has changed since it was fitted; not used\n", path);
        } else {
            simulator::applyCalibration(*record, rehearsal);
            m_calibration = simulator::summaryOf(*record);
        }
    }

    int exploreFaults(const RehearsalRequest& request)
    {
        simulator::ExploreRequest search;
        search.rehearsal = request;
        search.budget = m_options.budget;
        auto found = simulator::explore(search);
        if (!found) {
            return refuse({fmt::format("{}: {}", m_options.file, found.error().message)});
        }
        int code = found->breaking.empty() ? 0 : 1;
        if (m_options.json != kStandardOutput) {
            m_output.out += simulator::toTerminalText(*found);
        }
        if (!m_options.json.empty()) {
            code = write(m_options.json, simulator::toJson(*found), code);
        }
        for (simulator::Breaking& breaking : found->breaking) {
            if (m_options.into.empty()) {
                break;
            }
            // Paths in the file are relative to it; it stands elsewhere now.
            breaking.scenario.mesh = std::filesystem::absolute(m_file.meshPath).lexically_normal();
            const std::string path =
                fmt::format("{}/{}.yaml", m_options.into, breaking.scenario.name);
            code = write(path, simulator::toScenarioText(breaking.scenario), code);
            m_output.out += fmt::format("{}\n", path);
        }
        return code;
    }

    // The code, or that of a file that cannot be written.
    int write(const std::string& path, const std::string& text, int code)
    {
        if (path == kStandardOutput) {
            m_output.out += text;
        } else if (const auto written = writeFileAtomically(path, text, kReportMode); !written) {
            m_output.err += fmt::format("{}\n", written.error().message);
            return kBadFile;
        }
        return code;
    }

    // One run of the first variant again: what its policies did, by time.
    int replayRun(const RehearsalRequest& request, int run)
    {
        const std::vector<simulator::PolicyVariant>& policies = request.scenario.policies;
        const std::string variant = policies.empty() ? "baseline" : policies.front().name;
        const auto record = simulator::replay(request, variant, run - 1);
        if (!record) {
            return refuse({fmt::format("{}: {}", m_options.file, record.error().message)});
        }
        m_output.out += fmt::format("Run {} of {}, what its policies did:\n", run, variant);
        for (const simulator::ReactionSummary& reaction : simulator::summarize(*record)) {
            m_output.out += fmt::format(
                "{:>9.3f} s  {:<22} {} (by {}{})\n",
                toSeconds(reaction.first),
                simulator::toText(reaction.kind),
                reaction.instance.empty() ? reaction.callee : reaction.instance,
                fmt::join(reaction.callers, ", "),
                reaction.count > 1 ? fmt::format(
                    "; {} times, the last at {:.3f} s", reaction.count, toSeconds(reaction.last)
                )
                                   : std::string()
            );
        }
        return 0;
    }

    // The verdict is the first line.
    static std::string coloured(std::string text, Verdict verdict, Colour colour)
    {
        const std::size_t end = text.find('\n');
        if (colour == Colour::On && end != std::string::npos) {
            text.insert(end, "\x1b[0m");
            text.insert(0, verdict == Verdict::Holds ? "\x1b[32m" : "\x1b[31m");
        }
        return text;
    }

    const RehearseOptions& m_options;
    const Clock& m_clock;
    CtlOutput& m_output;
    const RunInVirtualTime& m_rehearse;
    ScenarioFile m_file;
    std::string m_calibration; // Of the models, in words; empty: they are not fitted.
};

} // namespace

int runRehearse(
    const RehearseOptions& options,
    const Clock& clock,
    Colour colour,
    CtlOutput& output,
    const RunInVirtualTime& rehearse
)
{
    return RehearseCommand(options, clock, output, rehearse).run(colour);
}

} // namespace mesh::ctl
