#include "store/sql_internal.h"

namespace micius {

void Database::transact(const std::function<void()>& work) {
  if (in_transaction_) return work();
  struct Mark {
    explicit Mark(bool& a_flag) : flag(a_flag) { flag = true; }
    ~Mark() { flag = false; }
    bool& flag;
  };
  const Mark mark(in_transaction_);
  run_transaction(work);
}

}  // namespace micius
