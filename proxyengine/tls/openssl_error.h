#pragma once

#include "proxyengine/base/error.h"

#include <string_view>

namespace mesh::tls {

// The oldest error of this thread's OpenSSL queue as ours; empties the queue.
[[nodiscard]] tl::unexpected<Error> takeOpensslError(
    std::string_view what, SourcePlace source = SourcePlace::here()
);

// The reason alone, "certificate verify failed"; empties the queue. "unknown reason" when it is
// empty.
[[nodiscard]] std::string takeOpensslReason();

} // namespace mesh::tls
