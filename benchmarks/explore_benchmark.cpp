// How many points of a study a second: 200 points of scenarios/studies/array-shapes.toml (ResNet-20, one timed image each),
// from the start of the program to the last write, by the number of processes (--jobs).
//
//   points/s       by the clock on the wall
//   processor_ms   of a point, of all processes together (aim 5, at most 12)
//
//   build/release/bin/explore_benchmark build/release/bin/abacus
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "sw/support/child_process.hpp"

namespace {

constexpr int points = 200;

double processor_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::string study() {
  std::ifstream file(ABACUS_STUDY);
  return {std::istreambuf_iterator<char>(file), {}};
}

void explore(benchmark::State& state, const std::string& program) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / "abacus-explore-benchmark";
  double processor = 0;
  for (auto _ : state) {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    const std::string file = (folder / "study.toml").string();
    std::ofstream(file) << study() << "\n[method]\nkind = \"random\"\npoints = " << points << '\n';
    const double before = processor_seconds();
    const auto start = std::chrono::steady_clock::now();
    const abacus::support::ProgramOutput said = abacus::support::capture_program(
        program, {"explore", file, "--quiet", "--jobs=" + std::to_string(state.range(0)),
                  "--out=" + (folder / "out").string()});
    state.SetIterationTime(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    processor += processor_seconds() - before;
    if (said.status != 0) state.SkipWithError(said.err.c_str());
  }
  std::filesystem::remove_all(folder);
  const auto runs = static_cast<double>(state.iterations());
  state.counters["points/s"] = benchmark::Counter(points * runs, benchmark::Counter::kIsRate);
  state.counters["processor_ms"] = 1e3 * processor / points / runs;
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (argc != 2) return EXIT_FAILURE;
  const std::string program = argv[1];
  benchmark::RegisterBenchmark("Explore/jobs",
                               [&](benchmark::State& state) { explore(state, program); })
      ->Arg(1)
      ->Arg(2)
      ->Arg(4)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
  benchmark::RunSpecifiedBenchmarks();
  return EXIT_SUCCESS;
}
