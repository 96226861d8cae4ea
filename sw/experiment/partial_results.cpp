#include "sw/experiment/partial_results.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

namespace abacus::experiment {
namespace {

using Json = nlohmann::ordered_json;

bool is_entry(const Json& line) {
  return line.is_object() && line.contains("identity") && line["identity"].is_string() &&
         line.contains("run") && line["run"].is_object() && line.contains("times") &&
         line["times"].is_object();
}

[[noreturn]] void fail(const std::filesystem::path& file, int reason) {
  throw std::runtime_error(file.string() +
                           ": cannot keep a finished run: " + std::strerror(reason));
}

class Appender {
 public:
  explicit Appender(const std::filesystem::path& file) : file_(file) {
    constexpr mode_t mode = 0666;  // less what the user's mask takes away
    descriptor_ =
        ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode);
    if (descriptor_ < 0) fail(file, errno);
  }
  ~Appender() { ::close(descriptor_); }
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;

  void write(const std::string& text) const {
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t n = ::write(descriptor_, text.data() + done, text.size() - done);
      if (n < 0 && errno != EINTR) fail(file_, errno);
      if (n > 0) done += static_cast<std::size_t>(n);
    }
  }

 private:
  std::filesystem::path file_;
  int descriptor_;
};

}  // namespace

std::filesystem::path partial_results_file(const std::filesystem::path& results_file) {
  return std::filesystem::path(results_file).replace_filename("results.partial.jsonl");
}

PartialResults::PartialResults(const std::filesystem::path& results_file)
    : file_(partial_results_file(results_file)) {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(file_, ignored))) return;
  if (!std::filesystem::is_regular_file(std::filesystem::symlink_status(file_, ignored))) {
    throw std::runtime_error(file_.string() + ": is no file; finished runs are to be kept there");
  }
  std::ifstream in(file_, std::ios::binary);
  if (!in) throw std::runtime_error(file_.string() + ": cannot read the finished runs");
  for (std::string text; std::getline(in, text);) {
    torn_ = in.eof();
    Json line = Json::parse(text, nullptr, false);
    if (!is_entry(line)) continue;
    entries_[line["identity"].get<std::string>()] = {std::move(line["run"]),
                                                     std::move(line["times"])};
  }
}

const PartialResults::Entry* PartialResults::find(const std::string& identity) const {
  const auto found = entries_.find(identity);
  return found == entries_.end() ? nullptr : &found->second;
}

void PartialResults::begin(const std::string& scenario, const std::vector<std::string>& missing) {
  add({{"scenario", scenario}, {"missing", missing}});
}

void PartialResults::keep(const std::string& identity, const Entry& entry) {
  add({{"identity", identity}, {"run", entry.run}, {"times", entry.times}});
  entries_[identity] = entry;
}

void PartialResults::remove() {
  std::error_code ignored;
  std::filesystem::remove(file_, ignored);
  entries_.clear();
}

void PartialResults::add(const Json& line) {
  const std::string text = line.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
  const Appender out(file_);
  out.write(torn_ ? '\n' + text : text);
  torn_ = false;
}

}  // namespace abacus::experiment
