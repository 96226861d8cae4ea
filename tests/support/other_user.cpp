#include "tests/support/other_user.hpp"

#include <grp.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "sw/support/forked_work.hpp"

namespace abacus::test {
namespace {

constexpr uid_t nobody = 65534;

void become_nobody() {
  if (::geteuid() != 0) return;
  if (::setgroups(0, nullptr) != 0 || ::setresgid(nobody, nobody, nobody) != 0 ||
      ::setresuid(nobody, nobody, nobody) != 0) {
    throw std::logic_error("cannot become another user");
  }
}

}  // namespace

std::string as_plain_user(const std::function<std::string()>& work) {
  const support::Work task = [&](int, const support::Report&) -> nlohmann::json {
    become_nobody();
    try {
      return work();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  };
  return support::run_forked(1, task, [](std::int64_t) {}).front().get<std::string>();
}

void give_to_plain_user(const std::filesystem::path& path) {
  if (::geteuid() == 0 && ::chown(path.c_str(), nobody, nobody) != 0) {
    throw std::logic_error(path.string() + ": cannot be given away");
  }
}

}  // namespace abacus::test
