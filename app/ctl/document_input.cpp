#include "app/ctl/document_input.h"

#include "app/ctl/store_answer.h"
#include "proxyengine/base/file.h"
#include "proxyengine/base/handles.h"
#include "proxyengine/base/limits.h"
#include "proxyengine/config/codec.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

namespace mesh::ctl {
namespace {

constexpr std::string_view kSqliteHead = "SQLite format 3"; // And a zero byte.
constexpr std::string_view kMeshEnding = ".mesh";

struct RevisionText
{
    std::string text;
    std::int64_t id = 0;
};

Result<RevisionText> readRevision(const std::string& file, std::int64_t wanted)
{
    store::OpenOptions options;
    options.mode = store::OpenMode::ReadOnly;
    MESH_TRY(const auto document, store::MeshDocument::open(file, std::move(options)));
    MESH_TRY(const auto revisions, answered<std::vector<store::Revision>>([&](auto answer) {
                 document->revisions(std::move(answer));
             }));
    if (revisions.empty()) {
        return fail(ErrorCode::MissingField, file + " has no revision yet");
    }
    const std::int64_t id = wanted == 0 ? revisions.back().id : wanted;
    auto text =
        answered<std::string>([&](auto answer) { document->revisionText(id, std::move(answer)); });
    if (!text) {
        if (text.error().code != ErrorCode::NotFound) {
            return tl::unexpected(std::move(text).error());
        }
        return fail(
            ErrorCode::OutOfRange,
            fmt::format("{} has no revision {}; its newest is {}", file, id, revisions.back().id)
        );
    }
    return RevisionText{*std::move(text), id};
}

} // namespace

bool isMeshDocument(const std::string& file)
{
    const FileDescriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    std::array<char, kSqliteHead.size() + 1> head{};
    return descriptor.isOpen()
           && ::read(descriptor.get(), head.data(), head.size())
                  == static_cast<ssize_t>(head.size())
           && std::string_view(head.data(), kSqliteHead.size()) == kSqliteHead;
}

Result<LoadedDocument> loadDocument(const std::string& file, std::int64_t revision)
{
    LoadedDocument loaded;
    loaded.file = file;
    loaded.isMeshDocument = file != "-" && (file.ends_with(kMeshEnding) || isMeshDocument(file));
    if (loaded.isMeshDocument) {
        MESH_TRY(RevisionText read, readRevision(file, revision));
        loaded.text = std::move(read.text);
        loaded.revision = read.id;
    } else if (revision != 0) {
        return fail(
            ErrorCode::InvalidArgument, file + " is no mesh document, so it has no revisions"
        );
    } else {
        MESH_TRY(loaded.text, readFile(file, kConfigBytesMax));
    }
    config::DecodeResult decoded = config::decode(loaded.text);
    loaded.problems = std::move(decoded.problems);
    loaded.document = std::make_shared<const model::Document>(std::move(decoded.document));
    if (!config::hasErrors(loaded.problems)) {
        loaded.hash = config::hashOf(*loaded.document);
    }
    return loaded;
}

tl::expected<LoadedDocument, int> requireDocument(
    const std::string& file, const Surroundings& around, std::int64_t revision, int whenInvalid
)
{
    auto loaded = loadDocument(file, revision);
    if (!loaded) {
        return tl::unexpected(failed(around, loaded.error(), exitCodeOfFile(loaded.error())));
    }
    if (config::hasErrors(loaded->problems)) {
        around.output.err += problemsToText(loaded->problems, file);
        return tl::unexpected(failed(
            around, ErrorCode::InvalidArgument, file + " has errors; nothing was done", whenInvalid
        ));
    }
    return *std::move(loaded);
}

Result<std::int64_t> parseRevision(std::string_view text)
{
    const std::string_view digits = text.substr(text.starts_with('#') ? 1 : 0);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size() || number < 1) {
        return fail(
            ErrorCode::InvalidArgument,
            fmt::format("'{}' is no revision; expected a number as `history` lists them", text)
        );
    }
    return number;
}

Result<std::string> onlyMeshDocument(const std::string& folder)
{
    std::vector<std::string> found;
    std::error_code error;
    for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
         at.increment(error)) {
        const std::string path = at->path().string();
        if (path.ends_with(kMeshEnding) && isMeshDocument(path)) {
            found.push_back(path.starts_with("./") ? path.substr(2) : path);
        }
    }
    if (found.size() == 1) {
        return found.front();
    }
    return found.empty() ? fail(ErrorCode::NotFound, "there is no mesh document here; name one")
                         : fail(
                             ErrorCode::Conflict,
                             fmt::format("there are {} mesh documents here; name one", found.size())
                         );
}

const model::Node* findNode(const model::Document& document, std::string_view name)
{
    const auto found = std::ranges::find(document.nodes, name, &model::Node::name);
    return found == document.nodes.end() ? nullptr : &*found;
}

} // namespace mesh::ctl
