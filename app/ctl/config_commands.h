#pragma once

#include "app/ctl/surroundings.h"

#include <string>

// Commands about one document: no node is asked.
namespace mesh::ctl {

struct ValidateOptions
{
    std::string file;
};

struct CompileOptions
{
    std::string file;
    std::string node;
    bool isExplained = false;
};

struct HistoryOptions
{
    std::string document; // Empty: the only one of this folder.
};

// Problems with their lines, then findings across objects (MW-2nn and on) with severity and fix, on
// standard output: they are the answer. 0 valid, 1 not, 2 unreadable, 3 not there.
[[nodiscard]] int runValidate(const ValidateOptions& options, const Surroundings& around);

// What the node runs with, one value a line. 1: the document does not compile for it.
[[nodiscard]] int runCompile(const CompileOptions& options, const Surroundings& around);

// The revisions of a mesh document, newest first.
[[nodiscard]] int runHistory(const HistoryOptions& options, const Surroundings& around);

} // namespace mesh::ctl
