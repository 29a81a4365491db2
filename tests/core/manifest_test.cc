#include "core/manifest.h"

#include <filesystem>
#include <functional>
#include <string>
#include <variant>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "source_tree.h"
#include "temp_dir.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

Json valid() {
  return parse_json(R"({"micius_manifest": 1, "entries": [
    {"name": "m", "licence": "MIT", "licence_url": "u", "source": {"pip": "p==1", "member": "a/b"}, "note": "n",
     "files": [{"path": "m/a.bin", "bytes": 3, "sha256": ""},
               {"path": "m/b.bin", "bytes": 1, "sha256": "", "source": {"user": "get b from its author"}}]}]})",
                    "test");
}

Json with_hashes() {
  Json json = valid();
  json["entries"][0]["files"][0]["sha256"] = sha256_hex("abc");
  json["entries"][0]["files"][1]["sha256"] = sha256_hex("b");
  return json;
}

}  // namespace

TEST_CASE("a manifest is read, its files looked at one by one") {
  const TempDir temporary;
  const fs::path& folder = temporary.path();
  fs::create_directories(folder / "m");
  const Manifest manifest = parse_manifest(dump_json(with_hashes()), "test");
  const ManifestEntry& entry = manifest.get("m", "model");
  CHECK(std::get<PipSource>(entry.files[0].source).member == "a/b");

  write_file_atomic(folder / "m/a.bin", "abc");
  CHECK_FALSE(is_there(entry, folder));
  auto checks = verify(entry, folder, "micius model fetch m");
  REQUIRE(checks.size() == 2);
  CHECK(checks[0].state == FileState::kGood);
  CHECK(checks[0].message.empty());
  CHECK(checks[1].state == FileState::kMissing);
  CHECK_THAT(checks[1].message, Catch::Contains("b.bin: not there; get b from its author; put it at") &&
                                    Catch::EndsWith("m/b.bin"));

  write_file_atomic(folder / "m/a.bin", "abd");
  write_file_atomic(folder / "m/b.bin", "bb");
  checks = verify(entry, folder, "micius model fetch m");
  CHECK(checks[0].state == FileState::kWrongHash);
  CHECK_THAT(checks[0].message, Catch::Contains("expected " + sha256_hex("abc")) &&
                                    Catch::EndsWith("`micius model fetch m` gets it"));
  CHECK(checks[1].state == FileState::kWrongSize);
  CHECK_THAT(checks[1].message, Catch::Contains("has 2 bytes, expected 1"));

  write_file_atomic(folder / "m/b.bin", "b");
  CHECK(is_there(entry, folder));
}

TEST_CASE("a file of unknown size is known by its hash") {
  const TempDir temporary;
  fs::create_directories(temporary.path() / "m");
  Json json = with_hashes();
  for (Json& file : json["entries"][0]["files"]) file.erase("bytes");
  const Manifest manifest = parse_manifest(dump_json(json), "test");
  const ManifestEntry& entry = manifest.get("m", "data");
  CHECK_FALSE(is_there(entry, temporary.path()));
  write_file_atomic(temporary.path() / "m/a.bin", "abc");
  write_file_atomic(temporary.path() / "m/b.bin", "bb");
  CHECK(is_there(entry, temporary.path()));
  const auto checks = verify(entry, temporary.path(), "");
  CHECK(checks[0].state == FileState::kGood);
  CHECK(checks[1].state == FileState::kWrongHash);
}

