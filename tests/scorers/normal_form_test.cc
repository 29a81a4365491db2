#include "scorers/normal_form.h"

#include <filesystem>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "source_tree.h"

namespace micius {

TEST_CASE("a normal form is not as long as its variables times its commands") {
  const std::filesystem::path folder = source_tree() / "datasets/aimicius/cmdgen";
  const emu::Catalog catalog(folder);
  const std::string where = (folder / "normal.json").string();
  const NormalForms forms(catalog, parse_json(read_file(where), where), where);
  CHECK(forms.of("export A=1 B=2; export A=3; nproc | wc", "nvidia") == "A=3 B=2 nproc | A=3 B=2 wc");

  // 64 KiB that would be 130 million assignments.
  std::string text = "export";
  for (int i = 0; i < 8'000; ++i) text += " a=1";
  for (int i = 0; i < 16'000; ++i) text += ";b";
  CHECK_FALSE(forms.of(text, "nvidia"));
}

}  // namespace micius
