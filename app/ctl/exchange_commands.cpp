#include "app/ctl/exchange_commands.h"

#include "app/ctl/bundle.h"
#include "app/ctl/document_input.h"
#include "app/ctl/gateway_format.h"
#include "app/ctl/json.h"
#include "app/ctl/push_record.h"
#include "app/ctl/store_answer.h"
#include "app/ctl/text_table.h"
#include "proxyengine/base/file.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/config/codec.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace mesh::ctl {
namespace {

OrderedJson notesToJson(const std::vector<FormatNote>& notes)
{
    OrderedJson json = OrderedJson::array();
    for (const FormatNote& note : notes) {
        json.push_back(
            {{"kind", toText(note.kind)},
             {"path", note.path},
             {"line", note.place ? note.place->line : 0},
             {"column", note.place ? note.place->column : 0},
             {"message", note.text}}
        );
    }
    return json;
}

std::string notesToText(const std::vector<FormatNote>& notes, const std::string& file)
{
    std::string text;
    for (const FormatNote& note : notes) {
        const std::string place =
            note.place ? fmt::format("{}:{}:{}: ", file, note.place->line, note.place->column)
                       : fmt::format("{}: ", file);
        text += fmt::format("{}{}: {}: {}\n", place, toText(note.kind), note.path, note.text);
    }
    return text;
}

int importBundle(const ImportOptions& options, const Surroundings& around)
{
    if (!options.isCheck && options.into.empty()) {
        return failed(
            around, ErrorCode::InvalidArgument, "a bundle needs --into DOC, a new file", kUsage
        );
    }
    const auto facts =
        options.isCheck ? checkBundle(options.file) : unpackBundle(options.file, options.into);
    if (!facts) {
        const bool isNo = facts.error().code == ErrorCode::Conflict;
        return failed(around, facts.error(), isNo ? kNo : exitCodeOfFile(facts.error()));
    }
    if (around.isJson()) {
        around.output.out += dumped(
            {{"file", options.file},
             {"format", "bundle"},
             {"document", facts->document},
             {"created", facts->created},
             {"program", facts->program},
             {"bytes", facts->bytes},
             {"sha256", facts->sha256},
             {"into", options.isCheck ? "" : options.into}}
        );
        return kDone;
    }
    around.output.out += fmt::format(
        "{}: whole; {} of {}, {} bytes, by meshwright {}\n",
        options.file,
        printable(facts->document),
        printable(facts->created),
        facts->bytes,
        printable(facts->program)
    );
    if (!options.isCheck) {
        around.output.out += options.into + '\n';
    }
    return kDone;
}

// The number of the new revision.
Result<std::int64_t> addRevisionTo(
    const ImportOptions& options, const model::Document& document, const Clock& clock
)
{
    std::error_code ignored;
    if (!std::filesystem::exists(options.into, ignored)) {
        MESH_TRY(const auto made, store::MeshDocument::create(options.into));
        made->close();
    }
    MESH_TRY(const auto recorder, PushRecorder::open(options.into, clock));
    const std::string name = std::filesystem::path(options.file).filename().string();
    MESH_TRY(
        const store::Revision added,
        recorder->addRevision(
            config::toYaml(document),
            config::hashOf(document),
            options.message.empty() ? "imported from " + name : options.message
        )
    );
    return added.id;
}

void tellImport(
    const ImportOptions& options,
    const GatewayImport& import,
    std::int64_t revision,
    const Surroundings& around
)
{
    const bool isValid = !config::hasErrors(import.problems);
    const std::string yaml = isValid ? config::toYaml(import.document) : std::string();
    const bool isWanted = options.into.empty() && !options.isCheck;
    if (around.isJson()) {
        around.output.out += dumped(
            {{"file", options.file},
             {"format", "declarative"},
             {"valid", isValid},
             {"hash", isValid ? config::hashOf(import.document) : std::string()},
             {"notes", notesToJson(import.notes)},
             {"problems", problemsToJson(import.problems)},
             {"into", options.isCheck ? "" : options.into},
             {"revision", revision},
             {"yaml", isWanted ? yaml : ""}}
        );
        return;
    }
    around.output.err += notesToText(import.notes, options.file);
    around.output.err += problemsToText(import.problems, options.file);
    if (!isValid) {
        around.output.err += fmt::format(
            "meshwrightctl: {} was not imported{}\n",
            options.file,
            options.isDropping ? "" : "; --drop-unknown leaves out what this version does not have"
        );
    } else if (isWanted) {
        around.output.out += yaml;
    } else {
        const model::Document& document = import.document;
        around.output.out += fmt::format(
            "services {}, upstreams {}, notes {}{}\n",
            document.services.size(),
            document.upstreams.size(),
            import.notes.size(),
            options.isCheck ? "; nothing was written"
                            : fmt::format("; {} revision {}", options.into, revision)
        );
    }
}

} // namespace

