#include "store/run_file.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <zlib.h>

#include "base/error.h"
#include "base/json.h"
#include "store/run_lines_internal.h"

namespace micius {
namespace {

constexpr std::size_t kPackedFrom = std::size_t{256} << 10;  // bytes of text
constexpr std::size_t kBlock = std::size_t{64} << 10;
constexpr std::size_t kLongestLine = std::size_t{64} << 20;

// Passes text on as it is while it is short, and all of it as gzip once it is not. The gzip header names
// neither time nor system.
class Packer {
 public:
  explicit Packer(const ByteSink& sink) : sink_(&sink) {}
  ~Packer() {
    if (stream_) deflateEnd(&*stream_);
  }
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;

  void add(std::string_view text) {
    if (stream_) return pack(text, Z_NO_FLUSH);
    held_ += text;
    if (held_.size() < kPackedFrom) return;
    begin();
    pack(std::exchange(held_, {}), Z_NO_FLUSH);
  }
  void end() {
    if (stream_) return pack("", Z_FINISH);
    (*sink_)(held_);
  }

 private:
  void begin() {
    constexpr int kGzipWindow = 15 + 16, kMemoryLevel = 9;
    z_stream& stream = stream_.emplace();
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemoryLevel,
                     Z_DEFAULT_STRATEGY) == Z_OK)
      return;
    stream_.reset();
    fail(ErrorCode::kIo, "zlib cannot start: out of memory");
  }

  void pack(std::string_view text, int flush) {
    std::string block(kBlock, '\0');
    stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream_->avail_in = static_cast<uInt>(text.size());
    do {
      stream_->next_out = reinterpret_cast<Bytef*>(block.data());
      stream_->avail_out = static_cast<uInt>(block.size());
      deflate(&*stream_, flush);
      (*sink_)(std::string_view(block).substr(0, block.size() - stream_->avail_out));
    } while (stream_->avail_out == 0);
  }

  const ByteSink* sink_;
  std::string held_;
  std::optional<z_stream> stream_;
};

// The lines of a file, packed or not.
class PackedLines {
 public:
  explicit PackedLines(const std::filesystem::path& path)
      : path_(path.string()), file_(gzopen(path.c_str(), "rb"), &gzclose) {
    if (file_ == nullptr) fail(ErrorCode::kIo, "{}: cannot be opened", path_);
  }

  // Without its LF; valid until the next call. Absent at the end of the file. Throws Error{kInvalidData} for
  // a last line that has no LF.
  std::optional<std::string_view> next() {
    ++number_;
    std::size_t searched = taken_;
    while (true) {
      const std::size_t end = text_.find('\n', searched);
      if (end != std::string::npos) {
        const std::size_t begin = std::exchange(taken_, end + 1);
        return std::string_view(text_).substr(begin, end - begin);
      }
      text_.erase(0, std::exchange(taken_, 0));
      searched = text_.size();
      if (searched > kLongestLine)
        fail(ErrorCode::kInvalidData, "{}: a line of more than {} MiB; no record is that long", where(),
             kLongestLine >> 20);
      if (read() == 0) break;
    }
    if (!text_.empty()) fail(ErrorCode::kInvalidData, "{}: the file ends within this line", where());
    return std::nullopt;
  }

  std::string where() const { return fmt::format("{}:{}", path_, number_); }

 private:
  std::size_t read() {
    const std::size_t before = text_.size();
    text_.resize(before + kBlock);
    const int n = gzread(file_.get(), text_.data() + before, static_cast<unsigned>(kBlock));
    text_.resize(before + static_cast<std::size_t>(std::max(0, n)));
    int code = Z_OK;
    const char* what = gzerror(file_.get(), &code);
    if (n < 0 || (code != Z_OK && code != Z_STREAM_END))
      fail(ErrorCode::kInvalidData, "{}: the gzip file is broken or cut within this line: {}", where(), what);
    return static_cast<std::size_t>(n);
  }

  std::string path_, text_;
  std::unique_ptr<gzFile_s, decltype(&gzclose)> file_;
  std::size_t taken_ = 0, number_ = 0;
};

class FileReader {
 public:
  FileReader(const std::filesystem::path& path, RunSink& sink) : lines_(path), sink_(&sink) {}

  void read() {
    const std::size_t runs = read_header();
    for (std::size_t i = 0; i < runs; ++i) read_run();
    if (lines_.next())
      fail(ErrorCode::kInvalidData, "{}: more lines than the file's first one says", lines_.where());
  }

