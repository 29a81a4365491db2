// amd-smi's reports: from a layout to a tree, and from the tree to text, JSON or CSV.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "emu/amd/amd_smi_internal.h"

namespace micius::emu::amd {
namespace {

Json value_of(const AmdSmi& smi, std::size_t gpu, std::string_view text) {
  const std::size_t tilde = text.rfind('~');
  if (tilde == std::string_view::npos) return plain_value(fill(smi.host, gpu, text));
  return with_unit(fill(smi.host, gpu, text.substr(0, tilde)), text.substr(tilde + 1));
}

// "list:FIELD:SIZE:VALUE"
Json list_of(const AmdSmi& smi, std::size_t gpu, std::string_view text) {
  const std::vector<std::string_view> parts = split(text, ':');
  Json list = Json::array();
  if (parts.size() != 4) return list;
  std::size_t size = 0;
  std::from_chars(parts[2].data(), parts[2].data() + parts[2].size(), size);
  const std::int64_t filled = smi.host.gpu_number(gpu, parts[1]);
  for (std::size_t i = 0; i < size; ++i)
    list.push_back(static_cast<std::int64_t>(i) < filled ? value_of(smi, gpu, parts[3]) : Json("N/A"));
  return list;
}

// Reads the lines below `line`, which is at `depth`, into an object, or into a list of objects where the
// first label comes again.
Json read_below(const AmdSmi& smi, std::size_t gpu, const std::vector<LayoutLine>& lines, std::size_t& at,
                std::size_t depth) {
  Json object = Json::object(), list = Json::array();
  while (at < lines.size() && lines[at].depth > depth) {
    const LayoutLine& line = lines[at++];
    const std::string key = lower_ascii(line.label);
    const bool heading = at < lines.size() && lines[at].depth > line.depth;
    if (object.contains(key)) {
      list.push_back(std::move(object));
      object = Json::object();
    }
    Json value = heading                             ? read_below(smi, gpu, lines, at, line.depth)
                 : line.value.rfind("list:", 0) == 0 ? list_of(smi, gpu, line.value)
                                                     : value_of(smi, gpu, line.value);
    if (holds(smi.host, gpu, line.condition)) object[key] = std::move(value);
  }
  if (list.empty()) return object;
  list.push_back(std::move(object));
  return list;
}

bool is_unit(const Json& value) { return value.is_object() && value.size() == 2 && value.contains("unit"); }

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string scalar(const Json& value) {
  if (is_unit(value)) return scalar(value["value"]) + " " + value["unit"].get<std::string>();
  return scalar_text(value).value_or("N/A");
}

// A long list is broken at blanks as the tool's YAML writer does.
std::string list_text(const Json& list, std::size_t column, std::size_t indent) {
  std::string text = "[";
  for (const Json& item : list) text += (text.size() > 1 ? ", " : "") + scalar(item);
  text += "]";
  std::string result;
  std::size_t limit = 84;
  for (char c : text) {
    if (c == ' ' && column > limit) {
      result += "\n" + std::string(indent, ' ');
      column = indent;
      limit = 86;
      continue;
    }
    result += c;
    ++column;
  }
  return result;
}

void write_tree(const Json& object, std::size_t indent, std::string& text) {
  const std::string blanks(indent, ' ');
  for (const auto& [name, value] : object.items()) {
    const std::string head = blanks + upper(name) + ":";
    const bool objects = value.is_array() && !value.empty() && value[0].is_object() && !is_unit(value[0]);
    if (value.is_object() && !is_unit(value)) {
      text += head + "\n";
      write_tree(value, indent + 4, text);
    } else if (objects) {
      text += head + "\n";
      for (const Json& item : value) write_tree(item, indent + 4, text);
    } else if (value.is_array()) {
      text += head + " " + list_text(value, head.size() + 1, indent + 4) + "\n";
    } else {
      text += head + " " + scalar(value) + "\n";
    }
  }
}

// CSV has the leaves: those two levels down with their parent's name before them.
void flatten(const Json& object, const std::string& prefix, int depth, Json& row) {
  for (const auto& [name, value] : object.items()) {
    if (value.is_object() && !is_unit(value))
      flatten(value, depth == 0 ? "" : prefix + name + "_", depth + 1, row);
    else if (value.is_array())
      row[prefix + name] =
          list_text(value, 0, 0).find(',') == std::string::npos ? "N/A" : "\"" + dump_json(value) + "\"";
    else
      row[prefix + name] = is_unit(value) ? value["value"] : value;
  }
}

std::string csv_text(const std::vector<Json>& reports, Header header) {
  std::vector<Json> rows;
  std::vector<std::string> columns;
  for (const Json& report : reports) {
    Json row = Json::object();
    flatten(report, "", 0, row);
    for (const auto& [name, value] : row.items())
      if (std::find(columns.begin(), columns.end(), name) == columns.end()) columns.push_back(name);
    rows.push_back(std::move(row));
  }
  std::string text = header == Header::kPrinted ? join(columns, ",") + "\n" : "";
  for (const Json& row : rows) {
    std::string line;
    for (const std::string& column : columns)
      line += (line.empty() ? "" : ",") +
              (row.contains(column) ? scalar_text(row[column]).value_or("N/A") : "N/A");
    text += line + "\n";
  }
  return text;
}

}  // namespace

Json plain_value(const std::string& text) {
  if (!is_integer(text) || text[0] == '+' || (text.size() > 1 && text[0] == '0')) return text;
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Json with_unit(const std::string& number, std::string_view unit) {
  if (number == "N/A") return number;
  return Json{{"value", plain_value(number)}, {"unit", std::string(unit)}};
}

bool section_wanted(const AmdSmi& smi, std::string_view layout, std::string_view section) {
  bool any = false;
  for (const LayoutLine& line : smi.host.profile().catalog->layout(layout)) {
    if (line.depth != 0 || line.section.empty()) continue;
    if (smi.given.count(line.section) != 0) any = true;
  }
  return !any || smi.given.count(std::string(section)) != 0;
}

Json report_of(const AmdSmi& smi, std::string_view layout, std::size_t gpu, const char* device) {
  const std::vector<LayoutLine>& lines = smi.host.profile().catalog->layout(layout);
  Json report = Json::object();
  report[device] = gpu;
  for (std::size_t at = 0; at < lines.size();) {
    const LayoutLine& line = lines[at++];
    const bool heading = at < lines.size() && lines[at].depth > 0;
    Json value = line.value == "code:clock" ? clock_report(smi, gpu)
                 : heading                  ? read_below(smi, gpu, lines, at, 0)
                                            : value_of(smi, gpu, line.value);
    if (holds(smi.host, gpu, line.condition) &&
        (line.section.empty() || section_wanted(smi, layout, line.section)))
      report[lower_ascii(line.label)] = std::move(value);
  }
  return report;
}

std::string tree_text(const Json& report) {
  std::string text;
  Json below = Json::object();
  for (const auto& [name, value] : report.items()) {
    if (name == "gpu" || name == "cpu" || name == "core")
      text += upper(name) + ": " + scalar(value) + "\n";
    else
      below[name] = value;
  }
  write_tree(below, text.empty() ? 0 : 4, text);
  return text + "\n";
}

void print_reports(const AmdSmi& smi, const std::vector<Json>& reports, Header header) {
  if (smi.format == Format::kJson) {
    smi.host.print("{}\n", python_json(Json(reports), 4));
  } else if (smi.format == Format::kCsv) {
    smi.host.out(csv_text(reports, header));
  } else {
    for (const Json& report : reports) smi.host.out(tree_text(report));
  }
}

Json clock_report(const AmdSmi& smi, std::size_t gpu) {
  const auto entry = [&](const std::string& now, const std::string& low, const std::string& high,
                         const char* locked, bool asleep) {
    return Json{{"clk", with_unit(now, "MHz")},
                {"min_clk", with_unit(low, "MHz")},
                {"max_clk", with_unit(high, "MHz")},
                {"clk_locked", locked},
                {"deep_sleep", asleep ? "ENABLED" : "DISABLED"}};
  };
  const auto text = [&](std::string_view form) { return fill(smi.host, gpu, form); };
  Json clocks = Json::object();
  const std::string level = text("{perf_level}");
  const bool asleep = text("{clk.sclk}").size() < 4 && text("{clk.sclk}") < text("{sclk.min}");
  for (std::int64_t i = 0; i < std::max<std::int64_t>(1, smi.host.gpu_number(gpu, "xcc")); ++i)
    clocks[fmt::format("gfx_{}", i)] =
        entry(text("{clk.sclk}"), text("{sclk.min}"), text("{sclk.max}"),
              level == "determinism" || level == "manual" ? "ENABLED" : "DISABLED", asleep);
  clocks["mem_0"] = entry(text("{clk.mclk}"), text("{mclk.min}"), text("{mclk.max}"), "N/A", false);
  for (const auto& [name, now, low, high] :
       {std::tuple{"vclk", "29", "914", "1480"}, std::tuple{"dclk", "22", "711", "1233"}})
    for (std::int64_t i = 0; i < smi.host.gpu_number(gpu, "vcn"); ++i)
      clocks[fmt::format("{}_{}", name, i)] = entry(now, low, high, "N/A", true);
  return clocks;
}

}  // namespace micius::emu::amd