int runImport(const ImportOptions& options, const Surroundings& around)
{
    if (options.file != "-" && isBundle(options.file)) {
        return importBundle(options, around);
    }
    if (options.file != "-" && isMeshDocument(options.file)) {
        return failed(
            around,
            ErrorCode::InvalidArgument,
            options.file + " is a mesh document already; copy it, or `export` its configuration",
            kUsage
        );
    }
    const auto text = readFile(options.file, kConfigBytesMax);
    if (!text) {
        return failed(around, text.error(), exitCodeOfFile(text.error()));
    }
    const GatewayImport import =
        importGateway(*text, options.isDropping ? Unknown::Dropped : Unknown::Refused);
    const bool isValid = !config::hasErrors(import.problems);
    std::int64_t revision = 0;
    if (isValid && !options.isCheck && !options.into.empty()) {
        const auto added = addRevisionTo(options, import.document, around.clock());
        if (!added) {
            return failed(around, added.error(), exitCodeOfFile(added.error()));
        }
        revision = *added;
    }
    tellImport(options, import, revision, around);
    return isValid ? kDone : kNo;
}

int runExport(const ExportOptions& options, const Surroundings& around)
{
    const auto loaded = requireDocument(options.file, around);
    if (!loaded) {
        return loaded.error();
    }
    const auto secrets = options.withSecrets ? config::Secrets::Shown : config::Secrets::Masked;
    GatewayExport result;
    if (options.format == "gateway") {
        result = exportGateway(*loaded->document, secrets);
    } else {
        result.yaml = config::toYaml(*loaded->document, secrets);
    }
    if (!options.withSecrets && !loaded->document->certificates.empty()) {
        result.notes.push_back(
            {FormatNote::Kind::Changed,
             "certificates",
             std::nullopt,
             "private keys are ***; --with-secrets writes them"}
        );
    }
    if (around.isJson()) {
        around.output.out += dumped(
            {{"file", options.file},
             {"format", options.format},
             {"hash", loaded->hash},
             {"notes", notesToJson(result.notes)},
             {"yaml", result.yaml}}
        );
    } else {
        around.output.out += result.yaml;
        around.output.err += notesToText(result.notes, options.file);
    }
    const bool isLossy = std::ranges::any_of(result.notes, [](const FormatNote& note) {
        return note.path != "certificates";
    });
    return options.isStrict && isLossy ? kNo : kDone;
}

int runBundle(const BundleOptions& options, const Surroundings& around)
{
    store::OpenOptions how;
    how.mode = store::OpenMode::ReadOnly;
    const auto document = store::MeshDocument::open(options.document, std::move(how));
    if (!document) {
        return failed(around, document.error(), exitCodeOfFile(document.error()));
    }
    const std::string copy = options.output + ".copying";
    const auto copied =
        answered<void>([&](auto answer) { (*document)->copyTo(copy, std::move(answer)); });
    if (!copied) {
        return failed(around, copied.error(), exitCodeOfFile(copied.error()));
    }
    const std::string name = std::filesystem::path(options.document).filename().string();
    const auto facts = writeBundle(copy, name, around.clock().wallNow(), options.output);
    ::unlink(copy.c_str());
    if (!facts) {
        return failed(around, facts.error(), exitCodeOfFile(facts.error()));
    }
    if (around.isJson()) {
        around.output.out += dumped(
            {{"document", options.document},
             {"output", options.output},
             {"bytes", facts->bytes},
             {"sha256", facts->sha256}}
        );
    } else {
        around.output.out += fmt::format(
            "{}: {} bytes of {}, sha256 {}\n",
            options.output,
            facts->bytes,
            options.document,
            facts->sha256
        );
    }
    return kDone;
}

} // namespace mesh::ctl
