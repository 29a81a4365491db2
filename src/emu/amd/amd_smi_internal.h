// The parts of amd-smi. A report is one JSON object a device; text, JSON and CSV are three ways to print it.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "emu/amd/values.h"

namespace micius::emu::amd {

enum class Format { kText, kJson, kCsv };

struct AmdSmi {
  Host& host;
  const Parsed& parsed;
  std::vector<std::size_t> gpus;  // chosen by -g, or all
  Format format = Format::kText;
  std::set<std::string> given = {};  // names of the options
};

// What the tool says of wrong words: the text on stdout, in the format asked for. Its exit status stays 0.
int complain(Host& host, Format format, int code, std::string_view what, const std::string& word);

// One device's report from a layout: the sections whose option is given, or all. A value "{power}~W" has a
// unit; "list:vcn:4:{use}~%" is a list of four with as many values as the field says.
Json report_of(const AmdSmi& smi, std::string_view layout, std::size_t gpu, const char* device = "gpu");
bool section_wanted(const AmdSmi& smi, std::string_view layout, std::string_view section);

// Text of "GPU: 0" and its tree; columns of CSV by their name.
std::string tree_text(const Json& report);
enum class Header { kPrinted, kLeftOut };  // of a table that is printed again and again
void print_reports(const AmdSmi& smi, const std::vector<Json>& reports, Header header = Header::kPrinted);
Json with_unit(const std::string& number, std::string_view unit);  // {"value", "unit"}, or "N/A"
Json plain_value(const std::string& text);                         // a number where it is one

std::vector<Json> process_reports(const AmdSmi& smi);
std::vector<Json> firmware_reports(const AmdSmi& smi);
Json clock_report(const AmdSmi& smi, std::size_t gpu);

int topology(const AmdSmi& smi);
int xgmi(const AmdSmi& smi);
int partition(const AmdSmi& smi);
enum class Stamp { kNone, kTime };
void monitor(const AmdSmi& smi, Stamp stamp, Header header);
int set_values(const AmdSmi& smi);
int reset_values(const AmdSmi& smi);

}  // namespace micius::emu::amd
