// nvidia-smi -q: the long report from its layout, as text or XML.
#include <algorithm>
#include <set>

#include "base/text.h"
#include "emu/nvidia/smi_internal.h"

namespace micius::emu::smi {
namespace {

constexpr std::size_t kValueColumn = 55;    // where ": value" begins
constexpr std::size_t kProcessColumn = 38;  // and in the lists of processes

std::string value_of(const Host& host, std::size_t gpu, const std::string& text) {
  const std::size_t open = text.find('{');
  if (open == std::string::npos) return text;
  const std::size_t close = text.find('}', open);
  const auto field = gpu_field(host, gpu, text.substr(open + 1, close - open - 1));
  if (!field || *field == "N/A") return "N/A";
  if (*field == "!deprecated") return "Requested functionality has been deprecated";
  return text.substr(0, open) + *field + text.substr(close + 1);
}

bool holds(const Host& host, std::size_t gpu, std::string_view condition) {
  if (condition.empty()) return true;
  if (condition[0] == '!') return !holds(host, gpu, condition.substr(1));
  if (condition == "remap") return gpu_field(host, gpu, "remapped_rows.correctable").has_value();
  if (condition == "tlimit") return host.gpu(gpu, "temperature.gpu.tlimit").has_value();
  if (condition == "driver595") return host.fact_or("driver", "") >= "595";
  return false;
}

enum class Form { kText, kXml };

// Both forms of the report: an element has a label for text and a tag for XML.
class Writer {
 public:
  Writer(Host& host, Form form) : host_(host), xml_(form == Form::kXml) {}

  void value(std::size_t depth, std::string_view label, std::string_view tag, std::string_view text,
             std::size_t column = kValueColumn) {
    if (xml_) {
      if (tag.empty()) return;
      const bool hex = tag.substr(0, 4) == "pci_" && text.substr(0, 2) == "0x";
      host_.print("{:{}}<{}>{}</{}>\n", "", 4 * depth, tag, hex ? text.substr(2) : text, tag);
    } else {
      host_.print("{:{}}{:<{}}: {}\n", "", 4 * depth, label, column - std::min(column, 4 * depth), text);
    }
  }
  void open(std::size_t depth, std::string_view label, std::string_view tag) {
    if (xml_)
      host_.print("{:{}}<{}>\n", "", 4 * depth, tag);
    else
      host_.print("{:{}}{}\n", "", 4 * depth, label);
  }
  void close(std::size_t depth, std::string_view tag) {
    if (xml_) host_.print("{:{}}</{}>\n", "", 4 * depth, tag);
  }
  bool xml() const { return xml_; }
  Host& host() { return host_; }

 private:
  Host& host_;
  bool xml_;
};

class Report {
 public:
  Report(Host& host, Form form, std::set<std::string, std::less<>> sections)
      : host_(host), writer_(host, form), sections_(std::move(sections)), base_(form == Form::kXml ? 2 : 1) {}

  void gpu(std::size_t index) {
    std::vector<std::pair<std::size_t, std::string>> open;  // XML elements by depth
    std::size_t hidden = kNone;  // lines below this depth belong to a heading left out
    for (const LayoutLine& line : host_.profile().catalog->layout("nvidia-smi-q")) {
      if (line.depth > hidden) continue;
      hidden = kNone;
      if (!wanted(line) || !holds(host_, index, line.condition)) {
        hidden = line.depth;
        continue;
      }
      close_to(open, line.depth);
      if (line.label[0] == '*') {
        special(index, line);
      } else if (line.value.empty()) {
        writer_.open(base_ + line.depth, line.label, line.tag);
        open.emplace_back(line.depth, line.tag);
      } else {
        const std::string text = value_of(host_, index, line.value);
        writer_.value(base_ + line.depth, line.label, line.tag, text);
      }
    }
    close_to(open, 0);
  }

 private:
  static constexpr std::size_t kNone = 1'000;

