#include "sw/study/slurm_queue.hpp"

#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "sw/experiment/resources.hpp"
#include "sw/support/child_process.hpp"

namespace abacus::study {
namespace {

std::filesystem::path command(const char* name) {
  std::filesystem::path found = experiment::find_program(name);
  if (found.empty()) {
    throw std::runtime_error(
        std::string("--engine slurm: there is no ") + name +
        " on PATH (Slurm's clients; Debian: slurm-client). Any other engine can "
        "run --shard I/N, and abacus explore collect puts the shards together");
  }
  return found;
}

std::string output_of(const std::filesystem::path& program, const std::vector<std::string>& words) {
  const support::ProgramOutput said = support::capture_program(program, words);
  if (said.status != 0) {
    throw std::runtime_error("--engine slurm: " + program.filename().string() + ": " +
                             (said.err.empty()
                                  ? "status " + std::to_string(said.status)
                                  : said.err.substr(0, said.err.find_last_not_of('\n') + 1)));
  }
  return said.out;
}

}  // namespace

SlurmQueue::SlurmQueue(std::string name)
    : name_(std::move(name)), sbatch_(command("sbatch")), squeue_(command("squeue")) {}

std::set<std::int64_t> SlurmQueue::alive() const {
  std::set<std::int64_t> indices;
  std::istringstream lines(
      output_of(squeue_, {"--noheader", "--array", "--name=" + name_, "--format=%K"}));
  for (std::string line; std::getline(lines, line);) {
    char* end = nullptr;
    const long long index = std::strtoll(line.c_str(), &end, 10);
    if (end != line.c_str()) indices.insert(index);
  }
  return indices;
}

void SlurmQueue::submit(const std::set<std::int64_t>& indices, const std::filesystem::path& script,
                        const std::filesystem::path& logs,
                        const std::vector<std::string>& options) const {
  std::vector<std::string> words = {
      "--parsable",          "--array=" + ranges_text(indices),
      "--job-name=" + name_, "--requeue",
      "--open-mode=append",  "--output=" + (logs / "%a.log").string()};
  words.insert(words.end(), options.begin(), options.end());
  words.push_back(script.string());
  output_of(sbatch_, words);
}

std::string ranges_text(const std::set<std::int64_t>& numbers) {
  std::string text;
  for (auto first = numbers.begin(); first != numbers.end();) {
    auto last = first;
    auto next = std::next(first);
    while (next != numbers.end() && *next == *last + 1) last = next++;
    text += (text.empty() ? "" : ",") + std::to_string(*first);
    if (last != first) text += '-' + std::to_string(*last);
    first = next;
  }
  return text;
}

}  // namespace abacus::study
