#include "proxyengine/base/handles.h"

#include <unistd.h>

namespace mesh {

void FileDescriptor::reset(int number)
{
    if (m_number >= 0) {
        static_cast<void>(::close(m_number)); // Nothing can be done about a failed close.
    }
    m_number = number;
}

} // namespace mesh
