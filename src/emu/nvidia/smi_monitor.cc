// nvidia-smi dmon and pmon: one row a GPU or process and round.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "emu/nvidia/smi_internal.h"

namespace micius::emu::smi {
namespace {

constexpr int kEndlessRounds = 3;
constexpr std::int64_t kMaxRounds = 2'000;  // more than any output limit holds

struct Rounds {
  bool valid = true, endless = false;
  std::int64_t count = kEndlessRounds, delay_ns = 1'000'000'000;
};

bool read_number(const std::string& text, std::int64_t low, std::int64_t high, std::int64_t& number) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc() && end == text.data() + text.size() && number >= low && number <= high;
}

Rounds rounds_of(const Parsed& parsed, std::int64_t max_delay) {
  Rounds rounds;
  std::int64_t number = 1;
  if (const auto delay = parsed.value("-d")) {
    rounds.valid = read_number(*delay, 1, max_delay, number);
    rounds.delay_ns = number * 1'000'000'000;
  }
  if (const auto count = parsed.value("-c")) {
    rounds.valid = rounds.valid && read_number(*count, 1, 1'000'000'000, number);
    rounds.count = std::min(number, kMaxRounds);
  } else {
    rounds.endless = true;
  }
  return rounds;
}

struct Clocked {
  bool date = false, time = false, valid = true;
  explicit Clocked(const Parsed& parsed) {
    for (char letter : parsed.value_or("-o", ""))
      if (letter == 'D')
        date = true;
      else if (letter == 'T')
        time = true;
      else if (letter != ',')
        valid = false;
  }
  // The columns before "gpu": the words of the two header lines, or the values of a row.
  std::string head(const char* date_text, const char* time_text) const {
    return (date ? fmt::format("{:<11} ", date_text) : "") + (time ? fmt::format("{:<11} ", time_text) : "");
  }
};

struct Metric {
  char group;
  std::string name, unit;
  std::string field;  // of gpu_field; empty: always 0
};

const std::vector<Metric>& metrics() {
  static const std::vector<Metric> kMetrics = {
      {'p', "pwr", "W", "power.draw"},
      {'p', "gtemp", "C", "temperature.gpu"},
      {'p', "mtemp", "C", "temperature.memory"},
      {'u', "sm", "%", "utilization.gpu"},
      {'u', "mem", "%", "utilization.memory"},
      {'u', "enc", "%", "utilization.encoder"},
      {'u', "dec", "%", "utilization.decoder"},
      {'u', "jpg", "%", "utilization.jpeg"},
      {'u', "ofa", "%", "utilization.ofa"},
      {'c', "mclk", "MHz", "clocks.current.memory"},
      {'c', "pclk", "MHz", "clocks.current.graphics"},
      {'v', "pviol", "%", ""},
      {'v', "tviol", "bool", ""},
      {'m', "fb", "MB", "memory.used"},
      {'m', "bar1", "MB", "bar1.used"},
      {'m', "ccpm", "MB", "protected_memory.used"},
      {'e', "sbecc", "errs", "ecc.errors.corrected.volatile.total"},
      {'e', "dbecc", "errs", "ecc.errors.uncorrected.volatile.total"},
      {'e', "pci", "errs", "pcie.replays"},
      {'t', "rxpci", "MB/s", "pcie.rx_mb"},
      {'t', "txpci", "MB/s", "pcie.tx_mb"},
  };
  return kMetrics;
}

std::string metric_value(const Host& host, std::size_t gpu, const Metric& metric) {
  if (metric.field.empty()) return "0";
  if (metric.field == "pcie.rx_mb") return std::to_string(host.gpu_number(gpu, "pcie.rx_throughput") / 1024);
  if (metric.field == "pcie.tx_mb") return std::to_string(host.gpu_number(gpu, "pcie.tx_throughput") / 1024);
  const std::string value = gpu_field(host, gpu, metric.field).value_or("N/A");
  return value == "N/A" ? "-" : value.substr(0, value.find('.'));
}

struct Gpm {
  int id;
  const char* name;
  const char* unit;
};
constexpr Gpm kGpm[] = {{1, "gract", "GPM:%"},      {2, "smutil", "GPM:%"},     {3, "smocc", "GPM:%"},
                        {4, "intutil", "GPM:%"},    {5, "mmaact", "GPM:%"},     {6, "dfmat", "GPM:%"},
                        {7, "hmmat", "GPM:%"},      {9, "immat", "GPM:%"},      {10, "dram", "GPM:%"},
                        {11, "fp64", "GPM:%"},      {12, "fp32", "GPM:%"},      {13, "fp16", "GPM:%"},
                        {20, "pcitx", "GPM:MiB/s"}, {21, "pcirx", "GPM:MiB/s"}, {60, "nvlrx", "GPM:MiB/s"},
                        {61, "nvltx", "GPM:MiB/s"}};

struct Table {
  std::vector<const Metric*> columns;
  std::vector<const Gpm*> gpm;
  bool csv = false, header = true, units = true;
};

bool read_table(const Parsed& parsed, Table& table) {
  const std::string letters = parsed.value_or("-s", "puc");
  for (char letter : letters)
    if (std::string_view("pucvmet").find(letter) == std::string_view::npos) return false;
  for (const Metric& metric : metrics())
    if (letters.find(metric.group) != std::string::npos) table.columns.push_back(&metric);
  if (const auto list = parsed.value("--gpm-metrics"))
    for (std::string_view word : split(*list, ',')) {
      const auto found = std::find_if(std::begin(kGpm), std::end(kGpm),
                                      [&](const Gpm& gpm) { return strip(word) == std::to_string(gpm.id); });
      if (found == std::end(kGpm)) return false;
      table.gpm.push_back(found);
    }
  const std::string format = parsed.value_or("--format", "csv");
  for (std::string_view word : split(format, ',')) {
    if (word == "csv")
      table.csv = parsed.has("--format");
    else if (word == "nounit")
      table.units = false;
    else if (word == "noheader")
      table.header = false;
    else
      return false;
  }
  return true;
}

// What a GPM counter of this GPU reads; Hopper and later only.
std::string gpm_value(const Host& host, std::size_t gpu, const Gpm& gpm) {
  if (host.fact_or("gpu_defaults.compute_cap", "0") < "9") return "-";
  const std::int64_t util = host.gpu_number(gpu, "utilization.gpu");
  return std::to_string(gpm.id < 20 ? util * (37 + 3 * (gpm.id % 7)) / 100 : util * 12);
}

void csv_rows(Host& host, const Table& table, const std::vector<std::string>& heads,
              const std::vector<std::vector<std::string>>& rows) {
  if (table.header) host.out(join(heads, ", ") + "\n");
  for (const auto& row : rows) host.out(join(row, ", ") + "\n");
}

void print_head(Host& host, const Table& table, const Clocked& clocked) {
  const std::string date = clocked.head("Date", "Time"), unit = clocked.head("YYYYMMDD", "HH:MM:SS");
  host.print("#{}gpu", date.empty() ? " " : date);
  for (const Metric* metric : table.columns) host.print("{:>7}", metric->name);
  for (const Gpm* gpm : table.gpm) host.print("{:>10}", gpm->name);
  host.print(" \n#{}Idx", unit.empty() ? " " : unit);
  for (const Metric* metric : table.columns) host.print("{:>7}", metric->unit);
  for (const Gpm* gpm : table.gpm) host.print("{:>10}", gpm->unit);
  host.out(" \n");
}

std::vector<std::string> row_cells(const Host& host, const Table& table, std::size_t gpu) {
  std::vector<std::string> cells;
  for (const Metric* metric : table.columns) cells.push_back(metric_value(host, gpu, *metric));
  for (const Gpm* gpm : table.gpm) cells.push_back(gpm_value(host, gpu, *gpm));
  return cells;
}

void print_row(Host& host, const Table& table, const Clocked& clocked, std::size_t gpu) {
  const std::string head = clocked.head(host.time("%Y%m%d").c_str(), host.time("%H:%M:%S").c_str());
  if (head.empty())
    host.print("{:>5}", gpu);
  else
    host.print(" {}{:>3}", head, gpu);
  const std::vector<std::string> cells = row_cells(host, table, gpu);
  for (std::size_t i = 0; i < cells.size(); ++i)
    host.print("{:>{}}", cells[i], i < table.columns.size() ? 7 : 10);
  host.out(" \n");
}

void finish(const Command& command, const Rounds& rounds, std::size_t from) {
  if (rounds.endless) command.host.unbounded();
  if (const auto file = command.parsed.value("-f")) command.host.write(*file, command.host.take_output(from));
}

}  // namespace

int dmon(const Command& command) {
  Host& host = command.host;
  const Rounds rounds = rounds_of(command.parsed, 86'400);
  const Clocked clocked(command.parsed);
  Table table;
  if (!rounds.valid || !clocked.valid || !read_table(command.parsed, table)) return invalid(host);
  const std::size_t from = host.output_size();
  std::vector<std::vector<std::string>> rows;
  if (!table.csv) print_head(host, table, clocked);
  for (std::int64_t round = 0; round < rounds.count; ++round) {
    if (round > 0) host.advance(rounds.delay_ns);
    for (std::size_t gpu : command.gpus) {
      if (table.csv) {
        rows.push_back(row_cells(host, table, gpu));
        rows.back().insert(rows.back().begin(), std::to_string(gpu));
      } else {
        print_row(host, table, clocked, gpu);
      }
    }
  }
  if (table.csv) {
    std::vector<std::string> heads{"#gpu"};
    for (const Metric* metric : table.columns)
      heads.push_back(table.units ? metric->name + " [" + metric->unit + "]" : metric->name);
    for (const Gpm* gpm : table.gpm) heads.emplace_back(gpm->name);
    csv_rows(host, table, heads, rows);
  }
  finish(command, rounds, from);
  return kOk;
}

namespace {

struct PmonTable {
  bool util = true, memory = false;
};

void pmon_head(Host& host, const PmonTable& table, const Clocked& clocked) {
  const std::string date = clocked.head("Date", "Time"), unit = clocked.head("YYYYMMDD", "HH:MM:SS");
  host.print("#{}gpu         pid   type", date.empty() ? " " : date);
  if (table.util) host.out("     sm    mem    enc    dec    jpg    ofa");
  if (table.memory) host.out("     fb   ccpm");
  host.print("    command \n#{}Idx           #    C/G", unit.empty() ? " " : unit);
  if (table.util) host.out("      %      %      %      %      %      %");
  if (table.memory) host.out("     MB     MB");
  host.out("    name \n");
}

void pmon_row(Host& host, const PmonTable& table, const Clocked& clocked, std::size_t gpu,
              const GpuProcess* process) {
  const std::string head = clocked.head(host.time("%Y%m%d").c_str(), host.time("%H:%M:%S").c_str());
  if (head.empty())
    host.print("{:>5}", gpu);
  else
    host.print(" {}{:>3}", head, gpu);
  const auto text = [&](const std::optional<std::string>& value) {
    return process == nullptr ? "-" : value.value_or("-");
  };
  host.print("{:>11}{:>6}", process == nullptr ? "-" : std::to_string(process->pid),
             process == nullptr ? "-" : process->type);
  if (table.util) {
    host.print("{:>7}{:>7}{:>7}", text(process == nullptr ? std::nullopt : process->sm),
               text(process == nullptr ? std::nullopt : process->mem),
               text(process == nullptr ? std::nullopt : process->enc));
    host.print("{:>7}{:>7}{:>7}", "-", "-", "-");
  }
  if (table.memory)
    host.print("{:>7}{:>7}", text(process == nullptr ? std::nullopt : std::optional(process->memory_mib)),
               process == nullptr ? "-" : "0");
  const std::string name = process == nullptr ? "-" : process->name.substr(process->name.rfind('/') + 1);
  host.print("    {:<15}\n", name.substr(0, 15));
}

}  // namespace

int pmon(const Command& command) {
  Host& host = command.host;
  const Rounds rounds = rounds_of(command.parsed, 10);
  const Clocked clocked(command.parsed);
  const std::string letters = command.parsed.value_or("-s", "u");
  if (!rounds.valid || !clocked.valid || letters.find_first_not_of("um") != std::string::npos)
    return invalid(host);
  const PmonTable table{letters.find('u') != std::string::npos, letters.find('m') != std::string::npos};
  const std::size_t from = host.output_size();
  pmon_head(host, table, clocked);
  for (std::int64_t round = 0; round < rounds.count; ++round) {
    if (round > 0) host.advance(rounds.delay_ns);
    for (std::size_t gpu : command.gpus) {
      const std::vector<GpuProcess> processes = gpu_processes(host, gpu);
      if (processes.empty()) pmon_row(host, table, clocked, gpu, nullptr);
      for (const GpuProcess& process : processes) pmon_row(host, table, clocked, gpu, &process);
    }
  }
  finish(command, rounds, from);
  return kOk;
}

}  // namespace micius::emu::smi
