// Whole runs in one file, for repositories and other machines: JSON lines, packed with gzip where they are
// large.
//
//   {"micius_export":1,"runs":2}
//   {"run":{"status","started","finished","wall_ns","spec"}}
//   {"record":{"sample","repeat","verdict","answer","reason","values","turns"}}
//   {"end":{"records":480,"sha256":".."}}    of the run's lines before this one
//
// What may be left out is left out where it is empty.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/files.h"
#include "core/record.h"
#include "core/run.h"
#include "core/store.h"

namespace micius {

constexpr int kRunFileVersion = 1;

// Where the runs of a file go: begin, every record, end; then the next run.
class RunSink {
 public:
  virtual ~RunSink() = default;
  virtual void begin(const Run& run) = 0;  // its id and batch mean nothing
  virtual void add(const Record& record) = 0;
  virtual void end() = 0;
};

// The same runs give the same bytes, whatever their ids and their store.
void write_run_file(const Store& store, const std::vector<RunId>& runs, const ByteSink& sink);

// Throws Error{kNotFound, kIo}, Error{kUnsupported} for a file of a newer program, and Error{kInvalidData}
// for one that is cut, damaged, or says what a run cannot be; then the sink holds a part.
void read_run_file(const std::filesystem::path& path, RunSink& sink);

// Hands one run of a store over as a file of it would be.
void read_run(const Store& store, RunId run, RunSink& sink);

// What two stores have in common of the same run: the hash of its lines.
std::string run_sha256(const Store& store, RunId run);

}  // namespace micius
