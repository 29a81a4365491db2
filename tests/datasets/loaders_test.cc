#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <zlib.h>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/rng.h"
#include "base/text.h"
#include "datasets/registry.h"
#include "mutate.h"
#include "source_tree.h"
#include "temp_dir.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

std::unique_ptr<Dataset> open(const std::string& loader, Json params, const fs::path& root) {
  return dataset_registry().get(loader)({loader, std::move(params)}, {root, root});
}

// One case a line: "text" or "hex" of the file, "params", then "samples" or "error".
void check_cases(const std::string& loader) {
  const TempDir folder;
  const std::string name = "file." + loader;
  const std::string file = (folder.path() / name).string();
  std::size_t cases = 0;
  const std::string text = read_file(source_tree() / "tests/datasets" / (loader + ".jsonl"));
  for_each_line(text, [&](std::string_view line, std::size_t number) {
    const Json json = parse_json(line, fmt::format("{}.jsonl:{}", loader, number));
    const JsonFields test(json, "case");
    INFO(test.string("name"));
    write_file_atomic(file, test.has("hex") ? from_hex(test.string("hex")) : test.string("text"));
    Json params = test.at("params");
    params["path"] = name;
    ++cases;
    if (test.has("error")) {
      const std::string expected = replace_all(test.string("error"), "FILE", file);
      CHECK_THROWS_WITH(open(loader, params, folder.path()), Catch::StartsWith(expected));
      return;
    }
    const auto dataset = open(loader, params, folder.path());
    Json samples = Json::array();
    for (std::size_t i = 0; i < dataset->size(); ++i) samples.push_back(to_json(dataset->at(i)));
    CHECK(dump_json(samples) == dump_json(test.at("samples")));
    CHECK(dataset->name() == name);
    CHECK(dataset->content_hash() == sha256_file(file));
  });
  CHECK(cases > 8);
}

// Files that are nearly right are read or refused with an Error that names the file.
void check_mutated(const std::string& loader, const std::string& good, const Json& fields) {
  const TempDir folder;
  const fs::path file = folder.path() / ("file." + loader);
  Json params = fields;
  params["path"] = file.filename().string();
  Rng rng("loaders_test/" + loader);
  std::size_t read = 0, refused = 0;
  for (int round = 0; round < 600; ++round) {
    write_file_atomic(file, mutate(good, rng));
    try {
      const auto dataset = open(loader, params, folder.path());
      for (std::size_t i = 0; i < dataset->size(); ++i) dataset->at(i);
      ++read;
    } catch (const Error& error) {
      CHECK_THAT(error.what(), Catch::StartsWith(file.string()));
      ++refused;
    }
  }
  CHECK(read > 10);
  CHECK(refused > 200);
}

}  // namespace

TEST_CASE("JSON lines, by cases") { check_cases("jsonl"); }
TEST_CASE("lists in JSON, by cases") { check_cases("json_list"); }
TEST_CASE("LogiQA's own files, by cases") { check_cases("logiqa"); }
TEST_CASE("CSV, by cases") { check_cases("csv"); }

TEST_CASE("mutated JSON lines are read or refused") {
  check_mutated("jsonl",
                "{\"id\": \"a\", \"q\": \"x \\u00e9\", \"c\": [\"1\", \"2\"], \"t\": 0}\n"
                "{\"id\": \"b\", \"q\": \"\xC3\xA9y\", \"c\": [\"3\", \"4\"], \"t\": \"4\"}\n",
                {{"id", "id"}, {"input", "q"}, {"choices", "c"}, {"targets", "t"}});
}

TEST_CASE("mutated CSV is read or refused") {
  check_mutated("csv", "id,q,t\n1,\"a, \"\"b\"\"\nc\",x\n2,\xC3\xA9,y\r\n3,\"\",z\n",
                {{"id", "id"}, {"input", "q"}, {"targets", "t"}});
}

TEST_CASE("mutated lists in JSON are read or refused") {
  check_mutated("json_list", "[{\"q\": \"x\", \"t\": \"1\"},\n {\"q\": \"y\", \"t\": \"2\"}]",
                {{"input", "q"}, {"targets", "t"}});
}

