#pragma once

#include "app/store/metric.h"
#include "app/store/records.h"
#include "proxyengine/base/error.h"
#include "proxyengine/base/time.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// The `.mesh` file: an operator's configuration with its history, layout, metrics and events.
namespace mesh::store {

enum class AccessReason : std::uint8_t {
    None, // It can be written.
    AskedFor,
    NewerVersion, // Written by a newer version of the program.
    InUse, // Another process, or another part of this one, has it open.
    NotWritable, // The file or its folder is read-only.
};

// Whether the document can be written, decided once when it is opened.
struct Access
{
    AccessReason reason = AccessReason::None;
    std::string text; // Why not, for people: "process 4711 has the document open".
    [[nodiscard]] bool isWritable() const { return reason == AccessReason::None; }
};

// A failure to write, for as long as it lasts.
struct WriteFailure
{
    Error error;
    std::uint64_t rowsLost = 0; // Metric rows that could not be kept since it began.
};

enum class OpenMode : std::uint8_t { ReadWrite, ReadOnly };

struct OpenOptions
{
    OpenMode mode = OpenMode::ReadWrite;
    std::uint64_t bytesMax = 0; // The file never grows above this; 0: no limit but the disk.
    // Called on the store's thread when writing begins to fail and when it works again (nullopt).
    std::function<void(const std::optional<WriteFailure>&)> onWriteFailure;
};

struct NewRevision
{
    std::string author;
    std::string message;
    WallTime time{};
    std::string hash; // 64 hex digits.
    std::string text; // Canonical YAML.
};

struct Revision
{
    std::int64_t id = 0; // 1, 2, 3 …
    std::int64_t parent = 0; // 0: the first.
    std::string author;
    std::string message;
    WallTime time{};
    std::string hash;
    friend bool operator==(const Revision&, const Revision&) = default;
};

struct NodeRecord
{
    std::string name;
    std::string url; // Of its admin API; empty: embedded.
    WallTime seenLast{};
    std::string hashLast; // What it ran then.
    friend bool operator==(const NodeRecord&, const NodeRecord&) = default;
};

struct LayoutPosition
{
    std::string id;
    double x = 0;
    double y = 0;
    bool isPinned = false;
    friend bool operator==(const LayoutPosition&, const LayoutPosition&) = default;
};

struct EventRecord
{
    std::int64_t id = 0; // Given by the store.
    std::string kind; // "fault", "health", "revision", ...; the store does not interpret it.
    std::int64_t begin_us = 0;
    std::int64_t end_us = 0; // Equal to begin: a moment. 0: still going on.
    std::string label;
    std::string detail;
    std::string subject;
    friend bool operator==(const EventRecord&, const EventRecord&) = default;
};

// Which series to add up. Absent parts take any value.
struct SeriesFilter
{
    SeriesKind kind = SeriesKind::Request;
    std::optional<std::string> source;
    std::optional<std::string> service;
    std::optional<std::string> instance; // Of a target without a workload: its address.
    std::optional<std::vector<std::string>> sources; // Any of these.
};

struct MetricPoint
{
    std::int64_t time_s = 0; // Beginning of the step.
    MetricValue value;
};

struct SeriesTotal
{
    SeriesKey key;
    MetricValue value;
    std::int64_t last_s = 0; // The last second of the last step with a row.
};

// All series of a window, each added up. Sorted by key.
struct WindowTotals
{
    std::int64_t begin_s = 0; // As answered: rounded outwards where only thinned rows are left.
    std::int64_t end_s = 0;
    std::vector<SeriesTotal> series;
};

struct TimeRange
{
    std::int64_t begin_s = 0;
    std::int64_t end_s = 0; // Exclusive. Equal to begin: nothing recorded.
    friend bool operator==(const TimeRange&, const TimeRange&) = default;
};

// All that a console needs before it can show a document; read in one go when it is opened.
struct Opening
{
    std::vector<Revision> revisions; // Oldest first, at most kRevisionsListedMax newest.
    std::string text; // Of the newest revision; empty: none.
    std::optional<std::string> draft;
    TimeRange recorded;
    std::vector<std::pair<std::string, LayoutPosition>> positions; // (view, position)
    std::vector<std::pair<std::string, std::string>> settings;
    std::vector<NodeRecord> nodes;
};

// Receives an answer on the store's thread; must not block it. Empty: nobody wants to know.
template <typename T>
using Answer = std::function<void(Result<T>)>;

// The row of an event that goes on. 0 until it is written, which the store's thread does before
// anything that is asked of it later.
using OpenEvent = std::shared_ptr<const std::atomic<std::int64_t>>;

// One open document: a thread, the SQLite connection it owns, and a bounded queue of jobs.
//
// Threads: any. Jobs run in the order they were given; an answer comes for each, also at the end.
// Limits: kStoreJobsMax jobs wait; the next is answered at once with Overloaded, on the caller's
//         thread.
// Errors: Database and Io from SQLite; PermissionDenied for every write to a read-only document.
// Lifetime: close() and the destructor finish all jobs, then close the file.
class MeshDocument
{
public:
    // Blocks until the file is open and migrated. A migration is one transaction, after a backup
    // beside the file (`.backup-NNNN`, kAutomaticBackupsMax are kept).
    // Errors: AlreadyExists.
    [[nodiscard]] static Result<std::unique_ptr<MeshDocument>> create(
        const std::string& path, OpenOptions options = {}
    );
    // Errors: NotFound; Syntax when the file is no mesh document or is damaged, see
    //         document_repair.h. What can be read but not written opens read-only, see access().
    [[nodiscard]] static Result<std::unique_ptr<MeshDocument>> open(
        const std::string& path, OpenOptions options = {}
    );
    MeshDocument(const MeshDocument&) = delete;
    MeshDocument& operator=(const MeshDocument&) = delete;
    ~MeshDocument();
    void close();

