#include "sw/quant/qat/network_reconstruction.hpp"

#include <string>

#include "sw/quant/qat/byte_teacher.hpp"
#include "sw/quant/qat/qat_network.hpp"
#include "sw/train/batches.hpp"
#include "sw/train/optimizer.hpp"
#include "sw/train/training_loop.hpp"

namespace abacus::quant {
namespace {

class NetworkReconstruction : public train::TrainingTask {
 public:
  NetworkReconstruction(const network::Checkpoint& checkpoint, const QuantizationPlan& plan,
                        double temperature)
      : network_(checkpoint.network, checkpoint.tensors),
        teacher_(checkpoint.network, checkpoint.tensors),
        teacher_hooks_(byte_teacher_hooks(teacher_)),
        quantized_(network_, plan),
        temperature_(temperature) {
    network_.set_batch_norm_mode(train::BatchNormMode::training);
    teacher_.set_batch_norm_mode(train::BatchNormMode::inference);
    quantized_.set_adder_gradient(train::AdderGradient::exact);
  }

  train::FloatNetwork& network() { return network_; }

  std::string loss_name() const override { return "the divergence from the float network"; }

  Judgement judge(const train::Batch& batch) override {
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
  train::FloatNetwork network_, teacher_;
  train::ForwardHooks teacher_hooks_;
  QatNetwork quantized_;
  double temperature_;
};

}  // namespace

network::Checkpoint reconstruct_network(
    const network::Checkpoint& checkpoint, const QuantizationPlan& plan,
    const CalibrationData& data, const NetworkReconstructionOptions& options,
    const std::function<void(std::int64_t, std::int64_t)>& progress) {
  check(options);
  NetworkReconstruction reconstruction(checkpoint, plan, options.temperature);
  train::OptimizerOptions adam;
  adam.method = train::OptimizerMethod::adam;
  adam.weight_decay = 0;
  train::Optimizer optimizer(reconstruction.network(), adam);
  train::BatchSource batches(data.images, data.normalization,
                             {options.batch, data.augmentation, options.seed,
                              train::BatchSource::Rest::left_out, options.images});
  train::TrainingCourse course;
  course.schedule = train::StepSchedule{options.iterations, options.rate};
  course.progress = [&](std::int64_t done, std::int64_t total, const std::string&) {
    if (progress) progress(done, total);
  };
  train::run_training(reconstruction, optimizer, batches, course);
  network::Checkpoint result = checkpoint;
  for (auto& [name, tensor] : reconstruction.network().tensors()) {
    if (name.find("running_") == std::string::npos) result.tensors[name] = tensor;
  }
  return result;
}

}  // namespace abacus::quant