 private:
  // The one value of the next line, which has the key that was said.
  Json next(const char* key, std::string_view* text = nullptr) {
    const auto line = lines_.next();
    if (!line) fail(ErrorCode::kInvalidData, "{}: the file ends before its '{}'", lines_.where(), key);
    if (text != nullptr) *text = *line;
    return parse_json(*line, lines_.where());
  }

  std::size_t read_header() {
    const Json json = next("micius_export");
    const std::string where = lines_.where();
    if (!json.is_object() || !json.contains("micius_export"))
      fail(ErrorCode::kInvalidData, "{}: no export of `micius export --format micius`", where);
    const JsonFields fields(json, where);
    const std::int64_t version = fields.integer("micius_export");
    if (version > kRunFileVersion)
      fail(ErrorCode::kUnsupported,
           "{}: an export of version {}, and this program reads {}; take the program that wrote it", where,
           version, kRunFileVersion);
    if (version < 1) fail(ErrorCode::kInvalidData, "{}: field 'micius_export' must be 1 or more", where);
    fields.only({"micius_export", "runs"});
    const std::int64_t runs = fields.integer("runs");
    if (runs < 1) fail(ErrorCode::kInvalidData, "{}: field 'runs' must be 1 or more", where);
    return static_cast<std::size_t>(runs);
  }

  void read_run() {
    RunHash hash;
    std::string_view text;
    Json json = next("run", &text);
    const std::string place = lines_.where();
    const JsonFields first(json, place);
    first.only({"run"});
    const Run run = run_from_line(first.at("run"), place + ".run");
    RecordOrder order(run, place + ".run");
    add(hash, text);
    sink_->begin(run);
    while (true) {
      json = next("end", &text);
      const JsonFields fields(json, lines_.where());
      fields.only({"record", "end"});
      if (fields.has("end")) break;
      const std::string where = lines_.where() + ".record";
      const Record record = record_from_line(fields.at("record"), where);
      order.check(record, where);
      add(hash, text);
      sink_->add(record);
    }
    check_end(json.at("end"), hash);
    order.check_end(place);
    sink_->end();
  }

  static void add(RunHash& hash, std::string_view line) { hash.add(std::string(line) + "\n"); }

  void check_end(const Json& end, RunHash& hash) const {
    const JsonFields fields(end, lines_.where() + ".end");
    fields.only({"records", "sha256"});
    const std::int64_t records = fields.integer("records");
    if (records != static_cast<std::int64_t>(hash.records()))
      fail(ErrorCode::kInvalidData, "{}: field 'records': {} were exported, {} are here", fields.where(),
           records, hash.records());
    if (fields.string("sha256") != hash.hex())
      fail(ErrorCode::kInvalidData,
           "{}: field 'sha256': the run's lines are not those that were exported; the file is damaged",
           fields.where());
  }

  PackedLines lines_;
  RunSink* sink_;
};

// Calls line(text) for the lines of a run but the last.
void for_each_run_line(const Store& store, RunId run, const std::function<void(const std::string&)>& line) {
  line(run_line(store.run(run)));
  store.for_each(run, [&](const Record& record) { line(record_line(record)); });
}

}  // namespace

void write_run_file(const Store& store, const std::vector<RunId>& runs, const ByteSink& sink) {
  Packer packer(sink);
  packer.add(dump_json({{"micius_export", kRunFileVersion}, {"runs", runs.size()}}) + "\n");
  for (const RunId run : runs) {
    RunHash hash;
    for_each_run_line(store, run, [&](const std::string& line) {
      hash.add(line);
      packer.add(line);
    });
    const std::size_t records = hash.records();
    packer.add(dump_json({{"end", {{"records", records}, {"sha256", hash.hex()}}}}) + "\n");
  }
  packer.end();
}

void read_run_file(const std::filesystem::path& path, RunSink& sink) {
  if (!std::filesystem::exists(path)) fail(ErrorCode::kNotFound, "{}: no such file", path.string());
  if (std::filesystem::is_directory(path))
    fail(ErrorCode::kUsage, "{}: is a folder, not an export", path.string());
  FileReader(path, sink).read();
}

void read_run(const Store& store, RunId run, RunSink& sink) {
  sink.begin(store.run(run));
  store.for_each(run, [&](const Record& record) { sink.add(record); });
  sink.end();
}

std::string run_sha256(const Store& store, RunId run) {
  RunHash hash;
  for_each_run_line(store, run, [&](const std::string& line) { hash.add(line); });
  return hash.hex();
}

}  // namespace micius
