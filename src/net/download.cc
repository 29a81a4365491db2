#include "net/download.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <thread>

#include <system_error>

#include "base/error.h"
#include "base/format.h"
#include "base/hash.h"
#include "base/rng.h"
#include "base/text.h"
#include "net/part_file_internal.h"
#include "net/signal_internal.h"
#include "net/waits.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

struct ContentRange {
  std::optional<std::uint64_t> first, total;
};

// "bytes 100-199/200" or "bytes 100-199/*".
ContentRange parse_content_range(std::string_view text) {
  if (!text.starts_with("bytes ")) return {};
  text.remove_prefix(6);
  const std::size_t dash = text.find('-'), slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || dash > slash) return {};
  return {parse_size(text.substr(0, dash)), parse_size(text.substr(slash + 1))};
}

// What If-Range may name: a strong ETag, else the date.
std::string validator_of(const HttpHead& head) {
  if (const auto etag = head.header("etag"); etag && etag->starts_with('"')) return std::string(*etag);
  return std::string(head.header("last-modified").value_or(""));
}

bool is_worth_another_try(int status) {
  return status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505);
}

// Why a download cannot succeed.
struct Problem {
  ErrorCode code;
  std::string message;
};

// One request, for what the part lacks.
class Attempt final : public HttpSink {
 public:
  Attempt(const Download& file, const DownloadOptions& options, PartFile& part)
      : file_(file), options_(options), part_(part) {}

  HttpRequest request() const;
  bool on_head(const HttpHead& head) override;
  bool on_body(std::string_view bytes) override;
  void on_done(const HttpResult& result) override {
    result_ = result;
    done_.set();
  }

  void wait() { done_.wait(); }
  const HttpResult& result() const { return result_; }
  const HttpHead& head() const { return head_; }
  const std::optional<Problem>& problem() const { return problem_; }
  bool part_is_useless() const { return part_is_useless_; }  // the server does not go on from it

 private:
  bool stop(ErrorCode code, std::string message) {
    problem_ = Problem{code, std::move(message)};
    return false;
  }
  bool accepts_length(std::optional<std::uint64_t> length);

  const Download& file_;
  const DownloadOptions& options_;
  PartFile& part_;
  HttpHead head_;
  HttpResult result_;
  std::optional<Problem> problem_;
  bool part_is_useless_ = false;
  Signal done_;
};

HttpRequest Attempt::request() const {
  HttpRequest request{
      .url = file_.url, .limits = options_.limits, .redirects = HttpRedirects::kFollow, .compressed = false};
  if (file_.bytes) request.limits.body_bytes = std::numeric_limits<std::uint64_t>::max();  // on_body counts
  if (part_.size() == 0) return request;
  request.headers.push_back({"Range", fmt::format("bytes={}-", part_.size())});
  if (!part_.validator().empty()) request.headers.push_back({"If-Range", part_.validator()});
  return request;
}

bool Attempt::accepts_length(std::optional<std::uint64_t> length) {
  if (!length || !file_.bytes || *length == *file_.bytes) return true;
  return stop(ErrorCode::kInvalidData,
              fmt::format("the file there has {} bytes, the manifest says {}", *length, *file_.bytes));
}

bool Attempt::on_head(const HttpHead& head) {
  head_ = head;
  if (head.status == 200) {
    const auto length = head.header("content-length");
    if (length && !accepts_length(parse_size(*length))) return false;
    try {  // no exception may leave a callback of libcurl
      part_.begin(validator_of(head));
    } catch (const Error& error) {
      return stop(error.code(), error.what());
    }
    return true;
  }
  if (head.status == 206 && part_.size() > 0) {
    const ContentRange range = parse_content_range(head.header("content-range").value_or(""));
    part_is_useless_ = range.first != part_.size();
    return !part_is_useless_ && accepts_length(range.total);
  }
  part_is_useless_ = head.status == 416 || head.status == 206;
  return false;
}

bool Attempt::on_body(std::string_view bytes) {
  if (file_.bytes && part_.size() + bytes.size() > *file_.bytes) {
    return stop(ErrorCode::kInvalidData,
                fmt::format("more than the {} bytes came that the manifest says", *file_.bytes));
  }
  if (const int error = part_.append(bytes); error != 0) {
    return stop(ErrorCode::kIo,
                fmt::format("cannot be written: {}; {} are kept, the same command goes on from there",
                            std::strerror(error), format_bytes(part_.size())));
  }
  if (options_.on_progress) options_.on_progress(part_.size(), file_.bytes.value_or(0));
  return true;
}

class Downloader {
 public:
  Downloader(HttpClient& client, const Download& file, const DownloadOptions& options, Log& log)
      : client_(client), file_(file), options_(options), log_(log), part_(file.target, file.url, log) {}
  void run();

 private:
  bool is_there() const;
  bool finish();  // false if it must be got again
  void check_space();
  void ask();
  void judge(const Attempt& attempt);
  void retry(const Attempt& attempt, const std::string& why);
  std::string kept() const {
    return part_.size() == 0
               ? "; try again later"
               : "; " + format_bytes(part_.size()) + " are kept, the same command goes on there";
  }
  [[noreturn]] void give_up(ErrorCode code, const std::string& why) {
    if (part_.size() == 0) part_.remove();
    fail(code, "{}: {}: {}", file_.target.string(), shown_url(file_.url), why);
  }

