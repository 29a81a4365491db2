#include "datasets/registry.h"

namespace micius {

Registry<DatasetFactory> dataset_registry() { return {"dataset loader", {}}; }

}  // namespace micius
