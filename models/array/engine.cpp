#include "models/array/engine.hpp"

#include "models/array/shadow_engine.hpp"
#include "models/array/stepwise_engine.hpp"
#include "models/array/vector_engine.hpp"

namespace abacus::models {

std::unique_ptr<Engine> make_engine(const std::string& name, int accumulator_bits,
                                    CpuTarget target) {
  if (name == "vector") return std::make_unique<VectorEngine>(accumulator_bits, target);
  if (name == "stepwise") return std::make_unique<StepwiseEngine>(accumulator_bits);
  if (name == "shadow") {
    return std::make_unique<ShadowEngine>(make_engine("vector", accumulator_bits, target),
                                          make_engine("stepwise", accumulator_bits, target));
  }
  std::string allowed;
  for (const std::string& known : engine_names()) allowed += (allowed.empty() ? "" : ", ") + known;
  throw std::invalid_argument("unknown engine \"" + name + "\"; allowed: " + allowed);
}

const std::vector<std::string>& engine_names() {
  static const std::vector<std::string> names = {"vector", "stepwise", "shadow"};
  return names;
}

}  // namespace abacus::models
