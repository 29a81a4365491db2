#include "core/shots.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "core/dataset_file.h"

namespace micius {
namespace {

std::string group_of(const Sample& sample, const Dataset& dataset) {
  return JsonFields(sample.extra, fmt::format("{}: sample '{}'", dataset.name(), sample.id)).string("group");
}

}  // namespace

std::optional<ShotPool> choose_shot_pool(const Task& task, const DataRoots& roots) {
  if (task.shots == 0) return std::nullopt;
  const std::vector<StandIn>& pools = task.shot_source.pools;
  if (pools.empty()) fail(ErrorCode::kUsage, "{}: this task takes no shots; use --shots 0", task.name);
  for (const StandIn& pool : pools) {
    if (!find_dataset_file(pool.dataset, roots)) continue;
    if (pool.warning.empty()) return ShotPool{pool.dataset, ""};
    return ShotPool{pool.dataset,
                    fmt::format("shots come from {}, since {} is not there: {}", dataset_name(pool.dataset),
                                dataset_name(pools.front().dataset), pool.warning)};
  }
  require_dataset_file(pools.front().dataset, roots);  // throws
  return std::nullopt;
}

std::string shot_pool_label(const Dataset& pool) {
  return fmt::format("{}@{}", pool.name(), pool.content_hash().substr(0, 12));
}

ShotPicker::ShotPicker(const Task& task, const Dataset& evaluated, const Dataset* pool, std::uint64_t seed)
    : rule_(task.shot_source.rule),
      count_(static_cast<std::size_t>(task.shots)),
      task_(task.name),
      prepare_(task.prepare),
      evaluated_(&evaluated),
      pool_(pool),
      random_(seed) {
  if (count_ == 0) return;
  assert(pool_ != nullptr);
  const bool leaves_out = rule_ == ShotRule::kDrawExcept || rule_ == ShotRule::kFirstExcept;
  const std::size_t needed = count_ + (leaves_out ? 1 : 0);
  if (pool_->size() < needed) {
    fail(ErrorCode::kUsage, "{}: {} shots need {} rows, {} has {}; use a smaller --shots", task_, count_,
         needed, pool_->name(), pool_->size());
  }
}

std::vector<Sample> ShotPicker::shots_for(std::size_t index) {
  std::vector<Sample> shots;
  if (count_ == 0) return shots;
  std::vector<std::size_t> rows(count_);
  switch (rule_) {
    case ShotRule::kFirst:
      std::iota(rows.begin(), rows.end(), std::size_t{0});
      break;
    case ShotRule::kFirstExcept:
      rows = first_except(index);
      break;
    case ShotRule::kFirstOfGroup:
      rows = group_rows(index);
      break;
    case ShotRule::kDraw:
    case ShotRule::kDrawExcept:
      rows = drawn(index);
      break;
  }
  for (const std::size_t row : rows) shots.push_back(shot_at(row));
  return shots;
}

void ShotPicker::for_each_candidate(const std::function<void(const Sample&)>& fn) {
  if (count_ == 0) return;
  if (rule_ == ShotRule::kFirstOfGroup) {
    for (const auto& [group, rows] : groups())
      for (const std::size_t row : rows) fn(shot_at(row));
    return;
  }
  const std::size_t drawn_from = rule_ == ShotRule::kFirst ? count_ : pool_->size();
  for (std::size_t row = 0; row < drawn_from; ++row) fn(shot_at(row));
}

Sample ShotPicker::shot_at(std::size_t row) const {
  Sample shot = pool_->at(row);
  return prepare_ ? prepare_(std::move(shot)) : shot;
}

const std::vector<std::size_t>& ShotPicker::drawn(std::size_t index) {
  while (drawn_.size() <= index) {
    drawn_.push_back(rule_ == ShotRule::kDraw ? random_.sample(pool_->size(), count_)
                                              : draw_except(drawn_.size()));
  }
  return drawn_[index];
}

// One more than asked for is drawn and the sample itself left out, compared by value. If the pool holds so
// many copies of it that too few are left, the pool without them is drawn from with the same generator.
std::vector<std::size_t> ShotPicker::draw_except(std::size_t index) {
  const Json row = evaluated_->at(index).extra;
  const auto is_itself = [&](std::size_t i) { return pool_->at(i).extra == row; };
  std::vector<std::size_t> rows = random_.sample(pool_->size(), count_ + 1);
  std::erase_if(rows, is_itself);
  if (rows.size() < count_) {
    std::vector<std::size_t> others(pool_->size());
    std::iota(others.begin(), others.end(), std::size_t{0});
    std::erase_if(others, is_itself);
    if (others.size() < count_) fail_too_few(others.size(), index);
    rows = random_.sample(others.size(), count_);
    for (std::size_t& i : rows) i = others[i];
  }
  rows.resize(count_);
  return rows;
}

std::vector<std::size_t> ShotPicker::first_except(std::size_t index) const {
  const Json row = evaluated_->at(index).extra;
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < pool_->size() && rows.size() < count_; ++i) {
    if (pool_->at(i).extra != row) rows.push_back(i);
  }
  if (rows.size() < count_) fail_too_few(rows.size(), index);
  return rows;
}

void ShotPicker::fail_too_few(std::size_t there, std::size_t index) const {
  fail(ErrorCode::kUsage,
       "{}: {} has {} rows besides sample {}, {} shots were asked for; use a smaller --shots", task_,
       pool_->name(), there, index, count_);
}

const std::map<std::string, std::vector<std::size_t>>& ShotPicker::groups() {
  if (groups_.empty()) {
    for (std::size_t i = 0; i < pool_->size(); ++i) {
      std::vector<std::size_t>& rows = groups_[group_of(pool_->at(i), *pool_)];
      if (rows.size() < count_) rows.push_back(i);
    }
  }
  return groups_;
}

const std::vector<std::size_t>& ShotPicker::group_rows(std::size_t index) {
  const std::string group = group_of(evaluated_->at(index), *evaluated_);
  const auto it = groups().find(group);
  const std::size_t there = it == groups_.end() ? 0 : it->second.size();
  if (there < count_) {
    fail(ErrorCode::kUsage, "{}: {} shots asked for, {} has {} rows of group '{}'; use a smaller --shots",
         task_, count_, pool_->name(), there, group);
  }
  return it->second;
}

}  // namespace micius
