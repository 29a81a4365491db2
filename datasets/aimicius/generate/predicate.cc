#include "predicate.h"

#include <map>
#include <regex>

#include "base/error.h"

namespace micius::aimicius {
namespace {

using Table = std::map<std::string, const char*>;

// Of the sku. A GPU is looked for in the hardware: its name alone, or behind a count and an x.
const Table& design_table() {
  static const Table table = {{"NDv2", "azure .*(ndv2|nd40rs_v2).*"},
                              {"NDv4", "azure .*(\\bndv4\\b|nd96asr_v4).*"},
                              {"NDmv4", "azure .*(ndmv4|nd96amsr).*"},
                              {"NDv4 MI200", "azure .*mi200.*"},
                              {"NDv5", "azure .*(\\bndv5\\b|nd96isr_h100_v5|nd_h100_v5).*"},
                              {"ND MI300X v5", "azure .*mi300x_v5.*"},
                              {"NCv3", "azure .*nc[0-9]+r?s_v3.*"},
                              {"NCv4", "azure .*nc[0-9]+ads_a100_v4.*"}};
  return table;
}

// Of the workload.
const Table kWorkloadTable = {
    {"BERT-Large training", "mlperf training: bert.*|(ai|superbench) .*bert-large"},
    {"BERT-base training", "(ai|superbench) .*bert-base"},
    {"ResNet-50 training", "mlperf training: resnet.*|(ai|superbench) .*resnet50|mxnet rn50v1.5 training .*"},
    {"RetinaNet training", "mlperf training: retinanet"},
    {"SSD training", "mlperf training: ssd.*|(pytorch|tensorflow) ssd training .*"},
    {"Mask R-CNN training", "mlperf training: mask.*|(pytorch|tensorflow2) maskrcnn training .*"},
    {"RNN-T training", "mlperf training: rnn-t.*"},
    {"DLRM training", "(mlperf training:|pytorch) dlrm training.*"},
    {"DLRM-DCNv2 training", "mlperf training: .*dcnv2.*"},
    {"3D U-Net training", "mlperf training: 3d.*|.* unet_3d_medical training .*"},
    {"GNMT training", ".* gnmt .*training.*"},
    {"Transformer training", ".* transformer (translation )?training.*"},
    {"Transformer-XL training", ".* transformer-xl training .*"},
    {"MiniGo training", ".*minigo.*"},
    {"GPT-2 training", "(ai|superbench) .*gpt2-(small|large)"},
    {"GPT-3 175B training", "mlperf .*gpt-3 175b.*"},
    {"Llama 3.1 8B training", "mlperf training: .*3\\.1 8b.*"},
    {"Llama 3.1 405B training", "mlperf training: .*3\\.1 405b.*"},
    {"Llama 2 70B fine-tuning", ".*lora fine-tuning"},
    {"Stable Diffusion training", "mlperf training: stable.*"},
    {"Flux.1 training", ".*flux.*"},
    {"R-GAT training", "mlperf training: r-gat.*"},
    {"MPT 7B training", "mpt 7b .*"},
    {"MPT 30B training", "mpt 30b .*"},
    {"MPT 70B training", "mpt 70b .*"},
    {"DenseNet training", ".*densenet(169|201)"},
    {"VGG training", ".*vgg1[1369]"},
    {"LSTM training", "ai lstm .*|superbench .*pytorch-lstm"},
    {"Tacotron2 training", ".*tacotron2 training .*"},
    {"FastPitch training", ".*fastpitch training .*"},
    {"Jasper training", ".*jasper training .*"},
    {"ELECTRA training", ".*electra training .*"},
    {"BERT-Large inference", "mlperf inference: bert.*"},
    {"ResNet-50 inference", "mlperf inference: resnet.*|.* (rn50v1.5|resnet50v1.5) inference .*"},
    {"RetinaNet inference", "mlperf inference: retinanet.*"},
    {"SSD inference", "mlperf inference: ssd.*|.* ssd inference .*"},
    {"RNN-T inference", "mlperf inference: rnn-t.*"},
    {"DLRM inference", "mlperf inference: dlrm rec.*"},
    {"DLRM-DCNv2 inference", "mlperf inference: .*dcnv2.*"},
    {"3D U-Net inference", "mlperf inference: 3d.*|.* unet_3d_medical inference .*"},
    {"GPT-J inference", ".*gpt-j.*"},
    {"Llama 2 70B inference", "mlperf inference: llama 2 70b.*"},
    {"Llama 3.1 8B inference", "mlperf inference: llama 3\\.1 8b.*"},
    {"Llama 3.1 405B inference", "mlperf inference: llama 3\\.1 405b"},
    {"Mixtral 8x7B inference", ".*mixtral.*"},
    {"Stable Diffusion XL inference", ".*stable diffusion xl.*"},
    {"Whisper inference", ".*whisper.*"},
    {"DeepSeek-R1 inference", ".*deepseek-r1.*"},
    {"distributed inference", "distributed inference.*"},
    {"NCCL allreduce", "(superbench )?nccl.*allreduce.*"},
    {"NCCL allgather", "(superbench )?nccl.*allgather.*"},
    {"NCCL reducescatter", "(superbench )?nccl.*reduce_?scatter.*"},
    {"NCCL alltoall", "(superbench )?nccl.*alltoall.*"},
    {"NCCL broadcast", "(superbench )?nccl.*broadcast.*"},
    {"NCCL reduce", "(superbench )?nccl.*\\breduce\\b.*"},
    {"RCCL allreduce", "rccl allreduce.*"},
    {"cuBLAS functions", "cublas functions.*|superbench cublas.*"},
    {"LINPACK", ".*linpack.*"},
    {"GPU memory bandwidth", "gpu memory bandwidth.*"},
    {"GPU to GPU bandwidth", "gpu to gpu .*"},
    {"PCIe bandwidth", "pcie .*"},
    {"InfiniBand bandwidth", "infiniband .*bandwidth.*"},
    {"CPU memory bandwidth", ".*cpu[- ]memory[- ](bandwidth|bw).*"},
    {"kernel launch time", ".*kernel[- ]launch.*"}};

std::string field(const Json& candidate, const char* key) {
  const auto it = candidate.find(key);
  return it == candidate.end() || !it->is_string() ? "" : it->get<std::string>();
}

}  // namespace

bool TextPredicate::matches(const std::string& text, const std::string& pattern) {
  const auto key = std::make_pair(pattern, text);
  if (const auto known = known_.find(key); known != known_.end()) return known->second;
  auto it = compiled_.find(pattern);
  if (it == compiled_.end()) it = compiled_.emplace(pattern, std::regex(pattern, std::regex::icase)).first;
  return known_[key] = std::regex_match(text, it->second);
}

bool TextPredicate::fits_design(const Json& candidate, const std::string& name) {
  const auto it = design_table().find(name);
  if (it != design_table().end()) return matches(field(candidate, "sku"), it->second);
  return matches(field(candidate, "hardware"), "(.*[^a-z0-9])?([0-9]+x)?" + name + "([^a-z0-9].*)?");
}

bool TextPredicate::fits_workload(const Json& candidate, const std::string& name) {
  const std::string workload = field(candidate, "workload");
  if (name.rfind("GEMM ", 0) == 0) {
    if (name == "GEMM FP8" && matches(workload, "gemm performance - fp8.*")) return true;
    return matches(workload, "gemm [0-9]+x[0-9]+x[0-9]+ .*") &&
           matches(field(candidate, "precision"), name.substr(5));
  }
  const auto it = kWorkloadTable.find(name);
  return it != kWorkloadTable.end() && matches(workload, it->second);
}

bool TextPredicate::fits(const Json& candidate, const Json& dcw) {
  const std::string target = dcw.at("Design").at("Target"), baseline = dcw.at("Design").at("Baseline");
  const std::string workload = dcw.at("Workload");
  const bool design = target.empty() || fits_design(candidate, target) ||
                      (!baseline.empty() && fits_design(candidate, baseline));
  return design && (workload == "default" || fits_workload(candidate, workload));
}

}  // namespace micius::aimicius
