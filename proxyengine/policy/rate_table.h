#pragma once

#include "proxyengine/policy/rate_limit.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

namespace mesh::policy {

// The states of one rate limit for many keys (callers, addresses, paths), in fixed memory.
//
// A key is known by a 64-bit hash under the given seed and lives in one bucket of kBucketKeys. An
// entry is free again as soon as its word is at rest, so nothing is lost by forgetting it. When all
// entries of a bucket are in use, further keys of that bucket share one state, together, and a key
// that finds an entry later begins with what is counted there: each of them still gets no more than
// the limit, but may get less (overflows() counts these requests). Sized four times the keys that
// are active at once, that happens to less than one key in a million.
//
// Threads: any. A word changes by compare-and-exchange only, and its own order makes each count
// exact. An entry changes its key only from rest and only by the thread that made the bucket's
// version odd: it first sets the word to RateRule::kNoWord, then the key, then the word to that of
// its first request. Whoever takes from a word and then still sees its key at the entry has charged
// the right key; otherwise it starts again. No thread waits for another without end: after
// kPatientTries disturbed looks it offers the processor to others, after kTriesMax it uses the
// shared state. That and the placing of a key are sequentially consistent, so that one of the two
// sees the other. (Only if a thread is suspended twice in the few instructions of placing a key may
// that key get up to one limit more.)
// Cost: one hash and a scan of at most kBucketKeys hashes in two cache lines; no allocation after
// construction.
class RateTable
{
public:
    static constexpr std::size_t kBucketKeys = 16;
    static constexpr int kPatientTries = 32; // Before the processor is offered to others.
    static constexpr int kTriesMax = 96;

    // Room for `keys`, rounded up to whole buckets. The seed keeps callers from choosing keys that
    // share a bucket; the simulator gives a fixed one.
    RateTable(const RateRule& rule, std::size_t keys, std::uint64_t seed);

    [[nodiscard]] RateVerdict take(std::string_view key, RateNow now);
    // Undoes a take() that admitted. A key that lives in a shared state stays charged.
    void giveBack(std::string_view key, RateNow now);

    [[nodiscard]] const RateRule& rule() const { return m_rule; }
    [[nodiscard]] std::size_t capacity() const { return m_buckets.size() * kBucketKeys; }
    [[nodiscard]] std::uint64_t overflows() const; // take()s that were judged by a shared state.
    [[nodiscard]] std::size_t keysInUse(RateNow now) const; // Not at rest. For metrics: walks all.

private:
    using Word = std::atomic<std::uint64_t>;
    struct alignas(64) Bucket
    {
        std::array<Word, kBucketKeys> keys{}; // 0: never used.
        std::array<Word, kBucketKeys> words{};
        Word version{0}; // Odd while an entry changes its key.
        Word shared{0};
    };
    enum class Taken : std::uint8_t { Yes, Disturbed };
    // What a bucket was seen at when an entry was found free.
    struct Sight
    {
        std::uint64_t version = 0;
        RateNow now;
    };

    [[nodiscard]] std::uint64_t hashOf(std::string_view key) const;
    Bucket& bucketOf(std::uint64_t hash);
    [[nodiscard]] static std::size_t find(const Bucket& bucket, std::uint64_t hash);
    [[nodiscard]] std::size_t findFree(const Bucket& bucket, RateNow now) const;
    Taken takeAt(
        Bucket& bucket, std::size_t entry, std::uint64_t hash, RateNow now, RateVerdict& verdict
    );
    Taken settle(
        Bucket& bucket, std::size_t entry, std::uint64_t hash, Sight sight, RateVerdict& verdict
    );
    [[nodiscard]] RateVerdict takeShared(Bucket& bucket, std::uint64_t hash, RateNow now);

    RateRule m_rule;
    std::uint64_t m_seed;
    std::vector<Bucket> m_buckets;
    std::atomic<std::uint64_t> m_overflows{0};
};

} // namespace mesh::policy