TEST_CASE("mutated files of LogiQA are read or refused") {
  check_mutated("logiqa",
                "b\nText one.\nWhat?\nA.x\nB.y\nC.z\nD.w\n\nc\nText two.\nWhy?\nA.x\nB.y\nC.z\nD.w\n",
                {{"input", "question"}, {"choices", "options"}});
}

TEST_CASE("a file packed with gzip is found and read, a broken one is refused") {
  const TempDir folder;
  std::string text;
  for (int i = 0; i < 5000; ++i) text += fmt::format("{{\"q\": \"row {} {}\"}}\n", i, i * 7919 % 5003);
  const fs::path file = folder.path() / "file.jsonl.gz";
  gzFile out = gzopen(file.c_str(), "wb");
  REQUIRE(gzwrite(out, text.data(), static_cast<unsigned>(text.size())) > 0);
  gzclose(out);
  const Json params = {{"path", "file.jsonl"}, {"input", "q"}};
  const auto dataset = open("jsonl", params, folder.path());
  CHECK(dataset->size() == 5000);
  CHECK(dataset->at(1).input == "row 1 2916");
  CHECK(dataset->name() == "file.jsonl");
  CHECK(dataset->content_hash() == sha256_file(file));

  std::string packed = read_file(file);
  write_file_atomic(file, packed.substr(0, packed.size() / 2));
  CHECK_THROWS_WITH(open("jsonl", params, folder.path()), Catch::Contains("file.jsonl.gz: broken gzip file"));
  packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
  write_file_atomic(file, packed);
  CHECK_THROWS_WITH(open("jsonl", params, folder.path()), Catch::Contains("file.jsonl.gz: broken gzip file"));
}

TEST_CASE("the datasets of one registry read a file once, as long as one of them is open") {
  const TempDir folder;
  const fs::path file = folder.path() / "file.jsonl";
  const auto part = [](const char* subject) {
    return Spec{"jsonl", {{"path", "file.jsonl"}, {"only", {{"field", "subject"}, {"values", {subject}}}}}};
  };
  const DataRoots roots{folder.path(), folder.path()};
  const auto loaders = dataset_registry();
  write_file_atomic(file, "{\"subject\": \"a\"}\n{\"subject\": \"b\"}\n");
  const std::string hash = sha256_file(file);
  auto a = loaders.get("jsonl")(part("a"), roots);
  write_file_atomic(file, "{\"subject\": \"c\"}\n");
  auto b = loaders.get("jsonl")(part("b"), roots);
  CHECK(a->size() == 1);
  CHECK(b->size() == 1);
  CHECK(b->content_hash() == hash);
  CHECK_THROWS_WITH(dataset_registry().get("jsonl")(part("a"), roots), Catch::Contains("no rows with"));
  a.reset();
  CHECK(b->at(0).extra.at("subject") == "b");
  b.reset();
  CHECK(loaders.get("jsonl")(part("c"), roots)->content_hash() == sha256_file(file));
}

TEST_CASE("a row whose field of the filter is no text is not passed over") {
  const TempDir folder;
  const Json only = {{"path", "file.jsonl"}, {"only", {{"field", "subject"}, {"values", {"a"}}}}};
  for (const char* wrong : {"null", "{\"x\": 1}", "[\"b\"]"}) {
    write_file_atomic(folder.path() / "file.jsonl",
                      fmt::format("{{\"subject\": \"a\"}}\n{{\"subject\": {}}}\n", wrong));
    CHECK_THROWS_WITH(open("jsonl", only, folder.path()), Catch::Contains("file.jsonl:2: field 'subject'"));
  }
  write_file_atomic(folder.path() / "file.jsonl", "{\"subject\" : \"a\"}\n{\"subject\" : \"b\"}\n");
  CHECK(open("jsonl", only, folder.path())->size() == 1);
}

