// nvidia-smi --query-gpu, --query-compute-apps and their kin: CSV of chosen fields.
#include <algorithm>
#include <functional>
#include <map>

#include "base/text.h"
#include "emu/nvidia/smi_internal.h"

namespace micius::emu::smi {
namespace {

struct Column {
  std::string name;  // canonical
  std::string unit;  // "MiB"; empty: none
};

// One row's values by canonical name, without units; absent: the device has none.
using Row = std::function<std::optional<std::string>(const std::string&)>;

struct Table {
  const char* option;  // "--query-gpu"
  const char* facts;   // key of the option table that lists its fields
  std::vector<Row> (*rows)(const Command&);
};

std::vector<Row> gpu_list(const Command& command) {
  std::vector<Row> rows;
  for (std::size_t gpu : command.gpus)
    rows.push_back(
        [&host = command.host, gpu](const std::string& field) { return gpu_field(host, gpu, field); });
  return rows;
}

// The columns that every table but the first shares.
std::optional<std::string> common(const Host& host, std::size_t gpu, const std::string& field) {
  if (field == "timestamp") return host.timestamp();
  if (field == "gpu_name") return gpu_name(host);
  if (field == "gpu_bus_id") return bus_id(host, gpu);
  if (field == "gpu_serial") return host.gpu(gpu, "serial");
  if (field == "gpu_uuid") return gpu_uuid(host, gpu);
  return std::nullopt;
}

std::vector<Row> compute_apps(const Command& command) {
  std::vector<Row> rows;
  for (std::size_t gpu : command.gpus)
    for (const GpuProcess& process : gpu_processes(command.host, gpu))
      rows.push_back([&host = command.host, process](const std::string& field) -> std::optional<std::string> {
        if (field == "pid") return std::to_string(process.pid);
        if (field == "process_name") return process.name;
        if (field == "used_gpu_memory") return process.memory_mib;
        return common(host, process.gpu, field);
      });
  return rows;
}

std::vector<Row> accounted_apps(const Command& command) {
  std::vector<Row> rows;
  const Json* list = command.host.json("accounted");
  if (list == nullptr) return rows;
  for (const Json& app : *list) {
    const auto gpu = app["gpu"].get<std::size_t>();
    if (std::find(command.gpus.begin(), command.gpus.end(), gpu) == command.gpus.end()) continue;
    if (command.host.gpu(gpu, "accounting.mode") != "Enabled" || command.host.gpu(gpu, "accounting.cleared"))
      continue;
    rows.push_back([&host = command.host, &app, gpu](const std::string& field) -> std::optional<std::string> {
      static const std::map<std::string, const char*> kKeys = {{"pid", "pid"},
                                                               {"gpu_utilization", "gpu_util"},
                                                               {"mem_utilization", "mem_util"},
                                                               {"max_memory_usage", "max_memory_mib"},
                                                               {"time", "time_ms"}};
      const auto key = kKeys.find(field);
      return key == kKeys.end() ? common(host, gpu, field) : scalar_text(app[key->second]);
    });
  }
  return rows;
}

std::vector<Row> retired_pages(const Command& command) {
  static constexpr const char *kSingle = "Single Bit ECC", *kDouble = "Double Bit ECC";
  std::vector<Row> rows;
  const auto add = [&](std::size_t gpu, std::optional<std::string> address, const char* cause) {
    rows.push_back(
        [&host = command.host, gpu, address, cause](const std::string& field) -> std::optional<std::string> {
          if (field == "retired_pages.address") return address;
          if (field == "retired_pages.cause") return cause;
          return common(host, gpu, field);
        });
  };
  for (std::size_t gpu : command.gpus) {
    if (!command.host.gpu(gpu, "retired_pages.pending")) {
      add(gpu, std::nullopt, kSingle);
      add(gpu, std::nullopt, kDouble);
      continue;
    }
    const std::string pages = command.host.gpu(gpu, "retired_pages.list").value_or("");
    for (std::string_view page : split(pages, ','))
      if (page.size() > 4)
        add(gpu, std::string(page.substr(4)), page.substr(0, 3) == "sbe" ? kSingle : kDouble);
  }
  return rows;
}

std::vector<Row> remapped_rows(const Command& command) {
  std::vector<Row> rows;
  for (std::size_t gpu : command.gpus)
    rows.push_back([&host = command.host, gpu](const std::string& field) {
      return field.rfind("remapped_rows.", 0) == 0 ? gpu_field(host, gpu, field) : common(host, gpu, field);
    });
  return rows;
}

std::vector<Row> supported_clocks(const Command& command) {
  std::vector<Row> rows;
  const Json* clocks = command.host.json("supported_clocks");
  if (clocks == nullptr) return rows;
  for (std::size_t gpu : command.gpus)
    for (const Json& memory : (*clocks)["memory"])
      for (std::int64_t graphics = (*clocks)["graphics_max"].get<std::int64_t>();
           graphics >= (*clocks)["graphics_min"].get<std::int64_t>();
           graphics -= (*clocks)["step"].get<std::int64_t>())
        rows.push_back([&host = command.host, gpu, mhz = memory.get<std::int64_t>(),
                        graphics](const std::string& field) -> std::optional<std::string> {
          if (field == "memory") return std::to_string(mhz);
          if (field == "graphics") return std::to_string(graphics);
          return common(host, gpu, field);
        });
  return rows;
}

constexpr Table kTables[] = {
    {"--query-gpu", "query_fields", gpu_list},
    {"--query-compute-apps", "query_compute_apps", compute_apps},
    {"--query-accounted-apps", "query_accounted_apps", accounted_apps},
    {"--query-retired-pages", "query_retired_pages", retired_pages},
    {"--query-remapped-rows", "query_remapped_rows", remapped_rows},
    {"--query-supported-clocks", "query_supported_clocks", supported_clocks},
};

std::string unit_of(const Json& field, const std::string& name) {
  const std::string header = field.value("header", name);
  if (const std::size_t open = header.find(" ["); open != std::string::npos)
    return header.substr(open + 2, header.size() - open - 3);
  static const std::map<std::string, const char*> kUnits = {
      {"used_gpu_memory", "MiB"}, {"max_memory_usage", "MiB"}, {"time", "ms"},     {"gpu_utilization", "%"},
      {"mem_utilization", "%"},   {"memory", "MHz"},           {"graphics", "MHz"}};
  const auto unit = kUnits.find(name);
  return unit == kUnits.end() ? "" : unit->second;
}

// Every name and alias of a table's fields.
std::map<std::string, Column, std::less<>> columns_of(const Host& host, const Table& table) {
  std::map<std::string, Column, std::less<>> columns;
  for (const Json& field : host.tool("nvidia-smi").facts[table.facts]) {
    const std::string name = field["name"].get<std::string>();
    if (field.contains("min_driver") && host.fact_or("driver", "") < field["min_driver"].get<std::string>())
      continue;
    const Column column{name, unit_of(field, name)};
    columns.emplace(name, column);
    for (const Json& alias : field["aliases"]) columns.emplace(alias.get<std::string>(), column);
  }
  return columns;
}

enum class Units { kPrinted, kLeftOut };

std::string cell(const std::optional<std::string>& value, const Column& column, Units units) {
  if (!value) return "[N/A]";
  if (*value == "!deprecated") return "[Requested functionality has been deprecated]";
  if (column.unit.empty() || units == Units::kLeftOut || *value == "N/A") return *value;
  return *value + " " + column.unit;
}

}  // namespace

bool is_query(const Parsed& parsed) {
  return std::any_of(std::begin(kTables), std::end(kTables),
                     [&](const Table& table) { return parsed.has(table.option); });
}

int query(const Command& command) {
  Host& host = command.host;
  const Table* table = nullptr;
  for (const Table& other : kTables)
    if (command.parsed.has(other.option)) {
      if (table != nullptr) return invalid(host);
      table = &other;
    }
  bool csv = false, header = true;
  Units units = Units::kPrinted;
  const std::string format = command.parsed.value_or("--format", "");
  for (std::string_view word : split(format, ',')) {
    word = strip(word);
    if (word == "csv")
      csv = true;
    else if (word == "noheader")
      header = false;
    else if (word == "nounits")
      units = Units::kLeftOut;
    else
      return invalid(host);
  }
  if (!csv) return invalid(host);
  const auto known = columns_of(host, *table);
  std::vector<Column> columns;
  const std::string fields = command.parsed.value_or(table->option, "");
  for (std::string_view name : split(fields, ',')) {
    const auto found = known.find(strip(name));
    if (found == known.end()) {
      host.print("Field \"{}\" is not a valid field to query.\n\n", shorten(to_valid_utf8(strip(name)), 200));
      return kInvalid;
    }
    columns.push_back(found->second);
  }
  std::string names;
  for (const Column& column : columns) names += (names.empty() ? "" : ",") + column.name;
  host.report_columns(names);
  const auto line = [&](const auto& text_of) {
    std::string text;
    for (const Column& column : columns) text += (text.empty() ? "" : ", ") + text_of(column);
    host.out(text + "\n");
  };
  if (header && !command.again)
    line([](const Column& column) {
      return column.unit.empty() ? column.name : column.name + " [" + column.unit + "]";
    });
  for (const Row& row : table->rows(command)) {
    if (host.is_full()) break;
    line([&](const Column& column) { return cell(row(column.name), column, units); });
  }
  return kOk;
}

int help_query(Host& host, const std::string& option) {
  const std::string query = "--" + option.substr(std::string_view("--help-").size());
  for (const Table& table : kTables) {
    if (query != table.option) continue;
    host.print("List of valid properties to query for the switch \"{}\":\n", query);
    for (const Json& field : host.tool("nvidia-smi").facts[table.facts]) {
      host.print("\n\"{}\"", field["name"].get<std::string>());
      for (const Json& alias : field["aliases"]) host.print(" or \"{}\"", alias.get<std::string>());
      host.out("\n");
    }
  }
  return kOk;
}

}  // namespace micius::emu::smi
