// The suite's folder: its files, their hashes, and the table of counts.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "infrawise.h"

namespace micius::aimicius {

// Reads what the cases are made from: CANARY.txt, infrawise/{vocabulary,phrasings}.json,
// infrawise/pool.jsonl.
Sources read_sources(const std::filesystem::path& suite);

// Every generated file, by its path in the suite's folder. Throws for a broken rule.
using Files = std::map<std::string, std::string>;
Files build(const std::filesystem::path& suite);
// The same for Optiflow's files. Its part of README.md is put into what is there.
Files build_optiflow(const std::filesystem::path& suite);

// The GUID of CANARY.txt.
std::string canary_of(const std::filesystem::path& suite);

// The twin's test file.
std::string build_twin(const std::filesystem::path& suite, const std::string& seed);

// "HASH  PATH" for every file of the suite but this one and the generator's, by path.
std::string checksums(const std::filesystem::path& suite);

// Cases as a person reads them: question, DCW, records with what is wrong about each.
std::string review(const std::filesystem::path& suite, Split split, std::size_t first, std::size_t count);

}  // namespace micius::aimicius
