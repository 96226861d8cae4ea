#include "sw/experiment/one_image.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "sw/network/dataset.hpp"
#include "sw/schedule/program.hpp"
#include "sw/workload/synthetic_images.hpp"

namespace abacus::experiment {
namespace {

void check_image(std::int64_t image, std::int64_t count) {
  if (image >= 0 && image < count) return;
  throw std::runtime_error("image " + std::to_string(image) + ": allowed are 0 to " +
                           std::to_string(count - 1) + ", the run's");
}

network::Dataset images_of(const RunSpec& run, std::int64_t image,
                           const std::filesystem::path& data_root) {
  if (run.synthetic) {
    check_image(image, std::max<std::int64_t>(run.images, 1));
    return workload::synthetic_images(run.synthetic->image, run.synthetic->classes, image + 1,
                                      run.synthetic->seed);
  }
  return network::load_dataset(run.dataset, network::Split::test,
                               network::data_root(data_root, run.dataset));
}

}  // namespace

TimedImage time_one_image(const RunSpec& run, const network::IntegerNetwork& network,
                          std::int64_t image, const std::filesystem::path& data_root,
                          const Prepare& prepare) {
  const network::Dataset images = images_of(run, image, data_root);
  check_image(image, images.count());
  const schedule::Program program = schedule::schedule(network, run.hardware);
  SimulationSlice slice;
  slice.first = image;
  slice.count = 1;
  slice.timed = 1;
  return simulate_slice(
             network, program, run.hardware, hw::TimingLevel::approximate, run.engine, images,
             slice, [](std::int64_t) {}, prepare)
      .timed.at(0);
}

}  // namespace abacus::experiment
