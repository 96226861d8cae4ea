// How fast the SystemC models run: ResNet-20 images of 28×28 with random weights, through driver,
// bus, memories and units, beside the bare arithmetic kernel for the same taps in the same process.
//
// Times are the processor's, not the clock's on the wall.
//
//   Functional/…   time an image at the functional level; counters:
//     kernel_ms  the bare kernel's time for the image's taps
//     ratio      time through the models / kernel's time (aim 1.5, at most 3)
//   Approximate/…  time an image with full timing (aim 0.01 s, at most 0.05 s)
//
// SystemC elaborates once a process, so each benchmark has a process of its own for its platform.
#include <benchmark/benchmark.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <stdexcept>
#include <systemc>
#include <vector>

#include "benchmarks/bare_kernel.hpp"
#include "models/accelerator/platform.hpp"
#include "sw/driver/driver.hpp"
#include "sw/experiment/program_view.hpp"
#include "sw/schedule/program.hpp"
#include "sw/workload/synthetic_network.hpp"

namespace abacus::benchmarks {
namespace {

struct Measurement {
  double simulated;  // seconds for an image
  double kernel;     // seconds
};

// Processor time: the models run in one thread, and other work on the machine does not count.
double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double seconds_of(const std::function<void()>& work) {
  const double start = processor_seconds();
  work();
  return processor_seconds() - start;
}

void write_all(int file, const void* data, std::size_t bytes) {
  if (write(file, data, bytes) != static_cast<ssize_t>(bytes)) std::_Exit(1);
}

// In the platform's process: an image and a round of the kernel for each byte of `requests`.
void serve(const network::IntegerNetwork& network, hw::TimingLevel level, int requests,
           int answers) {
  hw::HardwareConfig hardware;
  hardware.array.kind = network.origin.arithmetic == network::Arithmetic::adder ? "adder" : "mac";
  const schedule::Program program = schedule::schedule(network, hardware);
  BareKernel kernel(network);
  models::Platform platform("platform", hardware, level);
  platform.set_software([&](hw::HostBus& bus) {
    driver::Driver driver(bus);
    if (driver.load(experiment::program_view(program)) != driver::DriverStatus::ok) std::_Exit(1);
    std::vector<std::uint8_t> image(program.input.bytes);
    std::vector<std::uint8_t> scores(program.scores.bytes);
    unsigned value = 1;
    char request = 0;
    while (read(requests, &request, 1) == 1) {
      for (std::uint8_t& pixel : image) {
        value = value * 1664525u + 1013904223u;
        pixel = static_cast<std::uint8_t>(value >> 24);
      }
      driver::RunStatistics statistics{};
      driver::DriverStatus status = driver::DriverStatus::ok;
      Measurement measurement{};
      measurement.simulated =
          seconds_of([&] { status = driver.run(image.data(), scores.data(), statistics); });
      if (status != driver::DriverStatus::ok) std::_Exit(1);
      platform.context().activity.clear();
      platform.context().timeline.clear();
      measurement.kernel = seconds_of([&] { kernel.run(); });
      write_all(answers, &measurement, sizeof measurement);
    }
  });
  sc_core::sc_start();
}

class PlatformProcess {
 public:
  PlatformProcess(const network::IntegerNetwork& network, hw::TimingLevel level) {
    int requests[2];
    int answers[2];
    if (pipe(requests) != 0 || pipe(answers) != 0) throw std::runtime_error("no pipe");
    process_ = fork();
    if (process_ < 0) throw std::runtime_error("no process");
    if (process_ == 0) {
      close(requests[1]);
      close(answers[0]);
      serve(network, level, requests[0], answers[1]);
      std::_Exit(0);
    }
    close(requests[0]);
    close(answers[1]);
    requests_ = requests[1];
    answers_ = answers[0];
  }
  PlatformProcess(const PlatformProcess&) = delete;
  PlatformProcess& operator=(const PlatformProcess&) = delete;
  ~PlatformProcess() {
    close(requests_);
    close(answers_);
    waitpid(process_, nullptr, 0);
  }

  Measurement image() {
    const char request = 1;
    Measurement measurement{};
    if (write(requests_, &request, 1) != 1 ||
        read(answers_, &measurement, sizeof measurement) != sizeof measurement) {
      throw std::runtime_error("the platform's process ended early");
    }
    return measurement;
  }

 private:
  pid_t process_;
  int requests_;
  int answers_;
};

void simulate(benchmark::State& state, const workload::SyntheticOptions& options,
              hw::TimingLevel level) {
  const network::IntegerNetwork network = workload::synthetic_network(options);
  PlatformProcess platform(network, level);
  for (int warm_up = 0; warm_up < 3; ++warm_up) platform.image();
  Measurement total{};
  for (auto _ : state) {
    const Measurement measurement = platform.image();
    state.SetIterationTime(measurement.simulated);
    total.simulated += measurement.simulated;
    total.kernel += measurement.kernel;
  }
  state.counters["images_per_second"] =
      benchmark::Counter(static_cast<double>(state.iterations()) / total.simulated);
  state.counters["kernel_ms"] =
      benchmark::Counter(1e3 * total.kernel / static_cast<double>(state.iterations()));
  state.counters["ratio"] = benchmark::Counter(total.simulated / total.kernel);
}

void add(const char* name, network::Arithmetic arithmetic, int groups, hw::TimingLevel level) {
  workload::SyntheticOptions options;
  options.arithmetic = arithmetic;
  options.groups = groups;
  benchmark::RegisterBenchmark(name,
                               [=](benchmark::State& state) { simulate(state, options, level); })
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

}  // namespace
}  // namespace abacus::benchmarks

int sc_main(int argc, char** argv) {
  using namespace abacus;
  using abacus::benchmarks::add;
  add("Functional/adder_4_bits_1_group", network::Arithmetic::adder, 1,
      hw::TimingLevel::functional);
  add("Functional/adder_4_bits_4_groups", network::Arithmetic::adder, 4,
      hw::TimingLevel::functional);
  add("Functional/mac_4_bits", network::Arithmetic::cnn, 1, hw::TimingLevel::functional);
  add("Approximate/adder_4_bits_1_group", network::Arithmetic::adder, 1,
      hw::TimingLevel::approximate);
  add("Approximate/adder_4_bits_4_groups", network::Arithmetic::adder, 4,
      hw::TimingLevel::approximate);
  add("Approximate/mac_4_bits", network::Arithmetic::cnn, 1, hw::TimingLevel::approximate);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
