#include "datasets/registry.h"

#include "datasets/csv.h"
#include "datasets/halves.h"
#include "datasets/json_list.h"
#include "datasets/jsonl.h"
#include "datasets/logiqa.h"

namespace micius {

Registry<DatasetFactory> dataset_registry() {
  return {"dataset",
          {
              {"jsonl", "JSON lines, one object a line; .gz too", open_jsonl},
              {"csv", "CSV with a header line; .gz too", open_csv},
              {"json_list", "One JSON document that holds a list of objects; .gz too", open_json_list},
              {"logiqa", "LogiQA in the form of its authors", open_logiqa},
              {"halves", "Texts cut in two, to see whether a model knows them by heart", open_halves},
          }};
}

}  // namespace micius
