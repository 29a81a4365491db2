#include "datasets/registry.h"

#include "datasets/csv.h"
#include "datasets/halves.h"
#include "datasets/jsonl.h"

namespace micius {

Registry<DatasetFactory> dataset_registry() {
  return {"dataset",
          {
              {"jsonl", "JSON lines, one object a line; .gz too", open_jsonl},
              {"csv", "CSV with a header line; .gz too", open_csv},
              {"halves", "Texts cut in two, to see whether a model knows them by heart", open_halves},
          }};
}

}  // namespace micius
