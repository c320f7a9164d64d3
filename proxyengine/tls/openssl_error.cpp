#include "proxyengine/tls/openssl_error.h"

#include <fmt/format.h>
#include <openssl/err.h>

namespace mesh::tls {

std::string takeOpensslReason()
{
    const unsigned long code = ERR_get_error(); // NOLINT(google-runtime-int): OpenSSL's own type.
    ERR_clear_error();
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    return reason == nullptr ? "unknown reason" : reason;
}

tl::unexpected<Error> takeOpensslError(std::string_view what, SourcePlace source)
{
    return fail(ErrorCode::Tls, fmt::format("{}: {}", what, takeOpensslReason()), {}, source);
}

} // namespace mesh::tls
