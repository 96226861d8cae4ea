#include "tests/models/dram_rules.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace abacus::test {
namespace {

using models::DramCommand;
using Kind = DramCommand::Kind;

// Nothing lasts longer than a refresh.
constexpr std::uint64_t longest = 400'000;  // ps

std::int64_t ps(double ns) { return std::llround(ns * 1e3); }

class Judge {
 public:
  explicit Judge(const hw::DramConfig& config) : c_(config) {}

  DramVerdict run(const std::vector<DramCommand>& commands) {
    for (std::size_t i = 0; i < commands.size(); ++i) {
      place_ = i;
      const DramCommand& b = commands[i];
      std::vector<DramCommand>& before = before_[b.channel];
      state(b);
      int activates = 0;
      for (auto a = before.rbegin(); a != before.rend() && a->time + longest >= b.time; ++a) {
        pair(*a, b);
        if (a->kind == Kind::activate && b.kind == Kind::activate && ++activates == 4) {
          least("tFAW", *a, b, ps(c_.t_faw));
        }
      }
      before.push_back(b);
    }
    return verdict_;
  }

 private:
  int group(int bank) const { return bank % c_.bank_groups; }
  static bool column(const DramCommand& c) { return c.kind == Kind::read || c.kind == Kind::write; }
  static bool about(const DramCommand& a, const DramCommand& b) {
    return a.bank == b.bank || a.bank == -1 || b.bank == -1;
  }

  void least(const char* timing, const DramCommand& a, const DramCommand& b, std::int64_t time) {
    const auto slack = static_cast<std::int64_t>(b.time) - static_cast<std::int64_t>(a.time) - time;
    if (slack < 0) {
      verdict_.broken.push_back(std::string(timing) + ": " + std::to_string(a.time) + " to " +
                                std::to_string(b.time) + " ps");
    }
    const auto [met, first] = verdict_.slack.emplace(timing, slack);
    if (first || slack < met->second) {
      met->second = slack;
      verdict_.tightest[timing] = place_;
    }
  }
  void wrong(const char* what, const DramCommand& b) {
    verdict_.broken.push_back(std::string(what) + ": bank " + std::to_string(b.bank) + " at " +
                              std::to_string(b.time) + " ps");
  }

  // Which rows are open.
  void state(const DramCommand& b) {
    std::map<int, std::int64_t>& open = open_[b.channel];
    if (b.time % static_cast<std::uint64_t>(ps(c_.t_ck)) != 0) wrong("clock", b);
    if (asleep_[b.channel] && b.kind != Kind::power_up) wrong("asleep", b);
    switch (b.kind) {
      case Kind::activate:
        if (open.count(b.bank) != 0) wrong("ACTIVATE of an open bank", b);
        open[b.bank] = b.row;
        break;
      case Kind::read:
      case Kind::write:
        if (open.count(b.bank) == 0 || open[b.bank] != b.row) wrong("row not open", b);
        break;
      case Kind::precharge:
        if (b.bank == -1) {
          open.clear();
        } else {
          open.erase(b.bank);
        }
        break;
      case Kind::refresh:
      case Kind::power_down:
        if (!open.empty()) wrong("a row is open", b);
        asleep_[b.channel] = b.kind == Kind::power_down;
        break;
      case Kind::refresh_bank:
        if (open.count(b.bank) != 0) wrong("REFRESH of an open bank", b);
        break;
      case Kind::power_up:
        asleep_[b.channel] = false;
        break;
    }
  }

  void pair(const DramCommand& a, const DramCommand& b) {
    const std::int64_t burst = ps(c_.burst_ns());
    const std::int64_t write_end = ps(c_.t_cwl) + burst;
    const bool bank = about(a, b);
    const bool same_group = a.bank >= 0 && b.bank >= 0 && group(a.bank) == group(b.bank);
    if (a.kind == Kind::activate) {
      if (bank && column(b) && a.row == b.row) least("tRCD", a, b, ps(c_.t_rcd));
      if (bank && b.kind == Kind::precharge) least("tRAS", a, b, ps(c_.t_ras));
      if (b.kind == Kind::activate && c_.t_rrd_s != 0) {
        least("tRRD_S", a, b, ps(c_.t_rrd_s));
        if (same_group && c_.t_rrd_l != 0) least("tRRD_L", a, b, ps(c_.t_rrd_l));
      }
    }
    if (a.kind == Kind::precharge && bank) {
      if (b.kind == Kind::activate) least("tRP", a, b, ps(c_.t_rp));
      if (b.kind == Kind::refresh) least("tRP to REFRESH", a, b, ps(c_.t_rp));
      if (b.kind == Kind::refresh_bank && b.bank == a.bank) {
        least("tRP to REFRESH of a bank", a, b, ps(c_.t_rp));
      }
      if (b.kind == Kind::power_down) least("tRP to power-down", a, b, ps(c_.t_rp));
    }
    if (b.kind == Kind::precharge && bank) {
      if (a.kind == Kind::read) least("tRTP", a, b, ps(c_.t_rtp));
      if (a.kind == Kind::write) least("tWR", a, b, write_end + ps(c_.t_wr));
    }
    if (column(a) && column(b)) {
      if (a.kind == b.kind) {
        least("tCCD_S", a, b, burst);
        if (same_group && c_.t_ccd_l != 0) least("tCCD_L", a, b, ps(c_.t_ccd_l));
      } else if (a.kind == Kind::write) {
        least("tWTR", a, b, write_end + ps(c_.t_wtr));
        if (same_group && c_.t_wtr_l != 0) least("tWTR_L", a, b, write_end + ps(c_.t_wtr_l));
      } else {
        least("read to write", a, b, ps(c_.t_cl) + burst + 2 * ps(c_.t_ck) - ps(c_.t_cwl));
      }
    }
    if (b.kind == Kind::activate) {
      if (a.kind == Kind::refresh) least("tRFC", a, b, ps(c_.t_rfc));
      if (a.kind == Kind::refresh_bank && bank) least("tRFC_pb", a, b, ps(c_.t_rfc_pb));
    }
    if (a.kind == Kind::power_up && b.kind != Kind::refresh_bank) least("tXP", a, b, ps(c_.t_xp));
  }

  const hw::DramConfig& c_;
  std::map<int, std::vector<DramCommand>> before_;
  std::map<int, std::map<int, std::int64_t>> open_;
  std::map<int, bool> asleep_;
  std::size_t place_ = 0;
  DramVerdict verdict_;
};

}  // namespace

bool DramVerdict::breaks(const std::string& timing) const {
  return std::any_of(broken.begin(), broken.end(), [&](const std::string& what) {
    return what.compare(0, timing.size() + 1, timing + ":") == 0;
  });
}

std::vector<DramCommand> in_time(std::vector<DramCommand> commands) {
  std::stable_sort(commands.begin(), commands.end(),
                   [](const DramCommand& a, const DramCommand& b) { return a.time < b.time; });
  return commands;
}

DramVerdict judge(const std::vector<DramCommand>& commands, const hw::DramConfig& config) {
  return Judge(config).run(commands);
}

}  // namespace abacus::test
