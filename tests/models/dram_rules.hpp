// Whether a stream of DRAM commands is one that the device allows, by its data sheet's definitions: each command
// is held against those before it, pair by pair. Shares nothing with the models.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/memory/dram_channel.hpp"
#include "tlm/dram_config.hpp"

namespace abacus::test {

struct DramVerdict {
  std::vector<std::string> broken;            // "tRCD: … "
  std::map<std::string, std::int64_t> slack;  // of each timing that was met, the least, in ps
  // The later command of the pair with the least slack, its place in the stream ordered by time.
  std::map<std::string, std::size_t> tightest;

  bool breaks(const std::string& timing) const;
};

std::vector<models::DramCommand> in_time(std::vector<models::DramCommand> commands);
// `commands` as of in_time().
DramVerdict judge(const std::vector<models::DramCommand>& commands, const hw::DramConfig& config);

}  // namespace abacus::test
