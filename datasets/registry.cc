#include "datasets/registry.h"

#include "datasets/csv.h"
#include "datasets/halves.h"
#include "datasets/json_list.h"
#include "datasets/jsonl.h"
#include "datasets/logiqa.h"

namespace micius {

namespace {

using Open = std::unique_ptr<Dataset> (*)(const Spec&, const DataRoots&, SourceFiles&);

}  // namespace

Registry<DatasetFactory> dataset_registry() {
  const auto files = std::make_shared<SourceFiles>();  // of all factories
  const auto sharing = [&](Open open) -> DatasetFactory {
    return [open, files](const Spec& spec, const DataRoots& roots) { return open(spec, roots, *files); };
  };
  return {
      "dataset",
      {
          {"jsonl", "JSON lines, one object a line; .gz too", sharing(open_jsonl)},
          {"csv", "CSV with a header line; .gz too", sharing(open_csv)},
          {"json_list", "One JSON document that holds a list of objects; .gz too", sharing(open_json_list)},
          {"logiqa", "LogiQA in the form of its authors", sharing(open_logiqa)},
          {"halves", "Texts cut in two, to see whether a model knows them by heart", sharing(open_halves)},
      }};
}

}  // namespace micius