  HttpClient& client_;
  const Download& file_;
  const DownloadOptions& options_;
  Log& log_;
  PartFile part_;
  Rng rng_{
      fmt::format("download/{}/{}", file_.url, std::chrono::steady_clock::now().time_since_epoch().count())};
  bool is_whole_ = false;  // the part came in one answer
  bool complete_ = false, doubted_ = false;
  int attempt_ = 0;  // since the last progress
  std::uint64_t reached_ = 0;
};

bool Downloader::is_there() const {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file_.target, error);
  return !error && (!file_.bytes || size == *file_.bytes) && sha256_file(file_.target) == file_.sha256;
}

void Downloader::run() {
  if (is_there()) return part_.remove();  // another process got it
  const bool may_be_complete = part_.size() > 0 && (!file_.bytes || part_.size() >= *file_.bytes);
  if (may_be_complete) {
    if (part_.sha256() == file_.sha256) return part_.move_to_target();
    if (file_.bytes) part_.begin("");
  }
  check_space();
  reached_ = part_.size();
  do {
    complete_ = false;
    while (!complete_) ask();
  } while (!finish());
}

void Downloader::check_space() {
  if (!file_.bytes || *file_.bytes <= part_.size()) return;
  const std::uint64_t wanted = *file_.bytes - part_.size();
  std::error_code error;
  const fs::space_info space = fs::space(file_.target.parent_path(), error);
  if (!error && space.available < wanted) {
    give_up(ErrorCode::kIo, fmt::format("{} are free in {}, {} are needed; make room and try again",
                                        format_bytes(space.available), file_.target.parent_path().string(),
                                        format_bytes(wanted)));
  }
}

void Downloader::ask() {
  Attempt attempt(file_, options_, part_);
  client_.start(attempt.request(), attempt);
  attempt.wait();
  is_whole_ = attempt.head().status == 200;
  judge(attempt);
}

void Downloader::judge(const Attempt& attempt) {
  if (attempt.problem()) give_up(attempt.problem()->code, attempt.problem()->message);
  const int status = attempt.head().status;
  if (attempt.part_is_useless()) {
    part_.begin("");
    return retry(attempt, "the server does not go on from there; beginning again");
  }
  if (attempt.result().failure == HttpFailure::kStopped) {
    const std::string why = fmt::format("HTTP {}", status);
    if (is_worth_another_try(status)) return retry(attempt, why);
    give_up(ErrorCode::kIo, why + "; get the file another way and put it in its place, or try later");
  }
  if (const auto failure = attempt.result().failure) {
    const std::string& why = attempt.result().message;
    if (*failure == HttpFailure::kTooLarge) give_up(ErrorCode::kInvalidData, why);
    if (*failure == HttpFailure::kUrl || *failure == HttpFailure::kCertificate ||
        *failure == HttpFailure::kRedirect || *failure == HttpFailure::kCancelled)
      give_up(ErrorCode::kIo, why);
    return retry(attempt, why);
  }
  if (file_.bytes && part_.size() < *file_.bytes)
    return retry(attempt, fmt::format("the answer ended after {} of {} bytes", part_.size(), *file_.bytes));
  complete_ = true;
}

void Downloader::retry(const Attempt& attempt, const std::string& why) {
  if (part_.size() >= reached_ + options_.progress_bytes) attempt_ = 0;
  if (part_.size() >= reached_ + options_.progress_bytes || part_.size() < reached_) reached_ = part_.size();
  if (++attempt_ >= options_.attempts) {
    give_up(ErrorCode::kIo, fmt::format("{}, after {} attempts{}", why, attempt_, kept()));
  }
  const auto asked = retry_after(attempt.head(), std::chrono::system_clock::now());
  if (asked && *asked > options_.longest_asked_wait)
    give_up(ErrorCode::kIo, fmt::format("{}; the server asks to come back in {:.0f} s", why, asked->count()));
  const Seconds wait =
      std::max(asked.value_or(Seconds(0)),
               jittered_wait(rng_, attempt_ - 1, options_.first_wait, options_.longest_wait));
  log_.warning(fmt::format("{}: {}; trying again in {:.1f} s ({} are here)", shown_url(file_.url), why,
                           wait.count(), format_bytes(part_.size())));
  std::this_thread::sleep_for(wait);
}

bool Downloader::finish() {
  const std::string hash = part_.sha256();
  if (hash == file_.sha256) {
    part_.move_to_target();
    return true;
  }
  if (!is_whole_ && !doubted_) {  // bytes of an earlier try may be of another file
    doubted_ = true;
    part_.begin("");
    return false;
  }
  part_.remove();
  give_up(ErrorCode::kInvalidData,
          fmt::format("SHA-256 is {}, the manifest has {}; nothing was kept", hash, file_.sha256));
}

}  // namespace

void download(HttpClient& client, const Download& file, const DownloadOptions& options, Log& log) {
  std::error_code error;
  fs::create_directories(file.target.parent_path(), error);
  if (error) fail(ErrorCode::kIo, "{}: {}", file.target.parent_path().string(), error.message());
  Downloader(client, file, options, log).run();
}

}  // namespace micius
