#include <cstdarg>
#include <dlfcn.h>
#include <sched.h>

// QProcess starts a child in the memory of its parent (CLONE_VM) until the child runs its program.
// ThreadSanitizer takes such a child for the fork of a program with threads, which it makes ignore
// what synchronises threads; as the memory is the parent's, it is the parent that ignores it from
// there on: races are told that are none, and others are no longer seen. Here the child of a test
// program gets memory of its own.
extern "C" int clone(int (*function)(void*), void* stack, int flags, void* argument, ...)
{
    using Clone = int (*)(int (*)(void*), void*, int, void*, ...);
    static const auto next = reinterpret_cast<Clone>(dlsym(RTLD_NEXT, "clone"));
    va_list more;
    va_start(more, argument);
    auto* const parentPlace = va_arg(more, void*);
    auto* const threadData = va_arg(more, void*);
    auto* const childPlace = va_arg(more, void*);
    va_end(more);
    const int apart = (flags & CLONE_VFORK) != 0 ? flags & ~CLONE_VM : flags;
    return next(function, stack, apart, argument, parentPlace, threadData, childPlace);
}
