#pragma once

#include <cstdint>
#include <string>

// What a document remembers besides configuration and metrics: plain rows.
namespace mesh::store {

// One push: what was meant to happen, and how far it came. Kept while it goes on, so that a console
// that was killed knows what it was doing.
struct PushRecord
{
    std::int64_t id = 0; // Given by the store; 0: not yet.
    std::int64_t revision = 0; // What the nodes should run; 0: of no document.
    std::int64_t revisionBefore = 0;
    std::int64_t begin_us = 0;
    std::int64_t end_us = 0; // 0: it goes on, or its console was killed.
    // "running", "done", "partial", "rolled_back", "stopped" or "failed".
    std::string outcome = "running";
    int converged = 0; // Nodes whose hash was read back and is the revision's.
    int expected = 0;
    // Every node's way (fleet::toJson). Of the newest kPushDetailsMax pushes; empty: not kept.
    std::string json;
    friend bool operator==(const PushRecord&, const PushRecord&) = default;
};

// One thing somebody did. Rows are never changed; each is chained to the one before by its hash.
struct AuditRecord
{
    std::int64_t id = 0; // Given by the store: 1, 2, 3 …
    std::int64_t time_us = 0;
    std::string actor; // "ada@host"
    std::string action; // "revision.applied": dotted, lower case.
    std::string subject; // "revision 41", "service:cart"
    std::string detail;
    std::string hash; // 64 hex digits; given by the store.
    friend bool operator==(const AuditRecord&, const AuditRecord&) = default;
};

// A small thing a person made and named: a saved filter, an alert rule, a kept run.
struct ItemRecord
{
    std::string kind; // "filter", "alert_rule", "silence", "mute", "run"; the store does not care.
    std::string name; // Unique within its kind.
    std::string text;
    friend bool operator==(const ItemRecord&, const ItemRecord&) = default;
};

// One request as a node told it, so that Review can route it again.
struct SampleRecord
{
    std::int64_t time_us = 0;
    std::string node;
    std::string method;
    std::string scheme; // Empty: http.
    std::string host;
    std::string path; // With the query.
    std::string headers; // JSON: [["name", "value"], …]; empty: none known.
    std::string source; // Address or name of the caller.
    std::string route;
    std::string service;
    int status = 0; // 0: no answer.
    double latency_ms = 0;
    std::string requestId;
    friend bool operator==(const SampleRecord&, const SampleRecord&) = default;
};

} // namespace mesh::store