  bool wanted(const LayoutLine& line) const {
    return sections_.empty() ? line.label != "*utilization samples" && line.label != "*power samples" &&
                                   line.label != "*clock samples" && line.label != "*supported clocks" &&
                                   line.label != "*accounted processes" && line.label != "*voltage"
                             : sections_.count(line.section) != 0;
  }

  void close_to(std::vector<std::pair<std::size_t, std::string>>& open, std::size_t depth) {
    while (!open.empty() && open.back().first >= depth) {
      writer_.close(base_ + open.back().first, open.back().second);
      open.pop_back();
    }
  }

  void special(std::size_t index, const LayoutLine& line) {
    if (line.label == "*mig devices")
      mig(index, line.tag);
    else if (line.label == "*processes")
      processes(index, line.tag);
    else if (line.label == "*supported clocks")
      supported_clocks(line.tag);
    else if (line.label == "*accounted processes")
      accounted(index, line.tag);
    else if (line.label == "*voltage")
      voltage();
    else
      samples(index, line.label);
  }

  void voltage() {
    writer_.open(base_, "Voltage", "voltage");
    writer_.value(base_ + 1, "Graphics", "graphics_volt", "N/A");
    writer_.close(base_, "voltage");
  }

  void mig(std::size_t index, const std::string& tag) {
    const std::vector<MigDevice> devices = mig_devices(host_, index);
    if (writer_.xml()) writer_.open(base_, "", tag);
    const std::size_t depth = base_ + (writer_.xml() ? 1 : 0);
    for (std::size_t number = 0; number < devices.size(); ++number)
      mig_device(devices[number], number, depth);
    writer_.close(base_, tag);
  }

  void mig_device(const MigDevice& device, std::size_t number, std::size_t depth) {
    const auto count = [&](std::size_t level, const char* label, const char* tag, std::int64_t value,
                           const char* unit = "") {
      writer_.value(depth + level, label, tag, fmt::format("{}{}", value, unit));
    };
    writer_.open(depth, "MIG Device", "mig_device");
    count(1, "Index", "index", static_cast<std::int64_t>(number));
    count(1, "GPU Instance ID", "gpu_instance_id", device.instance.id);
    count(1, "Compute Instance ID", "compute_instance_id", device.compute.id);
    writer_.open(depth + 1, "Device Attributes", "device_attributes");
    writer_.open(depth + 2, "Shared", "shared");
    count(3, "Multiprocessor count", "multiprocessor_count", device.sm);
    count(3, "Copy Engine count", "copy_engine_count", device.copy_engines);
    count(3, "Encoder count", "encoder_count", device.encoders);
    count(3, "Decoder count", "decoder_count", device.decoders);
    count(3, "OFA count", "ofa_count", device.ofa);
    count(3, "JPG count", "jpg_count", device.jpeg);
    writer_.close(depth + 2, "shared");
    writer_.close(depth + 1, "device_attributes");
    writer_.open(depth + 1, "ECC Errors", "ecc_error_count");
    writer_.open(depth + 2, "Volatile", "volatile_count");
    count(3, "SRAM Uncorrectable", "sram_uncorrectable", 0);
    writer_.close(depth + 2, "volatile_count");
    writer_.close(depth + 1, "ecc_error_count");
    writer_.open(depth + 1, "Shared FB Memory Usage", "fb_memory_usage");
    count(2, "Total", "total", device.memory_mib, " MiB");
    count(2, "Reserved", "reserved", 0, " MiB");
    count(2, "Used", "used", device.used_mib, " MiB");
    count(2, "Free", "free", device.memory_mib - device.used_mib, " MiB");
    writer_.close(depth + 1, "fb_memory_usage");
    writer_.open(depth + 1, "Shared BAR1 Memory", "bar1_memory_usage");
    count(2, "Total", "total", device.bar1_mib, " MiB");
    count(2, "Used", "used", 0, " MiB");
    count(2, "Free", "free", device.bar1_mib, " MiB");
    writer_.close(depth + 1, "bar1_memory_usage");
    writer_.close(depth, "mig_device");
  }

