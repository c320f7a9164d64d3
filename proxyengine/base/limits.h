#pragma once

#include "proxyengine/base/time.h"

#include <cstddef>
#include <cstdint>

// Every limit of the engine stands here, with the reason beside it.
namespace mesh {

// Text and configuration.
inline constexpr Duration kDurationTextMax = std::chrono::hours(24); // Longer is a typing error.
inline constexpr std::size_t kConfigBytesMax = 64UL
                                               << 20U; // 10 000 routes are 2 MiB; room for 300 000.
inline constexpr std::size_t kConfigDepthMax = 64; // Of nested YAML or JSON; the model needs 8.
inline constexpr std::size_t kConfigProblemsMax =
    1000; // Reported per document; the rest is counted.
inline constexpr std::size_t kRouteRegexBytesMax = 1U << 20U; // RE2 program memory of one pattern.

// Connections and HTTP/1.
inline constexpr std::size_t kHeadBytesMax =
    64U << 10U; // Request or response head; nginx allows 32 KiB.
inline constexpr std::size_t kTargetBytesMax = 16U << 10U; // Request target; longer is 414.
inline constexpr std::size_t kHeadersMax = 128; // Fields of one head; more is 400.
inline constexpr std::size_t kTrailerBytesMax = 16U << 10U; // All trailers of one body.
inline constexpr std::size_t kChunkExtensionBytesMax = 1024; // Nobody uses them; smugglers do.
inline constexpr std::size_t kBodyBufferBytes = 64U << 10U; // One read, and the back-pressure mark.
inline constexpr std::size_t kMirrorsPerWorkerMax = 1000; // Copies on their way; more are not sent.
inline constexpr std::size_t kPipelinedRequestsMax =
    64; // Parsed ahead on one connection: none; answered in turn.
inline constexpr std::size_t kConnectionsPerWorkerMax =
    65536; // Above it accept stops until one closes.
inline constexpr Duration kClientHeadTimeout =
    std::chrono::seconds(60); // From the first byte to the whole head.
inline constexpr Duration kClientIdleTimeout =
    std::chrono::seconds(75); // Between requests; nginx's default.
inline constexpr Duration kClientBodyTimeout =
    std::chrono::seconds(60); // Between two reads of a body.

// TLS session tickets: how long a client may resume by one, and how often the key behind them
// changes. A key opens tickets for the period in which it makes them and for one more, so that
// every ticket lives its whole time; a stolen key opens what two hours of clients have said, not
// more.
inline constexpr Duration kTicketLifetime = std::chrono::hours(1);
inline constexpr Duration kTicketRotation = std::chrono::hours(1);

// Upstream pools (reference: gateway keep-alive defaults).
inline constexpr std::size_t kIdleConnectionsPerTargetMax = 512;
inline constexpr std::uint64_t kRequestsPerConnectionMax = 10'000;
// Pools per target that differ by TLS server name. With preserve_host the names are the clients';
// beyond this one of them keeps no connection and goes when its last request has ended.
inline constexpr std::size_t kServerNamesPerTargetMax = 64;
inline constexpr std::size_t kServerNameBytesMax =
    255; // Of DNS and of SNI; longer cannot be asked for.
inline constexpr Duration kUpstreamIdleTimeout = std::chrono::seconds(60);
inline constexpr std::size_t kUpstreamStreamsMax =
    100; // On one HTTP/2 connection; the peer may allow fewer. RFC 9113's advice, and common.
inline constexpr std::size_t kUpstreamStreamsWaitingMax =
    1024; // For one HTTP/2 connection that is being made; more make another.
inline constexpr std::size_t kUpstreamWindowBytes =
    kBodyBufferBytes - 1; // Of an upstream's HTTP/2 stream; what it sends waits in one block.
inline constexpr std::size_t kUpstreamControlFramesMax =
    1000; // Per second and HTTP/2 connection beyond what data explains; more ends it.
inline constexpr std::size_t kUpstreamInterimHeadsMax = 16; // Before one final head.
inline constexpr Duration kUpstreamPingTimeout =
    std::chrono::seconds(5); // Asked when a request times out on a silent connection.
inline constexpr int kRetriesMax = 32767; // The gateway format's bound.

// Retries.
inline constexpr Duration kRetryAfterMax =
    std::chrono::seconds(300); // Waited for when the request has no timeout of its own.

// Balancers.
inline constexpr std::size_t kBalancerCycleMax =
    1024; // Prepared picks of one upstream and worker, 4 KiB.
inline constexpr std::size_t kBalancerPrepareStepsMax =
    65'536; // To prepare them after a change of health: 0.1 ms.

// Queues between threads.
inline constexpr std::size_t kEngineCommandsMax = 256; // Waiting at one engine.
inline constexpr std::size_t kMailboxMessagesMax = 4096; // Waiting at one worker.
inline constexpr std::size_t kEventsPerSubscriberMax = 4096; // Oldest detail is dropped first.
inline constexpr std::size_t kAccessSamplesPerSecondMax =
    200; // Access events per node and second in /v1/events.

// Measurement.
inline constexpr std::size_t kSeriesPerNodeMax =
    20'000; // Rows of one frame; the rest is counted as dropped.
inline constexpr std::size_t kGrpcMethodsMax =
    500; // Counted one by one; callers choose the names, the rest is "other".
inline constexpr Duration kStatsInterval = std::chrono::seconds(1); // What people call live.

// Admin API.
inline constexpr std::size_t kAdminBodyBytesMax = kConfigBytesMax; // A whole document.
inline constexpr std::size_t kAdminConnectionsMax = 256; // Consoles and scrapers.
inline constexpr std::size_t kAdminHandshakesMax =
    64; // At once, of an admin API with TLS: who shows no certificate must not fill the rest.
inline constexpr std::size_t kCredentialFileBytesMax = 1U << 20U; // A system's bundle is 220 KiB.
inline constexpr std::size_t kSmallBodyBytesMax = 64U
                                                  << 10U; // A question with a browser's headers.
inline constexpr std::size_t kRouteCandidatesMax = 500; // Losers that are told; a long page.
inline constexpr std::size_t kQuestionHeadersMax = 100; // Of a route test; servers take as many.
inline constexpr std::size_t kTapHeadersMax = 16; // Captured per request; a wide table's columns.
inline constexpr std::size_t kTapHeaderBytesMax = 512; // Of one value; what a row can show.
inline constexpr std::size_t kAccessAttemptsMax = 16; // Told of one request; more is a loop.

// Loop discipline.
inline constexpr Duration kTurnLengthMax = std::chrono::milliseconds(5); // Longer turns are logged.

// Document store.
inline constexpr std::size_t kStoreJobsMax = 1024; // Waiting at the writer thread.
inline constexpr int kAutomaticBackupsMax = 5; // One per migration; a year of releases.
inline constexpr std::size_t kRevisionsListedMax = 10'000; // Older ones are found by number.
inline constexpr std::size_t kEventsListedMax = 5'000; // A time axis shows a few hundred.
inline constexpr std::size_t kPushesListedMax = 1'000; // Older ones are named by their revision.
inline constexpr std::size_t kPushDetailsMax = 200; // Pushes that keep every node's way.
inline constexpr std::size_t kPushBytesMax = 4U << 20U; // A push to 1 000 nodes is 1 MiB.
inline constexpr std::size_t kPushListBytesMax = 32U << 20U; // Of one list; older ones one by one.
inline constexpr std::size_t kAuditFieldBytesMax = 16U << 10U; // Longer ones are cut, and say so.
inline constexpr std::size_t kAuditListedMax = 10'000; // The export has all.
inline constexpr std::size_t kItemsPerKindMax = 500; // Filters, rules, silences a person made.
inline constexpr std::size_t kItemBytesMax = 8U << 20U; // The largest is a report of a rehearsal.
inline constexpr std::size_t kSamplesKeptMax = 20'000; // An hour at five requests a second.
inline constexpr std::size_t kSamplesPerSecondMax = 50; // Written by a console, over all nodes.
inline constexpr std::size_t kSampleHeadersMax = 32; // Of one sample; a router matches on few.
inline constexpr std::size_t kSampleFieldBytesMax = 2048; // One header or path of a sample.
inline constexpr std::size_t kLayoutMovesMax = 100'000; // Of one view; 10 MiB.

// Console.
inline constexpr std::size_t kEngineEventsMax =
    8192; // Waiting for the console; 10 ms of access events of 100 nodes.
inline constexpr std::size_t kEventRowsMax = 2'000; // Kept in the Events pane.
inline constexpr std::size_t kTapRowsMax = 1'000; // Kept in the Tap pane.
inline constexpr std::size_t kRehearsalRunsMax = 6; // A run of ten minutes holds some 10 MiB.

// Streams.
inline constexpr std::size_t kClientHelloBytesMax =
    16U << 10U; // As on the wire; post-quantum keys make 2 KiB, session tickets a few more.
inline constexpr std::size_t kProxyHeaderBytesMax =
    4096; // Of version 2 with its TLVs; certificates in them are the largest anybody sends.
inline constexpr Duration kStreamPrefaceTimeout =
    std::chrono::seconds(5); // For a PROXY header or a ClientHello: the first packet, both.
inline constexpr std::size_t kUdpSessionsPerWorkerMax =
    16'384; // Each is a descriptor; half of the connections' share.
inline constexpr std::size_t kUdpDatagramBytesMax = 65'535; // What UDP can carry.
inline constexpr std::size_t kUdpDatagramsPerCall = 16; // 1 MiB of room for one recvmmsg().
inline constexpr std::size_t kSparePipesMax = 64; // Per worker; two descriptors and 256 KiB each.

// HTTP/2 from clients.
inline constexpr std::uint32_t kH2StreamsMax = 128; // At once on a connection; nginx's default.
inline constexpr std::uint32_t kH2StreamWindowBytes =
    64U << 10U; // What a stream may send ahead of the driver: one buffer.
inline constexpr std::int32_t kH2ConnectionWindowBytes =
    1 << 20; // 16 stalled streams before they hold up the others.
inline constexpr std::size_t kH2ContinuationsMax = 8; // 128 KiB of a head of which 64 are allowed.
inline constexpr double kH2ResetsBurst = 200; // By the client, or earned from us by it.
inline constexpr double kH2ResetsPerSecond = 50; // Browsers cancel a page's images in a burst.
inline constexpr double kH2ControlBurst = 1000; // SETTINGS, PING, PRIORITY and empty DATA, each.
inline constexpr double kH2ControlPerSecond = 100; // gRPC pings once per round trip while it sends.
inline constexpr std::size_t kH2SpareStreamsMax = 16; // Kept for the next requests of a connection.

// Rehearsals.
inline constexpr std::size_t kScenarioBytesMax = 1U << 20U; // A thousand faults are 100 KiB.
inline constexpr int kReplicationsMax = 10'000; // Intervals of a thousandth; a night of runs.

} // namespace mesh
