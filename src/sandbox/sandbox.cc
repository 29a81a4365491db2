#include "sandbox/sandbox.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <signal.h>
#include <sys/utsname.h>

#include "base/error.h"
#include "sandbox/filter_internal.h"
#include "sandbox/lane_internal.h"
#include "sandbox/system_internal.h"

namespace micius {
namespace {

constexpr std::size_t kMostNames = 500;

bool is_file_name(const std::string& name) {
  return !name.empty() && name.size() < 256 && name != "." && name != ".." &&
         name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

bool is_plain(const std::string& text) { return text.find('\0') == std::string::npos; }

// Relative, or under a folder that may be written to, and without "..".
bool is_job_path(const std::string& path) {
  if (path.empty() || !is_plain(path)) return false;
  for (const auto& part : std::filesystem::path(path)) {
    if (part == "..") return false;
  }
  if (path[0] != '/') return true;
  return path.rfind("/job/", 0) == 0 || path.rfind("/tmp/", 0) == 0 || path.rfind("/home/user/", 0) == 0;
}

// A request that the sandbox cannot carry out is a bug of the caller or of its data, not of the program in
// it.
void check(const ExecRequest& request, bool has_client) {
  const auto refuse = [](const std::string& what) { fail(ErrorCode::kUsage, "sandbox request: {}", what); };
  if (request.argv.empty() || request.argv[0].empty()) refuse("no program");
  for (const std::string& word : request.argv) {
    if (!is_plain(word)) refuse("a NUL byte in argv");
  }
  for (const auto& [name, value] : request.env) {
    if (!is_plain(name + value) || name.empty() || name.find('=') != std::string::npos)
      refuse("env: " + name);
  }
  for (const ExecFile& file : request.files) {
    if (!is_job_path(file.path)) refuse("file path: " + file.path);
  }
  const ExecLimits& limits = request.limits;
  if (limits.wall.count() <= 0 || limits.cpu.count() <= 0 || limits.memory_bytes <= 0 ||
      limits.processes <= 0 || limits.open_files < 3 || limits.file_bytes <= 0 || limits.output_bytes < 0 ||
      limits.changed_bytes < 0) {
    refuse("a limit that lets nothing run");
  }
  if (!request.served) return;
  if (!has_client) refuse("served programs, but there is no client program");
  if (!request.served->answer || request.served->names.size() > kMostNames ||
      !std::all_of(request.served->names.begin(), request.served->names.end(), is_file_name)) {
    refuse("served programs");
  }
}

class BoxSandbox final : public Sandbox {
 public:
  explicit BoxSandbox(LanePlan plan) : plan_(std::move(plan)), starter_([this] { start_lanes(); }) {}

  ~BoxSandbox() override {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    starter_.join();
  }

  ExecResult run(const ExecRequest& request) override;
  bool is_in_groups() {  // the lane that was started last
    const std::lock_guard lock(mutex_);
    return in_groups_;
  }

 private:
  using LanePtr = std::unique_ptr<Lane>;

  LanePtr take();
  void give_back(LanePtr lane);
  void start_lanes();

  const LanePlan plan_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<LanePtr> idle_;
  int running_ = 0, wanted_ = 0, started_ = 0;  // lanes lent out, asked of the starter, ever started
  std::optional<Error> failure_;                // of the last start
  bool stop_ = false, in_groups_ = false;
  // Starts every lane: a lane ends with the thread that started it, and callers' threads come and go.
  std::thread starter_;
};

BoxSandbox::LanePtr BoxSandbox::take() {
  std::unique_lock lock(mutex_);
  if (idle_.empty() && running_ + wanted_ < plan_.options.lanes) {
    ++wanted_;
    failure_.reset();
    changed_.notify_all();
  }
  changed_.wait(lock, [&] { return !idle_.empty() || (failure_ && running_ + wanted_ == 0); });
  if (idle_.empty()) throw Error(*failure_);
  LanePtr lane = std::move(idle_.back());
  idle_.pop_back();
  ++running_;
  return lane;
}

void BoxSandbox::give_back(LanePtr lane) {
  if (lane->is_broken()) lane.reset();
  {
    const std::lock_guard lock(mutex_);
    --running_;
    if (lane) {
      idle_.push_back(std::move(lane));
    } else {
      ++wanted_;  // others may be waiting for this one
    }
  }
  changed_.notify_all();
}

void BoxSandbox::start_lanes() {
  sigset_t all;  // are for the threads of the program
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stop_ || wanted_ > 0; });
    if (stop_) break;
    const std::string name = std::to_string(started_++);
    lock.unlock();
    LanePtr lane;
    std::optional<Error> failure;
    try {
      lane = std::make_unique<Lane>(plan_, name);
    } catch (const Error& error) {
      failure = error;
    } catch (const std::exception& error) {
      failure = Error(ErrorCode::kIo, std::string("the sandbox does not start: ") + error.what());
    }
    lock.lock();
    --wanted_;
    if (lane) in_groups_ = lane->is_in_group();
    if (lane) idle_.push_back(std::move(lane));
    if (failure) failure_ = failure;
    changed_.notify_all();
  }
  idle_.clear();
}

