#include "engine/encoder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "engine/device/device.h"
#include "engine/gpu_device.h"
#include "engine/model/bert_config.h"
#include "engine/open_bert.h"
#include "engine/safetensors.h"
#include "engine/tokenizer/wordpiece.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

}  // namespace

struct Encoder::Loaded {
  Loaded(const fs::path& folder, const EncoderOptions& wanted, std::unique_ptr<Device> on)
      : options(wanted),
        config(bert_config_from(folder)),
        tokenizer(read_file(folder / "vocab.txt"), (folder / "vocab.txt").string()),
        file(folder),
        pool(thread_count(wanted.threads)),
        context{wanted.isa.value_or(best_isa()), pool, scratch},
        device(std::move(on)),
        bert(open_bert(file, config, std::max(wanted.batch_tokens, config.max_tokens), context,
                       device.get())) {
    if (tokenizer.size() > config.vocabulary) {
      fail(ErrorCode::kInvalidData, "{}: {} tokens, but 'vocab_size' in config.json is {}",
           (folder / "vocab.txt").string(), tokenizer.size(), config.vocabulary);
    }
    info.dim = config.hidden;
    info.max_tokens = config.max_tokens - 2;
    info.vocabulary = config.vocabulary;
    info.layers = config.layers;
    for (const SafetensorsTensor& tensor : file.tensors()) {
      if (!tensor.dtype) continue;
      const MatrixView view = file.matrix(tensor.name);
      info.parameters += view.rows * view.cols;
    }
    info.file_bytes = file.size();
    info.weight_bytes = bert->bytes();
    info.isa = context.isa;
    info.threads = pool.threads();
    if (device != nullptr) info.gpu = device->figures().name;
  }

  std::vector<TokenId> ids(const std::string& text) const {
    std::vector<TokenId> ids = tokenizer.encode(text, info.max_tokens);
    ids.insert(ids.begin(), tokenizer.cls());
    ids.push_back(tokenizer.sep());
    return ids;
  }

  EncoderOptions options;
  EncoderInfo info;
  BertConfig config;
  WordPiece tokenizer;
  Safetensors file;
  ThreadPool pool;
  Scratch scratch;
  OpContext context;
  std::unique_ptr<Device> device;  // null: the CPU
  std::unique_ptr<Bert> bert;
};

Encoder::Encoder(const fs::path& folder, const EncoderOptions& options)
    : Encoder(folder, options, open_device(options.device)) {}

Encoder::Encoder(const fs::path& folder, const EncoderOptions& options, std::unique_ptr<Device> device)
    : loaded_(std::make_unique<Loaded>(folder, options, std::move(device))) {}

Encoder::~Encoder() = default;

const EncoderInfo& Encoder::info() const { return loaded_->info; }

std::vector<float> Encoder::embed(std::span<const std::string> texts) {
  Loaded& l = *loaded_;
  std::vector<std::vector<TokenId>> ids;
  for (const std::string& text : texts) ids.push_back(l.ids(text));
  const std::size_t dim = l.info.dim;
  std::vector<float> rows(texts.size() * dim);
  for (std::size_t begin = 0; begin < ids.size();) {
    std::size_t end = begin, tokens = 0;
    do {
      tokens += ids[end++].size();
    } while (end < ids.size() && tokens + ids[end].size() <= l.options.batch_tokens);
    const std::size_t size = end - begin;
    l.bert->embed(std::span(ids).subspan(begin, size), std::span(rows).subspan(begin * dim, size * dim));
    begin = end;
  }
  if (!std::all_of(rows.begin(), rows.end(), [](float value) { return std::isfinite(value); })) {
    fail(ErrorCode::kInvalidData, "{}: the weights give vectors that are no numbers; fetch the model again",
         l.file.name());
  }
  return rows;
}

std::size_t Encoder::count_tokens(std::string_view text) const {
  return loaded_->tokenizer.encode(text).size();
}

}  // namespace micius