TEST_CASE("rows stand behind those of another file that they are another form of") {
  const TempDir folder;
  const auto write = [&](const char* name, const std::string& text) {
    write_file_atomic(folder.path() / name, text);
  };
  write("test.jsonl", "{\"id\": \"a\"}\n{\"id\": \"b\"}\n{\"id\": \"c\"}\n");
  write(
      "robust.jsonl",
      "{\"id\": \"r1\", \"of\": \"c\"}\n{\"id\": \"r2\", \"of\": \"c\"}\n{\"id\": \"r3\", \"of\": \"a\"}\n");
  const Json params = {
      {"path", "robust.jsonl"}, {"id", "id"}, {"beside", {{"path", "test.jsonl"}, {"field", "of"}}}};
  const auto dataset = open("jsonl", params, folder.path());
  std::string ids;
  for (std::size_t i = 0; i < dataset->size(); ++i) ids += dataset->at(i).id + " ";
  CHECK(ids == "c r1 r2 a r3 ");
  CHECK(dataset->name() == "robust.jsonl");
  const std::string hash = dataset->content_hash();
  write("test.jsonl", "{\"id\": \"a\", \"x\": 1}\n{\"id\": \"c\"}\n");
  CHECK(open("jsonl", params, folder.path())->content_hash() != hash);
  write("test.jsonl", "{\"id\": \"a\"}\n");
  CHECK_THROWS_WITH(
      open("jsonl", params, folder.path()),
      (folder.path() / "robust.jsonl").string() + ":1: field 'of': no row 'c' in the file beside it");
}

TEST_CASE("texts are cut in two, some of each file") {
  const TempDir folder;
  const auto write = [&](const char* name, const std::string& text) {
    std::filesystem::create_directories((folder.path() / name).parent_path());
    write_file_atomic(folder.path() / name, text);
  };
  write("MARK.txt", "a mark that\nno one writes\n");
  write("x/test.jsonl",
        "{\"id\": \"x0\", \"q\": \"one two three\"}\n{\"id\": \"x1\", \"q\": \"four  five\"}\n");
  write("y/test.jsonl", "{\"id\": \"y0\", \"r\": \"alone\"}\n{\"id\": \"y1\", \"r\": \"six seven\"}\n");
  Json params = {
      {"path", "MARK.txt"},
      {"count", 4},
      {"texts", {{{"path", "x/test.jsonl"}, {"field", "q"}}, {{"path", "y/test.jsonl"}, {"field", "r"}}}}};
  const auto dataset = open("halves", params, folder.path());
  std::string all;
  for (std::size_t i = 0; i < dataset->size(); ++i) {
    const Sample sample = dataset->at(i);
    all += fmt::format("{} {}: {} | {}\n", sample.id, sample.extra.at("group").get<std::string>(),
                       sample.input, sample.targets.front());
  }
  CHECK(all ==
        "MARK MARK: a mark that | no one writes\nx0 x: one | two three\nx1 x: four | five\ny1 y: six | "
        "seven\n");
  const std::string hash = dataset->content_hash();
  write("y/test.jsonl", "{\"id\": \"y0\", \"r\": \"six six\"}\n{\"id\": \"y1\", \"r\": \"six seven\"}\n");
  CHECK(open("halves", params, folder.path())->content_hash() != hash);
  params["count"] = 2;
  CHECK(open("halves", params, folder.path())->at(2).id == "y0");
  params["count"] = 5;
  CHECK_THROWS_WITH(open("halves", params, folder.path()), Catch::Contains("from 1 to 4"));
}

TEST_CASE("a missing file is named with what to type, roots and paths") {
  const TempDir folder;
  CHECK_THROWS_WITH(open("jsonl", {{"path", "general/x/test.jsonl"}}, folder.path()),
                    Catch::StartsWith("general/x/test.jsonl: not found in " + folder.path().string()) &&
                        Catch::Contains("`micius data list`") && Catch::Contains("--data-dir"));
  CHECK_THROWS_WITH(open("jsonl", {{"path", "x"}, {"root", "dat"}}, folder.path()),
                    Catch::Contains("unknown root 'dat' (did you mean 'data'?)"));
  CHECK_THROWS_WITH(open("jsonl", Json::object(), folder.path()), Catch::Contains("field 'path' is missing"));
  CHECK_THROWS_WITH(dataset_registry().get("json"), Catch::Contains("did you mean 'jsonl'?"));
  const fs::path file = folder.path() / "rows.jsonl";
  write_file_atomic(file, "{}\n");
  CHECK(open("jsonl", {{"path", file.string()}}, "/nowhere")->name() == "rows.jsonl");
}

}  // namespace micius
