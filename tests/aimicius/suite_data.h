// The suites' data as their tests read it.
#pragma once

#include <exception>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "base/files.h"
#include "base/text.h"
#include "datasets/registry.h"
#include "source_tree.h"
#include "tasks/registry.h"

namespace micius {

inline const std::filesystem::path kSuite = source_tree() / "datasets/aimicius";

inline TaskOptions options(const std::filesystem::path& data = "") {
  TaskOptions result;
  result.roots.share = source_tree();
  result.roots.data = data;
  return result;
}

// All samples of the task's dataset, prepared by the task.
inline std::vector<Sample> samples_of(const Task& task, const DataRoots& roots = options().roots) {
  const auto dataset = dataset_registry().get(task.dataset.name)(task.dataset, roots);
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < dataset->size(); ++i) samples.push_back(task.prepare(dataset->at(i)));
  return samples;
}

// Some files of the suites in a folder of their own, for as long as this lives.
class SuiteCopy {
 public:
  explicit SuiteCopy(std::initializer_list<const char*> files)
      : path_(std::filesystem::temp_directory_path() / fmt::format("micius-suite-{}", ::getpid())) {
    for (const char* file : files) {
      std::filesystem::create_directories((path_ / file).parent_path());
      std::filesystem::copy_file(kSuite / file, path_ / file,
                                 std::filesystem::copy_options::overwrite_existing);
    }
  }
  SuiteCopy(const SuiteCopy&) = delete;
  SuiteCopy& operator=(const SuiteCopy&) = delete;
  ~SuiteCopy() { std::filesystem::remove_all(path_); }

  // What `build` says of the copy once `to` stands for `from` in a file; "built" if nothing.
  std::string message_after(const char* file, const std::string& from, const std::string& to,
                            const std::function<void(const std::filesystem::path&)>& build) const {
    const std::string text = read_file(path_ / file);
    REQUIRE(text.find(from) != std::string::npos);
    write_file_atomic(path_ / file, replace_all(text, from, to));
    std::string message = "built";
    try {
      build(path_);
    } catch (const std::exception& error) {
      message = error.what();
    }
    write_file_atomic(path_ / file, text);
    return message;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace micius
