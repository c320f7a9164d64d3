#pragma once

#include "proxyengine/base/error.h"
#include "proxyengine/base/time.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

namespace mesh::tls {

// The keys that session tickets are sealed with: the present one and the one before. Immutable, so
// that all workers of a node share them and a client resumes on any of them.
class TicketKeys
{
public:
    struct Key
    {
        std::array<unsigned char, 16> name{}; // Stands in the ticket.
        std::array<unsigned char, 32> cipher{}; // AES-256-CBC.
        std::array<unsigned char, 32> mac{}; // HMAC-SHA-256.
    };

    // Errors: Tls when there is no randomness.
    [[nodiscard]] static Result<std::shared_ptr<const TicketKeys>> make();
    // A new key before the present one. Errors: those of make().
    [[nodiscard]] Result<std::shared_ptr<const TicketKeys>> rotated() const;
    TicketKeys(const TicketKeys&) = delete;
    TicketKeys& operator=(const TicketKeys&) = delete;
    ~TicketKeys(); // Overwrites them.

    [[nodiscard]] const Key& current() const { return m_current; }
    [[nodiscard]] const std::optional<Key>& previous() const { return m_previous; }

private:
    TicketKeys() = default;

    Key m_current;
    std::optional<Key> m_previous;
};

} // namespace mesh::tls
