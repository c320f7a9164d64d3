#include "proxyengine/policy/rate_table.h"

#include "proxyengine/base/hash.h"
#include "proxyengine/policy/counter_word.h"
#include "proxyengine/policy/share.h"

#include <algorithm>
#include <thread>

namespace mesh::policy {

RateTable::RateTable(const RateRule& rule, std::size_t keys, std::uint64_t seed)
    : m_rule(rule)
    , m_seed(seed)
    , m_buckets(std::max<std::size_t>(1, (keys + kBucketKeys - 1) / kBucketKeys))
{}

RateVerdict RateTable::take(std::string_view key, RateNow now)
{
    const std::uint64_t hash = hashOf(key);
    Bucket& bucket = bucketOf(hash);
    RateVerdict verdict;
    for (int tries = 0; tries < kTriesMax; ++tries) {
        if (tries >= kPatientTries) {
            std::this_thread::yield(); // Whoever places a key may have been suspended meanwhile.
        }
        // Read before the scan: whoever places a key in between makes settle() fail.
        const std::uint64_t version = bucket.version.load(std::memory_order_acquire);
        const std::size_t found = find(bucket, hash);
        if (found < kBucketKeys) {
            if (takeAt(bucket, found, hash, now, verdict) == Taken::Yes) {
                return verdict;
            }
            continue;
        }
        if (version % 2 != 0) {
            continue; // Somebody is placing a key, perhaps this one.
        }
        const std::size_t free = findFree(bucket, now);
        if (free == kBucketKeys) {
            break;
        }
        if (settle(bucket, free, hash, {version, now}, verdict) == Taken::Yes) {
            return verdict;
        }
    }
    return takeShared(bucket, hash, now);
}

void RateTable::giveBack(std::string_view key, RateNow now)
{
    const std::uint64_t hash = hashOf(key);
    Bucket& bucket = bucketOf(hash);
    const std::size_t found = find(bucket, hash);
    if (found == kBucketKeys) {
        return;
    }
    Word& word = bucket.words[found];
    std::uint64_t seen = word.load(std::memory_order_acquire);
    while (seen != RateRule::kNoWord && bucket.keys[found].load(std::memory_order_relaxed) == hash
    ) {
        std::uint64_t next = seen;
        m_rule.giveBack(next, now);
        if (word.compare_exchange_weak(
                seen, next, std::memory_order_acq_rel, std::memory_order_acquire
            )) {
            return;
        }
    }
}

std::uint64_t RateTable::overflows() const { return m_overflows.load(std::memory_order_relaxed); }

std::size_t RateTable::keysInUse(RateNow now) const
{
    std::size_t count = 0;
    for (const Bucket& bucket : m_buckets) {
        for (const Word& word : bucket.words) {
            const std::uint64_t seen = word.load(std::memory_order_relaxed);
            count += seen != RateRule::kNoWord && !m_rule.isAtRest(seen, now) ? 1U : 0U;
        }
    }
    return count;
}

std::uint64_t RateTable::hashOf(std::string_view key) const
{
    return std::max<std::uint64_t>(1, xxh3(key, m_seed)); // 0 marks an unused entry.
}

RateTable::Bucket& RateTable::bucketOf(std::uint64_t hash)
{
    return m_buckets[partOf(hash, m_buckets.size())];
}

std::size_t RateTable::find(const Bucket& bucket, std::uint64_t hash)
{
    for (std::size_t i = 0; i < kBucketKeys; ++i) {
        if (bucket.keys[i].load() == hash) {
            return i;
        }
    }
    return kBucketKeys;
}

std::size_t RateTable::findFree(const Bucket& bucket, RateNow now) const
{
    for (std::size_t i = 0; i < kBucketKeys; ++i) {
        const std::uint64_t word = bucket.words[i].load(std::memory_order_relaxed);
        if (word != RateRule::kNoWord && m_rule.isAtRest(word, now)) {
            return i;
        }
    }
    return kBucketKeys;
}

RateTable::Taken RateTable::takeAt(
    Bucket& bucket, std::size_t entry, std::uint64_t hash, RateNow now, RateVerdict& verdict
)
{
    Word& word = bucket.words[entry];
    std::uint64_t seen = word.load(std::memory_order_acquire);
    while (seen != RateRule::kNoWord) {
        std::uint64_t next = seen;
        verdict = m_rule.take(next, now);
        if (!verdict.isAdmitted
            || word.compare_exchange_weak(
                seen, next, std::memory_order_acq_rel, std::memory_order_acquire
            )) {
            // The entry may have changed its key before the word was read. Then another key was
            // charged one too many, which harms nobody but may cost it one request.
            const bool isOwn = bucket.keys[entry].load(std::memory_order_acquire) == hash;
            return isOwn ? Taken::Yes : Taken::Disturbed;
        }
    }
    return Taken::Disturbed;
}

RateTable::Taken RateTable::settle(
    Bucket& bucket, std::size_t entry, std::uint64_t hash, Sight sight, RateVerdict& verdict
)
{
    std::uint64_t version = sight.version;
    if (!bucket.version.compare_exchange_strong(
            version, sight.version + 1, std::memory_order_acq_rel
        )) {
        return Taken::Disturbed;
    }
    // Alone now. The word may still be taken from under its old key: then it is not free any more.
    Word& word = bucket.words[entry];
    std::uint64_t seen = word.load(std::memory_order_acquire);
    const bool isFree =
        m_rule.isAtRest(seen, sight.now)
        && word.compare_exchange_strong(
            seen, RateRule::kNoWord, std::memory_order_acq_rel, std::memory_order_relaxed
        );
    if (isFree) {
        // With its first request already counted, so that the entry is not free again at once, and
        // its word is none that a late taker of the old key may have seen.
        bucket.keys[entry].store(hash); // From here in one order with takeShared().
        const std::uint64_t shared = bucket.shared.load();
        std::uint64_t first = shared;
        verdict = m_rule.take(first, sight.now);
        word.store(first);
        // Whoever of this key took from the shared state without seeing the word is counted now.
        std::uint64_t corrected = bucket.shared.load();
        if (corrected != shared) {
            const RateVerdict late = m_rule.take(corrected, sight.now);
            verdict = word.compare_exchange_strong(first, corrected) ? late : verdict;
        }
    }
    bucket.version.store(sight.version + 2, std::memory_order_release);
    return isFree ? Taken::Yes : Taken::Disturbed;
}

RateVerdict RateTable::takeShared(Bucket& bucket, std::uint64_t hash, RateNow now)
{
    m_overflows.fetch_add(1, std::memory_order_relaxed);
    RateVerdict verdict;
    std::uint64_t seen = bucket.shared.load();
    std::uint64_t next = seen;
    do {
        next = seen;
        verdict = m_rule.take(next, now);
    } while (verdict.isAdmitted && !bucket.shared.compare_exchange_weak(seen, next));

    // Placed meanwhile: its entry may not know of this request.
    const std::size_t found = verdict.isAdmitted ? find(bucket, hash) : kBucketKeys;
    RateVerdict own;
    if (found == kBucketKeys || takeAt(bucket, found, hash, now, own) == Taken::Disturbed) {
        return verdict;
    }
    step(bucket.shared, [&](std::uint64_t& word) {
        m_rule.giveBack(word, now);
        return true;
    });
    return own;
}

} // namespace mesh::policy