    [[nodiscard]] const std::string& path() const;
    [[nodiscard]] const Access& access() const;

    void opening(Answer<Opening> answer);

    // Append-only. Answered when it is on the disk (synced), with the id.
    void addRevision(NewRevision revision, Answer<Revision> answer);
    void revisions(Answer<std::vector<Revision>> answer); // Oldest first.
    void revisionText(std::int64_t id, Answer<std::string> answer); // Errors: NotFound.

    void saveNodes(std::vector<NodeRecord> nodes, Answer<void> answer = {}); // Replaces all.
    void saveLayout(
        std::string view, std::vector<LayoutPosition> positions, Answer<void> answer = {}
    ); // Replaces the view's.
    void saveSetting(std::string key, std::string value, Answer<void> answer = {});
    void saveDraft(std::optional<std::string> text, Answer<void> answer = {});

    // Adds rows of seconds, in one transaction; then thins what is old, measured by the newest row:
    // 1 s steps are kept for 1 h, 10 s steps for 24 h, 60 s steps for 14 days.
    void addMetrics(std::vector<MetricRow> rows, Answer<void> answer = {});
    // One point per step that has rows, sorted by time. Steps: 1, 10 or 60; where only thinner rows
    // are left, those.
    void series(
        SeriesFilter filter,
        TimeRange range,
        std::int64_t step_s,
        Answer<std::vector<MetricPoint>> answer
    );
    // The sums of every series in [begin, end).
    void window(TimeRange range, Answer<WindowTotals> answer);
    void recorded(Answer<TimeRange> answer);

    // Answered with the id it got.
    void addEvent(EventRecord event, Answer<std::int64_t> answer = {});
    // One that goes on, to be ended with what this returns, also before it is written.
    [[nodiscard]] OpenEvent beginEvent(EventRecord event);
    // Errors: NotFound, it could not be written.
    void endEvent(OpenEvent event, std::int64_t end_us, Answer<void> answer = {});
    // Those that overlap [begin, end], sorted by begin, at most kEventsListedMax newest.
    void events(
        std::int64_t begin_us, std::int64_t end_us, Answer<std::vector<EventRecord>> answer
    );

    // Pushes. A record without an id is added, one with an id replaces what was kept. Answered with
    // the id when it is on the disk (synced).
    // Errors: NotFound; LimitExceeded above kPushBytesMax.
    void savePush(PushRecord push, Answer<std::int64_t> answer = {});
    // Newest last, at most kPushesListedMax newest; details of as many as kPushListBytesMax allow.
    void pushes(Answer<std::vector<PushRecord>> answer);
    void push(std::int64_t id, Answer<PushRecord> answer); // Errors: NotFound.

    // The audit: append-only, every row chained to the one before (audit_chain.h). `id` and `hash`
    // are given by the store. Answered when it is on the disk, with the id.
    void addAudit(AuditRecord record, Answer<std::int64_t> answer = {});
    // Those in [begin, end], oldest first, at most kAuditListedMax newest.
    void audit(std::int64_t begin_us, std::int64_t end_us, Answer<std::vector<AuditRecord>> answer);
    // The id of the first row that was changed or is missing; empty: the chain holds.
    void verifyAudit(Answer<std::optional<std::int64_t>> answer);
    // All rows as lines of JSON; answered with their number. Errors: AlreadyExists, Io.
    void exportAudit(std::string path, Answer<std::int64_t> answer);

    // Small named things, by kind; saving replaces the one with the same name.
    // Errors: LimitExceeded above kItemBytesMax and kItemsPerKindMax.
    void saveItem(std::string kind, std::string name, std::string text, Answer<void> answer = {});
    void removeItem(std::string kind, std::string name, Answer<void> answer = {});
    void items(std::string kind, Answer<std::vector<ItemRecord>> answer); // Sorted by name.

    // Requests for Review to route again. The newest kSamplesKeptMax are kept.
    void addSamples(std::vector<SampleRecord> samples, Answer<void> answer = {});
    // Those in [begin, end), oldest first, at most `countMax` newest.
    void samples(
        std::int64_t begin_us,
        std::int64_t end_us,
        std::size_t countMax,
        Answer<std::vector<SampleRecord>> answer
    );

    // Remembers what of the view stands elsewhere than before, from `time_us` on; at most
    // kLayoutMovesMax moves of a view, of which the oldest go first.
    void addLayoutMoves(
        std::string view,
        std::int64_t time_us,
        std::vector<LayoutPosition> positions,
        Answer<void> answer = {}
    );
    // Where everything of the view stood then; what had not been placed yet stands where it was
    // placed first. Sorted by id.
    void layoutAt(
        std::string view, std::int64_t time_us, Answer<std::vector<LayoutPosition>> answer
    );

    // An automatic backup beside the document, without what was measured; the newest
    // kAutomaticBackupsMax are kept. Answered with its path. Errors: PermissionDenied, Io,
    // Database.
    void backUp(Answer<std::string> answer = {});
    // A consistent copy of the whole document while it is being written. Errors: AlreadyExists.
    void copyTo(std::string path, Answer<void> answer);

private:
    class Worker;
    enum class Intent : std::uint8_t { Create, Existing };
    [[nodiscard]] static Result<std::unique_ptr<MeshDocument>> start(
        const std::string& path, Intent intent, OpenOptions options
    );
    explicit MeshDocument(std::unique_ptr<Worker> worker);
    std::unique_ptr<Worker> m_worker;
};

} // namespace mesh::store
