#include "proxyengine/proxy/exchange.h"

namespace mesh::proxy {
namespace {

constexpr std::size_t kKeptSpareMax = 128U << 10U; // What an exchange keeps for the next request.

} // namespace

void Exchange::reset()
{
    requestParser.reset();
    answerParser.reset();
    up.start({}, http::ChunkedDecoder::Mode::Keep);
    down.start({}, http::ChunkedDecoder::Mode::Keep);
    body.release();
    toUpstream.release();
    toClient.release();
    bodyAt = 0;
    if (kept.capacity() > kKeptSpareMax) {
        kept = {};
    }
    kept.clear();
    keptAt = 0;
    keepMax = 0;
    isBodyKept = false;
    requestId.fill('\0');
    path = {};
    query = {};
    isGrpc = false;
    upgrade = {};
    runtime = nullptr;
    route = nullptr;
    service = nullptr;
    matchedPathBytes = 0;
    pattern = nullptr;
    row = nullptr;
    upstream = nullptr;
    policy = nullptr;
    countedRequests = nullptr;
    hashedFor = nullptr;
    hash.reset();
    tried = {};
    pool = nullptr;
    connection = nullptr;
    attemptRow = nullptr;
    lookup.reset();
    retriesLeft = 0;
    attempts = 0;
    hasAttempt = false;
    hasNameFailed = false;
    needsFresh = false;
    hasSentAny = false;
    isHeadSent = false;
    isBodyConsumed = false;
    hasContinued = false;
    attemptAt = {};
    status = 0;
    isAnswerHead = false;
    hasAnswered = false;
    isOwnAnswer = false;
    closesClient = false;
    answerFields.clear();
    upstreamLatency = {};
    bytesIn = 0;
    bytesOut = 0;
    bytesInTold = 0;
    bytesOutTold = 0;
    tunnel.reset();
    failure = {};
    pastAttempts.clear();
    verdicts.clear();
    trailers.clear();
    grpcStatus.reset();
    coding = {};
    compressor.reset();
    owesFlush = false;
    isFlushing = false;
    isCompressed = false;
    isAnswerRecorded = false;
    owesCount = false;
    owesReport = false;
}

} // namespace mesh::proxy
