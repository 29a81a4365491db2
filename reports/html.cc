// One file: style sheet, script and data are in the page, nothing is loaded. All but the sample browser is
// HTML and SVG and needs no script. The content security policy names the two inline assets by their hash, so
// that no text of a model can run or load anything, whatever it holds.
#include <memory>

#include <fmt/format.h>

#include "base/base64.h"
#include "base/hash.h"
#include "base/text.h"
#include "core/report_writer.h"
#include "reports/comparison.h"
#include "reports/html_internal.h"
#include "reports/layout_internal.h"

namespace micius {
namespace {

constexpr std::size_t kTextLimit = 48'000'000;  // bytes of prompts, completions and samples
constexpr std::size_t kPlainLimit = 1'000'000;  // bytes of data that stay readable in the page

std::string hash_source(std::string_view asset) {
  Sha256 hash;
  hash.update(asset);
  const auto digest = hash.digest();
  return "'sha256-" + encode_base64({reinterpret_cast<const char*>(digest.data()), digest.size()}) + "'";
}

void write_head(const Grid& grid, std::string_view kind, std::ostream& out) {
  out << "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      << fmt::format(
             R"(<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'">)",
             hash_source(kStyleSheet), hash_source(kScript))
      << fmt::format("\n<title>{}: Micius {}</title>\n", html(visible_line(join(grid.tasks(), ", "))), kind)
      << "<style>" << kStyleSheet << "</style>\n</head>\n";
}

struct Section {
  std::string_view id, title;
  void (*write)(const Grid& grid, std::ostream& out);
};

void write_header(const ReportSet& set, std::string_view kind, const std::vector<Section>& sections,
                  std::ostream& out) {
  const std::size_t runs = set.reports.size();
  out << fmt::format(
      "<body>\n<a class=\"skip\" href=\"#{}\">Skip to the results</a>\n<header>\n<h1>Micius "
      "<span>{}</span></h1>\n<nav aria-label=\"Sections\">",
      sections.front().id, kind);
  for (const Section& section : sections)
    out << fmt::format("<a href=\"#{}\">{}</a>", section.id, section.title);
  out << "</nav>\n"
         "<button type=\"button\" id=\"theme\" hidden>Theme: system</button>\n</header>\n<main>\n";
  if (runs == 0) out << "<p class=\"note\">No run was given.</p>\n";
}

void write_browser(const SampleData& data, std::ostream& out) {
  out << "<section id=\"samples\">\n<h2>Samples</h2>\n";
  if (data.texts.empty())
    out << "<p class=\"note\">Prompts and completions are left out: together they are more than 48 MB. "
           "<code>micius show RUN --sample ID</code> prints them.</p>\n";
  out << fmt::format(
      "<noscript><p class=\"note\">The sample browser needs JavaScript. <code>micius show RUN "
      "--samples</code> prints the {} records.</p></noscript>\n<div id=\"browser\" "
      "hidden></div>\n</section>\n"
      "<section id=\"sample\" hidden></section>\n",
      data.records);
}

enum class Packing { kPlain, kGzip };

// In a script element only "</" and "<!--" end or change it; neither can be in JSON once "<" is written as
// \u003c.
void write_part(std::string_view id, const std::string& json, Packing packing, std::ostream& out) {
  const bool is_plain = packing == Packing::kPlain;
  out << fmt::format("<script id=\"{}\" type=\"application/{}\">{}</script>\n", id,
                     is_plain ? "json" : "gzip",
                     is_plain ? replace_all(json, "<", "\\u003c") : encode_base64(gzip(json)));
}

void write_data(const SampleData& data, std::ostream& out) {
  std::size_t bytes = data.head.size() + data.texts.size();
  for (const std::string& run : data.runs) bytes += run.size();
  const Packing packing = bytes <= kPlainLimit ? Packing::kPlain : Packing::kGzip;
  write_part("data", data.head, packing, out);
  for (std::size_t i = 0; i < data.runs.size(); ++i)
    write_part(fmt::format("data-run-{}", i), data.runs[i], packing, out);
  if (!data.texts.empty()) write_part("data-texts", data.texts, packing, out);
}

constexpr Section kVersus = {"versus", "Head to head", write_versus};

// The sections, then the samples and how they were made.
void write_page(const ReportSet& set, std::string_view kind, std::vector<Section> sections,
                std::ostream& out) {
  const Grid grid(set);
  const SampleData data = sample_data(grid, kTextLimit);
  write_head(grid, kind, out);
  const std::size_t own = sections.size();
  sections.push_back({"samples", "Samples", nullptr});
  sections.push_back({"how", "How it was run", nullptr});
  write_header(set, kind, sections, out);
  for (std::size_t i = 0; i < own; ++i) sections[i].write(grid, out);
  write_browser(data, out);
  write_how(grid, out);
  out << "</main>\n<footer>Made by Micius from stored records. Same records, same bytes.</footer>\n";
  write_data(data, out);
  out << "<script>" << kScript << "</script>\n</body>\n</html>\n";
}

class HtmlWriter final : public ReportWriter {
 public:
  std::string_view format() const override { return "html"; }

  void write(const ReportSet& set, std::ostream& out) const override {
    std::vector<Section> sections = {{"summary", "Summary", write_summary}};
    if (!set.comparisons.comparisons.empty()) sections.push_back(kVersus);
    sections.push_back({"where", "Where", write_where});
    if (!set.reports.empty()) {
      sections.push_back({"health", "Health", write_health});
      sections.push_back({"cost", "Cost and speed", write_cost});
    }
    write_page(set, "report", sections, out);
  }
};

}  // namespace

void write_comparison_html(const ReportSet& set, std::ostream& out) {
  write_page(set, "comparison", {kVersus, {"health", "Health", write_health}}, out);
}

std::unique_ptr<ReportWriter> make_html_writer(const ReportStyle&) { return std::make_unique<HtmlWriter>(); }

}  // namespace micius
