#include <utility>

#include "base/frames.h"
#include "sandbox/wire_internal.h"

namespace micius {
namespace {

class Packer {
 public:
  void number(std::int64_t value) {
    for (int i = 0; i < 8; ++i) bytes_ += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
  }
  void text(std::string_view value) {
    number(static_cast<std::int64_t>(value.size()));
    bytes_ += value;
  }
  void files(const std::vector<ExecFile>& files) {
    number(static_cast<std::int64_t>(files.size()));
    for (const ExecFile& file : files) {
      text(file.path);
      text(file.content);
      number(file.executable ? 1 : 0);
    }
  }
  void texts(const std::vector<std::string>& values) {
    number(static_cast<std::int64_t>(values.size()));
    for (const std::string& value : values) text(value);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : bytes_(bytes) {}

  std::int64_t number() {
    if (bytes_.size() < 8) {
      good_ = false;
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      value |= std::uint64_t{static_cast<unsigned char>(bytes_[i])} << (8 * i);
    }
    bytes_.remove_prefix(8);
    return static_cast<std::int64_t>(value);
  }
  std::string text() {
    const std::size_t size = count();
    std::string value(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return value;
  }
  // A number of things of at least a byte each.
  std::size_t count() {
    const std::int64_t size = number();
    if (size >= 0 && static_cast<std::uint64_t>(size) <= bytes_.size()) return static_cast<std::size_t>(size);
    good_ = false;
    return 0;
  }
  std::vector<ExecFile> files() {
    std::vector<ExecFile> files;
    for (std::size_t n = count(); n > 0 && good_; --n) {
      ExecFile& file = files.emplace_back();
      file.path = text();
      file.content = text();
      file.executable = number() != 0;
    }
    return files;
  }
  std::vector<std::string> texts() {
    std::vector<std::string> values;
    for (std::size_t n = count(); n > 0 && good_; --n) values.push_back(text());
    return values;
  }
  std::string_view rest() const { return bytes_; }
  bool good() const { return good_; }
  bool done() const { return good_ && bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

}  // namespace

bool send_wire(int socket, Wire kind, std::string_view body) {
  std::string message(1, static_cast<char>(kind));
  message += body;
  return write_frame(socket, message);
}

std::optional<WireMessage> receive_wire(int socket) {
  std::optional<std::string> message = read_frame(socket, kWireBytes);
  if (!message || message->empty()) return std::nullopt;
  const Wire kind = static_cast<Wire>(message->front());
  message->erase(0, 1);
  return WireMessage{kind, std::move(*message)};
}

std::string encode_request(const ExecRequest& request) {
  Packer out;
  out.texts(request.argv);
  out.text(request.stdin_text);
  out.number(static_cast<std::int64_t>(request.env.size()));
  for (const auto& [name, value] : request.env) {
    out.text(name);
    out.text(value);
  }
  out.files(request.files);
  const ExecLimits& limits = request.limits;
  for (const std::int64_t n :
       {std::int64_t{limits.wall.count()}, std::int64_t{limits.cpu.count()}, limits.memory_bytes,
        std::int64_t{limits.processes}, std::int64_t{limits.open_files}, limits.file_bytes,
        limits.output_bytes, limits.changed_bytes}) {
    out.number(n);
  }
  out.number(request.served ? 1 : 0);
  if (request.served) out.texts(request.served->names);
  out.number(request.python ? 1 : 0);
  return out.take();
}

std::optional<ExecRequest> decode_request(std::string_view bytes) {
  Unpacker in(bytes);
  ExecRequest request;
  request.argv = in.texts();
  request.stdin_text = in.text();
  for (std::size_t n = in.count(); n > 0; --n) {
    std::string name = in.text();
    request.env.emplace_back(std::move(name), in.text());
  }
  request.files = in.files();
  ExecLimits& limits = request.limits;
  limits.wall = std::chrono::milliseconds(in.number());
  limits.cpu = std::chrono::milliseconds(in.number());
  limits.memory_bytes = in.number();
  limits.processes = static_cast<int>(in.number());
  limits.open_files = static_cast<int>(in.number());
  limits.file_bytes = in.number();
  limits.output_bytes = in.number();
  limits.changed_bytes = in.number();
  if (in.number() != 0) request.served = ServedPrograms{in.texts(), nullptr};
  request.python = in.number() != 0;
  if (!in.done()) return std::nullopt;
  return request;
}

std::string encode_served_call(const ServedCall& call) {
  Packer out;
  out.number(static_cast<std::int64_t>(call.lineage.size()));
  for (const int process : call.lineage) out.number(process);
  return out.take() + std::string(call.message);
}

std::optional<ServedCall> decode_served_call(std::string_view bytes) {
  Unpacker in(bytes);
  ServedCall call;
  for (std::size_t n = in.count(); n > 0 && in.good(); --n)
    call.lineage.push_back(static_cast<int>(in.number()));
  if (!in.good()) return std::nullopt;
  call.message = in.rest();
  return call;
}

std::string encode_result(const ExecResult& result) {
  Packer out;
  out.number(result.exit_code);
  out.number(result.signal.value_or(0));
  out.text(result.out);
  out.text(result.err);
  out.number((result.timed_out ? 1 : 0) | (result.out_of_memory ? 2 : 0) | (result.truncated ? 4 : 0));
  out.files(result.files);
  out.number(result.wall.count());
  return out.take();
}

std::optional<ExecResult> decode_result(std::string_view bytes) {
  Unpacker in(bytes);
  ExecResult result;
  result.exit_code = static_cast<int>(in.number());
  if (const std::int64_t signal = in.number(); signal != 0) result.signal = static_cast<int>(signal);
  result.out = in.text();
  result.err = in.text();
  const std::int64_t flags = in.number();
  result.timed_out = (flags & 1) != 0;
  result.out_of_memory = (flags & 2) != 0;
  result.truncated = (flags & 4) != 0;
  result.files = in.files();
  result.wall = std::chrono::nanoseconds(in.number());
  if (!in.done()) return std::nullopt;
  return result;
}

}  // namespace micius