  void processes(std::size_t index, const std::string& tag) {
    const std::vector<GpuProcess> list = gpu_processes(host_, index);
    if (list.empty()) {
      if (writer_.xml())
        host_.print("{:{}}<{}>\n{:{}}</{}>\n", "", 4 * base_, tag, "", 4 * base_, tag);
      else
        writer_.value(base_, "Processes", tag, "None");
      return;
    }
    writer_.open(base_, "Processes", tag);
    const std::size_t depth = base_ + 1;
    for (const GpuProcess& process : list) {
      if (writer_.xml()) writer_.open(depth, "", "process_info");
      const std::size_t level = depth + (writer_.xml() ? 1 : 0);
      const std::size_t inner = writer_.xml() ? level : level + 1;
      writer_.value(level, "GPU instance ID", "gpu_instance_id", process.gi, kProcessColumn + 4);
      writer_.value(level, "Compute instance ID", "compute_instance_id", process.ci, kProcessColumn + 4);
      writer_.value(level, "Process ID", "pid", std::to_string(process.pid), kProcessColumn + 4);
      writer_.value(inner, "Type", "type", process.type, kProcessColumn + 4);
      writer_.value(inner, "Name", "process_name", process.name, kProcessColumn + 4);
      writer_.value(inner, "Used GPU Memory", "used_memory", process.memory_mib + " MiB", kProcessColumn + 4);
      writer_.close(depth, "process_info");
    }
    writer_.close(base_, tag);
  }

  void supported_clocks(const std::string& tag) {
    const Json* clocks = host_.json("supported_clocks");
    if (clocks == nullptr) return writer_.value(base_, "Supported Clocks", tag, "N/A");
    writer_.open(base_, "Supported Clocks", tag);
    for (const Json& memory : (*clocks)["memory"]) {
      if (writer_.xml()) writer_.open(base_ + 1, "", "supported_mem_clock");
      writer_.value(base_ + (writer_.xml() ? 2 : 1), "Memory", "value",
                    fmt::format("{} MHz", memory.get<int>()));
      for (int mhz = (*clocks)["graphics_max"]; mhz >= (*clocks)["graphics_min"].get<int>();
           mhz -= (*clocks)["step"].get<int>())
        writer_.value(base_ + 2, "Graphics", "supported_graphics_clock", fmt::format("{} MHz", mhz));
      writer_.close(base_ + 1, "supported_mem_clock");
    }
    writer_.close(base_, tag);
  }

  void accounted(std::size_t index, const std::string& tag) {
    const Json* list = host_.json("accounted");
    bool any = false;
    if (list != nullptr && host_.gpu(index, "accounting.mode") == "Enabled" &&
        !host_.gpu(index, "accounting.cleared"))
      for (const Json& app : *list) {
        if (app["gpu"].get<std::size_t>() != index) continue;
        if (!any) writer_.open(base_, "Accounted Processes", tag);
        any = true;
        if (writer_.xml()) writer_.open(base_ + 1, "", "accounted_process_info");
        const std::size_t depth = base_ + (writer_.xml() ? 2 : 1);
        const std::size_t inner = writer_.xml() ? depth : depth + 1;
        writer_.value(depth, "Process ID", "pid", *scalar_text(app["pid"]));
        writer_.value(inner, "GPU Utilization", "gpu_util", *scalar_text(app["gpu_util"]) + " %");
        writer_.value(inner, "Memory Utilization", "memory_util", *scalar_text(app["mem_util"]) + " %");
        writer_.value(inner, "Max memory usage", "max_memory_usage",
                      *scalar_text(app["max_memory_mib"]) + " MiB");
        writer_.value(inner, "Time", "time", *scalar_text(app["time_ms"]) + " ms");
        writer_.value(inner, "Is Running", "is_running", app["time_ms"] == 0 ? "1" : "0");
        writer_.close(base_ + 1, "accounted_process_info");
      }
    if (any)
      writer_.close(base_, tag);
    else
      writer_.value(base_, "Accounted Processes", tag, "None");
  }

