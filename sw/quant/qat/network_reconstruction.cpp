#include "sw/quant/qat/network_reconstruction.hpp"

#include <string>

#include "sw/quant/qat/byte_teacher.hpp"
#include "sw/quant/qat/qat_network.hpp"
#include "sw/train/batches.hpp"
#include "sw/train/optimizer.hpp"
#include "sw/train/training_loop.hpp"

namespace abacus {
namespace {

class NetworkReconstruction : public TrainingTask {
 public:
  NetworkReconstruction(const Checkpoint& checkpoint, const QuantizationPlan& plan,
                        double temperature)
      : network_(checkpoint.network, checkpoint.tensors),
        teacher_(checkpoint.network, checkpoint.tensors),
        teacher_hooks_(byte_teacher_hooks(teacher_)),
        quantized_(network_, plan),
        temperature_(temperature) {
    network_.set_batch_norm_mode(BatchNormMode::training);
    teacher_.set_batch_norm_mode(BatchNormMode::inference);
    quantized_.set_adder_gradient(AdderGradient::exact);
  }

  FloatNetwork& network() { return network_; }

  std::string loss_name() const override { return "the divergence from the float network"; }

  Judgement judge(const Batch& batch) override {
    torch::Tensor wanted;
    {
      torch::NoGradGuard no_gradient;
      wanted = torch::log_softmax(teacher_.forward(batch.images, teacher_hooks_) / temperature_, 1);
    }
    const torch::Tensor scores = quantized_.forward(batch.images);
    const torch::Tensor found = torch::log_softmax(scores / temperature_, 1);
    // Times T², by which the gradients at the scores are as large at every temperature.
    return {scores, temperature_ * temperature_ * (wanted.exp() * (wanted - found)).sum(1).mean()};
  }

 private:
  FloatNetwork network_, teacher_;
  ForwardHooks teacher_hooks_;
  QatNetwork quantized_;
  double temperature_;
};

}  // namespace

Checkpoint reconstruct_network(const Checkpoint& checkpoint, const QuantizationPlan& plan,
                               const CalibrationData& data,
                               const NetworkReconstructionOptions& options,
                               const std::function<void(std::int64_t, std::int64_t)>& progress) {
  check(options);
  NetworkReconstruction reconstruction(checkpoint, plan, options.temperature);
  OptimizerOptions adam;
  adam.method = OptimizerMethod::adam;
  adam.weight_decay = 0;
  Optimizer optimizer(reconstruction.network(), adam);
  BatchSource batches(data.images, data.normalization,
                      {options.batch, data.augmentation, options.seed, BatchSource::Rest::left_out,
                       options.images});
  TrainingCourse course;
  course.schedule = StepSchedule{options.iterations, options.rate};
  course.progress = [&](std::int64_t done, std::int64_t total, const std::string&) {
    if (progress) progress(done, total);
  };
  run_training(reconstruction, optimizer, batches, course);
  Checkpoint result = checkpoint;
  for (auto& [name, tensor] : reconstruction.network().tensors()) {
    if (name.find("running_") == std::string::npos) result.tensors[name] = tensor;
  }
  return result;
}

}  // namespace abacus
