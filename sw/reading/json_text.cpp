#include "sw/reading/json_text.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

namespace abacus::reading {
namespace {

// Takes the parser's events; builds no more than it may.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Builder(const std::string& name)
      : place_{std::make_shared<const Source>(Source{name, "an object"}), 0, 0} {}

  Node take() { return std::move(root_.front()); }

  bool null() override { return add(Node::Null()); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(std::int64_t{value}); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
      return add(static_cast<double>(value));
    }
    return add(static_cast<std::int64_t>(value));
  }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // JSON has none

  bool start_object(std::size_t) override { return open(true); }
  bool end_object() override {
    Open done = close();
    std::sort(done.members.begin(), done.members.end(),
              [](const Member& a, const Member& b) { return a.key < b.key; });
    const auto twice =
        std::adjacent_find(done.members.begin(), done.members.end(),
                           [](const Member& a, const Member& b) { return a.key == b.key; });
    if (twice != done.members.end()) refuse('"' + twice->key + "\" stands twice; allowed: once");
    return add(std::move(done.members));
  }
  bool start_array(std::size_t) override { return open(false); }
  bool end_array() override { return add(std::move(close().list)); }
  bool key(string_t& value) override {
    open_.back().key = std::move(value);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception& error) override {
    // Behind the library's name of the error, "[json.exception.parse_error.101] ".
    const std::string why = error.what();
    const std::size_t name = why.find("] ");
    refuse("no valid JSON at byte " + std::to_string(position) + ": " +
           (name == std::string::npos ? why : why.substr(name + 2)));
  }

 private:
  // An object or a list that has not ended.
  struct Open {
    bool object;
    std::string key;
    Node::Table members;
    Node::List list;
  };

  [[noreturn]] void refuse(const std::string& what) const {
    throw InputError(place_.text() + ": " + what);
  }

  bool open(bool object) {
    if (open_.size() == most_levels) {
      refuse("nested deeper than " + std::to_string(most_levels) + " levels");
    }
    open_.push_back({object, {}, {}, {}});
    return true;
  }

  Open close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    return done;
  }

  bool add(Node::Value value) {
    if (++count_ > most_values) refuse("more than " + std::to_string(most_values) + " values");
    if (open_.empty()) {
      root_.emplace_back(place_, std::move(value));
    } else if (open_.back().object) {
      open_.back().members.push_back(
          {std::move(open_.back().key), place_, {place_, std::move(value)}});
    } else {
      open_.back().list.emplace_back(place_, std::move(value));
    }
    return true;
  }

  Place place_;
  std::vector<Open> open_;
  std::vector<Node> root_;
  std::size_t count_ = 0;
};

}  // namespace

Node parse_json(const std::string& text, const std::string& name) {
  Builder builder(name);
  nlohmann::json::sax_parse(text, &builder);
  return builder.take();
}

}  // namespace abacus::reading
