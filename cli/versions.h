// What `gridsweep --version` prints.
#pragma once

#include <string>
#include <string_view>

namespace gridsweep {

// This program's version and commit, and the versions of LibTorch, gRPC and SQLite. This program links
// neither LibTorch nor SQLite, so the programs beside it in `program_dir` are asked; "not installed" where
// there is none.
std::string VersionText(const std::string& program_dir);

// The version of `library` in what a program prints about itself: the first word with a digit after the
// library's name; empty if it is not there.
std::string FindVersion(std::string_view text, std::string_view library);

}  // namespace gridsweep
