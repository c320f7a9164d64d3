#include "proxyengine/tls/tickets.h"

#include "proxyengine/tls/openssl_error.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

namespace mesh::tls {
namespace {

bool fill(TicketKeys::Key& key)
{
    return RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) == 1
           && RAND_priv_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) == 1
           && RAND_priv_bytes(key.mac.data(), static_cast<int>(key.mac.size())) == 1;
}

} // namespace

Result<std::shared_ptr<const TicketKeys>> TicketKeys::make()
{
    std::shared_ptr<TicketKeys> keys(new TicketKeys);
    if (!fill(keys->m_current)) {
        return takeOpensslError("RAND_bytes");
    }
    return keys;
}

Result<std::shared_ptr<const TicketKeys>> TicketKeys::rotated() const
{
    std::shared_ptr<TicketKeys> keys(new TicketKeys);
    if (!fill(keys->m_current)) {
        return takeOpensslError("RAND_bytes");
    }
    keys->m_previous = m_current;
    return keys;
}

TicketKeys::~TicketKeys()
{
    OPENSSL_cleanse(&m_current, sizeof(m_current));
    if (m_previous) {
        OPENSSL_cleanse(&*m_previous, sizeof(*m_previous));
    }
}

} // namespace mesh::tls