TEST_CASE("a manifest that is not in form is refused by place and field") {
  const auto refuses = [](const std::function<void(Json&)>& change, const std::string& message) {
    Json json = with_hashes();
    change(json);
    CHECK_THROWS_WITH(parse_manifest(dump_json(json), "f.json"), Catch::StartsWith(message));
  };
  refuses([](Json& j) { j["micius_manifest"] = 2; }, "f.json: manifest version 2, this program reads 1");
  refuses([](Json& j) { j["entires"] = j["entries"]; },
          "f.json: unknown field 'entires' (did you mean 'entries'?)");
  refuses([](Json& j) { j["entries"][0].erase("licence"); }, "f.json: entry 'm': field 'licence' is missing");
  refuses([](Json& j) { j["entries"].push_back(j["entries"][0]); }, "f.json: entry 'm' is there twice");
  refuses([](Json& j) { j["entries"][0]["files"][1]["path"] = "m/a.bin"; },
          "f.json: entry 'm': path 'm/a.bin' is there twice");
  refuses([](Json& j) { j["entries"][0]["files"][0]["path"] = "../a"; },
          "f.json: entry 'm': file 1: path '../a' must be relative");
  refuses([](Json& j) { j["entries"][0]["files"][0]["path"] = "/a"; },
          "f.json: entry 'm': file 1: path '/a' must be relative");
  refuses([](Json& j) { j["entries"][0]["files"][0]["sha256"] = "ab"; },
          "f.json: entry 'm': file 1: field 'sha256' must be 64");
  refuses([](Json& j) { j["entries"][0].erase("source"); },
          "f.json: entry 'm': file 1: neither the file nor its entry has a 'source'");
  refuses([](Json& j) { j["entries"][0]["source"].erase("member"); },
          "f.json: entry 'm': field 'source': field 'member' is missing");
  refuses([](Json& j) { j["entries"][0]["files"] = Json::array(); },
          "f.json: entry 'm': field 'files' must be a list");
  const Manifest manifest = parse_manifest(dump_json(with_hashes()), "f.json");
  CHECK_THROWS_WITH(manifest.get("mm", "model"), Catch::Contains("`micius model list` shows what there is"));
}

TEST_CASE("a file may be there in another form") {
  const TempDir temporary;
  const fs::path& folder = temporary.path();
  fs::create_directories(folder / "m");
  Json json = with_hashes();
  Json& files = json["entries"][0]["files"];
  files.erase(1);
  files[0]["path"] = "m/a.bin.gz";
  files[0]["or"] = {{{"path", "m/other.bin"}, {"sha256", sha256_hex("xyz!")}}, {{"path", "m/any.txt"}}};
  const Manifest manifest = parse_manifest(dump_json(json), "test");
  const ManifestEntry& entry = manifest.get("m", "data");
  const auto check = [&] { return verify(entry, folder, "").at(0); };
  CHECK(check().state == FileState::kMissing);
  CHECK(check().path == folder / "m/a.bin.gz");
  write_file_atomic(folder / "m/any.txt", "?");
  CHECK(is_there(entry, folder));
  CHECK(check().state == FileState::kUnknown);
  write_file_atomic(folder / "m/other.bin", "xyz");
  CHECK(check().state == FileState::kWrongHash);
  CHECK_THAT(check().message, Catch::Contains("m/other.bin: SHA-256 is"));
  write_file_atomic(folder / "m/other.bin", "xyz!");
  CHECK(check().state == FileState::kGood);
  write_file_atomic(folder / "m/a.bin.gz", "abd");
  CHECK(check().state == FileState::kWrongHash);

  CHECK(is_published(manifest, "m/a.bin", sha256_hex("abc")));
  CHECK(is_published(manifest, "m/other.bin", sha256_hex("xyz!")));
  CHECK_FALSE(is_published(manifest, "m/other.bin", sha256_hex("abc")));
  CHECK_FALSE(is_published(manifest, "m/any.txt", sha256_hex("?")));
  CHECK_FALSE(is_published(manifest, "a.bin", sha256_hex("abc")));

  files.push_back(files[0]);
  files[1]["path"] = "m/any.txt";
  files[1].erase("or");
  CHECK_THROWS_WITH(parse_manifest(dump_json(json), "f.json"), Catch::Contains("'m/any.txt' is there twice"));
  files.erase(1);
  files[0]["or"][0]["path"] = "../x";
  CHECK_THROWS_WITH(parse_manifest(dump_json(json), "f.json"),
                    Catch::StartsWith("f.json: entry 'm': file 1: field 'or': path '../x'"));
}

TEST_CASE("the project's manifests are in form") {
  const fs::path root = source_tree();
  CHECK(read_manifest(root / "datasets/manifest.json").find("arc_easy") != nullptr);
  CHECK(read_manifest(root / "runners/models.json").find("smollm2-135m") != nullptr);
}

}  // namespace micius