  // Max, min and average of the last sampling buffer; the emulated sensors are steady.
  void samples(std::size_t index, std::string_view kind) {
    if (writer_.xml()) return;
    const auto block = [&](const char* label, const char* field, const char* unit) {
      const auto value = gpu_field(host_, index, field);
      writer_.open(base_, label, "");
      const auto line = [&](const char* name, const std::string& text) {
        writer_.value(base_ + 1, name, "", text);
      };
      line("Duration", value ? "118.13 sec" : "Not Found");
      line("Number of Samples", value ? "119" : "Not Found");
      for (const char* name : {"Max", "Min", "Avg"}) line(name, value ? *value + unit : "Not Found");
    };
    if (kind == "*power samples") block("Power Samples", "power.draw", " W");
    if (kind == "*clock samples") {
      block("SM Clock Samples", "clocks.current.sm", " MHz");
      block("Memory Clock Samples", "clocks.current.memory", " MHz");
    }
    if (kind == "*utilization samples") {
      block("GPU Utilization Samples", "utilization.gpu", " %");
      block("Memory Utilization Samples", "utilization.memory", " %");
      block("ENC Utilization Samples", "utilization.encoder", " %");
      block("DEC Utilization Samples", "utilization.decoder", " %");
    }
  }

  Host& host_;
  Writer writer_;
  std::set<std::string, std::less<>> sections_;
  std::size_t base_;
};

void head(Host& host, Form form) {
  const std::string driver = host.fact_or("driver", ""), cuda = host.fact_or("cuda", "");
  const std::string time = host.time("%a %b %e %H:%M:%S %Y");
  if (form == Form::kXml) {
    host.print(
        "<?xml version=\"1.0\" ?>\n<!DOCTYPE nvidia_smi_log SYSTEM "
        "\"nvsmi_device_v13.dtd\">\n<nvidia_smi_log>\n"
        "    <timestamp>{}</timestamp>\n    <driver_version>{}</driver_version>\n"
        "    <cuda_version>{}</cuda_version>\n    <attached_gpus>{}</attached_gpus>\n",
        time, driver, cuda, host.gpu_count());
  } else {
    host.out("\n==============NVSMI LOG==============\n\n");
    host.print("{:<{}}: {}\n", "Timestamp", kValueColumn, time);
    host.print("{:<{}}: {}\n", "Driver Version", kValueColumn, driver);
    host.print("{:<{}}: {}\n\n", "CUDA Version", kValueColumn, cuda);
    host.print("{:<{}}: {}\n", "Attached GPUs", kValueColumn, host.gpu_count());
  }
}

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return result;
}

}  // namespace

int report(const Command& command) {
  Host& host = command.host;
  const bool xml = command.parsed.has("-x");
  std::set<std::string, std::less<>> sections;
  if (const auto display = command.parsed.value("-d")) {
    const std::vector<std::string>& known = command.parsed.find("-d")->option->values;
    for (std::string_view word : split(*display, ',')) {
      const std::string section = upper(strip(word));
      if (std::find(known.begin(), known.end(), section) == known.end()) return invalid(host);
      sections.insert(section);
    }
  }
  const Form form = xml ? Form::kXml : Form::kText;
  head(host, form);
  Report report(host, form, std::move(sections));
  for (std::size_t gpu : command.gpus) {
    if (xml)
      host.print("    <gpu id=\"{}\">\n", bus_id(host, gpu));
    else
      host.print("GPU {}\n", bus_id(host, gpu));
    report.gpu(gpu);
    host.out(xml ? "    </gpu>\n" : "\n");
  }
  if (xml) host.out("</nvidia_smi_log>\n");
  return kOk;
}

}  // namespace micius::emu::smi
