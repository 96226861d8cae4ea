#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>

#include "sw/cli/shared/command_exit.hpp"
#include "sw/cli/shared/integer_option.hpp"
#include "sw/cli/simulator/commands.hpp"
#include "sw/cli/simulator/scenario_option.hpp"
#include "sw/study/explore.hpp"
#include "sw/study/store.hpp"
#include "sw/support/stop_request.hpp"

namespace abacus::cli {
namespace {

struct Options {
  study::ExploreOptions explore;
  std::string shard;
};

// "2/4"
void read_shard(const std::string& text, study::ExploreOptions& options) {
  if (text.empty()) return;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%d/%d%c", &options.shard, &options.shards, &rest) != 2 ||
      options.shard < 1 || options.shards < 1 || options.shard > options.shards ||
      options.shards > 1'000'000) {
    throw std::invalid_argument("--shard: found " + text + "; allowed: 1/4 to 4/4");
  }
}

int explore(Options& options) {
  read_shard(options.shard, options.explore);
  if (options.explore.study.empty()) throw std::invalid_argument("name a study file");
  if (options.explore.out.empty() && !options.explore.dry_run) {
    throw std::invalid_argument("give --out DIR, a folder for the study's points");
  }
  if (options.explore.engine == study::Engine::local &&
      (options.explore.chunk > 0 || !options.explore.sbatch.empty())) {
    throw std::invalid_argument("--chunk, --sbatch: go with --engine slurm");
  }
  const study::ExploreResult result = study::explore(options.explore);
  if (!options.explore.dry_run && !options.explore.quiet) {
    std::printf("%lld points: %lld ok, %lld infeasible, %lld failed: %s\n",
                static_cast<long long>(result.points), static_cast<long long>(result.ok),
                static_cast<long long>(result.infeasible), static_cast<long long>(result.failed),
                (options.explore.out / "study.sqlite").c_str());
  }
  return result.failed == 0 ? 0 : 1;
}

void add_collect_command(CLI::App& explore) {
  struct Collect {
    std::vector<std::filesystem::path> shards;
    std::filesystem::path out;
  };
  auto options = std::make_shared<Collect>();
  CLI::App* command = explore.add_subcommand(
      "collect", "Put the folders of a study's shards together, all of them");
  command->add_option("folders", options->shards, "Of abacus explore --shard")->required();
  command->add_option("--out", options->out, "Folder for the whole study")->required();
  command->callback([options] { study::collect_stores(options->shards, options->out); });
}

}  // namespace

void add_explore_command(CLI::App& app) {
  auto options = std::make_shared<Options>();
  study::ExploreOptions& explored = options->explore;
  CLI::App* command = app.add_subcommand(
      "explore", "Simulate the points of a study; the same command goes on where it was stopped");
  add_collect_command(*command);
  command->require_subcommand(0, 1);
  command->add_option("study", explored.study, "Study file (TOML)");
  command->add_option("--out", explored.out, "Folder of the study's points");
  add_integer(*command, "--jobs", explored.jobs, "Processes; the results do not depend on it",
              {1, 1024})
      ->default_str("one a processor");
  command
      ->add_option("--shard", options->shard,
                   "This part of the points, in a folder of its own: 2/4")
      ->type_name("I/N");
  command
      ->add_option("--engine", explored.engine,
                   "Who runs the processes: local (the default) or slurm")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, study::Engine>{{"local", study::Engine::local},
                                               {"slurm", study::Engine::slurm}},
          CLI::ignore_case))
      ->type_name("ENGINE")
      ->default_str("local");
  add_integer(*command, "--chunk", explored.chunk, "Of slurm: points a task", {1, 10'000'000})
      ->default_str("the study's, else 250");
  command
      ->add_option("--sbatch", explored.sbatch,
                   "Of slurm: option of sbatch; may be repeated: --sbatch=--partition=long")
      ->type_name("OPTION")
      ->allow_extra_args(false);
  command->add_flag("--dry-run", explored.dry_run,
                    "Count the points, name infeasible ones, estimate the time");
  command->add_flag("--yes", explored.yes, "More than 10000 points, too");
  command->add_flag("--retry-failed", explored.retry_failed, "Simulate failed points again");
  add_folders(*command, explored.package.data_root, explored.package.cache);
  command->add_flag("--quiet", explored.quiet, "Errors only");
  command->callback([options, command] {
    if (!command->get_subcommands().empty()) return;
    support::catch_stop_signals();
    options->explore.package.quiet = options->explore.quiet;
    throw CommandExit{explore(*options)};
  });
}

}  // namespace abacus::cli
