#include "proxyengine/proxy/exchange.h"

namespace mesh::proxy {

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
    requestId.fill('\0');
    path = {};
    query = {};
    runtime = nullptr;
    route = nullptr;
    service = nullptr;
    matchedPathBytes = 0;
    row = nullptr;
    upstream = nullptr;
    tried = {};
    pool = nullptr;
    connection = nullptr;
    attemptRow = nullptr;
    lookup.reset();
    retriesLeft = 0;
    attempts = 0;
    hasAttempt = false;
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
    upstreamLatency = {};
    bytesIn = 0;
    bytesOut = 0;
    failure = {};
}

} // namespace mesh::proxy