ExecResult BoxSandbox::run(const ExecRequest& request) {
  check(request, !plan_.options.client_program.empty());
  // A lane that broke says nothing of the program: something of this machine ended it. Once more, then it is
  // an error; at once where calls were answered, whose effects must not come twice.
  std::string why;
  for (int attempt = 0; attempt < 2; ++attempt) {
    LanePtr lane = take();
    struct Return {
      BoxSandbox& sandbox;
      LanePtr& lane;
      ~Return() { sandbox.give_back(std::move(lane)); }
    } at_the_end{*this, lane};
    Lane::Outcome outcome = lane->run(request);
    if (outcome.result) return *std::move(outcome.result);
    why = outcome.why;
    if (outcome.calls > 0) break;
  }
  fail(ErrorCode::kIo, "the sandbox failed: {}; `micius doctor` tries it", why);
}

std::string advice(const std::string& why) {
  if (why.find("namespace") == std::string::npos && why.find("uid map") == std::string::npos) return why;
  return why +
         "; user namespaces must be allowed: `sysctl kernel.unprivileged_userns_clone=1`, "
         "user.max_user_namespaces "
         "above 0, and no container around that forbids them";
}

}  // namespace

SandboxOffer make_sandbox(const SandboxOptions& options) {
  SandboxOffer offer;
  const std::optional<std::filesystem::path> bubblewrap = find_program("bwrap");
  if (!bubblewrap) {
    offer.why_not = "bubblewrap is not there: install the Debian package bubblewrap";
    return offer;
  }
  LanePlan plan{options, *bubblewrap, {}, false};
  if (plan.options.lanes <= 0)
    plan.options.lanes = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  bool in_groups = false;
  try {
    plan.filter = seccomp_filter();
    utsname kernel{};
    plan.counts_all = ::uname(&kernel) == 0 && counts_in_all_namespaces(kernel.release);
    auto sandbox = std::make_unique<BoxSandbox>(std::move(plan));
    ExecRequest trial;
    trial.argv = {"true"};
    const ExecResult tried = sandbox->run(trial);
    if (tried.exit_code != 0)
      fail(ErrorCode::kIo, "`true` ends with {} in it: {}", tried.exit_code, tried.err);
    in_groups = sandbox->is_in_groups();
    offer.sandbox = std::move(sandbox);
  } catch (const Error& error) {
    offer.why_not = advice(error.what());
    return offer;
  }
  const std::optional<std::filesystem::path> python = find_python();
  offer.what =
      fmt::format("bubblewrap, seccomp, {}; {}", in_groups ? "control groups" : "no control groups",
                  python ? python->filename().string() : "no python3: install the Debian package python3");
  return offer;
}

}  // namespace micius
